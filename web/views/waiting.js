// The waiting room: how many are ahead, how long it may take, and what the box office has to say.

import { html } from "./html.js";

const BULBS = 24;

export function waiting({ text, place, startAhead, now_ms, serverNow_ms, isLeaving }, on) {
	const words = text.waiting;
	const isDraw = place.number === null;
	return html`
		<section class="waiting" id="waiting" aria-labelledby="heading">
			<h1 id="heading" tabindex="-1">${isDraw ? words.drawHeading : words.heading}</h1>
			${isDraw ? draw(text, place, serverNow_ms) : ahead(text, place, startAhead, now_ms)}
			${notes(text, place)}
			<p class="small" id="line-state">
				<span class=${place.isLive && !place.isStale ? "dot live" : "dot"}></span>
				${place.isStale ? words.stale : place.isLive ? words.live : words.polling}
			</p>
			<p class="small measure">${words.keep}</p>
			${isLeaving
				? html`<p key="sure" class="row" role="group" aria-label=${words.leaveSure}>
						<span>${words.leaveSure}</span>
						<button id="leave-yes" class="quiet danger" onClick=${on.leave}>${words.leaveYes}</button>
						<button id="leave-no" class="quiet" onClick=${() => on.askLeave(false)}>${words.leaveNo}</button>
					</p>`
				: html`<p key="leave"><button id="leave-button" class="quiet" onClick=${() => on.askLeave(true)}>
						${words.leave}</button></p>`}
		</section>`;
}

function ahead(text, place, startAhead, now_ms) {
	const words = text.waiting;
	const known = typeof place.ahead === "number";
	const done = known && startAhead > 0 ? 1 - place.ahead / startAhead : 0;
	return html`
		<p class="ahead">
			<span id="ahead" class="numeral">${known ? text.count(place.ahead) : "–"}</span>
			<span class="ahead-words">${place.ahead === 0 ? words.next : words.ahead}</span>
		</p>
		<div id="progress" class="bulbs" role="progressbar" aria-label=${words.progress}
			aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(done * 100)}>
			${Array.from({ length: BULBS }, (_, i) => html`
				<i class=${i < Math.ceil(done * BULBS) ? "lit" : i === Math.ceil(done * BULBS) ? "next" : ""}></i>`)}
		</div>
		<p id="eta" class="eta">${eta(text, place, now_ms)}</p>
		${known && html`<p class="small" id="place">${words.place(text.count(place.ahead + 1))}</p>`}`;
}

// The server's guess was made when it was told: it runs down until the next one.
function eta(text, place, now_ms) {
	if (typeof place.etaSeconds !== "number") return text.waiting.etaUnknown;
	const left = Math.round(place.etaSeconds - (now_ms - place.at) / 1000);
	return left < 5 ? text.waiting.etaSoon : text.waiting.eta(text.span(left));
}

function draw(text, place, serverNow_ms) {
	const words = text.waiting;
	const opens_ms = Date.parse(place.opensAt);
	const left = Math.ceil((opens_ms - serverNow_ms) / 1000);
	if (!(left > 0)) return html`<p class="eta" id="draw">${words.drawSoon}</p>`;
	return html`
		<p class="ahead" id="draw" role="timer">
			<span class="numeral numeral-long">${text.span(left)}</span>
			<span class="ahead-words">${words.drawIn}</span>
		</p>
		<p class="measure">${words.draw(text.moment(opens_ms))}</p>`;
}

export function notes(text, { gate, sale, message }) {
	const words = text.waiting;
	const told = [];
	if (gate === "paused") told.push(["gate-note", words.paused]);
	if (gate === "closed") told.push(["gate-note", words.closed]);
	if (sale?.state === "sold-out") told.push(["sale-note", words.soldOut]);
	if (sale?.state === "all-held")
		told.push(["sale-note", words.allHeld(sale.held, text.time(Date.parse(sale.nextAt)))]);
	return html`
		${message && html`<p class="note operator" id="operator-message">
			<b>${words.fromOperator}</b> ${message}</p>`}
		${told.map(([id, words]) => html`<p class="note" id=${id} key=${id}>${words}</p>`)}`;
}
