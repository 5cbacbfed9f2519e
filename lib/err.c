/* Errors: look-ups in the table of err.def. */
#include "err.h"

#include <string.h>

/* This one and all after it are plumbing. */
#define FIRST_PLUMBING ERR_DB_GONE

static const struct {
	const char *code;
	const char *message;
	int http_status;
	enum err_class class;
	bool settles;
} errors[ERR_COUNT] = {
#define ERR(symbol, code, http, class, settles, message)                                           \
	[ERR_##symbol] = {code, message, http, class, settles},
#include "err.def"
#undef ERR
};

/* A number that is no error, say from another version's message, reads as a bug of ours. */
static enum err known(enum err err)
{
	return (unsigned)err < ERR_COUNT ? err : ERR_SYSTEM;
}

const char *err_code(enum err err)
{
	return errors[known(err)].code;
}

const char *err_message(enum err err)
{
	return errors[known(err)].message;
}

int err_http_status(enum err err)
{
	return errors[known(err)].http_status;
}

enum err_class err_class_of(enum err err)
{
	return errors[known(err)].class;
}

bool err_settles(enum err err)
{
	return errors[known(err)].settles;
}

enum err err_public(enum err err)
{
	return known(err) >= FIRST_PLUMBING ? ERR_UNAVAILABLE : err;
}

enum err err_from_code(const char *code)
{
	unsigned i = 0;

	while (i < ERR_COUNT && strcmp(errors[i].code, code) != 0)
		i++;
	return (enum err)i;
}
