package redis

import "context"

type Archive interface{}

func (l *Ledger) archive(ctx context.Context) {}
func (l *Ledger) archivedRecord(ctx context.Context, shard int, at uint64) (*record, error) {
	return nil, nil
}
func (s *shard) archived(ctx context.Context, from, to uint64, do func(e entry) error) (next uint64, err error) {
	return 0, errNoArchive
}
