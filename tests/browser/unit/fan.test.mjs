// What comes of an answer, in the words that a fan reads.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../../web/api.js";
import { fanOf, firstState } from "../../../web/fan.js";
import { en } from "../../../web/text/en.js";
import { fakeKeep, fakeTab, fakeTime } from "./fakes.mjs";

const inAMinute = (clock) => new Date(clock.now() + 60_000).toISOString();

// `answer` is what every action gets: data, or a Refusal.
function world(answer, { kept = {}, unsettled = [] } = {}) {
	const time = fakeTime();
	const keep = fakeKeep();
	for (const [name, value] of Object.entries(kept)) keep.put(name, value);
	const state = firstState();
	const acts = [];
	const api = {
		async act(name, path, body) {
			acts.push({ name, path, body });
			if (answer instanceof Refusal) throw answer;
			return answer;
		},
		read: async () => { throw new Refusal(404, { code: "not-found" }); },
		unsettledActions: () => unsettled,
	};
	const line = { follow() {}, stop() {}, look() {} };
	const fan = fanOf({
		api, clock: time.clock, keep, tab: fakeTab(), line, state,
		update: (changes) => Object.assign(state, changes), words: () => en,
	});
	fan.recall();
	return { fan, state, acts, keep, ...time };
}

const inside = (clock) => ({
	me: { userId: "u", name: "Kim" },
	token: "t",
	hold: { seatId: 7, seatNumber: "7", price: 900, expires_at: inAMinute(clock) },
});
const { clock } = fakeTime();

test("not enough money names what is missing, and a button charges just that", async () => {
	const { fan, state, acts } = world(new Refusal(402, { code: "insufficient-balance", data: { balance: 100, price: 900, missing: 800 } }), { kept: inside(clock) });
	await fan.pay();
	assert.equal(state.missing, 800);
	assert.match(state.notice.words, /800/);
	assert.equal(state.hold.seatId, 7);
	state.notice.actions[0].then();
	assert.deepEqual(acts.at(-1).body, { userId: "u", amount: 800 });
});

for (const [seatState, buttons] of [["free", 1], ["held", 0], ["sold", 0]]) {
	test(`a hold that ran out is offered again only when the seat is free: ${seatState}`, async () => {
		const { fan, state, acts } = world(new Refusal(409, { code: "hold-expired", data: { seatState } }), { kept: inside(clock) });
		await fan.pay();
		assert.equal(state.hold, null);
		assert.equal(state.notice.actions.length, buttons);
		if (!buttons) return;
		state.notice.actions[0].then();
		assert.deepEqual(acts.at(-1), { name: "reserve:7", path: "/reservation", body: { seatId: 7 } });
	});
}

test("a hold ends by the clock when nobody pays, but not while a payment is under way", async () => {
	const { fan, state, advance } = world({}, { kept: inside(clock) });
	await advance(59_000);
	fan.tick();
	assert.equal(state.hold.seatId, 7);
	await advance(2000);
	state.busy = { pay: true };
	fan.tick();
	assert.equal(state.hold.seatId, 7);
	state.busy = {};
	fan.tick();
	assert.equal(state.hold, null);
	assert.equal(state.notice.title, en.failed.expiredHeading);
});

test("a purchase shows the ticket, gives up the token, and is there after a reload", async () => {
	const ticket = { id: 3, seatNumber: "7" };
	const { fan, state, keep } = world(ticket, { kept: inside(clock) });
	await fan.pay();
	assert.deepEqual(state.ticket, ticket);
	assert.equal(state.token, null);
	assert.deepEqual(keep.get("ticket"), ticket);
	assert.equal(keep.get("hold"), null);
});

test("an admission that is over says why, and keeps the name", async () => {
	const { fan, state } = world(new Refusal(401, { code: "token-expired" }), { kept: inside(clock) });
	await fan.reserve({ id: 9 });
	assert.equal(state.token, null);
	assert.equal(state.me.name, "Kim");
	assert.equal(state.notice.words, en.failed["token-expired"]);
});

test("what an earlier visit left open is taken up", async () => {
	const unsettled = [{ name: "charge", path: "/user/charge", body: { userId: "u", amount: 5 }, key: "k", at: 0 }];
	const { fan, state, acts, advance } = world({ balance: 5 }, { kept: { me: { userId: "u", name: "Kim" } }, unsettled });
	fan.resumeActions();
	await advance(0);
	assert.equal(acts[0].name, "charge");
	assert.equal(state.balance, 5);
});

test("who is not known any more is asked for the name again", async () => {
	const { fan, state } = world(new Refusal(404, { code: "unknown-user" }), { kept: { me: { userId: "u", name: "Kim" } } });
	await fan.join();
	assert.equal(state.me, null);
	assert.equal(state.notice.words, en.failed["unknown-user"]);
});
