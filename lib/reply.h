/* Results: what became of a job, as it travels back. PROTOCOL.md, "Results". */
#ifndef BOXOFFICE_REPLY_H
#define BOXOFFICE_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "id.h"
#include "text.h"

#define REPLY_TYPE "boxoffice.results"
#define OUTCOME_MAX 2048 /* bytes of a stored outcome */

/* An outcome: OK with data, or a refusal. data is a JSON object's text, empty for none. */
struct outcome {
	enum err err;
	bool replayed;
	char data[OUTCOME_MAX];
	char why[160]; /* a message more exact than err_message(); empty for that one */
};

struct result {
	struct id id;
	size_t index; /* place of the job in its message, from 0 */
	struct outcome outcome;
};

/* Appends {"v":1,"results":[…]}. */
void reply_encode(struct text *out, const struct result *const *results, size_t count);

/* Reads it; results is an array of count (owned by the caller: free()). ERR_BAD_MESSAGE. */
MUST_CHECK enum err reply_decode(const char *body, size_t length, struct result **results,
				 size_t *count);

#endif
