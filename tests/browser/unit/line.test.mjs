// One chain of polls, never below the floor, none from a hidden tab, one tab of several.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apiOf } from "../../../web/api.js";
import { aheadBy, lineOf, pollDelayOf } from "../../../web/line.js";
import {
	fakeChannels, fakeFetch, fakeKeep, fakeLocks, fakeStorage, fakeTab, fakeTime, refusedLocks,
} from "./fakes.mjs";

const waitingAt = (ahead, more) => ({
	body: { success: true, data: { status: "WAITING", number: 50, position: ahead + 1, ahead, pollAfterMs: 3000, ...more } },
});

// A browser: what its tabs share. `tick` pushes to those that listen.
function browser(answers = () => waitingAt(9)) {
	const time = fakeTime();
	const polledAt = [];
	const pushes = [];
	const { fetch, calls } = fakeFetch((path, options) => {
		if (path === "/queue/events") {
			let pushed;
			const stream = new ReadableStream({ start: (controller) => { pushed = controller; } });
			pushes.push(pushed);
			options.signal.addEventListener("abort", () => {
				pushes.splice(pushes.indexOf(pushed), 1);
				pushed.error(new Error("aborted"));
			});
			return { stream };
		}
		polledAt.push(time.clock.now());
		return answers(polledAt.length - 1);
	});
	const shared = { storage: fakeStorage(), locks: fakeLocks(), channels: fakeChannels() };
	const tick = async (told) => {
		for (const pushed of pushes) pushed.enqueue(new TextEncoder().encode(`data: ${JSON.stringify(told)}\n\n`));
		// A stream is read outside of the time that the tests steer.
		for (let i = 0; i < 5; i++) await new Promise((done) => setImmediate(done));
	};
	const open = (isHidden = false, { locks = shared.locks, random = () => 0.5 } = {}) => {
		const tab = fakeTab(isHidden);
		const keep = fakeKeep(shared.storage);
		const places = [];
		const line = lineOf({
			api: apiOf({ fetch, clock: time.clock, keep }), fetch, clock: time.clock, keep, tab, locks, random,
			channel: shared.channels(), onPlace: (place) => places.push(place),
		});
		return { tab, line, places };
	};
	return { open, calls, polledAt, tick, ...time };
}

const gapsOf = (times) => times.slice(1).map((at, i) => at - times[i]);

test("poll hints that make no sense are not followed", () => {
	for (const hint of [NaN, Infinity, -Infinity, -1, "3000", "soon", null, undefined, {}, [5]])
		assert.equal(pollDelayOf(hint), 5000, String(hint));
	for (const [hint, expected] of [[0, 1000], [1, 1000], [999, 1000], [1000, 1000], [4321, 4321], [60_000, 60_000], [1e300, 60_000]])
		assert.equal(pollDelayOf(hint), expected);
});

test("polls come as the server says", async () => {
	const { open, polledAt, advance } = browser();
	open().line.follow("token");
	await advance(9500);
	assert.deepEqual(gapsOf(polledAt), [3000, 3000, 3000]);
});

for (const hint of [NaN, -5, "1", 0, 1e300]) {
	test(`a hint of ${JSON.stringify(hint)} ${hint} neither stops nor hurries the polls`, async () => {
		const { open, polledAt, advance } = browser(() => waitingAt(9, { pollAfterMs: hint }));
		open().line.follow("token");
		await advance(121_000);
		assert.ok(polledAt.length >= 3);
		assert.ok(gapsOf(polledAt).every((gap) => gap >= 1000));
	});
}

test("a hidden tab sends no polls, and one at once on return", async () => {
	const { open, polledAt, advance, clock } = browser();
	const { tab, line } = open();
	line.follow("token");
	await advance(100);
	tab.hide(true);
	await advance(60_000);
	assert.equal(polledAt.length, 1);
	tab.hide(false);
	const back = clock.now();
	await advance(10);
	assert.equal(polledAt.at(-1), back);
	await advance(9500);
	assert.deepEqual(gapsOf(polledAt.slice(1)), [3000, 3000, 3000]);
});

