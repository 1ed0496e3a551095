package local

// syncDirectory does nothing: Windows cannot sync a directory, and NTFS journals
// names by itself.
func syncDirectory(string) error { return nil }
