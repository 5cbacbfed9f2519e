/* FastCGI: requests on one listening unix socket, and the only file that knows fcgiapp.h.
 *
 * Connections that the web server keeps wait in an epoll set and cost no thread; a request that
 * waits for something to come costs none either. A few threads serve (turn.h). */
#ifndef BOXOFFICE_FCGI_H
#define BOXOFFICE_FCGI_H

#include <stdbool.h>
#include <stddef.h>

#include "conf.h"
#include "err.h"
#include "http.h"

struct fcgi; /* opaque */

/* A request in hand, from its arrival to its answer. One thread has it at a time. */
struct exchange {
	struct http_raw raw;
	const char *body; /* ended by '\0' as well */
	size_t body_length;
	enum err body_err;                     /* why there is no whole body, else OK */
	struct http_response response;         /* to be filled, and request_id with it */
	char request_id[HTTP_REQUEST_ID_SIZE]; /* what the answer must carry */
	void *state;                           /* state_size bytes of the server's own */
};

/* Serves a request. True: response and request_id are filled. False: it waits, without a thread,
 * until fcgi_resume() is called, which may have happened already. */
typedef bool fcgi_serve_fn(void *arg, struct exchange *exchange);

/* Goes on with one that waited; as fcgi_serve_fn, it may wait again. */
typedef bool fcgi_resume_fn(void *arg, struct exchange *exchange);

struct fcgi_server {
	fcgi_serve_fn *serve;
	fcgi_resume_fn *resume; /* NULL: no request ever waits */
	void *arg;
	size_t state_size;
};

/* Listens on conf's socket, which every user of the host may connect to, and starts the threads.
 * A socket left by a dead front is replaced; ERR_CONF when somebody answers on it or its path
 * cannot be used; ERR_SYSTEM. Returns owned: fcgi_free(). */
MUST_CHECK enum err fcgi_new(struct fcgi **fcgi, const struct conf *conf,
			     const struct fcgi_server *server);

/* Has one of the threads answer a request that waits. From any thread, once for each. */
void fcgi_resume(struct exchange *exchange);

/* Takes no more connections; requests in hand go on. */
void fcgi_drain(struct fcgi *fcgi);

/* After fcgi_drain(): waits up to wait_ms for the threads to end; true when all have. */
bool fcgi_join(struct fcgi *fcgi, int wait_ms);

/* After fcgi_join() said true. NULL is fine. */
void fcgi_free(struct fcgi *fcgi);

#endif
