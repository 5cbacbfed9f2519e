// What the page's modules are given in a browser, in versions that tests steer.

import { webcrypto } from "node:crypto";
import { clockOf } from "../../../web/clock.js";
import { keepOf } from "../../../web/keep.js";

// Browsers have it everywhere, Node.js from 19 on.
globalThis.crypto ??= webcrypto;

const settled = async () => {
	for (let i = 0; i < 60; i++) await Promise.resolve();
};

// Time stands until advance() moves it, from timer to timer.
export function fakeTime(start_ms = Date.UTC(2026, 10, 24, 10)) {
	let now_ms = start_ms;
	let count = 0;
	const timers = new Map();
	const clock = clockOf({
		now: () => now_ms,
		set(then, ms) {
			timers.set(++count, { at_ms: now_ms + ms, then });
			return count;
		},
		clear: (timer) => timers.delete(timer),
	});
	return {
		clock,
		async advance(ms) {
			const until_ms = now_ms + ms;
			await settled();
			for (;;) {
				const due = [...timers].filter(([, { at_ms }]) => at_ms <= until_ms)
					.sort(([a, x], [b, y]) => x.at_ms - y.at_ms || a - b)[0];
				if (!due) break;
				timers.delete(due[0]);
				now_ms = Math.max(now_ms, due[1].at_ms);
				due[1].then();
				await settled();
			}
			now_ms = until_ms;
		},
	};
}

export function fakeStorage() {
	const items = new Map();
	return {
		getItem: (name) => items.get(name) ?? null,
		setItem: (name, value) => items.set(name, String(value)),
		removeItem: (name) => items.delete(name),
	};
}

export const fakeKeep = (storage = fakeStorage()) => keepOf(storage);

// `answers` is a function of (path, options, index of the call): { status, body, headers }, an Error
// to fail with, or a promise of either. Every call is written down.
export function fakeFetch(answers) {
	const calls = [];
	const fetch = async (path, options = {}) => {
		calls.push({ path, ...options });
		const answer = await answers(path, options, calls.length - 1);
		if (answer instanceof Error) throw answer;
		const { status = 200, body = null, headers = {}, stream = null } = answer;
		return {
			ok: status < 300,
			status,
			body: stream,
			headers: new Headers(headers),
			text: async () => JSON.stringify(body),
		};
	};
	return { fetch, calls };
}

// Web Locks of one origin, as far as they are used: exclusive, with steal and signal.
export function fakeLocks() {
	let holder = null;
	const waiting = [];
	const grant = () => {
		if (holder || waiting.length === 0) return;
		const next = waiting.shift();
		holder = next;
		Promise.resolve(next.then()).then(
			(value) => holder === next && ((holder = null), next.done(value), grant()),
			next.fail);
	};
	return {
		request(name, ...rest) {
			const then = rest.pop();
			const [options = {}] = rest;
			return new Promise((done, fail) => {
				const entry = { then, done, fail };
				options.signal?.addEventListener("abort", () => {
					const at = waiting.indexOf(entry);
					if (at >= 0) waiting.splice(at, 1);
					fail(new Error("aborted"));
				});
				if (options.steal && holder) {
					holder.fail(Object.assign(new Error("stolen"), { name: "AbortError" }));
					holder = null;
				}
				if (options.steal) waiting.unshift(entry);
				else waiting.push(entry);
				grant();
			});
		},
	};
}

// Those of a browser that forbids storage.
export const refusedLocks = { request: async () => { throw Object.assign(new Error("denied"), { name: "SecurityError" }); } };

// Each end hears what the others post.
export function fakeChannels() {
	const ends = [];
	return () => {
		const end = {
			onmessage: null,
			postMessage: (data) => ends.forEach((other) => other !== end && other.onmessage?.({ data })),
		};
		ends.push(end);
		return end;
	};
}

export function fakeTab(isHidden = false) {
	const listeners = new Set();
	return {
		isHidden: () => isHidden,
		onChange(then) {
			listeners.add(then);
			return () => listeners.delete(then);
		},
		hide(hidden) {
			isHidden = hidden;
			listeners.forEach((then) => then());
		},
	};
}
