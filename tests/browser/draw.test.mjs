// An opening with a draw, as a fan sees it.

import assert from "node:assert/strict";
import test from "node:test";
import { get } from "./callers.mjs";
import { ctl, picturesOf, until, withFans } from "./house.mjs";
import { join, pollOften, view } from "./steps.mjs";

// So many seconds ahead, as an operator in Seoul writes it.
function at(seconds) {
	const moment = new Date(Date.now() + (seconds + 9 * 3600) * 1000).toISOString();
	return [moment.slice(0, 19).replace("T", " "), "Asia/Seoul"];
}

test("who is in a draw is in, or has a place, within two seconds of its end", withFans({}, async (page) => {
	await ctl("draw", "plan", ...at(12), "a public value");
	try {
		await join(page, "Kim");
		await page.locator("#draw").waitFor();
	} finally {
		await until(() => ctl("draw", "reveal", "the value").then(() => true, () => false), "the draw", 30_000);
	}
	await until(async () => (await get("/queue/draw")).state === "drawn", "the places");
	await page.locator("body:is([data-view=dates], [data-view=waiting]:has(#ahead))").waitFor({ timeout: 2500 });
	await view(page, "dates");
}));

test("a draw counts down, is drawn, and lets in", withFans({}, async (page) => {
	await ctl("draw", "plan", ...at(3600), "a public value");
	try {
		await pollOften(page.context());
		await join(page, "Kim");
		await view(page, "waiting");
		await page.locator("#draw").waitFor();
		assert.match(await page.locator("#draw").innerText(), /59 min|1 h/);
		await picturesOf(page, "draw");
	} finally {
		// A moment that is past when the command comes to it is refused: then a later one.
		await until(() => ctl("draw", "move", ...at(3)).then(() => true, () => false), "the opening", 20_000);
		// Joining must have ended before the value may be told.
		await until(() => ctl("draw", "reveal", "the value").then(() => true, () => false), "the draw", 20_000);
	}
	await view(page, "dates");
}));
