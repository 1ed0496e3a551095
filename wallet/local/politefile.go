package local

// politeFile writes a file from its beginning and makes what it has written durable
// a little at a time. All of a snapshot at once would fill the disk's queue, and a
// charge would wait behind it.
type politeFile struct {
	file
	at, durable int64
	yielder     *yielder
}

// politeBytes are written before they are made durable: some milliseconds' worth of
// an ordinary disk.
const politeBytes = 1 << 20

func (f *politeFile) Write(b []byte) (int, error) {
	f.yielder.yield()
	n, err := f.WriteAt(b, f.at)
	f.at += int64(n)
	if err == nil && f.at-f.durable >= politeBytes {
		f.durable = f.at
		err = f.Sync()
	}
	return n, err
}
