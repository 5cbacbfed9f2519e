// The waiting room.

import assert from "node:assert/strict";
import test from "node:test";
import { cable } from "./cable.mjs";
import { caller, get } from "./callers.mjs";
import { ctl, paused, picturesOf, until, withFans } from "./house.mjs";
import { hide, idOfFocus, join, joinAgain, numberIn, pollOften, requestsOf, tokenOf, view } from "./steps.mjs";

const FLOOR_MS = 1000;

const placeOf = async (page) => get("/queue/status", await tokenOf(page));

// When the polls of a page left, in its own milliseconds.
const pollTimes = (page) => page.evaluate(() => performance.getEntriesByType("resource")
	.filter(({ name }) => name.endsWith("/queue/status")).map(({ startTime }) => startTime));

function assertNoneTooSoon(times) {
	for (let i = 1; i < times.length; i++)
		assert.ok(times[i] - times[i - 1] >= FLOOR_MS - 20, `polls ${times[i] - times[i - 1]} ms apart`);
}

test("the line shows who is ahead, what the box office says, and lets in", paused({}, async (page) => {
	for (let i = 0; i < 3; i++) await caller();
	await join(page, "Kim");
	await view(page, "waiting");
	assert.equal(await numberIn(page, "#ahead"), (await placeOf(page)).ahead);
	await page.locator("#gate-note").waitFor();
	await page.locator("#line-state .live").waitFor();
	// What the operator says is pushed: here before any poll could bring it.
	const polls = requestsOf(page, "/queue/status");
	await ctl("gate", "message", "Back at 20:00");
	await page.locator("#operator-message", { hasText: "Back at 20:00" }).waitFor();
	assert.ok(polls.length <= 1);
	await picturesOf(page, "waiting");
	await ctl("gate", "open");
	await view(page, "dates");
}));

test("a refresh keeps the place", paused({}, async (page) => {
	await caller();
	await join(page, "Kim");
	await view(page, "waiting");
	const before = await placeOf(page);
	await caller();
	await page.reload();
	await view(page, "waiting");
	const after = await placeOf(page);
	assert.equal(after.number, before.number);
	assert.equal(await numberIn(page, "#ahead"), before.ahead);
}));

test("a second tab shows the same place, and one of the two polls", paused({}, async (first) => {
	await pollOften(first.context());
	await join(first, "Kim");
	await view(first, "waiting");
	const second = await first.context().newPage();
	const token = await tokenOf(first);
	await second.goto("/");
	await view(second, "waiting");
	assert.equal(await tokenOf(second), token);
	assert.equal(await numberIn(second, "#ahead"), await numberIn(first, "#ahead"));
	await until(async () => (await pollTimes(second)).length > 0, "a poll of the second tab");
	const firstPolls = requestsOf(first, "/queue/status");
	const secondPolls = requestsOf(second, "/queue/status");
	await until(() => secondPolls.length >= 2, "polls of the second tab");
	assert.equal(firstPolls.length, 0);
	// Both are let in, though one asks.
	await ctl("gate", "open");
	await view(first, "dates");
	await view(second, "dates");
	// The second goes, and the first takes over.
	await second.close();
	await until(() => firstPolls.length > 0, "polls of the first tab");
}));

test("a stream that is cut off is made up for by polling, and comes back", paused({}, async (page) => {
	const line = await cable();
	try {
		await page.goto(line.url);
		await page.locator("#name").fill("Kim");
		await page.locator("#join-button").click();
		await page.locator("#line-state .live").waitFor();
		const polls = requestsOf(page, "/queue/status");
		line.cut();
		await page.locator("#line-state .live").waitFor({ state: "detached" });
		await ctl("gate", "message", "By poll alone");
		await page.locator("#operator-message", { hasText: "By poll alone" }).waitFor({ timeout: 20_000 });
		assert.ok(polls.length > 0);
		line.mend();
		await page.locator("#line-state .live").waitFor({ timeout: 20_000 });
	} finally {
		line.close();
	}
}));

test("a hidden tab sends no polls, and asks at once when it is seen again", paused({}, async (page, other) => {
	for (const each of [page, other]) {
		await pollOften(each.context());
		await join(each, "Kim");
		await view(each, "waiting");
	}
	await until(async () => (await pollTimes(page)).length >= 2, "polls of a tab that is seen");
	await hide(page, true);
	const before = (await pollTimes(page)).length;
	// The other fan's polls tell the time.
	const others = requestsOf(other, "/queue/status");
	await until(() => others.length >= 3, "polls of the other");
	assert.equal((await pollTimes(page)).length, before);
	const seen_ms = await page.evaluate(() => performance.now());
	await hide(page, false);
	const times = await until(async () => {
		const found = await pollTimes(page);
		return found.length > before && found;
	}, "a poll on return");
	assert.ok(times[before] - seen_ms < 500, `asked ${times[before] - seen_ms} ms after its return`);
	// However often it comes and goes, the floor holds.
	for (let i = 0; i < 20; i++) await hide(page, i % 2 === 0);
	await until(async () => (await pollTimes(page)).length >= before + 3, "more polls");
	assertNoneTooSoon(await pollTimes(page));
}));

test("leaving gives the place up after a question", paused({}, async (page) => {
	await join(page, "Kim");
	await view(page, "waiting");
	const token = await tokenOf(page);
	await page.locator("#leave-button").click();
	// The focus goes with the question, and back.
	await until(async () => await idOfFocus(page) === "leave-no", "the focus on the question");
	await page.keyboard.press("Enter");
	await until(async () => await idOfFocus(page) === "leave-button", "the focus back");
	await page.keyboard.press("Enter");
	await page.locator("#leave-yes").click();
	await view(page, "join");
	await until(async () => (await get("/queue/status", token)) === undefined, "the end of the token");
}));

test("a closed line says so, and joining is one tap later", withFans({}, async (page) => {
	await ctl("gate", "close");
	try {
		await join(page, "Kim");
		await page.locator("#notice .notice").waitFor();
		assert.match(await page.locator("#notice").innerText(), /closed/);
	} finally {
		await ctl("gate", "open");
	}
	await joinAgain(page);
}));
