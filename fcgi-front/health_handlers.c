/* Health: for whoever starts, stops and balances fronts. */
#include "answer.h"
#include "routes.h"

enum err handle_health(struct call *call)
{
	text_puts(answer_open(call), "{\"status\":\"ok\"}");
	answer_close(call);
	return ERR_OK;
}

enum err handle_ready(struct call *call)
{
	bool broker = courier_ready(call->front->courier);
	bool database = snapshots_healthy(call->front->snapshots);
	struct text data = {0};

	text_printf(&data, "{\"status\":\"%s\",\"broker\":%s,\"database\":%s}",
		    broker && database ? "ready" : "not-ready", broker ? "true" : "false",
		    database ? "true" : "false");
	if (broker && database) {
		text_puts(answer_open(call), data.bytes);
		answer_close(call);
	} else {
		answer_failure(call, ERR_UNAVAILABLE,
			       broker ? "the database is away" : "the broker is away", data.bytes);
	}
	text_fini(&data);
	return ERR_OK;
}
