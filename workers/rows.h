/* Rows for JSON_TABLE: a JSON array of flat objects, the one parameter of every statement.
 *
 * Only values that a decoder has checked may be put here: MariaDB's JSON_TABLE cuts, rounds and
 * misreads what is out of range, without an error. */
#ifndef BOXOFFICE_ROWS_H
#define BOXOFFICE_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "id.h"
#include "text.h"

struct rows { /* zero-initialise */
	struct text text;
	size_t count;
	bool in_row;
	bool is_ended;
};

void rows_fini(struct rows *rows);
void rows_clear(struct rows *rows);

/* Sorts numbers of rows ascending, the order in which locks are taken, and drops zeroes and
 * doubles; returns how many are left. */
size_t rows_sort_ids(int64_t *ids, size_t count);

/* Begins a row; its members follow. */
void rows_next(struct rows *rows);
void rows_int(struct rows *rows, const char *key, int64_t value);
void rows_string(struct rows *rows, const char *key, const char *value);
void rows_id(struct rows *rows, const char *key, const struct id *id); /* for UNHEX() */
void rows_bytes(struct rows *rows, const char *key, const uint8_t *bytes, size_t size);

/* Closes the array, once: rows->text is then the parameter. No row may follow. */
void rows_end(struct rows *rows);

#endif
