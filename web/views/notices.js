// What went wrong and what to do about it; what is being tried again; what screen readers are told.
//
// An open dialog hides the rest of the page from everybody: then it says these, and the page does not.
// The regions are there before anything is said in them, else it is not read out.

import { html } from "./html.js";

export const tidings = (view, on, sheet = null) => {
	const isHere = view.sheet === sheet;
	return html`
		<div class="tidings">
			<div role="alert" id=${isHere ? "notice" : undefined}>
				${isHere && view.notice && notice(view.text, view.notice(view.text), on)}</div>
			${isHere && retries(view)}
			<p role="status" class="hidden-words" id=${isHere ? "said" : undefined}>${isHere && view.said}</p>
		</div>`;
};

function notice(text, { kind, title, words, actions }, on) {
	return html`
		<div class=${`notice is-${kind}`}>
			<p><b>${title}</b> ${words}</p>
			<p class="row">
				${actions.map(({ id, label, then }) => html`
					<button id=${id} key=${id} class="primary" onClick=${then}>${label}</button>`)}
				<button id="notice-close" class="quiet" onClick=${on.closeNotice}>${text.close}</button>
			</p>
		</div>`;
}

function retries({ text, retries, now_ms }) {
	const [first] = Object.values(retries);
	if (!first) return null;
	const left = Math.max(Math.ceil((first.until_ms - now_ms) / 1000), 0);
	return html`
		<div id="retry" class="notice is-retry">
			<p>${text.retry[first.why](left)}</p>
			<p class="row"><button id="retry-now" class="quiet" onClick=${first.now}>${text.retry.now}</button></p>
		</div>`;
}
