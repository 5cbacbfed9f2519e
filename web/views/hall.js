// Inside: the dates, the plan of the seats, and the seat that is held.

import { rowsOf } from "../seats.js";
import { html } from "./html.js";

export function dates({ text, dates, serverNow_ms }, on) {
	const words = text.dates;
	return html`
		<section aria-labelledby="heading">
			<h1 id="heading" tabindex="-1">${words.heading}</h1>
			${dates === null && html`<p>${text.loading}</p>`}
			${dates?.length === 0 && html`<p id="no-dates">${words.none}</p>`}
			<ul id="dates" class="dates">
				${dates?.map((date) => html`<li key=${date.id}>${evening(text, date, serverNow_ms, on)}</li>`)}
			</ul>
		</section>`;
}

function evening(text, date, serverNow_ms, on) {
	const words = text.dates;
	const opens = new Date(date.open_at);
	const isEarly = Date.parse(date.booking_start_at) > serverNow_ms;
	const left = Math.max(date.totalSeats - date.reservedSeats, 0);
	return html`
		<button class="evening" id=${`date-${date.id}`} onClick=${() => on.openDate(date)}>
			<span class="evening-name">${date.concertName}</span>
			<span class="evening-day">${text.day(opens)}</span>
			<span class="evening-time">${text.time(opens)} – ${text.time(new Date(date.close_at))}</span>
			<span class="evening-left">
				${isEarly ? words.notYet(text.moment(new Date(date.booking_start_at))) : words.left(left)}
			</span>
		</button>`;
}

export function seats(view, on) {
	const { text, date, map } = view;
	return html`
		<section class="hall" aria-labelledby="heading">
			<header class="hall-head">
				<button class="quiet" id="back-button" onClick=${on.closeDate}>← ${text.back}</button>
				<h1 id="heading" tabindex="-1">${date.concertName}</h1>
				<p>${text.day(new Date(date.open_at))} · ${text.time(new Date(date.open_at))}</p>
			</header>
			${map ? plan(view, on) : html`<p>${text.loading}</p>`}
			<div class="side">${side(view, on)}</div>
		</section>`;
}

// The stream tells nobody whose a seat is, and may be ahead of the map that does: what I hold is mine,
// whatever the two say.
export const stateOf = (seat, hold) =>
	hold?.seatId === seat.id || (seat.mine && seat.state !== "free") ? "mine" : seat.state;

function plan(view, on) {
	const { text, map, cursor } = view;
	const words = text.seats;
	const rows = rowsOf(map.seats);
	const tiers = tiersOf(map.seats);
	if (map.seats.length === 0) return html`<p id="no-seats">${words.none}</p>`;
	const free = map.seats.filter(({ state }) => state === "free").length;
	let index = 0;
	return html`
		<div class="plan">
			<div class="stage" aria-hidden="true"><span>${words.stage}</span></div>
			<div id="seat-grid" class="grid" role="grid" aria-label=${words.heading} aria-describedby="grid-hint"
				onKeyDown=${on.steer} aria-rowcount=${rows.length}>
				${rows.map((row, r) => html`
					<div role="row" class="seat-row" key=${r} aria-rowindex=${r + 1}>
						${row.map((seat, i) => {
							const at = index++;
							return chair(view, seat, { rowName: rowName(r), at, isCursor: at === cursor,
								tier: tiers.indexOf(seat.price), lift: liftOf(i, row.length) }, on);
						})}
					</div>`)}
			</div>
			<p class="small hidden-words" id="grid-hint">${words.hint}</p>
			${legend(text, tiers, map.isLive, free)}
		</div>`;
}

// A to Z, then AA to AZ and so on.
export const rowName = (row) =>
	(row < 26 ? "" : rowName(Math.floor(row / 26) - 1)) + String.fromCharCode(65 + row % 26);

// Rows bend round the stage: the ends come nearer to it than the middle.
function liftOf(i, length) {
	const middle = (length - 1) / 2;
	return Math.round(14 * ((i - middle) / 6) ** 2 * 10) / 10;
}

function tiersOf(seats) {
	return [...new Set(seats.map(({ price }) => price))].sort((a, b) => b - a);
}

