// Shows openapi.yaml with swagger-ui, whose bundle leaves SwaggerUIBundle behind. "Try it out" asks this
// very site: what it does is done.

const STREAM_SHOWN_MS = 3000;

// swagger-ui shows an answer when it has ended, and a stream never ends: a while of it has to do.
async function fetchSome(url, options) {
	const answer = await fetch(url, options);
	const type = answer.headers.get("Content-Type") ?? "";
	if (!type.startsWith("text/event-stream")) return answer;
	const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
	setTimeout(() => reader.cancel(), STREAM_SHOWN_MS);
	let text = "";
	for (let part = await reader.read(); !part.done; part = await reader.read()) text += part.value;
	return new Response(text, { status: answer.status, headers: answer.headers });
}

window.SwaggerUIBundle({
	url: "/openapi.yaml",
	dom_id: "#docs",
	deepLinking: true,
	displayRequestDuration: true,
	defaultModelsExpandDepth: 0,
	requestInterceptor: (request) => ({ ...request, userFetch: fetchSome }),
	// Else it sends the document to a validator elsewhere.
	validatorUrl: null,
});
