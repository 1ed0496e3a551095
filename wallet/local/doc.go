// Package local is the embedded durable ledger.
package local
