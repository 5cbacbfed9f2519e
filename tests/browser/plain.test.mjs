// The way of a fan without JavaScript, in both languages.

import assert from "node:assert/strict";
import test from "node:test";
import { ctl, DESKTOP, paused, picturesOf, url } from "./house.mjs";

// Axe is a script: it gets the same page where scripts run, without what would make it renew itself.
async function picturesOfPlain(page, name) {
	const twin = await (await page.context().browser().newContext({
		baseURL: url, viewport: DESKTOP, reducedMotion: "reduce" })).newPage();
	try {
		const body = (await page.content()).replace(/<\/?noscript>|<script.*?<\/script>|<meta http-equiv[^>]*>/gs, "");
		await twin.route(page.url(), (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body }));
		await twin.goto(page.url());
		await picturesOf(twin, name);
	} finally {
		await twin.context().close();
	}
}

for (const { locale, waiting, stands, admitted, foreign } of [
	{ locale: "en-GB", waiting: /in the line/, stands: /Nobody is let in/, admitted: /your turn/, foreign: /[가-힣]/ },
	{ locale: "ko-KR", waiting: /줄을 서 있습니다/, stands: /입장이 멈춰/, admitted: /차례/, foreign: /the line/ },
]) {
	test(`without JavaScript a fan joins, waits and is let in (${locale})`,
		paused({ locale, javaScriptEnabled: false }, async (page) => {
			await page.goto("/");
			await picturesOfPlain(page, `plain-door-${locale}`);
			await page.locator("#plain-name").fill("<b>Kim</b> & Sons");
			await page.locator("form button").click();
			await page.waitForURL("**/line");
			assert.match(await page.locator("h1").innerText(), waiting);
			assert.match(await page.locator("main").innerText(), stands);
			assert.doesNotMatch(await page.locator("main").innerText(), foreign);
			await picturesOfPlain(page, `plain-waiting-${locale}`);
			// The same place again, and no second one, for who comes by the door once more.
			const place = await page.locator("dd").first().innerText();
			await page.goto("/");
			await page.locator("#plain-name").fill("Kim");
			await page.locator("form button").click();
			await page.waitForURL("**/line");
			assert.equal(await page.locator("dd").first().innerText(), place);
			await ctl("gate", "open");
			// It renews itself.
			await page.locator("#token").waitFor({ timeout: 20_000 });
			assert.match(await page.locator("h1").innerText(), admitted);
			await picturesOfPlain(page, `plain-turn-${locale}`);
		}));
}
