package durable

// SyncDirectory does nothing: Windows cannot sync a directory, and NTFS journals
// names by itself.
func SyncDirectory(string) error { return nil }
