// Nothing left to buy.

import assert from "node:assert/strict";
import test from "node:test";
import { admittedCaller, get, post } from "./callers.mjs";
import { concert, ctl, picturesOf, sql, until, withFans } from "./house.mjs";
import { join, joinAgain, view } from "./steps.mjs";

const ASIDE = "'2000-01-01 00:00:00'";

// A test with one seat in all the house, { id, holder }, whom the gate lets reserve it; the other dates
// come back afterwards.
const oneSeat = (name, run) => {
	const whole = async (...pages) => {
		await concert(name, { seats: 1 });
		const holder = await admittedCaller(5000);
		const date = await until(async () => (await get("/concert/available-dates", holder.token))
			.find(({ concertName }) => concertName === name), "the date");
		await sql(`UPDATE concert_schedule SET deleted_at = ${ASIDE} WHERE deleted_at IS NULL AND id <> ${date.id}`);
		try {
			const { seats } = await get(`/concert/seats?concertScheduleId=${date.id}`, holder.token);
			await run({ id: seats[0].id, holder }, ...pages);
		} finally {
			await ctl("gate", "open");
			await sql(`UPDATE concert_schedule SET deleted_at = NULL WHERE deleted_at = ${ASIDE}`);
			await stockIs("free");
		}
	};
	Object.defineProperty(whole, "length", { value: run.length - 1 });
	return withFans({}, whole);
};

const stockIs = (stock) =>
	until(async () => await sql("SELECT stock FROM gate_state") === stock, `${stock} at the gate`);

test("a fan is told that every seat is held, until when, and is let in when one comes free",
	oneSeat("All held", async ({ id, holder }, page) => {
		await post("/reservation", { seatId: id }, holder.token);
		await stockIs("held");
		await join(page, "Kim");
		await view(page, "waiting");
		await page.locator("#sale-note").waitFor();
		assert.match(await page.locator("#sale-note").innerText(), /1 .*held.*\d+:\d\d/);
		await picturesOf(page, "all-held");
		// The hold runs out.
		await page.locator("#dates").waitFor({ timeout: 40_000 });
	}));

test("a fan in line is told that the last seat is sold, and one who comes later, too",
	oneSeat("Sold out", async ({ id, holder }, page, late) => {
		await ctl("gate", "pause");
		await join(page, "Kim");
		await view(page, "waiting");
		await page.locator("#line-state .live").waitFor();
		await post("/reservation", { seatId: id }, holder.token);
		await post("/payment", { seatId: id }, holder.token);
		await page.locator("#sale-note", { hasText: "Every seat is sold" }).waitFor();
		await picturesOf(page, "sold-out");
		await ctl("gate", "open");
		await stockIs("sold");
		await join(late, "Lee");
		await late.locator("#notice .notice").waitFor();
		assert.match(await late.locator("#notice").innerText(), /closed/);
		// More seats, and both come in.
		await concert("A second evening");
		await stockIs("free");
		await joinAgain(late);
		await view(page, "dates");
	}));