test("hiding and showing in a hurry stays above the floor, in one chain", async () => {
	const { open, polledAt, advance } = browser();
	const { tab, line } = open();
	line.follow("token");
	for (let i = 0; i < 40; i++) {
		await advance(50);
		tab.hide(i % 2 === 0);
	}
	await advance(30_000);
	assert.ok(gapsOf(polledAt).every((gap) => gap >= 1000), gapsOf(polledAt).join());
	assert.ok(gapsOf(polledAt).slice(-5).every((gap) => gap === 3000));
});

test("a slow answer starts no second chain when the tab returns meanwhile", async () => {
	let answer;
	const { open, polledAt, advance } = browser((i) => (i === 0 ? new Promise((done) => { answer = done; }) : waitingAt(9)));
	const { tab, line } = open();
	line.follow("token");
	await advance(2000);
	tab.hide(true);
	tab.hide(false);
	await advance(2000);
	assert.equal(polledAt.length, 1);
	answer(waitingAt(9));
	await advance(9500);
	assert.deepEqual(gapsOf(polledAt).slice(1), [3000, 3000]);
});

test("of two tabs one polls, and both know the place", async () => {
	const { open, polledAt, advance } = browser();
	const first = open();
	const second = open();
	first.line.follow("token");
	await advance(100);
	second.line.follow("token");
	await advance(9500);
	assert.ok(gapsOf(polledAt).every((gap) => gap >= 1000));
	assert.ok(polledAt.length <= 5);
	assert.equal(first.places.at(-1).ahead, 9);
	assert.equal(second.places.at(-1).ahead, 9);
});

test("the visible tab takes over from the hidden one, and gives back", async () => {
	const { open, polledAt, advance } = browser();
	const first = open();
	first.line.follow("token");
	await advance(100);
	first.tab.hide(true);
	const second = open();
	second.line.follow("token");
	await advance(5000);
	assert.ok(polledAt.length >= 2);
	second.tab.hide(true);
	const before = polledAt.length;
	await advance(20_000);
	assert.equal(polledAt.length, before);
	first.tab.hide(false);
	await advance(100);
	assert.equal(polledAt.length, before + 1);
});

test("without Web Locks a tab polls all the same", async () => {
	const { open, polledAt, advance } = browser();
	open(false, { locks: null }).line.follow("token");
	await advance(3500);
	assert.equal(polledAt.length, 2);
});

test("a place that is over ends the polls in every tab", async () => {
	const { open, polledAt, advance } = browser((i) =>
		(i === 0 ? waitingAt(1) : { status: 401, body: { success: false, code: "token-expired", message: "" } }));
	const first = open();
	const second = open();
	first.line.follow("token");
	second.line.follow("token");
	await advance(60_000);
	assert.equal(polledAt.length, 2);
	assert.deepEqual(first.places.at(-1), { status: "OVER", code: "token-expired" });
	assert.deepEqual(second.places.at(-1), { status: "OVER", code: "token-expired" });
});

test("a lost connection keeps the place, says so, and recovers", async () => {
	const { open, places = [], advance } = browser((i) => (i === 1 ? new Error("lost") : waitingAt(9)));
	const tab = open();
	tab.line.follow("token");
	await advance(3500);
	assert.equal(tab.places.at(-1).isStale, true);
	assert.equal(tab.places.at(-1).ahead, 9);
	await advance(5500);
	assert.equal(tab.places.at(-1).isStale, false);
	assert.deepEqual(places, []);
});

test("who is ahead never grows", async () => {
	const { open, advance } = browser((i) => waitingAt([9, 12, 4][i] ?? 4));
	const { line, places } = open();
	line.follow("token");
	await advance(7000);
	assert.deepEqual(places.filter(({ at }) => at).map(({ ahead }) => ahead).filter((ahead, i, all) => ahead !== all[i - 1]), [9, 4]);
});

