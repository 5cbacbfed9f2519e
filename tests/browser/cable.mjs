// The way between a browser and the site, which a test can cut: it passes every request on, and kills
// the streams when it is told to.

import { Agent, createServer, request } from "node:http";
import { url } from "./house.mjs";

export async function cable() {
	const site = new URL(url);
	const agent = new Agent({ keepAlive: true });
	const streams = new Set();
	let isCut = false;

	const server = createServer((asked, answer) => {
		const isStream = asked.headers.accept === "text/event-stream";
		if (isStream && isCut) return asked.socket.destroy();
		if (isStream) {
			streams.add(asked.socket);
			asked.socket.once("close", () => streams.delete(asked.socket));
		}
		const onward = request({ host: site.hostname, port: site.port, path: asked.url, method: asked.method,
			headers: asked.headers, agent: isStream ? false : agent });
		onward.on("response", (told) => {
			answer.writeHead(told.statusCode, told.headers);
			told.pipe(answer);
		});
		onward.on("error", () => asked.socket.destroy());
		answer.on("close", () => onward.destroy());
		asked.pipe(onward);
		return undefined;
	});
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	return {
		url: `http://127.0.0.1:${server.address().port}`,
		streams: () => streams.size,
		// Cuts all streams, and refuses new ones until it is mended.
		cut() {
			isCut = true;
			for (const socket of streams) socket.destroy();
		},
		mend() {
			isCut = false;
		},
		close() {
			agent.destroy();
			server.closeAllConnections();
			server.close();
		},
	};
}
