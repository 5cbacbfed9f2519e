/* Rows that a command tells: a table for people, an array within one JSON object for programs. */
#ifndef BOXOFFICE_CTL_LISTING_H
#define BOXOFFICE_CTL_LISTING_H

#include <stdbool.h>
#include <stdint.h>

#include "text.h"

struct listing { /* by listing_begin() */
	bool json;
	bool has_rows;
	bool has_cells; /* in the row at hand */
	struct text head, line;
};

/* name: of the array. */
void listing_begin(struct listing *listing, bool json, const char *name);

/* One cell of the row at hand; width: columns of the screen, for people. A key is our own: it needs
 * no JSON escapes. */
void listing_int(struct listing *listing, const char *key, int width, int64_t value);
void listing_text(struct listing *listing, const char *key, int width, const char *value);
void listing_bool(struct listing *listing, const char *key, int width, bool value);

/* Microseconds since 1970; 0: not known. */
void listing_time(struct listing *listing, const char *key, int64_t us);

/* What is not known: null, or "-". */
void listing_null(struct listing *listing, const char *key, int width);

void listing_end_row(struct listing *listing);
void listing_end(struct listing *listing);

#endif
