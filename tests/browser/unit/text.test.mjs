// Both languages say the same things, and every refusal has its words.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { clockOf } from "../../../web/clock.js";
import { keepOf } from "../../../web/keep.js";
import { en } from "../../../web/text/en.js";
import { ko } from "../../../web/text/ko.js";
import { languageOf } from "../../../web/text/text.js";
import { fakeStorage } from "./fakes.mjs";

const shapeOf = (table) => Object.entries(table).flatMap(([name, value]) =>
	(typeof value === "object" ? shapeOf(value).map((inner) => `${name}.${inner}`) : [`${name}:${typeof value}:${value.length > 0 || typeof value}`]));

test("Korean and English have the same members", () => {
	const names = (table) => shapeOf(table).map((line) => line.split(":").slice(0, 2).join(":"));
	assert.deepEqual(names(ko), names(en));
});

test("the page starts as a module that is in the list of what is installed", () => {
	const listed = readFileSync(new URL("../../../Makefile.am", import.meta.url), "utf8");
	const index = readFileSync(new URL("../../../web/index.html", import.meta.url), "utf8");
	const files = [...index.matchAll(/(?:href|src)="\/(web\/[^"]+)"/g)].map(([, file]) => file);
	assert.ok(files.length > 10);
	for (const file of files) assert.ok(listed.includes(file), file);
});

test("the language is the chosen one, else the browser's, else English", () => {
	assert.equal(languageOf("ko", ["en-US"]), "ko");
	assert.equal(languageOf(null, ["fr-FR", "ko-KR", "en"]), "ko");
	assert.equal(languageOf("klingon", ["de"]), "en");
	assert.equal(languageOf(null, []), "en");
});

test("the server's clock is learnt from the best measurement", () => {
	let now_ms = 1_000_000;
	const clock = clockOf({ now: () => now_ms });
	clock.learn("nonsense", now_ms);
	assert.equal(clock.serverNow(), now_ms);
	const asked_ms = now_ms;
	now_ms += 100;
	clock.learn(new Date(1_060_000).toUTCString(), asked_ms);
	assert.equal(clock.serverNow() - now_ms, 60_450);
	// A worse one that agrees changes nothing.
	now_ms += 10_000;
	clock.learn(new Date(1_065_000).toUTCString(), now_ms - 9000);
	assert.equal(clock.serverNow() - now_ms, 60_450);
});

test("a device whose clock is set meanwhile hears the server's anew", () => {
	let now_ms = 1_000_000;
	const clock = clockOf({ now: () => now_ms });
	assert.equal(clock.knowsServer(), false);
	clock.learn(new Date(1_000_000).toUTCString(), now_ms);
	assert.equal(clock.knowsServer(), true);
	const asked_ms = now_ms;
	now_ms -= 3_600_000;
	clock.learn(new Date(1_000_000).toUTCString(), asked_ms);
	assert.equal(clock.serverNow(), now_ms, "a measurement across the change is none");
	clock.learn(new Date(1_000_000).toUTCString(), now_ms - 4000);
	assert.ok(Math.abs(clock.serverNow() - 1_000_000) < 3000);
});

test("storage that is refused or spoilt does not stop the page", () => {
	const broken = { getItem() { throw new Error(); }, setItem() { throw new Error(); }, removeItem() { throw new Error(); } };
	const keep = keepOf(broken);
	keep.put("me", { name: "Kim" });
	assert.deepEqual(keep.get("me"), { name: "Kim" });
	keep.drop("me");
	assert.equal(keep.get("me"), null);
	assert.equal(keepOf({ getItem: () => "{spoilt" }).get("me"), null);
	const none = keepOf(null);
	none.put("me", { name: "Kim" });
	assert.deepEqual(none.get("me"), { name: "Kim" });
});

test("what another tab has dropped is gone here as well", () => {
	const storage = fakeStorage();
	const here = keepOf(storage);
	here.put("token", "t");
	keepOf(storage).drop("token");
	assert.equal(here.get("token"), null);
});

test("what a full storage does not take hides what it had", () => {
	const storage = fakeStorage();
	const keep = keepOf(storage);
	keep.put("token", "old");
	const take = storage.setItem;
	storage.setItem = () => { throw new Error("full"); };
	keep.put("token", "new");
	assert.equal(keep.get("token"), "new");
	assert.equal(keepOf(storage).get("token"), null);
	storage.setItem = take;
	keep.put("token", "newer");
	assert.equal(keepOf(storage).get("token"), "newer");
});
