// Before the line: who are you?

import { html } from "./html.js";

export function join({ text, me, isBusy }, on) {
	if (me && !isBusy("register")) return again(text, me, isBusy("issue"), on);
	const submit = (event) => {
		event.preventDefault();
		const field = event.target.elements.name;
		field.value = field.value.trim();
		// Blanks alone are no name: the browser says so.
		if (event.target.reportValidity()) on.join(field.value);
	};
	return html`
		<section class="hero" aria-labelledby="heading">
			${house()}
			<div class="hero-words">
				<h1 id="heading" tabindex="-1">${text.join.heading}</h1>
				<p class="lead">${text.join.lead}</p>
				<form id="join-form" class="join" onSubmit=${submit}>
					<label for="name">${text.join.name}</label>
					<div class="join-row">
						<input id="name" name="name" required maxlength="100" autocomplete="name" enterkeyhint="go" />
						<button id="join-button" class="primary" aria-disabled=${isBusy("register") || isBusy("issue")}>
							${text.join.button}
						</button>
					</div>
				</form>
				<p class="small">${text.privacy}</p>
			</div>
		</section>`;
}

// The empty hall from above, one seat of it lit.
function house() {
	const dots = [];
	for (const [row, count] of [8, 9, 10, 11, 12].entries())
		for (let i = 0; i < count; i++) {
			const radius = 170 + row * 36;
			const angle = ((i - (count - 1) / 2) * 32) / radius;
			dots.push(html`<circle r="9" class=${row === 2 && i === 6 ? "lit" : ""}
				cx=${(250 + radius * Math.sin(angle)).toFixed(1)} cy=${(radius * Math.cos(angle) - 60).toFixed(1)} />`);
		}
	return html`
		<svg class="house" viewBox="0 0 500 280" aria-hidden="true">
			<path class="house-stage" d="M140 8h220v28q-110 44-220 0z" />${dots}
		</svg>`;
}

function again(text, me, busy, on) {
	return html`
		<section class="hero" aria-labelledby="heading">
			${house()}
			<div class="hero-words">
				<h1 id="heading" tabindex="-1">${text.join.again(me.name)}</h1>
				<p class="lead">${text.join.againLead}</p>
				<p class="join-row">
					<button id="join-button" class="primary" aria-disabled=${busy} onClick=${() => on.join()}>
						${text.join.button}
					</button>
					<button id="forget-button" class="quiet" disabled=${busy} onClick=${on.forgetMe}>
						${text.join.other}
					</button>
				</p>
			</div>
		</section>`;
}
