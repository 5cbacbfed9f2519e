// The page as it first shows.

import assert from "node:assert/strict";
import test from "node:test";
import { picturesOf, withFans } from "./house.mjs";

test("the first view is accessible and fits a phone", withFans({}, async (page) => {
	const answer = await page.goto("/");
	assert.equal(answer.status(), 200);
	assert.equal(await page.title(), "boxoffice");
	await picturesOf(page, "door");
}));
