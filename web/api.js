// Calls. A read is asked once. A write is an action: it has a name and an Idempotency-Key, which are
// kept in storage until the action is settled, so that neither a double click, a lost answer nor a
// reload makes two of it. Whatever is not an answer is retried with the same key.

const TIMEOUT_MS = 15_000;
const RETRY_MS = [1000, 2000, 4000, 8000, 15_000];
const RETRY_MAX_MS = 30_000;
// A job that stays queued for so many looks may be one whose refusal is not stored: then the call is
// to be repeated.
const LOOKS_AT_A_JOB = 8;
// Later than this nobody expects the effect any more. Money is followed for as long as handles live.
const KEPT_MS = { reserve: 600_000, cancel: 600_000, issue: 600_000, leave: 600_000 };
const KEPT_ELSE_MS = 86_400_000;

export class Refusal extends Error {
	constructor(status, body, retryAfter_ms = null) {
		super(body?.message ?? `HTTP ${status}`);
		this.status = status;
		this.code = typeof body?.code === "string" ? body.code : "unavailable";
		this.data = body?.data ?? null;
		this.retryAfter_ms = retryAfter_ms;
	}
}

// An answer that leaves open whether the action took effect, or says to come again. A closed line is
// a decision, though its status is 503.
const isUnsettled = (status, code) =>
	(status === 0 || status === 429 || status >= 500) && code !== "closed";

export function retryAfterOf(header) {
	const seconds = Number(header);
	if (header === null || header === "" || !Number.isFinite(seconds) || seconds < 0) return null;
	return Math.min(Math.max(seconds * 1000, 500), RETRY_MAX_MS);
}

// A UUIDv7: its time makes rows cheaper to insert (PROTOCOL.md, Idempotency).
export function newKey(now_ms, random = (bytes) => crypto.getRandomValues(bytes)) {
	const bytes = random(new Uint8Array(16));
	for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now_ms / 2 ** (8 * (5 - i))) % 256;
	bytes[6] = 0x70 | (bytes[6] & 0x0f);
	bytes[8] = 0x80 | (bytes[8] & 0x3f);
	const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
	return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

export function apiOf({ fetch, clock, keep, locks = null, onRetry = () => {} }) {
	const inHand = new Map();
	const pauses = new Set();

	async function call(method, path, { body, headers = {}, timeout_ms = TIMEOUT_MS } = {}) {
		const asked_ms = clock.now();
		const abort = new AbortController();
		const timer = clock.after(timeout_ms, () => abort.abort());
		try {
			const answer = await fetch(path, {
				method,
				headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
				body: body === undefined ? undefined : JSON.stringify(body),
				cache: "no-store",
				signal: abort.signal,
			});
			const text = await answer.text();
			if (answer.headers.get("Date")) clock.learn(answer.headers.get("Date"), asked_ms);
			return {
				status: answer.status,
				body: parsed(text),
				retryAfter_ms: retryAfterOf(answer.headers.get("Retry-After")),
				location: answer.headers.get("Location"),
			};
		} catch {
			return { status: 0, body: null, retryAfter_ms: null, location: null };
		} finally {
			clock.cancel(timer);
		}
	}

	// Returns `data`, or throws a Refusal (status 0: no answer).
	async function read(path, headers) {
		return dataOf(await call("GET", path, { headers }));
	}

	// Does it once, however often it is asked for: the second click gets the first one's answer. The
	// key is chosen now, not when another tab has done: what both asked for has one key.
	function act(name, path, body, headers = {}) {
		if (inHand.has(name)) return inHand.get(name);
		const key = keyFor(name, path, body, headers);
		const doing = alone(name, () => settle(name, key, path, body, headers)).finally(() =>
			inHand.delete(name));
		inHand.set(name, doing);
		return doing;
	}

	// Two tabs do not do the same thing at the same moment. A browser that forbids storage refuses
	// locks as well, and has nothing that two tabs could share.
	function alone(name, then) {
		if (!locks) return then();
		let begun = null;
		const begin = () => (begun = then());
		return locks.request(`boxoffice.action.${name}`, begin).catch(() => begun ?? then());
	}

	async function settle(name, key, path, body, headers) {
		for (let tries = 0; ; tries++) {
			const answer = await followed(await call("POST", path, {
				body,
				headers: { ...headers, "Idempotency-Key": key },
			}));
			if (!isUnsettled(answer.status, answer.body?.code)) {
				forget(name, key);
				onRetry(name, null);
				return dataOf(answer);
			}
			const wait_ms = answer.retryAfter_ms ?? RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
			await pause(name, wait_ms, answer.status === 0 ? "away" : "busy", tries);
		}
	}

	// The page shows until when, and may cut it short.
	function pause(name, wait_ms, why, tries) {
		return new Promise((done) => {
			const timer = clock.after(wait_ms, () => now());
			const now = () => {
				clock.cancel(timer);
				pauses.delete(now);
				done();
			};
			pauses.add(now);
			onRetry(name, { until_ms: clock.now() + wait_ms, why, tries, now });
		});
	}

	// 202: the job is queued, and its handle knows the answer once there is one.
	async function followed(answer) {
		if (answer.status !== 202) return answer;
		const handle = answer.location ?? answer.body?.data?.job;
		if (typeof handle !== "string" || !handle.startsWith("/jobs/")) return unsettled();
		let wait_ms = answer.retryAfter_ms ?? 1000;
		for (let looks = 0; looks < LOOKS_AT_A_JOB; looks++) {
			await clock.sleep(wait_ms);
			const look = await call("GET", handle);
			if (look.status === 404) return unsettled();
			wait_ms = look.retryAfter_ms ?? 1000;
			const told = look.body?.data;
			if (look.status !== 200 || told?.status !== "done") continue;
			return { ...unsettled(), status: told.httpStatus, body: told.response };
		}
		return unsettled();
	}

	function keyFor(name, path, body, headers) {
		const actions = keep.get("actions") ?? {};
		const same = actions[name];
		if (same && same.path === path && JSON.stringify(same.body) === JSON.stringify(body))
			return same.key;
		const key = newKey(clock.now());
		// Read again: another tab may have written meanwhile.
		keep.put("actions", { ...keep.get("actions"), [name]: { key, path, body, headers, at: clock.now() } });
		return key;
	}

	function forget(name, key) {
		const actions = { ...keep.get("actions") };
		if (actions[name]?.key !== key) return;
		delete actions[name];
		keep.put("actions", actions);
	}

	// The actions of an earlier visit whose answers never came, oldest first. Those too old to be
	// wanted are dropped.
	function unsettledActions() {
		const actions = keep.get("actions") ?? {};
		const found = [];
		for (const [name, action] of Object.entries(actions)) {
			const kept_ms = KEPT_MS[name.split(":")[0]] ?? KEPT_ELSE_MS;
			if (clock.now() - action.at > kept_ms) forget(name, action.key);
			else found.push({ name, ...action });
		}
		return found.sort((a, b) => a.at - b.at);
	}

	// Ends the pauses between attempts: there is reason to think that the next one succeeds.
	function hurry() {
		for (const now of pauses) now();
	}

	return { call, read, act, hurry, unsettledActions };
}

const unsettled = () => ({ status: 0, body: null, retryAfter_ms: null, location: null });

function dataOf({ status, body, retryAfter_ms }) {
	if (status >= 200 && status < 300 && body?.success === true) return body.data;
	throw new Refusal(status, body, retryAfter_ms);
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
