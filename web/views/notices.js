// What went wrong and what to do about it; and what is being tried again.

import { html } from "./html.js";

export function notice({ notice }, on) {
	return html`
		<div id="notice" role="alert">
			${notice && html`
				<div class=${`notice is-${notice.kind}`}>
					<p>${notice.title && html`<b>${notice.title}</b> `}${notice.words}</p>
					<p class="row">
						${notice.actions?.map(({ id, label, then }) => html`
							<button id=${id} key=${id} class="primary" onClick=${then}>${label}</button>`)}
						<button id="notice-close" class="quiet" onClick=${on.closeNotice}>${notice.closeLabel}</button>
					</p>
				</div>`}
		</div>`;
}

export function retries({ text, retries, now_ms }) {
	const [first] = Object.values(retries);
	if (!first) return null;
	const left = Math.max(Math.ceil((first.until_ms - now_ms) / 1000), 0);
	return html`
		<div id="retry" class="notice is-retry">
			<p>${text.retry[first.why](left)}</p>
			<p class="row"><button id="retry-now" class="quiet" onClick=${first.now}>${text.retry.now}</button></p>
		</div>`;
}
