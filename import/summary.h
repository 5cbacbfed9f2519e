/* The summary of an import, on stdout: for people, or one JSON object. */
#ifndef BOXOFFICE_IMPORT_SUMMARY_H
#define BOXOFFICE_IMPORT_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "score.h"

struct summary {
	const char *path;
	const char *rejects; /* the file of rejected rows; NULL: none */
	const struct score *score;
	bool is_dry_run;
	bool is_done; /* the whole file */
	int64_t spent_ms;
};

void summary_print(const struct summary *summary, bool is_json);

#endif
