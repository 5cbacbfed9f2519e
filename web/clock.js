// Time, injected: tests bring their own. It also learns how far this device's clock is from the
// server's, since a hold that ends at 12:05 ends by the server's clock.

export function clockOf({ now = Date.now, set = setTimeout, clear = clearTimeout } = {}) {
	let offset_ms = 0;
	let error_ms = Infinity;
	return {
		now: () => now(),
		serverNow: () => now() + offset_ms,
		knowsServer: () => error_ms < Infinity,
		after: (ms, then) => set(then, ms),
		cancel: (timer) => clear(timer),
		sleep: (ms) => new Promise((done) => set(done, ms)),
		// A Date header has whole seconds, and was written between the question and the answer: the
		// measurement with the least doubt stands, until one contradicts it (this device was set).
		learn(dateHeader, askedAt_ms) {
			const told_ms = Date.parse(dateHeader);
			const answeredAt_ms = now();
			const doubt_ms = (answeredAt_ms - askedAt_ms) / 2 + 500;
			if (Number.isNaN(told_ms) || answeredAt_ms < askedAt_ms) return;
			const measured_ms = told_ms + 500 - (askedAt_ms + answeredAt_ms) / 2;
			const agrees = Math.abs(measured_ms - offset_ms) <= doubt_ms + error_ms;
			if (agrees && doubt_ms > error_ms) return;
			error_ms = doubt_ms;
			offset_ms = Math.abs(measured_ms) <= doubt_ms ? 0 : measured_ms;
		},
	};
}
