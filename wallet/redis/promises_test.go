package redis

import (
	"maps"
	"strings"
	"testing"
)

// keeps is a server that keeps what it is told, as INFO and CONFIG say it.
func keeps() *promise {
	return &promise{
		address: "10.0.0.1:6379", version: "7.0.15",
		settings: map[string]string{
			"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction",
			"no-appendfsync-on-rewrite": "no", "min-replicas-to-write": "0",
		},
		info: map[string]string{"role": "master", "connected_slaves": "0", "aof_last_write_status": "ok"},
	}
}

// Invariant 5: a server that would lose what it acknowledges is refused in words, with
// the setting to change, or its operator is warned.
func TestServersAreJudgedByWhatTheyPromise(t *testing.T) {
	for name, c := range map[string]struct {
		durability Durability
		assume     bool
		settings   map[string]string
		info       map[string]string
		hidden     bool
		version    string
		refused    string // what the refusal says; empty: none
		warned     string
	}{
		"all is well":                     {durability: Durable},
		"nothing is written to disk":      {durability: Fast, settings: map[string]string{"appendonly": "no"}, refused: "CONFIG SET appendonly yes"},
		"balances may be evicted":         {durability: Fast, settings: map[string]string{"maxmemory-policy": "allkeys-lru"}, refused: "CONFIG SET maxmemory-policy noeviction"},
		"and keys with an end too":        {durability: Fast, settings: map[string]string{"maxmemory-policy": "volatile-ttl"}, refused: "maxmemory-policy noeviction"},
		"synced each second, for durable": {durability: Durable, settings: map[string]string{"appendfsync": "everysec"}, refused: "CONFIG SET appendfsync always"},
		"synced each second, for fast":    {durability: Fast, settings: map[string]string{"appendfsync": "everysec"}, warned: "power cut"},
		"never synced":                    {durability: Fast, settings: map[string]string{"appendfsync": "no"}, refused: "half a minute"},
		"not synced while it rewrites":    {durability: Durable, settings: map[string]string{"no-appendfsync-on-rewrite": "yes"}, refused: "CONFIG SET no-appendfsync-on-rewrite no"},
		"strict without a replica":        {durability: Strict, refused: "replicaof"},
		"strict with one":                 {durability: Strict, info: map[string]string{"connected_slaves": "1"}, warned: "min-replicas-to-write"},
		"it is a replica":                 {durability: Durable, info: map[string]string{"role": "slave"}, refused: "address of the master"},
		"it is too old":                   {durability: Durable, version: "6.2.14", refused: "7.0 or later"},
		"its disk has failed":             {durability: Durable, info: map[string]string{"aof_last_write_status": "err"}, warned: "disk"},
		"its file may not be written":     {durability: Durable, info: map[string]string{"aof_enabled": "1", "aof_rewrites": "0"}, warned: "+bgrewriteaof"},
		"its memory is nearly full":       {durability: Durable, info: map[string]string{"maxmemory": "1000", "used_memory": "900"}, warned: "maxmemory"},
		"it hides what it promises":       {durability: Durable, hidden: true, refused: "assume_durable"},
		"and the operator knows":          {durability: Durable, hidden: true, assume: true, warned: "assume_durable"},
	} {
		t.Run(name, func(t *testing.T) {
			p := keeps()
			maps.Copy(p.settings, c.settings)
			maps.Copy(p.info, c.info)
			if c.hidden {
				p.settings = nil
			}
			if c.version != "" {
				p.version = c.version
			}
			warnings, refused := p.judge(c.durability, c.assume)
			if said := text(refused); (said == "") != (c.refused == "") || !strings.Contains(said, c.refused) {
				t.Errorf("refused with %q, want %q", said, c.refused)
			}
			if said := strings.Join(warnings, "\n"); (said == "") != (c.warned == "") || !strings.Contains(said, c.warned) {
				t.Errorf("warned with %q, want %q", said, c.warned)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestOptionsThatContradictEachOtherAreRefused(t *testing.T) {
	for name, o := range map[string]Options{
		"no address":               {},
		"a url and an address":     {URL: "redis://127.0.0.1", Addresses: []string{"127.0.0.1:6379"}},
		"a password twice":         {URL: "redis://127.0.0.1", Password: "x"},
		"sentinel and cluster":     {Addresses: []string{"127.0.0.1:6379"}, Cluster: true, Master: "m"},
		"a database of a cluster":  {Addresses: []string{"127.0.0.1:6379"}, Cluster: true, DB: 1},
		"two servers":              {Addresses: []string{"127.0.0.1:6379", "127.0.0.1:6380"}},
		"a name with a brace":      {Addresses: []string{"127.0.0.1:6379"}, Name: "a}b"},
		"no end of shards":         {Addresses: []string{"127.0.0.1:6379"}, Shards: MaxShards + 1},
		"a journal that is gone":   {Addresses: []string{"127.0.0.1:6379"}, Keep: MinKeep - 1},
		"a durability there isn't": {Addresses: []string{"127.0.0.1:6379"}, Durability: Fast + 1},
	} {
		if err := o.Check(); err == nil {
			t.Errorf("%s: the options are taken", name)
		}
	}
	if err := (Options{Addresses: []string{"127.0.0.1:6379"}}).Check(); err != nil {
		t.Errorf("one address alone: %v", err)
	}
}
