// What a fan does on the page, in the words of the tests. The ids are those at the head of web/app.js.

import { concert, until } from "./house.mjs";

export const view = (page, name) => page.locator(`body[data-view="${name}"]`).waitFor();
export const tokenOf = (page) => page.evaluate(() => JSON.parse(localStorage.getItem("boxoffice.token")));
export const idOfFocus = (page) => page.evaluate(() => document.activeElement?.id ?? "");

// Until the plan shows a seat as free, held, sold, closed or mine.
export const seatIs = (page, number, state, deadline_ms) =>
	page.locator(`#seat-${number}[data-state="${state}"]`).waitFor({ timeout: deadline_ms });
export const numberIn = async (page, id) =>
	Number((await page.locator(id).textContent()).replace(/[^0-9]/g, ""));

// Counts the requests of a page from now on: a list of { method, url, key } that grows.
export function requestsOf(page, path) {
	const seen = [];
	page.on("request", (request) => {
		if (new URL(request.url()).pathname !== path) return;
		seen.push({ method: request.method(), key: request.headers()["idempotency-key"] });
	});
	return seen;
}

export async function join(page, name) {
	await page.goto("/");
	await page.locator("#name").fill(name);
	await page.locator("#join-button").click();
}

// Somebody whom the page knows joins again; a gate that has just opened may still say no.
export async function joinAgain(page) {
	await until(async () => {
		await page.locator("#join-button").click({ timeout: 300 }).catch(() => {});
		return page.locator("#dates").isVisible();
	}, "the turn");
}

// Through the door to the plan of a concert's seats.
export async function enter(page, concert) {
	await join(page, "Kim");
	await openPlan(page, concert);
}

export async function openPlan(page, concert) {
	await page.locator("#dates button", { hasText: concert }).click();
	await page.locator("#seat-1").waitFor();
}

export async function choose(page, number) {
	await page.locator(`#seat-${number}`).click();
	await page.locator("#hold-button").waitFor();
}

export async function hold(page, number) {
	await choose(page, number);
	await page.locator("#hold-button").click();
	await page.locator("#hold").waitFor();
}

export async function charge(page, amount) {
	await page.locator("#wallet-button").click();
	await page.locator("#charge-amount").fill(String(amount));
	const before = await balanceIn(page);
	await page.locator("#charge-button").click();
	await until(async () => await balanceIn(page) >= before + amount, "the charge on the balance");
	await page.locator("#wallet-close").click();
}

// The next request to a path does what it asks for, and its answer is lost.
export const loseAnswer = (page, path) => page.route(`**${path}`, async (route) => {
	await route.fetch();
	await route.abort("connectionreset");
}, { times: 1 });

// Pays for what is held; the answer is lost, and the page is about to ask again.
export async function payInVain(page) {
	await loseAnswer(page, "/payment");
	await page.locator("#pay-button").click();
	await page.locator("#retry").waitFor();
}

// With a balance that pays for it, up to the seat that is held.
export async function holdWithMoney(page, name, number, amount = 5000) {
	await concert(name);
	await enter(page, name);
	await charge(page, amount);
	await hold(page, number);
}

export async function balanceIn(page) {
	const shown = await page.locator("#wallet-balance").textContent();
	return Number(shown.replace(/[^0-9]/g, ""));
}

// From now on the page is told to poll once a second, as often as it may.
export async function pollOften(context) {
	await context.route("**/queue/status", async (route) => {
		const answer = await route.fetch().catch(() => null);
		if (!answer) return route.abort().catch(() => {});
		const body = await answer.json();
		if (body.data) body.data.pollAfterMs = 1000;
		return route.fulfill({ response: answer, json: body }).catch(() => {});
	});
}

// Hides a tab, or shows it again, as the page sees it: a headless browser hides none by itself.
export async function hide(page, isHidden) {
	await page.evaluate((hidden) => {
		Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
		Object.defineProperty(document, "visibilityState", {
			configurable: true, get: () => (hidden ? "hidden" : "visible") });
		document.dispatchEvent(new Event("visibilitychange"));
	}, isHidden);
}

// Presses Tab until something has the focus: what cannot be reached by keyboard is not found.
export async function tabTo(page, id) {
	for (let presses = 0; presses < 60; presses++) {
		if (await idOfFocus(page) === id) return;
		await page.keyboard.press("Tab");
	}
	throw new Error(`#${id} is not reached by Tab`);
}
