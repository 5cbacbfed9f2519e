// The way of a fan, from the door to the ticket.

import assert from "node:assert/strict";
import test from "node:test";
import { accessible, concert, picturesOf, until, withFans } from "./house.mjs";
import { balanceIn, charge, choose, enter, hold, holdWithMoney, idOfFocus, join, numberIn, openPlan, payInVain,
	requestsOf, seatIs, tabTo, view } from "./steps.mjs";

// Of the 5000 that holdWithMoney() charges.
async function paidOnce(page) {
	await page.locator("#wallet-button").click();
	await until(async () => await balanceIn(page) === 4000, "one payment");
}

test("from the name to the ticket", withFans({}, async (page) => {
	await concert("The whole way");
	await join(page, "김 팬");
	await view(page, "dates");
	await picturesOf(page, "dates");
	await openPlan(page, "The whole way");
	assert.equal(await numberIn(page, "#free-count"), 50);
	await choose(page, 7);
	await picturesOf(page, "seats");
	await page.locator("#hold-button").click();
	await page.locator("#hold").waitFor();
	await seatIs(page, 7, "mine");
	// Nothing in the wallet: what is missing is one tap away.
	await page.locator("#charge-missing").click();
	await page.locator("#short").waitFor({ state: "detached" });
	await page.locator("#pay-button").click();
	await view(page, "bought");
	assert.match(await page.locator("#app main").innerText(), /The whole way/);
	await picturesOf(page, "ticket");

	await page.locator("#tickets-button").click();
	await page.locator("#ticket-list [data-payment]").waitFor();
	await picturesOf(page, "tickets");
	await page.locator("#tickets-close").click();
	await page.locator("#wallet-button").click();
	await until(async () => await page.locator("#history li").count() === 2, "a charge and a payment");
	assert.equal(await balanceIn(page), 0);
	await picturesOf(page, "wallet");
}));

test("another seat needs another turn", withFans({}, async (page) => {
	await concert("Twice");
	await enter(page, "Twice");
	await charge(page, 2000);
	for (const number of [1, 2]) {
		if (number === 2) {
			await page.locator("#again-button").click();
			await view(page, "dates");
			await openPlan(page, "Twice");
			await seatIs(page, 1, "mine");
		}
		await hold(page, number);
		await page.locator("#pay-button").click();
		await view(page, "bought");
	}
	await page.locator("#tickets-button").click();
	await until(async () => await page.locator("#ticket-list [data-payment]").count() === 2, "both tickets");
}));

test("paying without enough says what is missing and offers to charge it", withFans({}, async (page) => {
	await concert("Short of money");
	await enter(page, "Short of money");
	await charge(page, 400);
	await hold(page, 3);
	await page.locator("#pay-button").click();
	await page.locator("#notice-charge").waitFor();
	assert.match(await page.locator("#notice").innerText(), /600/);
	await accessible(page);
	await page.locator("#notice-charge").click();
	await page.locator("#short").waitFor({ state: "detached" });
	await page.locator("#pay-button").click();
	await view(page, "bought");
}));

for (const [what, twice] of [
	["a double click", (button) => button.dblclick()],
	["two clicks in one instant", (button) => button.evaluate((element) => {
		element.click();
		element.click();
	})],
]) {
	test(`${what} holds, charges and buys once`, withFans({}, async (page) => {
		await concert(`Once by ${what}`);
		await enter(page, `Once by ${what}`);
		const requests = ["/reservation", "/user/charge", "/payment"].map((path) => requestsOf(page, path));
		await choose(page, 5);
		await twice(page.locator("#hold-button"));
		await page.locator("#hold").waitFor();
		await twice(page.locator("#charge-missing"));
		await page.locator("#short").waitFor({ state: "detached" });
		await twice(page.locator("#pay-button"));
		await view(page, "bought");
		await page.locator("#wallet-button").click();
		await until(async () => await page.locator("#history li").count() === 2, "a charge and a payment");
		assert.equal(await balanceIn(page), 0);
		assert.deepEqual(requests.map(({ length }) => length), [1, 1, 1]);
	}));
}

