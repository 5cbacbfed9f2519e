// The page where things are unlike what they mostly are: words that look like markup, browsers that forbid
// storage, clocks that are wrong, halls that are empty or large, screens that are narrow.

import assert from "node:assert/strict";
import test from "node:test";
import { accessible, concert, ctl, fits, hold_ms, paused, pictureOf, picturesOf, until, withFans } from "./house.mjs";
import { charge, choose, enter, hold, idOfFocus, join, numberIn, openPlan, payInVain, requestsOf, seatIs, view }
	from "./steps.mjs";

const MARKUP = `<img src=x onerror="document.title='taken'"><script>document.title='taken'</script>&amp;`;
const NARROW = 320;

// A page gets these of the site's answers changed by a function of their data.
const changed = (page, path, change) => page.route(`**${path}`, async (route) => {
	const answer = await route.fetch();
	const json = await answer.json();
	await route.fulfill({ response: answer, json: { ...json, data: change(json.data) } });
});

test("what looks like markup is shown as it was typed", paused({}, async (page) => {
	await concert(MARKUP);
	await join(page, MARKUP);
	await view(page, "waiting");
	await ctl("gate", "message", MARKUP);
	await page.locator("#operator-message", { hasText: MARKUP }).waitFor();
	await page.locator("#leave-button").click();
	await page.locator("#leave-yes").click();
	await page.locator("h1", { hasText: MARKUP }).waitFor();
	await ctl("gate", "open");
	await page.locator("#join-button").click();
	await openPlan(page, MARKUP);
	await page.locator("h1", { hasText: MARKUP }).waitFor();
	assert.equal(await page.locator("#app img, #app script").count(), 0);
	assert.doesNotMatch(await page.title(), /taken/);
}));

test("a name of blanks is no name", withFans({}, async (page) => {
	await page.goto("/");
	const registers = requestsOf(page, "/user");
	await page.locator("#name").fill("   ");
	await page.locator("#join-button").click();
	await until(async () => await idOfFocus(page) === "name", "the focus on the name");
	assert.equal(await page.evaluate(() => document.getElementById("name").validity.valueMissing), true);
	await page.locator("#name").fill("Kim");
	await page.locator("#join-button").click();
	await view(page, "dates");
	assert.equal(registers.length, 1);
}));

test("a browser that forbids storage buys a ticket all the same", withFans({}, async (page) => {
	await page.addInitScript(() => {
		const refuse = () => { throw new DOMException("denied", "SecurityError"); };
		Object.defineProperty(window, "localStorage", { get: refuse });
		navigator.locks.request = async () => refuse();
	});
	await concert("No storage");
	await enter(page, "No storage");
	await charge(page, 1000);
	await hold(page, 1);
	await payInVain(page);
	await page.locator("#retry-now").click();
	await view(page, "bought");
}));

test("a device whose clock is an hour fast keeps its hold over a reload on a slow line", withFans({}, async (page) => {
	await page.addInitScript(() => {
		const now = Date.now;
		Date.now = () => now() + 3_600_000;
		const every = window.setInterval;
		window.ticks = 0;
		window.setInterval = (then, ms) => every(() => {
			then();
			window.ticks++;
		}, ms);
	});
	await concert("Fast clock");
	await enter(page, "Fast clock");
	await hold(page, 1);
	assert.ok(await secondsLeft(page) > hold_ms / 1000 - 5);
	// Nothing of the server's comes before the page has drawn itself a few times.
	let open;
	const opened = new Promise((done) => { open = done; });
	await page.route(/\/(user|queue|concert)\//, async (route) => {
		await opened;
		await route.continue().catch(() => {});
	});
	await page.reload();
	await until(() => page.evaluate(() => window.ticks >= 3), "ticks of the page");
	assert.equal(await page.locator("#notice .notice").count(), 0);
	open();
	await page.locator("#hold").waitFor();
	const left = await secondsLeft(page);
	assert.ok(left > 0 && left <= hold_ms / 1000, `${left} s are left`);
}));

async function secondsLeft(page) {
	const [minutes, seconds] = (await page.locator("#hold-timer").innerText()).split(":").map(Number);
	return minutes * 60 + seconds;
}

test("a sale without dates and a date without seats say so", withFans({}, async (page) => {
	await concert("Empty house");
	await changed(page, "/concert/available-dates", () => []);
	await join(page, "Kim");
	await page.locator("#no-dates").waitFor();
	await accessible(page);
	await page.unroute("**/concert/available-dates");
	await changed(page, "/concert/seats?*", ({ version }) => ({ version, seats: [] }));
	await page.locator("#dates button", { hasText: "Empty house" }).click({ timeout: 20_000 });
	await page.locator("#no-seats").waitFor();
	await accessible(page);
	// They are there again: the plan can be entered by keyboard.
	await page.unroute("**/concert/seats?*");
	await page.locator("#back-button").click();
	await openPlan(page, "Empty house");
	assert.equal(await page.locator('#seat-grid [tabindex="0"]').count(), 1);
}));

