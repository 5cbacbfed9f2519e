// The page: wires the modules to this browser and draws the state. What tests and helpers hold on to:
//
// | id | what |
// |---|---|
// | join-form, name, join-button, forget-button | before the line |
// | waiting, ahead, place, eta, progress, draw, line-state | the waiting room |
// | operator-message, gate-note, sale-note | what it says about the line |
// | leave-button, leave-yes, leave-no | giving the place up |
// | dates, date-ID | the dates, a button each |
// | seat-grid (grid), seat-NUMBER (gridcell, data-state free, held, sold, closed or mine) | the plan |
// | free-count, map-state, pick-first, hold-button, back-button | around the plan |
// | hold, hold-timer, pay-button, charge-missing, short, release-button | the seat that is held |
// | wallet-button, wallet, wallet-balance, charge-form, charge-amount, charge-button, history | the wallet |
// | tickets-button, tickets, ticket-list; [data-payment=ID] | what was bought |
// | again-button | after a purchase |
// | notice (alert), notice-close, take-again, notice-charge | failures, and the way out of them |
// | retry, retry-now | an action that is being tried again |
// | said (status) | what is told to screen readers |
// | language-button | Korean or English |
//
// body[data-view] is join, loading, waiting, dates, seats or bought.

import { apiOf } from "./api.js";
import { clockOf } from "./clock.js";
import { fanOf, firstState } from "./fan.js";
import { keepOf } from "./keep.js";
import { lineOf } from "./line.js";
import { languageOf, otherLanguage, textIn } from "./text/text.js";
import { render } from "./vendor/preact.js";
import { dates, held, seats } from "./views/hall.js";
import { html } from "./views/html.js";
import { join } from "./views/join.js";
import { wallet } from "./views/money.js";
import { notice, retries } from "./views/notices.js";
import { bought, tickets } from "./views/ticket.js";
import { notes, waiting } from "./views/waiting.js";

const TICK_MS = 500;

const fetch = window.fetch.bind(window);
const clock = clockOf();
const keep = keepOf(window.localStorage);
const locks = navigator.locks ?? null;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("boxoffice.line") : null;
const tab = {
	isHidden: () => document.hidden,
	onChange(then) {
		document.addEventListener("visibilitychange", then);
		return () => document.removeEventListener("visibilitychange", then);
	},
};

let language = languageOf(keep.get("language"), navigator.languages ?? []);
let text = textIn(language);
const state = firstState();
let heldBefore;

const api = apiOf({ fetch, clock, keep, locks, onRetry: showRetry });
const line = lineOf({
	api, fetch, clock, keep, tab, locks, channel, onPlace: (place) => fan.onPlace(place),
});
const fan = fanOf({ api, fetch, clock, keep, tab, line, state, update, words: () => text });

function update(changes) {
	Object.assign(state, changes);
	schedule();
}

// However much changed, one drawing.
let isScheduled = false;
function schedule() {
	if (isScheduled) return;
	isScheduled = true;
	queueMicrotask(() => {
		isScheduled = false;
		draw();
	});
}

function showRetry(name, retry) {
	const all = { ...state.retries };
	if (retry) all[name] = retry;
	else delete all[name];
	update({ retries: all });
}

const on = {
	...fan,
	steer(event) {
		const seat = fan.steer(event.key);
		if (!seat) return;
		event.preventDefault();
		document.getElementById(`seat-${seat.seatNumber}`).focus();
	},
	openWallet() {
		fan.refreshHistory();
		document.getElementById("wallet").showModal();
	},
	openTickets() {
		fan.refreshMine();
		document.getElementById("tickets").showModal();
	},
	switchLanguage() {
		language = otherLanguage(language);
		text = textIn(language);
		keep.put("language", language);
		state.notice = null;
		draw();
	},
};

const views = { join, loading, waiting, dates: hall(dates), seats: hall(seats), bought };

