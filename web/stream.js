// A stream of Server-Sent Events, read through fetch(): EventSource sends no headers, and a token does
// not belong into a URL.

const SILENCE_MS = 20_000;
const BACKOFF_MS = [1000, 2000, 5000, 10_000];

// Calls onMessage with each parsed message, and onState(true or false) when the stream comes alive or
// dies by itself. Comes back until it is closed. A stream that says nothing for too long is dead.
export function streamOf({
	fetch, clock, path, headers, onMessage, onState, silence_ms = SILENCE_MS, random = Math.random,
}) {
	let closed = false;
	let failures = 0;
	let abort = null;
	let timer = null;

	async function run() {
		while (!closed) {
			abort = new AbortController();
			try {
				const answer = await fetch(path, {
					headers: { ...headers(), Accept: "text/event-stream" },
					cache: "no-store",
					signal: abort.signal,
				});
				if (answer.ok && answer.body) await consume(answer.body);
			} catch {
				// Cut off, or never there: the same to us.
			}
			abort.abort();
			clock.cancel(timer);
			if (closed) return;
			onState(false);
			// A thousand streams that end together do not come back together.
			await clock.sleep(BACKOFF_MS[Math.min(failures++, BACKOFF_MS.length - 1)] * (0.5 + random()));
		}
	}

	async function consume(body) {
		const reader = body.pipeThrough(new TextDecoderStream()).getReader();
		const take = messagesOf((text) => {
			const message = parsed(text);
			if (message === null || closed) return;
			failures = 0;
			onState(true);
			onMessage(message);
		});
		for (;;) {
			clock.cancel(timer);
			timer = clock.after(silence_ms, () => abort.abort());
			const { value, done } = await reader.read();
			if (done) return;
			take(value);
		}
	}

	run();
	return {
		close() {
			closed = true;
			clock.cancel(timer);
			abort?.abort();
		},
	};
}

// Feeds on pieces of the stream, however cut, and tells the data of each whole event.
export function messagesOf(tell) {
	let rest = "";
	let data = [];
	return (piece) => {
		const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
		rest = lines.pop();
		for (const line of lines) {
			if (line === "" && data.length > 0) {
				tell(data.join("\n"));
				data = [];
			} else if (line.startsWith("data:")) {
				data.push(line.slice(line[5] === " " ? 6 : 5));
			}
		}
	};
}

function parsed(text) {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
