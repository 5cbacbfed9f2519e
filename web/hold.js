// The seat that a fan holds: taken, paid for, let go or run out. What these deeds come to is told by
// `outcomes` and `refusals`, by kind of action; `fan` is what it needs of fan.js.

export function holdOf({ clock, keep, state, update, words, tell, fan }) {
	const outcomes = {
		reserve(data, { seatId }) {
			const hold = {
				seatId,
				seatNumber: data.seat.seatNumber,
				price: data.price,
				expires_at: data.expires_at,
				concertScheduleId: state.date?.id ?? null,
			};
			set(hold);
			update({ chosen: null });
			tell.say(words().hold.held(hold.seatNumber));
			fan.readSeats();
			return fan.refreshBalance();
		},
		cancel() {
			if (state.hold) tell.say(words().hold.released(state.hold.seatNumber));
			set(null);
			fan.readSeats();
		},
		pay(ticket) {
			set(null);
			keep.put("ticket", ticket);
			update({ ticket });
			tell.say(words().ticket.bought);
			fan.leaveLine(null);
			return fan.refreshMine();
		},
	};

	const refusals = {
		reserve(refusal, { seatId }) {
			fan.readSeats();
			if (fan.isOver(refusal)) return;
			const isTaken = refusal.code === "seat-held" || refusal.code === "seat-sold";
			if (isTaken && state.chosen === seatId) update({ chosen: null });
			if (refusal.code === "already-holding") fan.refreshMine();
			tell.fail(refusal, isTaken ? "takenHeading" : undefined);
		},
		cancel(refusal) {
			if (fan.isOver(refusal)) return;
			if (refusal.code === "hold-expired" || refusal.code === "not-held") set(null);
			fan.readSeats();
			if (refusal.code !== "hold-expired") tell.fail(refusal);
		},
		pay(refusal) {
			if (fan.isOver(refusal)) return;
			if (refusal.status === 402) return tooShort(refusal);
			if (refusal.code === "hold-expired") return expired(refusal.data?.seatState ?? null);
			if (refusal.code === "not-held") set(null);
			fan.readSeats();
			tell.fail(refusal);
		},
	};

	// Nothing is let go while it is paid for, nor paid for while it is let go.
	function deed(kind, path, { seatId }) {
		if (state.busy.pay || state.busy.cancel) return undefined;
		return fan.act(`${kind}:${seatId}`, path, { seatId }, fan.tokenHeader());
	}

	const reserve = ({ id }) => deed("reserve", "/reservation", { seatId: id });
	const pay = () => deed("pay", "/payment", state.hold);
	const release = () => deed("cancel", "/reservation/cancel", state.hold);

	function tooShort({ data }) {
		const missing = data?.missing ?? null;
		update({ missing, balance: data?.balance ?? state.balance });
		tell.notice(({ failed, money, won }) => ({
			kind: "error",
			title: failed.shortHeading,
			words: failed.short(won(missing ?? 0)),
			actions: [{
				id: "notice-charge",
				label: money.chargeMissing(won(missing ?? 0)),
				then: () => fan.charge(missing),
			}],
		}));
	}

	// `seatState` as the server told it, or null when this clock alone says that the hold ran out.
	function expired(seatState) {
		const { hold } = state;
		set(null);
		if (!hold) return;
		const isFree = seatState === null || seatState === "free";
		tell.notice(({ failed }) => ({
			kind: "error",
			title: failed.expiredHeading,
			words: seatState === null ? failed.expired : isFree ? failed.expiredFree : failed.expiredGone,
			actions: isFree ? [{
				id: "take-again",
				label: failed.takeAgain(hold.seatNumber),
				then: () => reserve({ id: hold.seatId }),
			}] : [],
		}));
		fan.readSeats();
	}

	function set(hold) {
		if (hold) keep.put("hold", hold);
		else keep.drop("hold");
		update({ hold, missing: null });
	}

	// What the server says is held stands: another device may have taken, released or taken it again.
	function adopt(hold) {
		if (hold?.seatId === state.hold?.seatId && hold?.expires_at === state.hold?.expires_at) return;
		set(hold);
		if (hold && !state.date) fan.refreshDates();
	}

	// Called twice a second.
	function tick() {
		const { hold } = state;
		// A device whose clock is wrong must not end it before it has heard the server's.
		if (!hold || state.busy.pay || !clock.knowsServer()) return;
		const left_ms = Date.parse(hold.expires_at) - clock.serverNow();
		if (left_ms <= 0) expired(null);
		else if (passes(left_ms, 10_000)) tell.say(words().hold.tenLeft);
		else if (passes(left_ms, 60_000)) tell.say(words().hold.minuteLeft);
	}

	return { outcomes, refusals, reserve, pay, release, set, adopt, tick };
}

// Whether so little is left that a mark has just been passed: true for a second.
export const passes = (left_ms, mark_ms) => left_ms < mark_ms && left_ms > mark_ms - 1000;
