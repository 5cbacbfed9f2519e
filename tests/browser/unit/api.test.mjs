// An action takes effect once, whatever becomes of its answers.

import assert from "node:assert/strict";
import { test } from "node:test";
import { apiOf, newKey, retryAfterOf } from "../../../web/api.js";
import { fakeFetch, fakeKeep, fakeLocks, fakeStorage, fakeTime, refusedLocks } from "./fakes.mjs";

const ok = (data) => ({ body: { success: true, data } });
const refused = (status, code, data, headers) => ({ status, headers, body: { success: false, code, message: code, data } });
const keysOf = (calls) => calls.filter(({ method }) => method === "POST").map(({ headers }) => headers["Idempotency-Key"]);

function world(answers, storage = fakeStorage()) {
	const time = fakeTime();
	const { fetch, calls } = fakeFetch(answers);
	const retries = [];
	const api = apiOf({ fetch, clock: time.clock, keep: fakeKeep(storage), onRetry: (name, retry) => retries.push(retry) });
	return { api, calls, storage, retries, ...time };
}

test("a double click is one call", async () => {
	const { api, calls } = world(() => ok({ balance: 5 }));
	const both = await Promise.all([api.act("charge", "/user/charge", { amount: 5 }), api.act("charge", "/user/charge", { amount: 5 })]);
	assert.equal(calls.length, 1);
	assert.deepEqual(both, [{ balance: 5 }, { balance: 5 }]);
});

test("a lost answer is asked for again with the same key", async () => {
	const { api, calls, advance } = world((path, options, i) => (i === 0 ? new Error("lost") : ok({ id: 1 })));
	const doing = api.act("pay:7", "/payment", { seatId: 7 });
	await advance(1500);
	assert.deepEqual(await doing, { id: 1 });
	const keys = keysOf(calls);
	assert.equal(keys.length, 2);
	assert.equal(keys[0], keys[1]);
});

test("a busy service is asked again when it says, with the same key", async () => {
	const { api, calls, advance, retries, clock } = world((path, options, i) =>
		(i === 0 ? refused(503, "unavailable", null, { "Retry-After": "3" }) : ok({})));
	const doing = api.act("charge", "/user/charge", { amount: 1 });
	await advance(2900);
	assert.equal(calls.length, 1);
	assert.equal(retries[0].until_ms - clock.now(), 100);
	await advance(200);
	await doing;
	assert.equal(new Set(keysOf(calls)).size, 1);
	assert.equal(retries.at(-1), null);
});

test("a retry can be had at once", async () => {
	const { api, calls, advance, retries } = world((path, options, i) => (i === 0 ? new Error("lost") : ok({})));
	const doing = api.act("charge", "/user/charge", { amount: 1 });
	await advance(0);
	retries[0].now();
	await doing;
	assert.equal(calls.length, 2);
});

test("retries can be hurried, all of them", async () => {
	const { api, calls, advance } = world((path, options, i) => (i < 2 ? new Error("lost") : ok({})));
	const both = [api.act("charge", "/user/charge", { amount: 1 }), api.act("pay:1", "/payment", { seatId: 1 })];
	await advance(0);
	api.hurry();
	await advance(0);
	await Promise.all(both);
	assert.equal(calls.length, 4);
	// None is left that a later call could end.
	api.hurry();
	await advance(60_000);
	assert.equal(calls.length, 4);
});

test("a browser that refuses locks acts all the same, once", async () => {
	const { fetch, calls } = fakeFetch((path) => (path === "/payment" ? refused(409, "hold-expired") : ok({ balance: 5 })));
	const api = apiOf({ fetch, clock: fakeTime().clock, keep: fakeKeep(), locks: refusedLocks });
	assert.deepEqual(await api.act("charge", "/user/charge", { amount: 5 }), { balance: 5 });
	await assert.rejects(api.act("pay:1", "/payment", { seatId: 1 }), { code: "hold-expired" });
	assert.equal(calls.length, 2);
});

test("a refusal under a lock is told, not tried again", async () => {
	const { fetch, calls } = fakeFetch(() => refused(409, "hold-expired"));
	const api = apiOf({ fetch, clock: fakeTime().clock, keep: fakeKeep(), locks: fakeLocks() });
	await assert.rejects(api.act("pay:1", "/payment", { seatId: 1 }), { code: "hold-expired" });
	assert.equal(calls.length, 1);
});

test("a decision settles: the next attempt has a new key", async () => {
	const { api, calls } = world((path, options, i) => (i === 0 ? refused(402, "insufficient-balance", { missing: 9 }) : ok({})));
	await assert.rejects(api.act("pay:7", "/payment", { seatId: 7 }), { status: 402, code: "insufficient-balance", data: { missing: 9 } });
	await api.act("pay:7", "/payment", { seatId: 7 });
	const keys = keysOf(calls);
	assert.notEqual(keys[0], keys[1]);
});