test("two hundred seats and long words fit the narrowest screen", withFans({}, async (page) => {
	const long = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen ".repeat(2).trim();
	await concert(long, { seats: 200 });
	await page.goto("/");
	await fits(page, "the door", NARROW);
	await join(page, "W".repeat(100));
	await view(page, "dates");
	await fits(page, "the dates", NARROW);
	await openPlan(page, long);
	assert.equal(await numberIn(page, "#free-count"), 200);
	await fits(page, "the plan", NARROW);
	await choose(page, 200);
	await fits(page, "the chosen seat", NARROW);
	await pictureOf(page, "seats-200-narrow");
	await page.locator("#hold-button").click();
	await page.locator("#hold").waitFor();
	await fits(page, "the hold", NARROW);
	await page.locator("#pay-button").click();
	await page.locator("#notice-charge").waitFor();
	await fits(page, "a failure", NARROW);
	await page.locator("#notice-charge").click();
	await page.locator("#short").waitFor({ state: "detached" });
	await page.locator("#pay-button").click();
	await view(page, "bought");
	await fits(page, "the ticket", NARROW);
	await pictureOf(page, "ticket-narrow");
	await page.locator("#wallet-button").click();
	await page.locator("#history li").first().waitFor();
	await fits(page, "the wallet", NARROW);
	assert.ok(await page.evaluate(() => {
		const { scrollWidth, clientWidth } = document.getElementById("wallet");
		return scrollWidth <= clientWidth;
	}), "the wallet is wider than its frame");
	await pictureOf(page, "wallet-narrow");
	// Nothing that is pressed touches its neighbour.
	const button = await page.locator("#charge-button").boundingBox();
	const chip = await page.locator(".chip").first().boundingBox();
	assert.ok(chip.y - (button.y + button.height) >= 12, "chips touch the button");
	await page.locator("#wallet-close").click();
	await page.locator("#again-button").click();
	await view(page, "dates");
}));

test("with the user's own colours a chosen and a held seat still differ from a free one", withFans({}, async (page) => {
	await concert("Own colours");
	await page.emulateMedia({ forcedColors: "active" });
	await enter(page, "Own colours");
	const colourOf = (number) => page.locator(`#seat-${number}`).evaluate((seat) => getComputedStyle(seat).backgroundColor);
	await choose(page, 1);
	assert.notEqual(await colourOf(1), await colourOf(2));
	await page.locator("#hold-button").click();
	await seatIs(page, 1, "mine");
	await until(async () => await colourOf(1) !== await colourOf(2), "a seat that stands out");
	await pictureOf(page, "hold-forced-colours");
}));

test("nothing moves for who wants no motion", withFans({ reducedMotion: "no-preference" }, async (page) => {
	await page.goto("/");
	await view(page, "join");
	const motion = () => page.locator(".house .lit").evaluate((seat) => getComputedStyle(seat).animationName);
	assert.notEqual(await motion(), "none");
	await page.emulateMedia({ reducedMotion: "reduce" });
	assert.equal(await motion(), "none");
}));

test("back leads from the plan to the dates, and from elsewhere to the place in line", withFans({}, async (page) => {
	await concert("Back and forth");
	await enter(page, "Back and forth");
	await page.goBack();
	await view(page, "dates");
	await page.goForward();
	await view(page, "seats");
	await page.locator("#back-button").click();
	await view(page, "dates");
	await openPlan(page, "Back and forth");
	await page.reload();
	await view(page, "seats");
	await page.goBack();
	await view(page, "dates");
	await page.goto("/docs/");
	await page.goBack();
	await view(page, "dates");
	await openPlan(page, "Back and forth");
	await seatIs(page, 1, "free");
}));

test("a countdown is not read out, and a closed notice gives the focus back", withFans({}, async (page) => {
	await concert("Quiet");
	await enter(page, "Quiet");
	await hold(page, 1);
	await page.locator("#pay-button").click();
	await page.locator("#notice-close").waitFor();
	await page.evaluate(() => {
		window.told = [];
		const watch = new MutationObserver((changes) => window.told.push(...changes.map(({ type, target, addedNodes }) =>
			`${type} ${target.nodeName} ${target.className}: ${[...addedNodes, target].map((n) => n.textContent).join("|")}`)));
		for (const region of document.querySelectorAll("[role=status], [role=alert], [aria-live]"))
			watch.observe(region, { subtree: true, childList: true, characterData: true });
	});
	const before = await secondsLeft(page);
	await until(async () => await secondsLeft(page) <= before - 3, "three seconds");
	assert.deepEqual(await page.evaluate(() => window.told), []);
	await page.locator("#notice-close").focus();
	await page.keyboard.press("Enter");
	await until(async () => await idOfFocus(page) === "heading", "the focus on the heading");
	assert.equal(await page.locator("#notice .notice").count(), 0);
}));

test("what one tab gives up is gone in the other", paused({}, async (first) => {
	await join(first, "Kim");
	await view(first, "waiting");
	const second = await first.context().newPage();
	await second.goto("/");
	await view(second, "waiting");
	await second.locator("#leave-button").click();
	await second.locator("#leave-yes").click();
	await view(second, "join");
	await view(first, "join");
	// And joined again, it is there in both.
	await first.locator("#join-button").click();
	await view(first, "waiting");
	await view(second, "waiting");
	await picturesOf(second, "second-tab");
}));
