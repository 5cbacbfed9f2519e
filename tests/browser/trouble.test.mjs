// What the page makes of a service that is slow or away, and of a turn that is over.

import assert from "node:assert/strict";
import test from "node:test";
import { boxoffice, concert, ctl, picturesOf, until, withFans } from "./house.mjs";
import { balanceIn, enter, hold, join, joinAgain, loseAnswer, openPlan, pollOften, requestsOf, seatIs, view } from "./steps.mjs";

test("a charge that is queued is followed until it is done", withFans({}, async (page) => {
	await join(page, "Kim");
	await view(page, "dates");
	await page.locator("#wallet-button").click();
	await page.locator("#charge-amount").fill("3000");
	await boxoffice("stop", "account-worker");
	try {
		const looks = [];
		page.on("request", (request) => request.url().includes("/jobs/") && looks.push(request.url()));
		await page.locator("#charge-button").click();
		await until(() => looks.length > 0, "a look at the job");
		assert.ok(await page.locator("#charge-button").isDisabled());
	} finally {
		await boxoffice("start", "account-worker");
	}
	await until(async () => await balanceIn(page) === 3000, "the charge");
	await until(async () => await page.locator("#history li").count() === 1, "one charge");
}));

test("a service that is away is asked again with the same key, and says when", withFans({}, async (page) => {
	await concert("Away");
	await enter(page, "Away");
	await hold(page, 1);
	const charges = requestsOf(page, "/user/charge");
	await boxoffice("stop", "front");
	try {
		await page.locator("#charge-missing").click();
		await page.locator("#retry").waitFor();
		assert.match(await page.locator("#retry").innerText(), /again (now|in \d+ s)/);
		await picturesOf(page, "retry");
	} finally {
		await boxoffice("start", "front");
	}
	// Until it is settled no more is charged; then it was charged once.
	await until(async () => {
		await page.locator("#retry-now").click({ timeout: 300 }).catch(() => {});
		return await page.locator("#retry").count() === 0;
	}, "the end of the trouble", 20_000);
	await page.locator("#wallet-button").click();
	await until(async () => await page.locator("#history li").count() === 1, "one charge");
	assert.ok(charges.length > 1);
	assert.equal(new Set(charges.map(({ key }) => key)).size, 1);
}));

test("trouble with a charge is told where the fan is: in the wallet", withFans({}, async (page) => {
	await join(page, "Kim");
	await view(page, "dates");
	await page.locator("#wallet-button").click();
	await page.locator("#charge-amount").fill("3000");
	await loseAnswer(page, "/user/charge");
	await page.locator("#charge-button").click();
	await page.locator("#wallet #retry").waitFor();
	await picturesOf(page, "wallet-retry");
	await page.locator("#retry-now").click({ timeout: 300 }).catch(() => {});
	await until(async () => await page.locator("#history li").count() === 1, "one charge");
	assert.equal(await balanceIn(page), 3000);
	assert.equal(await page.locator("#retry").count(), 0);
}));

test("a turn that is over says so, and the line is joined again", withFans({}, async (page) => {
	await concert("Too long");
	await ctl("gate", "set", "active_s=3", "show_up_s=0");
	try {
		await pollOften(page.context());
		await join(page, "Kim");
		await openPlan(page, "Too long");
		await page.locator("#notice .notice").waitFor();
		assert.match(await page.locator("#notice").innerText(), /turn is over/);
		await view(page, "join");
		await picturesOf(page, "over");
	} finally {
		await ctl("gate", "set", "active_s=3600", "show_up_s=120");
	}
	await joinAgain(page);
	await openPlan(page, "Too long");
	await seatIs(page, 1, "free");
}));
