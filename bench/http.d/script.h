/* The requests that a load is made of, one a line of a file:
 *
 *     KIND TAB METHOD TAB PATH TAB TOKEN TAB BODY
 *
 * KIND is under which it is reported. Token and body may be empty. */
#ifndef BOXOFFICE_BENCH_SCRIPT_H
#define BOXOFFICE_BENCH_SCRIPT_H

#include <stddef.h>

#include "err.h"
#include "text.h"

#define SCRIPT_KINDS_MAX 16
#define SCRIPT_KIND_SIZE 32

struct script_request {
	size_t kind;
	char *bytes; /* head and body */
	size_t length;
	size_t key_at; /* where its Idempotency-Key has its place; 0: it has none */
};

struct script {
	struct script_request *requests;
	size_t count;
	char kinds[SCRIPT_KINDS_MAX][SCRIPT_KIND_SIZE];
	size_t kind_count;
};

/* Reads a file of at least one request into a zero-initialised script: script_fini(). ERR_CONF,
 * told on stderr; script_fini() then too. */
MUST_CHECK enum err script_read(struct script *script, const char *path);
void script_fini(struct script *script);

/* Replaces out by a request; one that changes something has a fresh key, by which it is a job of
 * its own. */
void script_write(const struct script_request *request, struct text *out);

#endif
