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
// | notice (alert), notice-close, take-again, notice-charge | failures, and the way out of them; in a dialog that is open |
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
import { tidings } from "./views/notices.js";
import { bought, tickets } from "./views/ticket.js";
import { notes, waiting } from "./views/waiting.js";

const TICK_MS = 500;
// Two taps so near to each other are one double tap.
const DOUBLE_TAP_MS = 400;
const DOUBLE_TAP_PX = 24;

// What comes instead of a button that its own doing has removed; else it is the heading.
const heirs = {
	"leave-button": "leave-no", "leave-no": "leave-button",
	"charge-missing": "pay-button", "notice-charge": "pay-button",
};

const fetch = window.fetch.bind(window);
const clock = clockOf();
const keep = keepOf(storageOrNull());
const locks = navigator.locks ?? null;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("boxoffice.line") : null;
const tab = {
	isHidden: () => document.hidden,
	onChange(then) {
		document.addEventListener("visibilitychange", then);
		return () => document.removeEventListener("visibilitychange", then);
	},
};

// A browser that forbids storage throws at its mere name.
function storageOrNull() {
	try {
		return window.localStorage;
	} catch {
		return null;
	}
}

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
	// The seconds run down on the screen alone: read out it is once.
	if (retry && retry.tries === 0) update({ said: text.retry[retry.why](0) });
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
		openSheet("wallet");
	},
	openTickets() {
		fan.refreshMine();
		openSheet("tickets");
	},
	// The plan is a step of its own in the browser's history: "back" leads to the dates.
	openDate(date) {
		fan.openDate(date);
		history.pushState({ date: date.id }, "");
	},
	closeDate() {
		if (history.state?.date) history.back();
		else fan.closeDate();
	},
	switchLanguage() {
		language = otherLanguage(language);
		text = textIn(language);
		keep.put("language", language);
		draw();
	},
};

function openSheet(name) {
	fan.openSheet(name);
	document.getElementById(name).showModal();
}

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
	const focused = document.activeElement;
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
	if (document.body.dataset.view === name) return keepFocus(focused);
	const isFirst = !document.body.dataset.view || document.body.dataset.view === "loading";
	document.body.dataset.view = name;
	window.scrollTo(0, 0);
	// A new view is read from its heading; the first one from the top, as any page.
	if (!isFirst) document.getElementById("heading")?.focus();
	heldBefore = state.hold?.seatId;
}

// What had the focus may be gone: the focus goes to what came instead of it.
function keepFocus(before) {
	const isNewHold = heldBefore !== state.hold?.seatId;
	heldBefore = state.hold?.seatId;
	const at = document.activeElement;
	if (isNewHold && (at === document.body || at.id === "heading"))
		(document.getElementById("hold-heading") ?? document.querySelector(".seat[tabindex='0']"))?.focus();
	else if (!before.isConnected)
		document.getElementById(state.sheet ? `${state.sheet}-close` : heirs[before.id] ?? "heading")?.focus();
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
		${tidings(shown, on)}
		<main id="main" tabindex="-1">${views[name](shown, on)}</main>
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
	// No key: everything was cleared.
	if (key === null || ["me", "token", "hold", "ticket"].includes(key.replace("boxoffice.", ""))) fan.recall();
});

window.addEventListener("popstate", ({ state: step }) => {
	if (state.date) return fan.closeDate();
	const date = state.dates?.find(({ id }) => id === step?.date);
	if (date) fan.openDate(date);
});

window.addEventListener("online", () => {
	api.hurry();
	line.look();
});

// The second click of a double one is not meant for what the first has brought under the pointer.
let clicked = null;
document.addEventListener("click", (event) => {
	const isSecond = event.detail > 1 || (event.pointerType === "touch" && clicked
		&& event.timeStamp - clicked.timeStamp < DOUBLE_TAP_MS
		&& Math.hypot(event.clientX - clicked.clientX, event.clientY - clicked.clientY) < DOUBLE_TAP_PX);
	clicked = event;
	if (!isSecond || !event.target.closest?.("button:not(.seat, .chip)")) return;
	event.preventDefault();
	event.stopPropagation();
}, true);

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
