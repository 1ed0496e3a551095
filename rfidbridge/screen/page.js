// The page without this asks again each second. With it, the page is told at once, and heard.
"use strict";
(function () {
	let timer = 0;

	// Two tones up for good news, one low tone for bad: no colour needed.
	function sound(mood) {
		const tones = { good: [660, 880], bad: [220] }[mood];
		if (!tones || !window.AudioContext) {
			return;
		}
		const context = new AudioContext();
		tones.forEach(function (frequency, i) {
			const tone = context.createOscillator();
			tone.frequency.value = frequency;
			tone.connect(context.destination);
			tone.start(context.currentTime + i * 0.15);
			tone.stop(context.currentTime + i * 0.15 + 0.12);
		});
		window.setTimeout(function () { context.close(); }, 1000);
	}

	// What a tap has opened is asked for by itself, once: whoever comes back presses the button.
	function open() {
		const form = document.querySelector("form:not(.pin)");
		const code = form && form.elements.code.value.slice(-16);
		if (form && window.sessionStorage.getItem("opened") !== code) {
			window.sessionStorage.setItem("opened", code);
			form.submit();
		}
	}

	// Digits to press, for a screen without a keyboard. They only fill in the field, which
	// shows none of them.
	function keypad() {
		const form = document.querySelector("form.pin");
		if (!form || form.querySelector(".keys")) {
			return;
		}
		const field = form.elements.pin;
		const keys = document.createElement("div");
		keys.className = "keys";
		["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"].forEach(function (sign) {
			const key = document.createElement(sign ? "button" : "span");
			key.type = "button";
			key.textContent = sign;
			key.addEventListener("click", function () {
				field.value = sign === "⌫" ? field.value.slice(0, -1) : (field.value + sign).slice(0, field.maxLength);
			});
			keys.append(key);
		});
		keys.lastChild.setAttribute("aria-label", form.dataset.delete);
		field.after(keys);
		field.focus();
	}

	// asks is what a page asks with, where it asks for a PIN.
	function asks(page) {
		const token = page.querySelector("form.pin [name=token]");
		return token && token.value;
	}

	// wait asks again when what is shown is over.
	function wait() {
		window.clearTimeout(timer);
		const left = Number(document.querySelector("main").dataset.left);
		if (left > 0) {
			timer = window.setTimeout(refresh, left + 50);
		}
	}

	async function refresh() {
		const answer = await fetch(window.location.href, { cache: "no-store" });
		const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main");
		const shown = document.querySelector("main");
		if (!fresh) {
			return;
		}
		if (asks(fresh) && asks(fresh) === asks(shown)) { // somebody is typing
			shown.dataset.version = fresh.dataset.version;
			return;
		}
		if (fresh.dataset.version !== shown.dataset.version) {
			sound(fresh.dataset.mood);
		}
		shown.replaceWith(fresh);
		wait();
		open();
		keypad();
	}

	wait();
	open();
	keypad();
	new EventSource("/events").onmessage = function (event) {
		if (event.data !== document.querySelector("main").dataset.version) {
			refresh();
		}
	};
})();
