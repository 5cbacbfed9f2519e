// The page of all calls: swagger-ui with our document, under our content policy, asking this very site.

import assert from "node:assert/strict";
import test from "node:test";
import { admittedCaller } from "./callers.mjs";
import { until, url, withFans } from "./house.mjs";

const operation = (page, id) => page.locator(`.opblock[id$="-${id}"]`);

async function open(page) {
	await page.goto("/docs");
	await page.locator(".opblock").first().waitFor();
}

// Tries a call with its example, as somebody who reads the page would.
async function tryOut(page, id) {
	const block = operation(page, id);
	await block.locator(".opblock-summary-control").click();
	await block.locator(".try-out__btn").click();
	await block.locator(".execute").click();
	const answer = block.locator(".live-responses-table .response").first();
	await answer.locator(".response-col_status").waitFor();
	return { status: Number((await answer.locator(".response-col_status").innerText()).trim().split(/\s/)[0]),
		body: await answer.locator(".highlight-code, pre").first().innerText() };
}

test("every call is shown, and nothing comes from elsewhere", withFans({}, async (page) => {
	const elsewhere = [];
	page.on("request", (request) => {
		if (!request.url().startsWith(url) && !request.url().startsWith("data:")) elsewhere.push(request.url());
	});
	await open(page);
	const written = (await (await page.request.get("/openapi.yaml")).text()).match(/^ {6}operationId: /gm);
	assert.equal(await page.locator(".opblock").count(), written.length);
	assert.equal(await page.locator(".errors-wrapper").count(), 0);
	// With all of them open, every schema and example is drawn.
	for (const summary of await page.locator(".opblock-summary-control").all()) await summary.click();
	await until(async () => await page.locator(".opblock.is-open .responses-table").count() === written.length, "all calls, open");
	assert.equal(await page.getByText("Could not render").count(), 0);
	assert.deepEqual(elsewhere, []);
}));

test("a call without a token can be tried", withFans({}, async (page) => {
	await open(page);
	const { status, body } = await tryOut(page, "checkHealth");
	assert.equal(status, 200);
	assert.match(body, /"ok"/);
}));

test("a call with a body can be tried", withFans({}, async (page) => {
	await open(page);
	const { status, body } = await tryOut(page, "register");
	assert.equal(status, 200);
	assert.match(body, /"userId": "[0-9a-f-]{36}"/);
}));

test("a token given once goes with every call, and a stream is shown for a while", withFans({}, async (page) => {
	const fan = await admittedCaller();
	await open(page);
	await page.locator(".auth-wrapper .authorize").first().click();
	await page.getByLabel("auth-apikey-value").or(page.locator("#api_key_value")).first().fill(fan.token);
	await page.locator(".auth-container .authorize").first().click();
	await page.locator(".btn-done").first().click();
	const place = await tryOut(page, "readPlace");
	assert.equal(place.status, 200);
	assert.match(place.body, /"ACTIVE"/);
	const stream = await tryOut(page, "followLine");
	assert.equal(stream.status, 200);
	assert.ok(stream.body.match(/^data: /gm).length >= 2, stream.body);
}));
