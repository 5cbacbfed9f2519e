// What a fan does and what comes of it: every button's deed, every answer's consequence, every
// failure's words. Knows no DOM; `update` takes what changed of the state that the views show.

import { seatsOf, stepFrom, rowsOf } from "./seats.js";

// How often a screen reader is told how far the line has come.
const TOLD_EVERY_MS = 30_000;

export function firstState() {
	return {
		me: null, token: null, place: null, startAhead: 0, isLeaving: false,
		dates: null, date: null, map: null, chosen: null, cursor: 0,
		hold: null, missing: null, ticket: null,
		balance: null, history: null, historyHasMore: false, tickets: null, ticketsHaveMore: false,
		busy: {}, retries: {}, notice: null, said: "",
	};
}

export function fanOf({ api, fetch, clock, keep, tab, line, state, update, words }) {
	let seats = null;
	let toldAt_ms = -Infinity;

	const tokenHeader = () => ({ "queue-token": state.token });
	const meHeader = () => ({ "user-id": state.me.userId });
	const say = (said) => update({ said });

	// Does an action and shows that it is under way. Its outcome is the same whether it was begun
	// now or before a reload.
	async function act(name, path, body, headers) {
		const kind = name.split(":")[0];
		if (state.busy[kind]) return;
		update({ busy: { ...state.busy, [kind]: true }, notice: null });
		try {
			const data = await api.act(name, path, body, headers);
			await outcomes[kind]?.(data, body);
		} catch (refusal) {
			if (!("code" in refusal)) throw refusal;
			await (refusals[kind] ?? fail)(refusal, body);
		} finally {
			update({ busy: { ...state.busy, [kind]: false } });
		}
	}

	function resumeActions() {
		for (const { name, path, body, headers } of api.unsettledActions()) act(name, path, body, headers);
	}

	const outcomes = {
		register({ userId }, { name }) {
			setMe({ userId, name });
			return issue();
		},
		issue: ({ token, ...place }) => enter(token, place),
		leave: () => leaveLine("token-left"),
		reserve(data, { seatId }) {
			const hold = {
				seatId,
				seatNumber: data.seat.seatNumber,
				price: data.price,
				expires_at: data.expires_at,
				concertScheduleId: state.date?.id ?? null,
			};
			setHold(hold);
			update({ chosen: null });
			say(words().hold.held(hold.seatNumber));
			seats?.read();
			return refreshBalance();
		},
		cancel() {
			if (state.hold) say(words().hold.released(state.hold.seatNumber));
			setHold(null);
			seats?.read();
		},
		pay(ticket) {
			setHold(null);
			keep.put("ticket", ticket);
			update({ ticket });
			say(words().ticket.bought);
			leaveLine(null);
			return refreshMine();
		},
		charge({ balance }, { amount }) {
			update({ balance, missing: null });
			say(words().money.charged(words().won(amount), words().won(balance)));
			return refreshHistory();
		},
	};

	const refusals = {
		register: fail,
		issue(refusal) {
			if (refusal.code === "unknown-user") forgetMe();
			fail(refusal, refusal.code === "closed" ? "closedHeading" : undefined);
		},
		leave(refusal) {
			if (refusal.status === 401) return leaveLine(refusal.code);
			return fail(refusal);
		},
		reserve(refusal, { seatId }) {
			seats?.read();
			if (isOver(refusal)) return undefined;
			const isTaken = refusal.code === "seat-held" || refusal.code === "seat-sold";
			if (isTaken && state.chosen === seatId) update({ chosen: null });
			if (refusal.code === "already-holding") refreshMine();
			return fail(refusal, isTaken ? "takenHeading" : undefined);
		},
		cancel(refusal) {
			if (isOver(refusal)) return;
			if (refusal.code === "hold-expired" || refusal.code === "not-held") setHold(null);
			seats?.read();
			if (refusal.code !== "hold-expired") fail(refusal);
		},
		pay(refusal) {
			if (isOver(refusal)) return undefined;
			if (refusal.status === 402) return tooShort(refusal);
			if (refusal.code === "hold-expired") return expired(refusal.data?.seatState ?? null);
			if (refusal.code === "not-held") setHold(null);
			seats?.read();
			return fail(refusal);
		},
	};

	// Says what happened and what to do. `heading` names the words above it.
	function fail(refusal, heading = "heading", actions = []) {
		const failed = words().failed;
		showNotice({
			kind: "error",
			title: failed[heading] ?? failed.heading,
			words: failed[refusal.code] ?? failed.unavailable,
			actions,
		});
	}

	function showNotice(notice) {
		update({ notice: { closeLabel: words().close, ...notice } });
	}

	// The admission ended, or is not there yet: true when that was told.
	function isOver(refusal) {
		if (refusal.status === 401) {
			leaveLine(refusal.code);
			return true;
		}
		if (refusal.code !== "not-admitted") return false;
		line.look();
		fail(refusal, "notYetHeading");
		return true;
	}

	function tooShort({ data }) {
		const missing = data?.missing ?? null;
		update({ missing, balance: data?.balance ?? state.balance });
		showNotice({
			kind: "error",
			title: words().failed.shortHeading,
			words: words().failed.short(words().won(missing ?? 0)),
			actions: [{
				id: "notice-charge",
				label: words().money.chargeMissing(words().won(missing ?? 0)),
				then: () => charge(missing),
			}],
		});
	}

	// The hold ran out: `seatState` as the server told it, or null when this clock alone says so.
	function expired(seatState) {
		const hold = state.hold;
		setHold(null);
		if (!hold) return;
		const failed = words().failed;
		const isFree = seatState === null || seatState === "free";
		showNotice({
			kind: "error",
			title: failed.expiredHeading,
			words: seatState === null ? failed.expired : isFree ? failed.expiredFree : failed.expiredGone,
			actions: isFree ? [{
				id: "take-again",
				label: failed.takeAgain(hold.seatNumber),
				then: () => reserve({ id: hold.seatId }),
			}] : [],
		});
		seats?.read();
	}

	function setMe(me) {
		keep.put("me", me);
		update({ me });
	}

	function forgetMe() {
		for (const name of ["me", "token", "hold", "ticket", "start", "date"]) keep.drop(name);
		line.stop();
		closeDate();
		update({ ...firstState(), busy: state.busy });
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
		setHold(null);
		closeDate();
		update({ token: null, place: null, dates: null, isLeaving: false });
		if (code !== null && code !== "token-left") {
			const failed = words().failed;
			showNotice({
				kind: "info",
				title: failed.overHeading,
				words: failed[code] ?? failed["token-invalid"],
				actions: [],
			});
		}
	}

	function setHold(hold) {
		if (hold) keep.put("hold", hold);
		else keep.drop("hold");
		update({ hold, missing: null });
	}

	function onPlace(place) {
		if (place.status === "OVER") {
			// Another tab paid, and the line told us first.
			const ticket = keep.get("ticket");
			if (place.code === "token-finished" && ticket) update({ ticket });
			leaveLine(place.code === "token-finished" && ticket ? null : place.code);
			return;
		}
		const wasWaiting = state.place?.status !== "ACTIVE";
		if (place.status === "WAITING") {
			remember(place);
			tell(place);
		}
		update({ place });
		if (place.status !== "ACTIVE") return;
		if (wasWaiting) {
			say(words().admitted.announce);
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

	function tell({ ahead }) {
		if (typeof ahead !== "number" || clock.now() - toldAt_ms < TOLD_EVERY_MS) return;
		toldAt_ms = clock.now();
		say(words().waiting.announce(ahead));
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
			if (before === null && !state.busy.reserve && !state.busy.pay) adopt(holds[0] ?? null);
		});
	}

	// What the server says is held stands: another device may have taken or released it.
	function adopt(hold) {
		if (hold?.seatId === state.hold?.seatId) return;
		setHold(hold);
		if (hold && !state.date) refreshDates();
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
			onMap: (map) => update({ map, cursor: Math.min(state.cursor, map.seats.length - 1) }),
			onRefusal(refusal) {
				if (!isOver(refusal) && refusal.status === 404) {
					keep.drop("date");
					closeDate();
					fail(refusal);
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
		const at = state.map.seats.findIndex(({ id }) => id === seat.id);
		if (seat.state === "free") update({ chosen: seat.id, cursor: at });
		else {
			update({ cursor: at });
			const name = seat.mine ? "mine" : seat.state;
			say(words().seats.cannot(seat.seatNumber, words().seats.state[name]));
		}
	}

	// Returns the seat that the key leads to, or null for a key that is not ours.
	function steer(key) {
		const cursor = stepFrom(rowsOf(state.map.seats), state.cursor, key);
		if (cursor === null) return null;
		update({ cursor });
		return state.map.seats[cursor];
	}

	const issue = () =>
		act("issue", "/queue/issue", { userId: state.me.userId, resume: true });
	const reserve = ({ id }) => act(`reserve:${id}`, "/reservation", { seatId: id }, tokenHeader());
	const charge = (amount) => act("charge", "/user/charge", { userId: state.me.userId, amount });

	// Called twice a second.
	function tick() {
		const { hold, place } = state;
		const leftOf_ms = (at) => Date.parse(at) - clock.serverNow();
		const passes = (left_ms, mark_ms) => left_ms < mark_ms && left_ms > mark_ms - 1000;
		if (!hold && passes(leftOf_ms(place?.expiresAt), 60_000)) say(words().admitted.endsSoon);
		if (!hold || state.busy.pay) return;
		const left_ms = leftOf_ms(hold.expires_at);
		if (left_ms <= 0) expired(null);
		else if (passes(left_ms, 10_000)) say(words().hold.tenLeft);
		else if (passes(left_ms, 60_000)) say(words().hold.minuteLeft);
	}

	// What is kept of an earlier visit, or what another tab has written.
	function recall() {
		const me = keep.get("me");
		const token = keep.get("token");
		const hold = keep.get("hold");
		const ticket = keep.get("ticket");
		const isNew = token !== state.token;
		update({ me, hold: token ? hold : null, ticket: token ? null : ticket, startAhead: keep.get("start") ?? 0 });
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
		reserve,
		charge,
		pay: () => act(`pay:${state.hold.seatId}`, "/payment", { seatId: state.hold.seatId }, tokenHeader()),
		release: () =>
			act(`cancel:${state.hold.seatId}`, "/reservation/cancel", { seatId: state.hold.seatId }, tokenHeader()),
		buyAnother() {
			keep.drop("ticket");
			update({ ticket: null });
			return issue();
		},
		olderHistory: () => refreshHistory(state.history.at(-1).id),
		olderTickets: () => refreshMine(state.tickets.at(-1).id),
		closeNotice: () => update({ notice: null }),
		closeDate() {
			keep.drop("date");
			closeDate();
		},
		forgetMe, openDate, choose, steer, onPlace, refreshHistory, refreshMine,
		refreshBalance, resumeActions, recall, tick,
	};
}
