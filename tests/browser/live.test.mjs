// The stream of a plan's seats, to many who look at it.

import assert from "node:assert/strict";
import test from "node:test";
import { admittedCaller, get, post } from "./callers.mjs";
import { concert, until, url } from "./house.mjs";

const CLIENTS = 50;
const CHANGES = 20;
const LIVE_MS = 1000;

// Listens until it is told to stop. `seen` maps "SEAT STATE" to the moments at which it was told.
async function listener(schedule, token) {
	const abort = new AbortController();
	const answer = await fetch(`${url}/concert/seat-events?concertScheduleId=${schedule}`, {
		headers: { Accept: "text/event-stream", "queue-token": token }, signal: abort.signal });
	assert.equal(answer.status, 200);
	const heard = { seen: new Map(), messages: 0, stop: () => abort.abort() };
	heard.ended = listen(answer.body, heard).catch((error) => {
		if (!abort.signal.aborted) throw error;
	});
	return heard;
}

async function listen(body, heard) {
	let rest = "";
	for await (const piece of body.pipeThrough(new TextDecoderStream())) {
		const events = (rest + piece).split(/\r?\n\r?\n/);
		rest = events.pop();
		for (const event of events) {
			const data = /^data: ?(.*)$/m.exec(event)?.[1];
			if (data === undefined) continue;
			heard.messages++;
			for (const [seat, state] of JSON.parse(data).changes) heard.seen.set(`${seat} ${state}`, performance.now());
		}
	}
}

test(`${CLIENTS} clients see a seat change within a second`, async (t) => {
	await concert("Many eyes");
	const holder = await admittedCaller();
	const date = await until(async () => (await get("/concert/available-dates", holder.token))
		.find(({ concertName }) => concertName === "Many eyes"), "the date");
	const { seats } = await get(`/concert/seats?concertScheduleId=${date.id}`, holder.token);
	const listeners = await Promise.all(Array.from({ length: CLIENTS }, () => listener(date.id, holder.token)));
	try {
		// The newest message comes at once to each.
		await until(() => listeners.every(({ messages }) => messages > 0), "a first message to each");
		const delays_ms = [];
		for (let i = 0; i < CHANGES; i++) {
			const seatId = seats[Math.floor(i / 2)].id;
			const [path, state] = i % 2 === 0 ? ["/reservation", "held"] : ["/reservation/cancel", "free"];
			const asked_ms = performance.now();
			await post(path, { seatId }, holder.token);
			const change = `${seatId} ${state}`;
			await until(() => listeners.every(({ seen }) => seen.has(change)), `${change} at each`);
			delays_ms.push(...listeners.map(({ seen }) => seen.get(change) - asked_ms));
		}
		delays_ms.sort((a, b) => a - b);
		const p99 = delays_ms[Math.ceil(delays_ms.length * 0.99) - 1];
		t.diagnostic(`a change is seen after ${Math.round(delays_ms[delays_ms.length >> 1])} ms (median), `
			+ `${Math.round(p99)} ms (p99)`);
		assert.ok(p99 < LIVE_MS, `p99 is ${p99} ms`);
	} finally {
		for (const each of listeners) each.stop();
		await Promise.all(listeners.map(({ ended }) => ended));
	}
});
