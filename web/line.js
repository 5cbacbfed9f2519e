// A place in line: polled as the server says, and told by push between polls. Of all tabs one, which
// can be seen, polls and listens; the others hear from it. A hidden tab sends no polls.

import { streamOf } from "./stream.js";

const FLOOR_MS = 1000;
const CEILING_MS = 60_000;
const UNKNOWN_MS = 5000;
// All who learn from one tick that there is news for them ask within so long, but no more of them at
// once than fronts like to answer.
const SPREAD_MS = 2000;
const POLLS_PER_MS = 5;

// What to make of a poll hint: anything that is not a sane number of milliseconds is none.
export function pollDelayOf(hint) {
	if (typeof hint !== "number" || !Number.isFinite(hint) || hint < 0) return UNKNOWN_MS;
	return Math.min(Math.max(hint, FLOOR_MS), CEILING_MS);
}

// How many are ahead of `number` by the marks of a tick (PROTOCOL.md, Push); 0 when its turn may have
// come, null when the marks say nothing.
export function aheadBy(marks, number) {
	if (!Array.isArray(marks) || marks.length === 0 || typeof number !== "number") return null;
	if (number < marks[0][0]) return 0;
	let i = 0;
	while (i + 1 < marks.length && marks[i + 1][0] <= number) i++;
	const [place, before] = marks[i];
	const next = marks[i + 1];
	const most = before + number - place;
	return next ? Math.min(most, next[1] - 1) : most;
}

// `tab` tells of this tab: isHidden(), onChange(fn), and the channel to the others (may be null).
export function lineOf({
	api, fetch, clock, keep, tab, locks = null, channel = null, onPlace, random = Math.random,
}) {
	let token = null;
	let place = null;
	let timer = null;
	let asking = false;
	let stream = null;
	let leads = false;
	let release = null;
	let queued = null;
	let generation = 0;
	let canLock = locks !== null;
	let served = null;
	let hurries = false;

	function follow(newToken) {
		stop();
		token = newToken;
		place = null;
		lead();
	}

	function stop() {
		generation++;
		token = null;
		clock.cancel(timer);
		timer = null;
		endStream();
		leads = false;
		queued?.abort();
		release?.();
		release = null;
	}

	// The tab that was looked at last takes the lead; whoever loses it waits for its turn.
	function lead(steal = !tab.isHidden()) {
		const mine = generation;
		if (!canLock) return begin();
		const hold = () => {
			if (mine !== generation) return undefined;
			begin();
			return new Promise((done) => {
				release = done;
			});
		};
		queued?.abort();
		queued = new AbortController();
		const { signal } = queued;
		locks.request("boxoffice.line", steal ? { steal: true } : { signal }, hold).catch(({ name }) => {
			if (mine !== generation || signal.aborted) return;
			pause();
			// Not stolen but refused: a browser that forbids storage. Then each tab leads.
			canLock = name === "AbortError";
			lead(false);
		});
	}

	function begin() {
		leads = true;
		plan(0);
	}

	// Another tab has taken over.
	function pause() {
		leads = false;
		clock.cancel(timer);
		timer = null;
		endStream();
	}

	// One chain of polls: whoever plans anew ends the plan before. Two tabs share the time of the
	// last poll, so that together they keep to the floor.
	function plan(delay_ms) {
		clock.cancel(timer);
		timer = null;
		hurries = false;
		if (!leads || token === null || tab.isHidden()) return;
		const since_ms = clock.now() - (keep.get("polled") ?? 0);
		const floor_ms = since_ms >= 0 && since_ms < FLOOR_MS ? FLOOR_MS - since_ms : 0;
		timer = clock.after(Math.max(delay_ms, floor_ms), poll);
	}

	// A poll ahead of its time. One that hurries already is not put off by the next tick.
	function hurry(crowd) {
		if (hurries || asking) return;
		const spread_ms = Math.min(SPREAD_MS, crowd / POLLS_PER_MS);
		plan(spread_ms > 0 ? random() * spread_ms : 0);
		hurries = timer !== null;
	}

	async function poll() {
		timer = null;
		hurries = false;
		if (asking || !leads || token === null || tab.isHidden()) return;
		asking = true;
		const mine = generation;
		keep.put("polled", clock.now());
		let next_ms = UNKNOWN_MS;
		try {
			const told = await api.read("/queue/status", { "queue-token": token });
			if (mine === generation) take(told);
			next_ms = pollDelayOf(told?.pollAfterMs);
		} catch (refusal) {
			if (mine === generation) next_ms = refused(refusal);
		}
		asking = false;
		// Who began anew while this poll was out has had no poll yet.
		plan(mine === generation ? next_ms : 0);
	}

	function refused(refusal) {
		if (refusal.status === 401) {
			const over = { status: "OVER", code: refusal.code };
			share(over);
			stop();
		} else if (place) {
			share({ ...place, isStale: true });
		}
		return pollDelayOf(refusal.retryAfter_ms ?? UNKNOWN_MS);
	}

	function take(told) {
		const least = place?.number === told.number && typeof place?.ahead === "number"
			? Math.min(place.ahead, told.ahead ?? Infinity) : told.ahead;
		share({
			...told, ahead: told.status === "WAITING" ? least ?? null : 0, at: clock.now(),
			isStale: false, isLive: place?.isLive ?? false,
		});
		if (told.status === "WAITING" && leads && !stream) listen();
		if (told.status !== "WAITING") endStream();
	}

	// Polls stay: near the head of the line they are signs of life.
	function listen() {
		stream = streamOf({
			fetch,
			clock,
			path: "/queue/events",
			headers: () => ({ "queue-token": token }),
			onMessage: tick,
			onState: (isLive) => place && place.isLive !== isLive && share({ ...place, isLive }),
		});
	}

	function endStream() {
		stream?.close();
		stream = null;
	}

	function tick({ marks, served: newServed, gate, sale, message, perMinute, waiting }) {
		if (place?.status !== "WAITING") return;
		const admitted = newServed - (served ?? newServed);
		served = newServed;
		const told = aheadBy(marks, place.number);
		const ahead = told === null ? place.ahead : Math.min(told, place.ahead ?? Infinity);
		share({ ...place, ahead, gate, sale, message, perMinute, waiting, isLive: true });
		// Its turn, or it was.
		if (told === 0) hurry(admitted);
		// Nobody is let in past a draw that is not drawn: whoever was, the places may be known.
		else if (admitted > 0 && isDrawing()) hurry(waiting);
	}

	// Whether this place has no number yet though joining its draw has ended.
	function isDrawing() {
		return place.number === null && Date.parse(place.opensAt) <= clock.serverNow();
	}

	function share(newPlace) {
		place = newPlace;
		channel?.postMessage({ token, place });
		onPlace(place);
	}

	tab.onChange(() => {
		if (token === null || tab.isHidden()) return;
		if (!leads) lead(true);
		else if (!asking) plan(0);
	});

	if (channel) {
		channel.onmessage = ({ data }) => {
			if (leads || token === null || data?.token !== token) return;
			place = data.place;
			onPlace(place);
			if (place.status === "OVER") stop();
		};
	}

	return { follow, stop, look: () => !asking && plan(0) };
}
