// The page as it first shows, and its two languages.

import assert from "node:assert/strict";
import test from "node:test";
import { concert, picturesOf, withFans } from "./house.mjs";
import { enter, hold, view } from "./steps.mjs";

const FIRST_VIEW_BYTES = 100_000;

test("the first view is accessible and fits a phone", withFans({}, async (page) => {
	const answer = await page.goto("/");
	assert.equal(answer.status(), 200);
	await view(page, "join");
	await picturesOf(page, "door");
}));

test("the first view is small", withFans({}, async (page) => {
	const wire = await page.context().newCDPSession(page);
	await wire.send("Network.enable");
	let bytes = 0;
	wire.on("Network.loadingFinished", ({ encodedDataLength }) => {
		bytes += encodedDataLength;
	});
	await page.goto("/", { waitUntil: "load" });
	await view(page, "join");
	assert.ok(bytes > 0 && bytes < FIRST_VIEW_BYTES, `${bytes} bytes over the wire`);
}));

test("a Korean browser is spoken to in Korean, and may switch", withFans({ locale: "ko-KR" }, async (page) => {
	await concert("두 언어");
	await page.goto("/");
	await view(page, "join");
	assert.equal(await page.evaluate(() => document.documentElement.lang), "ko");
	assert.match(await page.locator("#join-button").innerText(), /[가-힣]/);
	await picturesOf(page, "door-ko");
	await enter(page, "두 언어");
	assert.match(await page.locator("#free-count").innerText(), /[가-힣]/);
	await picturesOf(page, "seats-ko");
	// What is told stays told, in the other language.
	await hold(page, 1);
	await page.locator("#pay-button").click();
	await page.locator("#notice-charge", { hasText: /충전/ }).waitFor();
	await page.locator("#language-button").click();
	await page.locator("#notice-charge", { hasText: /Charge/ }).waitFor();
	assert.match(await page.locator("#notice").innerText(), /is missing/);
	assert.doesNotMatch(await page.locator("#free-count").innerText(), /[가-힣]/);
	// The choice outlives a reload, as does the date.
	await page.reload();
	await view(page, "seats");
	assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
}));

test("any other browser is spoken to in English", withFans({ locale: "fr-FR" }, async (page) => {
	await page.goto("/");
	await view(page, "join");
	assert.equal(await page.evaluate(() => document.documentElement.lang), "en");
	assert.doesNotMatch(await page.locator("#main").innerText(), /[가-힣]/);
}));
