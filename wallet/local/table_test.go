package local

import (
	"testing"

	"pgregory.net/rapid"
)

// A table does what a map does, whatever falls on one place. The hash of this
// one is poor on purpose.
func TestATableIsAMap(t *testing.T) {
	type item struct{ key, value int }
	rapid.Check(t, func(t *rapid.T) {
		spread := rapid.SampledFrom([]uint64{1, 1 << 40, 1 << 57, 0x9e3779b97f4a7c15}).Draw(t, "spread")
		hash := func(key int) uint64 { return uint64(key) * spread }
		mine, model := newTable(func(i *item) uint64 { return hash(i.key) }), map[int]int{}
		find := func(key int) *item {
			return mine.find(hash(key), func(i *item) bool { return i.key == key })
		}
		for range rapid.IntRange(0, 300).Draw(t, "steps") {
			key := rapid.IntRange(0, 120).Draw(t, "key")
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				mine.remove(hash(key), func(i *item) bool { return i.key == key })
				delete(model, key)
			case 1:
				shard := rapid.IntRange(0, tableShards-1).Draw(t, "shard")
				mine.drop(shard, func(i *item) bool { return i.value%2 == 0 })
			case 2:
				mine.reserve(rapid.IntRange(0, 4*tableShards).Draw(t, "room"))
			default:
				value := rapid.IntRange(0, 9).Draw(t, "value")*2 + 1
				if there := find(key); there != nil {
					there.value = value
				} else {
					mine.add(hash(key), item{key, value})
				}
				model[key] = value
			}
		}
		seen := map[int]int{}
		mine.each(func(i *item) { seen[i.key] = i.value })
		if mine.length != len(model) || len(seen) != len(model) {
			t.Fatalf("%d items, %d seen, want %d", mine.length, len(seen), len(model))
		}
		for key := range 121 {
			there, want := find(key), model[key]
			if (there != nil) != (want != 0) || there != nil && there.value != want || seen[key] != want {
				t.Fatalf("item %d is %v, seen %d, want %d", key, there, seen[key], want)
			}
		}
	})
}

func TestATableForgetsWhatIsOverAndGivesItsMemoryBack(t *testing.T) {
	numbers := newTable(func(i *uint64) uint64 { return *i * 0x9e3779b97f4a7c15 })
	for i := range uint64(100_000) {
		numbers.add(i*0x9e3779b97f4a7c15, i)
	}
	places := func() (n int) {
		for _, s := range numbers.shards {
			n += len(s.items)
		}
		return n
	}
	full := places()
	if full > 200_000 {
		t.Errorf("100000 items lie in %d places", full)
	}
	for shard := range tableShards {
		numbers.drop(shard, func(i *uint64) bool { return *i%10 != 0 })
	}
	left := 0
	numbers.each(func(i *uint64) {
		if left++; *i%10 != 0 {
			t.Fatalf("%d is still there", *i)
		}
	})
	if left != 10_000 || numbers.length != left || places() > full/5 {
		t.Errorf("%d of 10000 items are left, in %d of %d places", left, places(), full)
	}
	for shard := range tableShards {
		numbers.drop(shard, func(*uint64) bool { return true })
	}
	if places() != 0 || numbers.length != 0 {
		t.Errorf("%d places are left for %d items", places(), numbers.length)
	}
}
