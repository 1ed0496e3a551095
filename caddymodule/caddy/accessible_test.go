package main_test

import "testing"

// lacks finds what a page lacks for a reader who does not see it. It is an
// expression in JavaScript whose value is a list of sentences.
const lacks = `(() => {
	const found = [], all = s => [...document.querySelectorAll(s)];
	const text = e => (e.textContent || e.getAttribute("aria-label") || e.getAttribute("alt") || "").trim();
	const name = e => e.id || e.name || e.outerHTML.slice(0, 60);
	if (!document.documentElement.lang) found.push("the document has no language");
	if (!document.title) found.push("the document has no title");
	if (all("main").length !== 1) found.push(all("main").length + " main elements");
	if (all("h1").length !== 1) found.push(all("h1").length + " first headings");
	let level = 1;
	for (const h of all("h1, h2, h3, h4, h5, h6")) {
		const next = Number(h.tagName[1]);
		if (next > level + 1) found.push("a heading of level " + next + " under one of level " + level + ": " + text(h));
		if (!text(h)) found.push("an empty heading");
		level = next;
	}
	for (const field of all("input:not([type=hidden]), select, textarea"))
		if (![...field.labels].some(text) && !field.getAttribute("aria-label")) found.push("no label for " + name(field));
	for (const button of all("button, a[href], summary"))
		if (!button.textContent.trim() && !button.getAttribute("aria-label")) found.push("no text on " + name(button));
	for (const image of all("img"))
		if (!image.hasAttribute("alt")) found.push("no alternative for the image " + image.src);
	for (const attribute of ["aria-describedby", "aria-labelledby", "for"])
		for (const e of all("[" + attribute + "]"))
			for (const id of e.getAttribute(attribute).split(/\s+/))
				if (!document.getElementById(id)) found.push(attribute + " of " + name(e) + " names " + id + ", which is nothing");
	const ids = all("[id]").map(e => e.id);
	for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push("the id " + id + " stands twice");
	return found;
})()`

func (b *tab) wantsAccessible() {
	b.Helper()
	for _, lack := range evaluate[[]string](b, lacks) {
		b.Errorf("%s: %s", evaluate[string](b, `location.pathname`), lack)
	}
}

func TestABrowserFindsWhatAPageLacks(t *testing.T) {
	site := newServer(t, pages(map[string]string{"/": `<!doctype html><html><body><h1>a</h1><h3>b</h3><h1></h1>
		<input id="x"><button></button><img src="data:,"><p aria-describedby="nowhere" id="twice"></p><p id="twice"></p>`}))
	site.start()
	b := newDevice(site, startBrowser(t), true)
	b.visit("/", 200)
	if found := evaluate[[]string](b, lacks); len(found) != 12 {
		t.Errorf("found %d: %q", len(found), found)
	}
}
