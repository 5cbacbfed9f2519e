/* What the programs to compare with share: the front's own FastCGI loop, threads and all, so that
 * only what is done for a request differs. */
#ifndef BOXOFFICE_BENCH_SERVE_H
#define BOXOFFICE_BENCH_SERVE_H

#include "conf.h"
#include "fcgi.h"

/* Reads the settings and opens the log. ERR_CONF, reported on stderr. */
MUST_CHECK enum err serve_load(struct conf *conf);

/* Takes a request apart, with its body, and clears its answer. ERR_BAD_REQUEST and the like with a
 * sentence in why. */
MUST_CHECK enum err serve_begin(struct exchange *exchange, struct http_request *request,
				char why[static HTTP_WHY_SIZE]);

/* Serves on conf's front_socket with front_threads threads until TERM or INT, then finishes what
 * is in hand. serve gets arg. Returns the program's exit status. */
int serve_until_told(const struct conf *conf, fcgi_serve_fn *serve, void *arg);

#endif
