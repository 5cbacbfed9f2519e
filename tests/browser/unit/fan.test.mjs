// What comes of an answer, in the words that a fan reads.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Refusal } from "../../../web/api.js";
import { fanOf, firstState } from "../../../web/fan.js";
import { en } from "../../../web/text/en.js";
import { ko } from "../../../web/text/ko.js";
import { fakeKeep, fakeTab, fakeTime } from "./fakes.mjs";

const inAMinute = (clock) => new Date(clock.now() + 60_000).toISOString();

// An answer of the server, whose clock is this one.
const hear = (clock) => clock.learn(new Date(clock.now()).toUTCString(), clock.now());

// `answer` is what every action gets: data, or a Refusal.
function world(answer, { kept = {}, unsettled = [], isDeaf = false } = {}) {
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
	if (!isDeaf) hear(time.clock);
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
	assert.match(state.notice(en).words, /800/);
	assert.equal(state.hold.seatId, 7);
	state.notice(en).actions[0].then();
	assert.deepEqual(acts.at(-1).body, { userId: "u", amount: 800 });
});

for (const [seatState, buttons] of [["free", 1], ["held", 0], ["sold", 0]]) {
	test(`a hold that ran out is offered again only when the seat is free: ${seatState}`, async () => {
		const { fan, state, acts } = world(new Refusal(409, { code: "hold-expired", data: { seatState } }), { kept: inside(clock) });
		await fan.pay();
		assert.equal(state.hold, null);
		assert.equal(state.notice(en).actions.length, buttons);
		if (!buttons) return;
		state.notice(en).actions[0].then();
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
	assert.equal(state.notice(en).title, en.failed.expiredHeading);
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
	assert.equal(state.notice(en).words, en.failed["token-expired"]);
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
	assert.equal(state.notice(en).words, en.failed["unknown-user"]);
});

test("a hold does not end by a clock that has not heard the server's", async () => {
	const time = fakeTime();
	const hold = { ...inside(time.clock).hold, expires_at: new Date(time.clock.now() - 1000).toISOString() };
	const { fan, state, clock } = world({}, { kept: { ...inside(time.clock), hold }, isDeaf: true });
	fan.tick();
	assert.equal(state.hold.seatId, 7);
	hear(clock);
	fan.tick();
	assert.equal(state.hold, null);
});

test("a notice is told in the language of the moment", async () => {
	const { fan, state } = world(new Refusal(409, { code: "seat-sold" }), { kept: inside(clock) });
	await fan.reserve({ id: 8 });
	assert.equal(state.notice(en).words, en.failed["seat-sold"]);
	assert.equal(state.notice(ko).words, ko.failed["seat-sold"]);
	assert.equal(state.notice(ko).title, ko.failed.takenHeading);
});

test("a refusal that has no words of its own is not called an outage", async () => {
	const { fan, state } = world(new Refusal(422, { code: "key-reused" }), { kept: inside(clock) });
	await fan.charge(5);
	assert.equal(state.notice(en).words, en.failed.refused);
});

test("the end of a token that another tab paid with shows its ticket", async () => {
	const ticket = { id: 3, seatNumber: "7" };
	const { fan, state, keep } = world(new Refusal(401, { code: "token-finished" }), { kept: inside(clock) });
	keep.put("ticket", ticket);
	await fan.pay();
	assert.deepEqual(state.ticket, ticket);
	assert.equal(state.notice, null);
});

test("actions of one kind are taken up one after the other", async () => {
	const unsettled = [1, 2].map((id) => ({ name: `reserve:${id}`, path: "/reservation", body: { seatId: id }, headers: {} }));
	const { fan, acts, advance } = world(new Refusal(409, { code: "seat-held" }), { kept: inside(clock), unsettled });
	fan.resumeActions();
	await advance(0);
	assert.deepEqual(acts.map(({ name }) => name), ["reserve:1", "reserve:2"]);
});

test("another seat is not chosen while one is held", async () => {
	const { fan, state } = world({}, { kept: inside(clock) });
	const seat = { id: 8, seatNumber: "8", state: "free", mine: false };
	state.map = { seats: [seat] };
	fan.choose(seat);
	assert.equal(state.chosen, null);
	assert.equal(state.notice(en).words, en.failed["already-holding"]);
	state.hold = null;
	fan.choose(seat);
	assert.equal(state.chosen, 8);
});

test("nothing is let go while it is paid for", async () => {
	const { fan, state, acts } = world({}, { kept: inside(clock) });
	state.busy = { pay: true };
	await fan.release();
	assert.deepEqual(acts, []);
});
