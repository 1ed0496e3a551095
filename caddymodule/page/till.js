"use strict";
(function () {
	let waiting = 0, last = "", lastAt = 0;

	// send posts a form and shows what follows, on this page: a phone that stops reading while
	// the card lies there would open the card's address itself.
	async function send(form, button) {
		window.clearTimeout(waiting);
		const fields = new URLSearchParams(new FormData(form));
		if (button) {
			fields.append(button.name, button.value);
		}
		try {
			const answer = await fetch(form.action, { method: "POST", body: fields, headers: { Accept: "text/html" } });
			const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
			document.querySelector("main").replaceWith(fresh);
			begin();
			focus();
		} catch {
			form.submit();
		}
	}

	// What was handed out is paid for by itself after a while; before that it can be taken back.
	function begin() {
		const done = document.querySelector("form[data-wait]");
		if (done) {
			waiting = window.setTimeout(function () { send(done, done.querySelector("button")); }, Number(done.dataset.wait));
		}
		offer();
	}

	function focus() {
		const field = document.getElementById("pin") || document.getElementById("card");
		if (field) {
			field.focus();
		}
	}

	// Web NFC: Chrome on Android.
	let reader = null;
	function offer() {
		const offered = document.getElementById("nfc");
		if (offered && "NDEFReader" in window) {
			offered.hidden = reader !== null;
			document.getElementById("reading").hidden = reader === null;
			offered.querySelector("button").onclick = read;
		}
	}

	async function read() {
		try {
			const fresh = new NDEFReader();
			await fresh.scan();
			fresh.onreading = shown;
			reader = fresh; // it goes on until the page is left
			offer();
		} catch { // it is switched off, or not allowed
		}
	}

	function shown(event) {
		let text = event.serialNumber;
		for (const record of event.message.records) {
			if (record.recordType === "url" || record.recordType === "absolute-url") {
				const address = new TextDecoder().decode(record.data);
				if (/[?&](picc|p)=/.test(address)) {
					text = address;
				}
			}
		}
		const form = document.getElementById("tap");
		const same = event.serialNumber === last && Date.now() - lastAt < 2000; // it still lies there
		last = event.serialNumber;
		lastAt = Date.now();
		if (form && text && !same) {
			form.elements.format.value = "hex"; // as a phone writes it
			form.elements.card.value = text;
			send(form);
		}
	}

	begin();
	if ("NDEFReader" in window && navigator.permissions) {
		navigator.permissions.query({ name: "nfc" }).then(function (p) {
			if (p.state === "granted") {
				read();
			}
		}).catch(function () {});
	}
})();
