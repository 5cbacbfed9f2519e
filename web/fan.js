// What a fan does and what comes of it: every button's deed, every answer's consequence, every
// failure's words; what concerns the held seat is in hold.js. Knows no DOM; `update` takes what changed
// of the state that the views show.

import { holdOf, passes } from "./hold.js";
import { rowsOf, seatsOf, stepFrom } from "./seats.js";
import { tellOf } from "./tell.js";

// How often a screen reader is told how far the line has come.
const TOLD_EVERY_MS = 30_000;

export function firstState() {
	return {
		me: null, token: null, place: null, startAhead: 0, isLeaving: false,
		dates: null, date: null, map: null, chosen: null, cursor: 0,
		hold: null, missing: null, ticket: null,
		balance: null, history: null, historyHasMore: false, tickets: null, ticketsHaveMore: false,
		busy: {}, retries: {}, notice: null, said: null, sheet: null,
	};
}

const kindOf = (name) => name.split(":")[0];

export function fanOf({ api, fetch, clock, keep, tab, line, state, update, words }) {
	let seats = null;
	let toldAt_ms = -Infinity;

	const tokenHeader = () => ({ "queue-token": state.token });
	const meHeader = () => ({ "user-id": state.me.userId });
	const tell = tellOf({ update });
	const hold = holdOf({ clock, keep, state, update, words, tell, fan: {
		act, charge, isOver, leaveLine, readSeats, refreshBalance, refreshDates, refreshMine, tokenHeader } });

	// Does an action and shows that it is under way. Its outcome is the same whether it was begun
	// now or before a reload.
	async function act(name, path, body, headers) {
		const kind = kindOf(name);
		if (state.busy[kind]) return;
		update({ busy: { ...state.busy, [kind]: true }, notice: null });
		try {
			const data = await api.act(name, path, body, headers);
			await outcomes[kind]?.(data, body);
		} catch (refusal) {
			if (!("code" in refusal)) throw refusal;
			await (refusals[kind] ?? told)(refusal, body);
		} finally {
			update({ busy: { ...state.busy, [kind]: false } });
		}
	}

	// Those of a kind one after the other: the page does one of a kind at a time.
	function resumeActions() {
		const last = {};
		for (const { name, path, body, headers } of api.unsettledActions()) {
			const kind = kindOf(name);
			last[kind] = Promise.resolve(last[kind]).then(() => act(name, path, body, headers));
		}
	}

	const outcomes = {
		...hold.outcomes,
		register({ userId }, { name }) {
			setMe({ userId, name });
			return issue();
		},
		issue: ({ token, ...place }) => enter(token, place),
		leave: () => leaveLine("token-left"),
		charge({ balance }, { amount }) {
			update({ balance, missing: null });
			tell.say(words().money.charged(words().won(amount), words().won(balance)));
			return refreshHistory();
		},
	};

	const told = (refusal) => tell.fail(refusal);
	const refusals = {
		...hold.refusals,
		issue(refusal) {
			if (refusal.code === "unknown-user") forgetMe();
			tell.fail(refusal, refusal.code === "closed" ? "closedHeading" : undefined);
		},
		leave(refusal) {
			if (refusal.status === 401) leaveLine(refusal.code);
			else tell.fail(refusal);
		},
	};

	// The admission ended, or is not there yet: true when that was told.
	function isOver(refusal) {
		if (refusal.status === 401) {
			leaveLine(refusal.code);
			return true;
		}
		if (refusal.code !== "not-admitted") return false;
		line.look();
		tell.fail(refusal, "notYetHeading");
		return true;
	}

	function setMe(me) {
		keep.put("me", me);
		update({ me });
	}

	function forgetMe() {
		for (const name of ["me", "token", "hold", "ticket", "start", "date"]) keep.drop(name);
		line.stop();
		closeDate();
		update({ ...firstState(), busy: state.busy, retries: state.retries, sheet: state.sheet });
	}

	function enter(token, place) {
		keep.put("token", token);
		for (const name of ["start", "ticket", "date"]) keep.drop(name);
		update({ token, ticket: null, startAhead: 0, isLeaving: false, notice: null });
		line.follow(token);
		onPlace({ ...place, at: clock.now() });
	}

	// `code` says why; null when the fan knows.
	function leaveLine(code) {
		line.stop();
		keep.drop("token");
		hold.set(null);
		closeDate();
		update({ token: null, place: null, dates: null, isLeaving: false });
		// Another tab paid, and the end of the token was told here first.
		const ticket = code === "token-finished" ? keep.get("ticket") : null;
		if (ticket) {
			update({ ticket });
		} else if (code !== null && code !== "token-left") {
			tell.notice(({ failed }) => ({
				kind: "info",
				title: failed.overHeading,
				words: failed[code] ?? failed["token-invalid"],
				actions: [],
			}));
		}
	}

	function onPlace(place) {
		if (place.status === "OVER") {
			leaveLine(place.code);
			return;
		}
		const wasWaiting = state.place?.status !== "ACTIVE";
		if (place.status === "WAITING") {
			remember(place);
			tellHowFar(place);
		}
		update({ place });
		if (place.status !== "ACTIVE") {
			if (state.date) closeDate();
			return;
		}
		if (wasWaiting) {
			tell.say(words().admitted.announce);
			refreshBalance();
			refreshMine();
		}
		if (!state.date) refreshDates();
	}

	// The most that were ahead is where the bar begins, after a reload too.
	function remember({ ahead }) {
		const start = Math.max(keep.get("start") ?? 0, ahead ?? 0, state.startAhead);
		if (start === state.startAhead) return;
		keep.put("start", start);
		update({ startAhead: start });
	}

	function tellHowFar({ ahead }) {
		if (typeof ahead !== "number" || clock.now() - toldAt_ms < TOLD_EVERY_MS) return;
		toldAt_ms = clock.now();
		tell.say(words().waiting.announce(ahead));
	}

	async function refreshDates() {
		await quietly(async () => {
			const dates = await api.read("/concert/available-dates", tokenHeader());
			update({ dates });
			// Where the seat is that is held, or what was open before a reload.
			const wanted = state.hold?.concertScheduleId ?? keep.get("date");
			const date = dates.find(({ id }) => id === wanted);
			if (date && !state.date) openDate(date);
		});
	}

	async function refreshBalance() {
		if (!state.me) return;
		await quietly(async () => {
			const { balance } = await api.read("/user/check", meHeader());
			update({ balance });
		});
	}

	async function refreshHistory(before = null) {
		const page = before === null ? "" : `?before=${before}`;
		await quietly(async () => {
			const { balance, entries } = await api.read(`/user/cash-history${page}`, meHeader());
			update({
				balance,
				history: before === null ? entries : [...(state.history ?? []), ...entries],
				historyHasMore: entries.length === 50,
			});
		});
	}

	async function refreshMine(before = null) {
		if (!state.me) return;
		const page = before === null ? "" : `?before=${before}`;
		await quietly(async () => {
			const { holds, payments } = await api.read(`/user/reservations${page}`, meHeader());
			update({
				tickets: before === null ? payments : [...(state.tickets ?? []), ...payments],
				ticketsHaveMore: payments.length === 100,
			});
			if (before === null && !state.busy.reserve && !state.busy.pay) hold.adopt(holds[0] ?? null);
		});
	}

	// A look that fails is not the fan's trouble: the next one comes. A token that is over is.
	async function quietly(look) {
		try {
			await look();
		} catch (refusal) {
			if (refusal.status === 401 && state.token) leaveLine(refusal.code);
		}
	}

	function openDate(date) {
		closeDate();
		keep.put("date", date.id);
		update({ date });
		seats = seatsOf({
			api,
			fetch,
			clock,
			tab,
			scheduleId: date.id,
			headers: tokenHeader,
			onMap: (map) => update({ map, cursor: Math.max(Math.min(state.cursor, map.seats.length - 1), 0) }),
			onRefusal(refusal) {
				if (!isOver(refusal) && refusal.status === 404) {
					keep.drop("date");
					closeDate();
					tell.fail(refusal);
				}
			},
		});
	}

	function closeDate() {
		seats?.close();
		seats = null;
		update({ date: null, map: null, chosen: null, cursor: 0 });
	}

	function choose(seat) {
		update({ cursor: state.map.seats.findIndex(({ id }) => id === seat.id) });
		const isMine = seat.mine || seat.id === state.hold?.seatId;
		if (isMine || seat.state !== "free")
			tell.say(words().seats.cannot(seat.seatNumber, words().seats.state[isMine ? "mine" : seat.state]));
		else if (state.hold) tell.fail({ code: "already-holding" });
		else update({ chosen: seat.id });
	}

	// Returns the seat that the key leads to, or null for a key that is not ours.
	function steer(key) {
		const cursor = stepFrom(rowsOf(state.map.seats), state.cursor, key);
		if (cursor === null) return null;
		update({ cursor });
		return state.map.seats[cursor];
	}

	function readSeats() {
		seats?.read();
	}

	function issue() {
		return act("issue", "/queue/issue", { userId: state.me.userId, resume: true });
	}

	function charge(amount) {
		return act("charge", "/user/charge", { userId: state.me.userId, amount });
	}

	// Called twice a second.
	function tick() {
		const left_ms = Date.parse(state.place?.expiresAt) - clock.serverNow();
		if (!state.hold && passes(left_ms, 60_000)) tell.say(words().admitted.endsSoon);
		hold.tick();
	}

	// What is kept of an earlier visit, or what another tab has written.
	function recall() {
		const me = keep.get("me");
		const token = keep.get("token");
		const isNew = token !== state.token;
		update({
			me,
			hold: token ? keep.get("hold") : null,
			ticket: token ? null : keep.get("ticket"),
			startAhead: keep.get("start") ?? 0,
		});
		if (!isNew) return;
		closeDate();
		update({ token, place: null, dates: null, notice: null });
		if (token === null) line.stop();
		else line.follow(token);
	}

	return {
		join: (name) => (state.me ? issue() : act("register", "/user", { name })),
		leave: () => act("leave", "/queue/leave", undefined, tokenHeader()),
		askLeave: (isLeaving) => update({ isLeaving }),
		reserve: hold.reserve,
		pay: hold.pay,
		release: hold.release,
		charge,
		buyAnother() {
			keep.drop("ticket");
			update({ ticket: null });
			return issue();
		},
		olderHistory: () => refreshHistory(state.history.at(-1).id),
		olderTickets: () => refreshMine(state.tickets.at(-1).id),
		closeNotice: () => update({ notice: null }),
		openSheet: (sheet) => update({ sheet }),
		closeSheet: () => update({ sheet: null }),
		closeDate() {
			keep.drop("date");
			closeDate();
		},
		forgetMe, openDate, choose, steer, onPlace, refreshHistory, refreshMine,
		refreshBalance, resumeActions, recall, tick,
	};
}
