/* An import: from a file of charges to the summary of what became of them. */
#ifndef BOXOFFICE_IMPORT_IMPORT_H
#define BOXOFFICE_IMPORT_IMPORT_H

#include <stdbool.h>

#include "charge_row.h"
#include "conf.h"
#include "score.h"

/* Exit codes. */
enum import_status {
	IMPORT_DONE = 0,
	IMPORT_REJECTS = 1,  /* done, but some rows were rejected */
	IMPORT_NOT_DONE = 2, /* the same command again goes on */
};

struct import_options {
	const char *path;    /* "-": standard input */
	const char *source;  /* NULL: none */
	const char *file_id; /* NULL: none */
	const char *rejects; /* NULL: by the file's name */
	int attempt;
	size_t message_rows;      /* of one message at most */
	int64_t answer_within_ms; /* without results for so long: ask again */
	bool is_dry_run;
	bool is_json;
	bool is_quiet;
};

/* Runs one. TERM and INT end it early: what is under way is finished, a second one exits at once.
 */
enum import_status import_run(const struct import_options *options, const struct conf *conf);

#endif
