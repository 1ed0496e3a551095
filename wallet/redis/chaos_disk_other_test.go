//go:build !root || !linux

package redis

// disk is for the tests that run as root.
type disk struct{}
