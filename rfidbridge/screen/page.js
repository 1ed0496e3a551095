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
		const form = document.querySelector("form");
		const code = form && form.elements.code.value.slice(-16);
		if (form && window.sessionStorage.getItem("opened") !== code) {
			window.sessionStorage.setItem("opened", code);
			form.submit();
		}
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
		if (fresh.dataset.version !== shown.dataset.version) {
			sound(fresh.dataset.mood);
		}
		shown.replaceWith(fresh);
		wait();
		open();
	}

	wait();
	open();
	new EventSource("/events").onmessage = function (event) {
		if (event.data !== document.querySelector("main").dataset.version) {
			refresh();
		}
	};
})();
