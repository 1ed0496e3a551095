"use strict";
(function () {
	const ask = 1000, silence = 10000, idle = 300000; // milliseconds
	const frame = document.querySelector("iframe");
	const end = Date.now() + Number(document.body.dataset.left);
	let answered = Date.now(), touched = Date.now(), over = false;

	// Nothing stays on the screen, also where the site cannot be reached.
	function leave() {
		if (over) {
			return;
		}
		over = true;
		document.body.replaceChildren(document.getElementById("over").content.cloneNode(true));
		location.replace(location.href);
	}

	async function look() {
		const now = Date.now();
		if (now >= end || now - answered > silence) {
			leave();
			return;
		}
		if (now - touched > idle) {
			document.querySelector("form").submit();
			return;
		}
		try {
			const answer = await fetch(location.href, { headers: { Accept: "application/json" }, cache: "no-store" });
			const state = await answer.json();
			answered = Date.now();
			if (answer.ok && !state.live) {
				leave();
			}
		} catch { // it is asked again
		}
		window.setTimeout(look, ask);
	}

	function touch() { touched = Date.now(); }

	// Whoever reads is not idle; a page that may stand in no frame is opened alone.
	function watch() {
		let inside = null;
		try { inside = frame.contentDocument; } catch { // of another site
		}
		if (!inside) {
			document.getElementById("alone").hidden = false;
			return;
		}
		for (const event of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart", "scroll"]) {
			frame.contentWindow.addEventListener(event, touch, { capture: true, passive: true });
		}
		touch();
	}

	const until = document.querySelector("time");
	until.textContent = new Date(until.dateTime).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
	window.addEventListener("pageshow", function (event) { if (event.persisted) { leave(); } });
	frame.addEventListener("load", watch);
	if (frame.contentDocument && frame.contentDocument.readyState === "complete" && frame.contentDocument.URL !== "about:blank") {
		watch();
	}
	look();
})();
