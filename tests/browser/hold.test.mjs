// A seat that is held: by whom, for how long, and what becomes of it.

import assert from "node:assert/strict";
import test from "node:test";
import { concert, hold_ms, picturesOf, until, withFans } from "./house.mjs";
import { choose, enter, hold, seatIs } from "./steps.mjs";

const LIVE_MS = 1000;

test("two browsers and one seat", withFans({}, async (first, second) => {
	await concert("One seat", { seats: 1 });
	await enter(first, "One seat");
	await enter(second, "One seat");
	await choose(first, 1);
	await choose(second, 1);
	await Promise.all([first, second].map((page) => page.locator("#hold-button").click({ noWaitAfter: true })));
	const held = await until(async () => {
		const holders = await Promise.all([first, second].map((page) => page.locator("#hold").isVisible()));
		const told = await Promise.all([first, second].map((page) => page.locator("#notice .notice").isVisible()));
		return holders[0] !== holders[1] && told[0] === holders[1] && told[1] === holders[0] && holders;
	}, "one who holds it and one who is told");
	const [winner, loser] = held[0] ? [first, second] : [second, first];
	await seatIs(winner, 1, "mine");
	await seatIs(loser, 1, "held");
	assert.match(await loser.locator("#notice").innerText(), /just been taken/);
	// Let go, it is free for the other.
	await winner.locator("#release-button").click();
	await seatIs(loser, 1, "free");
	await hold(loser, 1);
}));

test("a seat that is taken is seen at once by those who look at the plan", withFans({}, async (first, second) => {
	await concert("Live plan");
	await enter(first, "Live plan");
	await enter(second, "Live plan");
	await second.locator("#map-state .live").waitFor();
	await choose(first, 20);
	await first.locator("#hold-button").click();
	await first.locator("#hold").waitFor();
	await seatIs(second, 20, "held", LIVE_MS);
	await first.locator("#release-button").click();
	await first.locator("#hold").waitFor({ state: "detached" });
	await seatIs(second, 20, "free", LIVE_MS);
}));

test("a hold that runs out says so and is taken again in one tap", withFans({}, async (page) => {
	await concert("Too late");
	await enter(page, "Too late");
	await hold(page, 30);
	assert.match(await page.locator("#hold-timer").innerText(), /^0:1\d$/);
	await picturesOf(page, "hold");
	await page.locator("#take-again").waitFor({ timeout: hold_ms + 5000 });
	assert.equal(await page.locator("#hold").count(), 0);
	await picturesOf(page, "expired");
	await page.locator("#take-again").click();
	await page.locator("#hold").waitFor();
	await seatIs(page, 30, "mine");
}));

test("a hold survives a refresh", withFans({}, async (page) => {
	await concert("Refresh");
	await enter(page, "Refresh");
	await hold(page, 4);
	await page.reload();
	await page.locator("#hold").waitFor();
	await seatIs(page, 4, "mine");
}));
