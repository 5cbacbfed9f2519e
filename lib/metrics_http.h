/* The metrics port: /metrics and /healthz over HTTP, for Prometheus, and the only file that knows
 * libmicrohttpd. One thread of its own; it reads what metrics.h counts and nothing else, so it
 * answers whatever the process waits for. */
#ifndef BOXOFFICE_METRICS_HTTP_H
#define BOXOFFICE_METRICS_HTTP_H

#include "conf.h"
#include "err.h"

struct metrics_http; /* opaque */

/* Serves on conf's metrics_address and metrics_port; port 0: nothing, and http stays NULL.
 * ERR_CONF, with the reason in the log, when somebody has the port or the address is none;
 * ERR_MEMORY, ERR_SYSTEM. Returns owned: metrics_http_free(). */
MUST_CHECK enum err metrics_http_new(struct metrics_http **http, const struct conf *conf);

/* Ends the thread. NULL is fine. */
void metrics_http_free(struct metrics_http *http);

#endif
