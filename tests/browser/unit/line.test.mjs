// One chain of polls, never below the floor, none from a hidden tab, one tab of several.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apiOf } from "../../../web/api.js";
import { aheadBy, lineOf, pollDelayOf } from "../../../web/line.js";
import { fakeChannels, fakeFetch, fakeKeep, fakeLocks, fakeStorage, fakeTab, fakeTime, silence } from "./fakes.mjs";

const waitingAt = (ahead, more) => ({
	body: { success: true, data: { status: "WAITING", number: 50, position: ahead + 1, ahead, pollAfterMs: 3000, ...more } },
});

// A browser: what its tabs share.
function browser(answers = () => waitingAt(9)) {
	const time = fakeTime();
	const polledAt = [];
	const { fetch, calls } = fakeFetch((path, options) => {
		if (path === "/queue/events") return silence(options);
		polledAt.push(time.clock.now());
		return answers(polledAt.length - 1);
	});
	const shared = { storage: fakeStorage(), locks: fakeLocks(), channels: fakeChannels() };
	const open = (isHidden = false, { locks = shared.locks } = {}) => {
		const tab = fakeTab(isHidden);
		const keep = fakeKeep(shared.storage);
		const places = [];
		const line = lineOf({
			api: apiOf({ fetch, clock: time.clock, keep }), fetch, clock: time.clock, keep, tab, locks,
			channel: shared.channels(), onPlace: (place) => places.push(place),
		});
		return { tab, line, places };
	};
	return { open, calls, polledAt, ...time };
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
