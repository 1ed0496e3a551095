package ledgertest

import "fmt"

// list collects what is wrong, so that one failure does not hide another.
type list []string

func (l *list) require(ok bool, format string, args ...any) {
	if !ok {
		*l = append(*l, fmt.Sprintf(format, args...))
	}
}

// maxPages ends a listing that never ends.
const maxPages = 10_000

// all reads a listing to its end.
func all[T any](page func(cursor string) ([]T, string, error)) ([]T, error) {
	var items []T
	cursor := ""
	for range maxPages {
		some, next, err := page(cursor)
		if err != nil {
			return nil, err
		}
		items = append(items, some...)
		if next == "" {
			return items, nil
		}
		cursor = next
	}
	return nil, fmt.Errorf("the listing has not ended after %d pages", maxPages)
}
