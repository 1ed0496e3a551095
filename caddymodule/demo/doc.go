// Package demo is a small magazine to try the paywall on: a front page, three
// articles and two investment letters, embedded in the binary. Importing it
// registers the Caddy file system paywall_demo, which a Caddyfile names once
// and then uses for everything that looks at files:
//
//	{
//		filesystem magazine paywall_demo
//	}
//	localhost {
//		fs magazine
//		try_files {path} {path}.html
//		templates
//		file_server
//	}
//
// # What it promises
//
// Every page is valid, accessible, light or dark as the reader likes, and
// loads nothing from elsewhere. All of it is our own work; companies, people
// and figures in the letters are invented.
//
// # What it does not know
//
// Prices. The front page asks the site's own /.paywall/prices for them, and
// the letters show the placeholder http.paywall.visits; both need the
// templates directive.
package demo
