/* FastCGI: request threads on one listening unix socket, and the only file that knows fcgiapp.h.
 *
 * A connection that the web server keeps pins its thread, so there must be as many threads as the
 * web server keeps connections; they mostly wait. */
#ifndef BOXOFFICE_FCGI_H
#define BOXOFFICE_FCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "err.h"
#include "http.h"

struct fcgi; /* opaque */

/* Serves one request, in any of the threads. body_err: why there is no whole body, else OK. Fills
 * response and request_id. */
typedef void fcgi_serve_fn(void *arg, const struct http_raw *raw, const char *body, size_t length,
			   enum err body_err, struct http_response *response,
			   char request_id[static HTTP_REQUEST_ID_SIZE]);

/* Listens on conf's socket, which every user of the host may connect to, and starts the threads.
 * A socket left by a dead front is replaced; ERR_CONF when somebody answers on it or its path
 * cannot be used; ERR_SYSTEM. Returns owned: fcgi_free(). */
MUST_CHECK enum err fcgi_new(struct fcgi **fcgi, const struct conf *conf, fcgi_serve_fn *serve,
			     void *arg);

/* Takes no more connections; requests in hand go on. */
void fcgi_drain(struct fcgi *fcgi);

/* After fcgi_drain(): waits up to wait_ms for the threads to end; true when all have. */
bool fcgi_join(struct fcgi *fcgi, int wait_ms);

/* After fcgi_join() said true. NULL is fine. */
void fcgi_free(struct fcgi *fcgi);

#endif
