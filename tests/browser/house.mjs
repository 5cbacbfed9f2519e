// What every test in the browser needs: the instance that with_instance.py started, browsers of fans, and
// what is asked of any screen.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { promisify } from "node:util";

const need = (name) => {
	if (!process.env[name]) throw new Error(`${name} is not set: run by ./boxoffice test browser`);
	return process.env[name];
};
export const url = need("BOXOFFICE_URL");
export const hold_ms = Number(need("BOXOFFICE_HOLD_S")) * 1000;
const launcher = new URL("../../boxoffice", import.meta.url).pathname;
const artifacts = need("BOXOFFICE_ARTIFACTS");
// Modules outside the sources are out of an import's reach.
const require = createRequire(`${need("BOXOFFICE_NODE_MODULES")}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const PHONE = { width: 360, height: 740 };
export const DESKTOP = { width: 1280, height: 900 };
const DEADLINE_MS = 10_000;

let launched = null;
after(async () => (await launched)?.close());

// Debian's chromium; as root it runs without its sandbox or not at all.
function chromiumOnce() {
	launched ??= chromium.launch({
		executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
		args: process.getuid() === 0 ? ["--no-sandbox"] : [],
	});
	return launched;
}

// Runs ./boxoffice on the instance; what it prints.
export async function boxoffice(...words) {
	const { stdout } = await promisify(execFile)(launcher, words);
	return stdout;
}

export const ctl = (...words) => boxoffice("ctl", "--yes", ...words);

// Runs SQL on the instance's database; what it prints.
export async function sql(text) {
	const { stdout } = await promisify(execFile)("mariadb", [
		`--socket=${need("BOXOFFICE_MYSQL_SOCKET")}`, `--user=${need("BOXOFFICE_MYSQL_ADMIN_USER")}`,
		"--skip-column-names", "--batch", `--execute=${text}`, need("BOXOFFICE_MYSQL_DATABASE"),
	], { env: { ...process.env, MYSQL_PWD: need("BOXOFFICE_MYSQL_ADMIN_PASSWORD") } });
	return stdout.trim();
}

// A concert of the test's own with one evening, on sale now; 50 seats unless told otherwise.
export async function concert(name, { seats = 50, price = 1000 } = {}) {
	const numbers = seats === 1 ? "1" : `1-${seats}`;
	const file = join(tmpdir(), `boxoffice-concert-${process.pid}.json`);
	writeFileSync(file, JSON.stringify({ concerts: [{ name, schedules: [{
		open: "2030-01-01 19:00", close: "2030-01-01 22:00", zone: "Asia/Seoul",
		bookingStart: "2020-01-01 00:00", bookingEnd: "2030-01-01 18:00",
		seats: [{ numbers, price }] }] }] }));
	await ctl("import", file);
}

// Until a condition returns something true. An assertion that fails in it counts as "not yet".
export async function until(condition, what, deadline_ms = DEADLINE_MS) {
	const end = performance.now() + deadline_ms;
	for (;;) {
		let last;
		try {
			last = await condition();
			if (last) return last;
		} catch (error) {
			if (!(error instanceof assert.AssertionError)) throw error;
			last = error;
		}
		assert.ok(performance.now() < end, `${what}: not within ${deadline_ms} ms (last: ${last})`);
		await new Promise((done) => setTimeout(done, 25));
	}
}

// Runs a test with the browser of one fan, or of as many as it has parameters. Whatever a page throws, or
// the browser refuses it, fails the test.
export function withFans(options, run) {
	return async (t) => {
		const faults = [];
		const contexts = [];
		const pages = [];
		try {
			for (let i = 0; i < run.length; i++) {
				const context = await (await chromiumOnce()).newContext({
					baseURL: url, locale: "en-GB", timezoneId: "Asia/Seoul", viewport: DESKTOP,
					reducedMotion: "reduce", ...options });
				contexts.push(context);
				watch(context, faults);
				pages.push(await context.newPage());
			}
			await run(...pages);
			assert.deepEqual(faults, []);
		} catch (error) {
			await Promise.all(pages.map((page, i) =>
				page.screenshot({ path: picture(`failed-${t.name.replace(/\W+/g, "-")}-${i}`) }).catch(() => {})));
			throw error;
		} finally {
			await Promise.all(contexts.map((context) => context.close()));
		}
	};
}

// Nobody is let in for the length of a test.
export function paused(options, run) {
	const whole = async (...pages) => {
		await ctl("gate", "pause");
		try {
			await run(...pages);
		} finally {
			await ctl("gate", "message", "");
			await ctl("gate", "open");
		}
	};
	Object.defineProperty(whole, "length", { value: run.length });
	return withFans(options, whole);
}

function watch(context, faults) {
	context.setDefaultTimeout(DEADLINE_MS);
	context.on("weberror", (error) => faults.push(String(error.error())));
	context.on("console", (message) => {
		if (message.type() === "error" && /Content Security Policy|Uncaught/.test(message.text()))
			faults.push(message.text());
	});
}

function picture(name) {
	mkdirSync(artifacts, { recursive: true });
	return join(artifacts, `${name}.png`);
}

// Asks axe-core about the screen: a serious or critical fault fails the test.
export async function accessible(page) {
	const found = await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`);
	const grave = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
	assert.deepEqual(grave.map(({ id, help, nodes }) => ({ id, help, where: nodes.map((n) => n.html) })), []);
}

// Nothing is wider than the screen, be it this narrow.
export async function fits(page, what, width) {
	await page.setViewportSize({ width, height: 640 });
	const needed = await page.evaluate(() => document.documentElement.scrollWidth);
	assert.ok(needed <= width, `${what} is ${needed} px wide on a screen of ${width}`);
}

export async function pictureOf(page, name) {
	await page.screenshot({ path: picture(name), fullPage: true, animations: "disabled" });
}

// Pictures of the screen for people to look at: phone and desktop, light and dark.
export async function picturesOf(page, name) {
	for (const colorScheme of ["light", "dark"]) {
		for (const [size, viewport] of [["phone", PHONE], ["desktop", DESKTOP]]) {
			await page.emulateMedia({ colorScheme });
			await fits(page, name, viewport.width);
			await page.setViewportSize(viewport);
			await pictureOf(page, `${name}-${size}-${colorScheme}`);
		}
		// Contrast differs between the two.
		await accessible(page);
	}
	await page.emulateMedia({ colorScheme: "light" });
}