test("a closed line is a decision though it is a 503", async () => {
	const { api } = world(() => refused(503, "closed"));
	await assert.rejects(api.act("issue", "/queue/issue", {}), { code: "closed" });
	assert.deepEqual(api.unsettledActions(), []);
});

test("a key outlives a reload until it is settled", async () => {
	const before = world(() => new Error("lost"));
	before.api.act("charge", "/user/charge", { amount: 3 });
	await before.advance(0);
	const after = world(() => ok({ balance: 3 }), before.storage);
	const [action] = after.api.unsettledActions();
	assert.equal(action.name, "charge");
	assert.deepEqual(action.body, { amount: 3 });
	await after.api.act(action.name, action.path, action.body, action.headers);
	assert.equal(keysOf(after.calls)[0], keysOf(before.calls)[0]);
	assert.deepEqual(after.api.unsettledActions(), []);
});

test("a second tab that resumes what the first is still doing charges nothing more", async () => {
	const time = fakeTime();
	const storage = fakeStorage();
	const locks = fakeLocks();
	const { fetch, calls } = fakeFetch((path, options, i) => (i === 0 ? new Error("lost") : ok({ balance: 3 })));
	const tabOf = () => apiOf({ fetch, clock: time.clock, keep: fakeKeep(storage), locks });
	const first = tabOf().act("charge", "/user/charge", { amount: 3 });
	await time.advance(0);
	const second = tabOf();
	const [action] = second.unsettledActions();
	const again = second.act(action.name, action.path, action.body, action.headers);
	await time.advance(5000);
	assert.deepEqual(await first, await again);
	assert.equal(calls.length, 3);
	assert.equal(new Set(keysOf(calls)).size, 1);
});

test("another amount is another charge, with another key", async () => {
	const before = world(() => new Error("lost"));
	before.api.act("charge", "/user/charge", { amount: 3 });
	await before.advance(0);
	const after = world(() => ok({}), before.storage);
	await after.api.act("charge", "/user/charge", { amount: 4 });
	assert.notEqual(keysOf(after.calls)[0], keysOf(before.calls)[0]);
});

test("a reservation that nobody waits for any more is not made after all; money is followed longer", async () => {
	const { api, advance, storage } = world(() => new Error("lost"));
	api.act("reserve:1", "/reservation", { seatId: 1 });
	api.act("charge", "/user/charge", { amount: 3 });
	await advance(700_000);
	// As a page that is opened then finds them.
	const later = apiOf({ clock: fakeTime(Date.UTC(2026, 10, 24, 10) + 700_000).clock, keep: fakeKeep(storage) });
	assert.deepEqual(later.unsettledActions().map(({ name }) => name), ["charge"]);
	assert.equal(api.unsettledActions().length, 1);
});

test("a slow job is followed by its handle", async () => {
	const { api, calls, advance } = world((path) => {
		if (path === "/payment") return { status: 202, headers: { Location: "/jobs/abc", "Retry-After": "1" }, body: {} };
		return calls.length < 4 ? ok({ status: "queued" })
			: ok({ status: "done", httpStatus: 409, response: { success: false, code: "hold-expired", data: { seatState: "free" } } });
	});
	const doing = assert.rejects(api.act("pay:1", "/payment", { seatId: 1 }), { code: "hold-expired", data: { seatState: "free" } });
	await advance(5000);
	await doing;
	assert.deepEqual(calls.map(({ path }) => path), ["/payment", "/jobs/abc", "/jobs/abc", "/jobs/abc"]);
});

test("a job that stays queued is called for again with its key", async () => {
	let posts = 0;
	const { api, calls, advance } = world((path) => {
		if (path !== "/payment") return ok({ status: "queued" });
		return posts++ === 0 ? { status: 202, headers: { Location: "/jobs/abc" }, body: {} } : ok({ id: 1 });
	});
	const doing = api.act("pay:1", "/payment", { seatId: 1 });
	await advance(30_000);
	assert.deepEqual(await doing, { id: 1 });
	assert.equal(new Set(keysOf(calls)).size, 1);
	assert.equal(posts, 2);
});

test("a handle that leads elsewhere is not followed", async () => {
	const { api, calls, advance } = world((path, options, i) =>
		(i === 0 ? { status: 202, headers: { Location: "https://elsewhere.example/" }, body: {} } : ok({})));
	const doing = api.act("charge", "/user/charge", { amount: 1 });
	await advance(5000);
	await doing;
	assert.ok(calls.every(({ path }) => path === "/user/charge"));
});

test("Retry-After is taken as far as it makes sense", () => {
	for (const [header, expected] of [["3", 3000], ["0", 500], ["-1", null], ["soon", null], ["", null], [null, null], ["1e99", 30_000], ["NaN", null]])
		assert.equal(retryAfterOf(header), expected, `${header}`);
});

test("a key is a UUIDv7 of now", () => {
	const key = newKey(0x0123456789ab, (bytes) => bytes.fill(0xff));
	assert.equal(key, "01234567-89ab-7fff-bfff-ffffffffffff");
});
