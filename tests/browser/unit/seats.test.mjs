// The plan: its rows, its arrow keys, and the differences that keep it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { applied, rowsOf, stepFrom } from "../../../web/seats.js";
import { rowName } from "../../../web/views/hall.js";

const fifty = Array.from({ length: 50 }, (_, i) => ({ id: i + 1 }));

test("fifty seats stand in five rows that widen", () => {
	assert.deepEqual(rowsOf(fifty).map(({ length }) => length), [8, 9, 10, 11, 12]);
	assert.deepEqual(rowsOf([]), []);
	assert.equal(rowsOf(fifty.slice(0, 13)).flat().length, 13);
});

test("rows have letters, however many there are", () => {
	assert.deepEqual([0, 4, 25, 26, 51, 52, 701, 702].map(rowName), ["A", "E", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
});

test("arrow keys reach every seat and never leave the plan", () => {
	const rows = rowsOf(fifty);
	const seen = new Set([0]);
	const open = [0];
	while (open.length) {
		const at = open.pop();
		for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]) {
			const to = stepFrom(rows, at, key);
			assert.ok(to >= 0 && to < 50);
			if (!seen.has(to)) {
				seen.add(to);
				open.push(to);
			}
		}
	}
	assert.equal(seen.size, 50);
	assert.equal(stepFrom(rows, 3, "Tab"), null);
});

test("a difference that follows on is applied, an older one ignored, a gap told", () => {
	const map = { version: 7, seats: [{ id: 1, state: "free", mine: false }, { id: 2, state: "held", mine: true }] };
	const next = applied(map, { from: 7, version: 9, changes: [[1, "held"], [2, "free"]] });
	assert.deepEqual(next, { version: 9, seats: [{ id: 1, state: "held", mine: false }, { id: 2, state: "free", mine: false }] });
	assert.equal(applied(map, { from: 5, version: 7, changes: [[1, "sold"]] }), map);
	assert.equal(applied(map, { from: 8, version: 9, changes: [] }), null);
	assert.equal(applied(map, { from: 7, version: 7, changes: [] }), map);
	assert.equal(applied(map, { nonsense: true }), map);
	assert.equal(applied(map, null), map);
});

test("the end of the booking empties the plan, once", () => {
	const map = { version: 7, seats: [{ id: 1, state: "free", mine: false }] };
	const over = applied(map, { from: 0, version: 0, changes: [] });
	assert.deepEqual(over, { version: 0, seats: [] });
	assert.equal(applied(over, { from: 0, version: 0, changes: [] }), over);
});
