// A stream of events, however it is cut.

import assert from "node:assert/strict";
import { test } from "node:test";
import { messagesOf } from "../../../web/stream.js";

const whole = ": hi\n\nid: 1\ndata: {\"a\":1}\n\ndata: two\r\ndata: lines\r\n\r\nevent: x\ndata:3\n\n";

test("events are the same wherever the stream is cut", () => {
	for (let size = 1; size <= whole.length; size++) {
		const told = [];
		const take = messagesOf((text) => told.push(text));
		for (let at = 0; at < whole.length; at += size) take(whole.slice(at, at + size));
		assert.deepEqual(told, ["{\"a\":1}", "two\nlines", "3"], `pieces of ${size}`);
	}
});
