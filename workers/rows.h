/* Rows for JSON_TABLE: a JSON array of flat objects, or of packed strings, the one parameter of
 * every statement.
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
	bool is_packed;
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

/* Packed rows, for the statements that matter most: one string each, of pieces that stand at fixed
 * places, which the statement takes apart with SUBSTR (sql.h). The server finds each column of an
 * object from its start: an insert of 1,000 jobs took it twice as long. */
#define ROWS_INT_WIDTH 20

void rows_pack(struct rows *rows); /* begins a row; its pieces follow, in order */
void rows_pack_bytes(struct rows *rows, const uint8_t *bytes, size_t size); /* 2 * size digits */
void rows_pack_int(struct rows *rows, int64_t value);                       /* ROWS_INT_WIDTH */
void rows_pack_name(struct rows *rows, const char *name, size_t width);     /* blanks behind it */
void rows_pack_text(struct rows *rows, const char *text); /* of any length: at the end */

/* Closes the array, once: rows->text is then the parameter. No row may follow. */
void rows_end(struct rows *rows);

#endif
