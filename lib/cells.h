/* Cells: the rows of an INSERT as the database's protocol takes them, numbers as they are and texts
 * by reference. Kept by column, which is how MariaDB takes many rows at once.
 *
 * The columns of a row are given in the order of the statement's parameters. */
#ifndef BOXOFFICE_CELLS_H
#define BOXOFFICE_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"

#define CELLS_COLUMNS_MAX 12

enum cells_kind { CELLS_NUMBER, CELLS_TEXT, CELLS_BYTES };

struct cells_column {
	enum cells_kind kind;
	int64_t *numbers;       /* of a column of numbers */
	const void **texts;     /* of a column of texts or bytes: borrowed */
	unsigned long *lengths; /* of those, in bytes */
	char *is_null;          /* 1: no value */
};

struct cells { /* zero-initialise */
	struct cells_column columns[CELLS_COLUMNS_MAX];
	size_t column_count; /* of each row: as many as the first one got */
	size_t count;        /* rows */
	size_t capacity;
	size_t at; /* the next column of the last row */
};

void cells_fini(struct cells *cells);
void cells_clear(struct cells *cells); /* keeps the memory */

/* Begins a row; its values follow, each column with values of one kind alone. Texts and bytes are
 * borrowed until the rows are cleared. */
void cells_next(struct cells *cells);
void cells_int(struct cells *cells, int64_t value);
void cells_int_or_null(struct cells *cells, int64_t value); /* 0 is NULL */
void cells_string(struct cells *cells, const char *value);
void cells_bytes(struct cells *cells, const void *bytes, size_t size);
void cells_id(struct cells *cells, const struct id *id);

#endif