test("marks tell how many are ahead", () => {
	const marks = [[1201, 0], [1202, 1], [1204, 3], [1209, 7], [1300, 40]];
	assert.equal(aheadBy(marks, 1100), 0);
	assert.equal(aheadBy(marks, 1201), 0);
	assert.equal(aheadBy(marks, 1203), 2);
	assert.equal(aheadBy(marks, 1208), 6);
	assert.equal(aheadBy(marks, 1290), 39);
	assert.equal(aheadBy(marks, 1310), 50);
	assert.equal(aheadBy([], 5), null);
	assert.equal(aheadBy("no", 5), null);
	assert.equal(aheadBy(marks, null), null);
});

test("a browser that refuses locks polls as one without, in one chain", async () => {
	const { open, polledAt, advance } = browser();
	open(false, { locks: refusedLocks }).line.follow("token");
	await advance(9500);
	assert.deepEqual(gapsOf(polledAt), [3000, 3000, 3000]);
});

test("a poll does not make a live line look dead", async () => {
	const { open, tick, advance } = browser();
	const { line, places } = open();
	line.follow("token");
	await advance(1000);
	await tick({ marks: [[41, 0], [51, 10]], served: 40 });
	assert.equal(places.at(-1).isLive, true);
	await advance(3000);
	assert.equal(places.at(-1).isLive, true);
});

// In a draw whose joining has ended; the server would have the page wait for a long time.
const drawing = (clock) => waitingAt(0, {
	number: null, position: null, ahead: null, pollAfterMs: 60_000, opensAt: new Date(clock.now() - 1000).toISOString(),
});

test("after a draw the page asks as soon as somebody is let in, but not all pages at once", async () => {
	const { open, polledAt, tick, advance, clock } = browser(() => drawing(clock));
	const { line } = open(false, { random: () => 0.75 });
	line.follow("token");
	await advance(5000);
	await tick({ marks: [[1, 0], [100_001, 100_000]], served: 0, waiting: 100_000 });
	await advance(5000);
	assert.equal(polledAt.length, 1, "nobody was let in");
	const told_ms = clock.now();
	await tick({ marks: [[51, 0], [100_001, 99_950]], served: 50, waiting: 99_950 });
	await advance(500);
	// The next tick does not put it off.
	await tick({ marks: [[101, 0], [100_001, 99_900]], served: 100, waiting: 99_900 });
	await advance(5000);
	assert.deepEqual(polledAt.slice(1), [told_ms + 1500]);
});

test("a small crowd asks at once after a draw, but not below the floor", async () => {
	const { open, polledAt, tick, advance, clock } = browser(() => drawing(clock));
	open().line.follow("token");
	await advance(5000);
	for (let served = 0; served < 20; served++) {
		await tick({ marks: [[served + 1, 0], [31, 30 - served]], served, waiting: 30 - served });
		await advance(200);
	}
	await advance(2000);
	assert.ok(polledAt[1] - polledAt[0] < 5300);
	assert.ok(gapsOf(polledAt).every((gap) => gap >= 1000), gapsOf(polledAt).join());
});

test("before a draw opens nobody hurries, whoever is let in from before it", async () => {
	const { open, polledAt, tick, advance, clock } = browser(() => waitingAt(0, {
		number: null, position: null, ahead: null, pollAfterMs: 60_000, opensAt: new Date(clock.now() + 600_000).toISOString(),
	}));
	open().line.follow("token");
	await advance(5000);
	for (const served of [1, 2, 3]) {
		await tick({ marks: [[served + 1, 0]], served, waiting: 10 });
		await advance(1000);
	}
	assert.equal(polledAt.length, 1);
});

test("whose turn it is asks at once, spread over what the fronts like to answer", async () => {
	const { open, polledAt, tick, advance, clock } = browser(() => waitingAt(9, { pollAfterMs: 30_000 }));
	open(false, { random: () => 0.5 }).line.follow("token");
	await advance(5000);
	await tick({ marks: [[41, 0], [51, 10]], served: 40, waiting: 10 });
	const told_ms = clock.now();
	await tick({ marks: [[5041, 0]], served: 5040, waiting: 0 });
	await advance(3000);
	assert.deepEqual(polledAt.slice(1), [told_ms + 500]);
});
