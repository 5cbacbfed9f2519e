/* Errors: one enum for the whole project, its table in err.def. */
#ifndef BOXOFFICE_ERR_H
#define BOXOFFICE_ERR_H

#include <stdbool.h>

/* What becomes of the thing that failed. */
enum err_class {
	ERR_CLASS_NONE,     /* it did not fail */
	ERR_CLASS_CLIENT,   /* the sender must change something; nothing was done */
	ERR_CLASS_CONFLICT, /* a decision against the sender, by the state of the data */
	ERR_CLASS_RETRY,    /* nobody's fault: the same again may succeed */
	ERR_CLASS_BUG,      /* ours: log it, isolate it */
};

enum err {
#define ERR(symbol, code, http, class, settles, message) ERR_##symbol,
#include "err.def"
#undef ERR
	ERR_COUNT
};

/* A function that can fail returns an enum err that its caller must look at. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* The stable, machine-readable code ("seat-held"). Never NULL; static storage. */
const char *err_code(enum err err);

/* A sentence for people. Never NULL; static storage. */
const char *err_message(enum err err);

/* The HTTP status that a front answers with. */
int err_http_status(enum err err);

enum err_class err_class_of(enum err err);

/* True when a refusal with this error is stored and replayed to a repeat of the job. */
bool err_settles(enum err err);

/* The error that a client may see: plumbing errors become ERR_UNAVAILABLE. */
enum err err_public(enum err err);

/* Finds the error of a code; ERR_COUNT when there is none. */
enum err err_from_code(const char *code);

#endif