function chair({ text, chosen, hold }, seat, { rowName, at, isCursor, tier, lift }, on) {
	const words = text.seats;
	const state = stateOf(seat, hold);
	const isChosen = chosen === seat.id && state === "free";
	const label = words.label(rowName, seat.seatNumber, text.won(seat.price), words.state[state]);
	return html`
		<button role="gridcell" key=${seat.id} id=${`seat-${seat.seatNumber}`} data-index=${at} data-state=${state}
			class=${`seat is-${state} tier-${tier % 4}${isChosen ? " is-chosen" : ""}`}
			aria-label=${label} aria-selected=${isChosen || state === "mine"} aria-disabled=${state !== "free"}
			title=${label} tabindex=${isCursor ? 0 : -1} style=${{ transform: `translateY(-${lift}px)` }}
			onClick=${() => on.choose(seat)}>${seat.seatNumber}</button>`;
}

function legend(text, tiers, isLive, free) {
	const words = text.seats;
	return html`
		<div class="legend" role="group" aria-label=${words.legend}>
			<ul>
				${tiers.map((price, i) => html`<li key=${price}>
					<i class=${`swatch tier-${i % 4}`} aria-hidden="true"></i>${text.won(price)}</li>`)}
				<li><i class="swatch is-held" aria-hidden="true"></i>${words.state.held}</li>
				<li><i class="swatch is-sold" aria-hidden="true"></i>${words.state.sold}</li>
				<li><i class="swatch is-mine" aria-hidden="true"></i>${words.state.mine}</li>
			</ul>
			<p class="small">
				<span id="free-count">${words.free(free)}</span>
				<span id="map-state"><span class=${isLive ? "dot live" : "dot"}></span>${isLive ? words.live : words.notLive}</span>
			</p>
		</div>`;
}

function side(view, on) {
	const { text, hold, map, chosen, isBusy } = view;
	if (hold) return held(view, on);
	const words = text.seats;
	const seat = map?.seats.find(({ id, state }) => id === chosen && state === "free");
	const busy = isBusy("reserve");
	if (!seat) return html`<p class="side-empty" id="pick-first">${words.pickFirst}</p>`;
	return html`
		<h2>${words.chosen(seat.seatNumber)}</h2>
		<p class="price">${text.won(seat.price)}</p>
		<p class="small">${words.five}</p>
		<button id="hold-button" class="primary" aria-disabled=${busy} onClick=${() => on.reserve(seat)}>
			${busy ? words.holding : words.hold(seat.seatNumber)}
		</button>`;
}

export function held({ text, hold, serverNow_ms, balance, missing, isBusy }, on) {
	const words = text.hold;
	const left_ms = Math.max(Date.parse(hold.expires_at) - serverNow_ms, 0);
	const short = missing ?? (typeof balance === "number" ? Math.max(hold.price - balance, 0) : 0);
	return html`
		<div id="hold" class="held" role="group" aria-labelledby="hold-heading">
			<h2 id="hold-heading" tabindex="-1">${words.heading(hold.seatNumber)}</h2>
			<p class=${left_ms < 60_000 ? "clock hurry" : "clock"} id="hold-timer" role="timer"
				aria-label=${words.timer(clockFace(left_ms))}>${clockFace(left_ms)}</p>
			<p class="price">${text.won(hold.price)}</p>
			${typeof balance === "number" && html`<p class="small">${text.balance} ${text.won(balance)}</p>`}
			${short > 0 && html`
				<p id="short">${words.short(text.won(short))}</p>
				<button id="charge-missing" class="primary" aria-disabled=${isBusy("charge")}
					onClick=${() => on.charge(short)}>
					${isBusy("charge") ? text.money.charging : text.money.chargeMissing(text.won(short))}
				</button>`}
			<button id="pay-button" class=${short > 0 ? "quiet" : "primary"} disabled=${isBusy("cancel")}
				aria-disabled=${isBusy("pay")} onClick=${on.pay}>${isBusy("pay") ? words.paying : words.pay(text.won(hold.price))}</button>
			<button id="release-button" class="quiet" disabled=${isBusy("pay")}
				aria-disabled=${isBusy("cancel")} onClick=${on.release}>${isBusy("cancel") ? words.releasing : words.release}</button>
		</div>`;
}

export function clockFace(left_ms) {
	const left = Math.ceil(left_ms / 1000);
	return `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
}