test("a payment whose answer is lost is asked for again with the same key", withFans({}, async (page) => {
	await holdWithMoney(page, "Lost answer", 9);
	const payments = requestsOf(page, "/payment");
	await payInVain(page);
	await accessible(page);
	await page.locator("#retry-now").click();
	await view(page, "bought");
	assert.equal(payments.length, 2);
	assert.equal(payments[0].key, payments[1].key);
	await paidOnce(page);
}));

test("a payment under way survives a reload", withFans({}, async (page) => {
	await holdWithMoney(page, "Reload", 11);
	const payments = requestsOf(page, "/payment");
	await payInVain(page);
	await page.reload();
	await view(page, "bought");
	assert.equal(new Set(payments.map(({ key }) => key)).size, 1);
	await paidOnce(page);
}));

test("a connection that is gone in the middle of a payment comes back to one ticket", withFans({}, async (page) => {
	await holdWithMoney(page, "Tunnel", 12);
	const payments = requestsOf(page, "/payment");
	await page.context().setOffline(true);
	await page.locator("#pay-button").click();
	await page.locator("#retry").waitFor();
	assert.match(await page.locator("#said").textContent(), /No answer/);
	await page.context().setOffline(false);
	await view(page, "bought");
	assert.equal(new Set(payments.map(({ key }) => key)).size, 1);
	await paidOnce(page);
}));

test("two tabs that pay for one seat at once pay once, and both show the ticket", withFans({}, async (first) => {
	await holdWithMoney(first, "Two tabs", 13);
	const second = await first.context().newPage();
	await second.goto("/");
	await second.locator("#hold").waitFor();
	const pages = [first, second];
	// At once: a click that waits until the button stands still may come when the other tab has paid.
	await Promise.all(pages.map((page) => page.evaluate(() => document.getElementById("pay-button")?.click())));
	await Promise.all(pages.map((page) => view(page, "bought")));
	await paidOnce(second);
}));

test("the second click of a double one does nothing to what the first has brought", withFans({}, async (page) => {
	await concert("Under the pointer");
	await enter(page, "Under the pointer");
	await hold(page, 14);
	const charges = requestsOf(page, "/user/charge");
	const releases = requestsOf(page, "/reservation/cancel");
	for (const id of ["#charge-missing", "#release-button"]) {
		await page.locator(id).hover();
		await page.mouse.down({ clickCount: 2 });
		await page.mouse.up({ clickCount: 2 });
	}
	await page.locator("#charge-missing").click();
	await page.locator("#short").waitFor({ state: "detached" });
	assert.equal(charges.length, 1);
	assert.equal(releases.length, 0);
}));

test("by keyboard alone", withFans({}, async (page) => {
	await concert("Keyboard");
	await page.goto("/");
	await tabTo(page, "name");
	await page.keyboard.type("Kim");
	await page.keyboard.press("Enter");
	await view(page, "dates");
	const date = await page.locator("#dates button", { hasText: "Keyboard" }).getAttribute("id");
	await tabTo(page, date);
	await page.keyboard.press("Enter");
	await page.locator("#seat-1").waitFor();
	// One stop of Tab for the whole plan, and arrows inside it.
	assert.equal(await page.locator('#seat-grid [tabindex="0"]').count(), 1);
	await tabTo(page, "seat-1");
	await page.keyboard.press("ArrowRight");
	assert.equal(await idOfFocus(page), "seat-2");
	await page.keyboard.press("ArrowDown");
	await until(async () => Number((await idOfFocus(page)).slice(5)) > 8, "a seat of the second row");
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowUp");
	await page.keyboard.press("Home");
	await page.keyboard.press("ArrowRight");
	assert.equal(await idOfFocus(page), "seat-2");
	await page.keyboard.press("Enter");
	await tabTo(page, "hold-button");
	await page.keyboard.press("Enter");
	await page.locator("#hold").waitFor();
	await seatIs(page, 2, "mine");
	await tabTo(page, "charge-missing");
	await page.keyboard.press("Enter");
	// The button is gone, and the next one has the focus.
	await until(async () => await idOfFocus(page) === "pay-button", "the focus on the payment");
	await page.keyboard.press("Enter");
	await view(page, "bought");
}));