function viewName() {
	if (state.ticket) return "bought";
	if (!state.token) return "join";
	if (!state.place) return "loading";
	if (state.place.status === "WAITING") return "waiting";
	return state.date ? "seats" : "dates";
}

function loading() {
	return html`<section aria-labelledby="heading"><h1 id="heading" tabindex="-1">${text.loading}</h1></section>`;
}

// Inside, the admission has an end, and the box office may still have something to say.
function hall(view) {
	return (shown, handlers) => html`
		${notes(text, { ...state.place, sale: null })}
		${admission(shown)}
		${view(shown, handlers)}
		${!state.date && state.hold && held(shown, handlers)}`;
}

function admission({ place, serverNow_ms }) {
	const left = Math.ceil((Date.parse(place.expiresAt) - serverNow_ms) / 1000);
	if (!(left > 0)) return null;
	return html`<p class="small admission" id="admission">${text.admitted.until(text.span(left))}</p>`;
}

function draw() {
	const name = viewName();
	const shown = {
		...state,
		text,
		now_ms: clock.now(),
		serverNow_ms: clock.serverNow(),
		isBusy: (kind) => Boolean(state.busy[kind]),
	};
	render(page(name, shown), document.getElementById("app"));
	document.documentElement.lang = language;
	document.title = titleOf(name);
	if (document.body.dataset.view === name) return followHold();
	const isFirst = !document.body.dataset.view || document.body.dataset.view === "loading";
	document.body.dataset.view = name;
	window.scrollTo(0, 0);
	// A new view is read from its heading; the first one from the top, as any page.
	if (!isFirst) document.getElementById("heading")?.focus();
	heldBefore = state.hold?.seatId;
}

// The button that took or released the seat is gone: the focus goes to what came instead of it.
function followHold() {
	if (heldBefore === state.hold?.seatId) return;
	heldBefore = state.hold?.seatId;
	if (document.activeElement !== document.body) return;
	(document.getElementById("hold-heading") ?? document.querySelector(".seat[tabindex='0']"))?.focus();
}

function page(name, shown) {
	return html`
		<a class="skip" href="#main">${text.skip}</a>
		<header class="top">
			<a class="brand" href="/" aria-label=${text.title}>box<b>office</b></a>
			<nav class="row">
				${state.me && html`
					<button id="tickets-button" class="quiet" onClick=${on.openTickets}>${text.ticket.mine}</button>
					<button id="wallet-button" class="quiet" onClick=${on.openWallet}>
						${typeof state.balance === "number"
							? html`<span class="wide">${text.wallet} </span><b>${text.won(state.balance)}</b>` : text.wallet}
					</button>`}
				<button id="language-button" class="quiet" lang=${otherLanguage(language)}
					onClick=${on.switchLanguage}>${text.switchTo}</button>
			</nav>
		</header>
		${notice(shown, on)}
		${retries(shown)}
		<main id="main" tabindex="-1">${views[name](shown, on)}</main>
		<p id="said" role="status" class="hidden-words">${state.said}</p>
		${wallet(shown, on)}
		${tickets(shown, on)}`;
}

function titleOf(name) {
	if (name === "waiting" && typeof state.place.ahead === "number")
		return `${text.waiting.tab(text.count(state.place.ahead))} · ${text.title}`;
	if (name === "dates") return `${text.admitted.tab} · ${text.title}`;
	return text.title;
}

// What another tab did: a place taken or left, a hold, a purchase.
window.addEventListener("storage", ({ key }) => {
	if (["boxoffice.me", "boxoffice.token", "boxoffice.hold", "boxoffice.ticket"].includes(key)) fan.recall();
});

// Nothing ticks in a tab that nobody sees; the holds it shows are drawn anew on return.
setInterval(() => {
	if (document.hidden) return;
	fan.tick();
	draw();
}, TICK_MS);

fan.recall();
fan.resumeActions();
if (state.me) {
	fan.refreshBalance();
	fan.refreshMine();
}
draw();
