// Fans without a browser, for the tests that need a crowd.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { until, url } from "./house.mjs";

// A write, repeated with its key until it is decided; its data.
export async function post(path, content, token) {
	const key = randomUUID();
	return until(async () => {
		const answer = await fetch(url + path, { method: "POST", body: JSON.stringify(content), headers: {
			"Content-Type": "application/json", "Idempotency-Key": key, ...(token && { "queue-token": token }) } });
		const { success, data, code } = await answer.json();
		if (answer.status === 202) return null;
		assert.ok(success, `${path}: ${code}`);
		return data;
	}, `an answer of ${path}`);
}

export async function get(path, token) {
	const answer = await fetch(url + path, token && { headers: { "queue-token": token } });
	return (await answer.json()).data;
}

// Somebody who has joined the line: { user, token, number }.
export async function caller(name = "a caller") {
	const { userId: user } = await post("/user", { name });
	const { token, number } = await post("/queue/issue", { userId: user });
	return { user, token, number };
}

// With so much in the wallet.
export async function admittedCaller(balance = 0) {
	const made = await caller();
	if (balance > 0) await post("/user/charge", { userId: made.user, amount: balance });
	await until(async () => (await get("/queue/status", made.token)).status === "ACTIVE", "admission");
	return made;
}
