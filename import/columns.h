/* Which column of a sheet is what, by the names in its header (columns.def). */
#ifndef BOXOFFICE_IMPORT_COLUMNS_H
#define BOXOFFICE_IMPORT_COLUMNS_H

#include <stdbool.h>
#include <stdio.h>

#include "sheet.h"

#define COLUMNS_WHY_SIZE 200

enum column {
#define COLUMN(symbol, name, is_needed, ...) COLUMN_##symbol,
#include "columns.def"
#undef COLUMN
	COLUMN_COUNT
};

struct columns {
	size_t count;            /* fields that every row must have */
	int place[COLUMN_COUNT]; /* index of the field; -1: the sheet has no such column */
};

/* The name that messages call it by: "userId". */
const char *column_name(enum column column);

/* Reads a header. ERR_BAD_FIELD with the reason in why: a column is missing or there twice, or the
 * line is no header. Columns of other names are let pass: columns_is_known(). */
MUST_CHECK enum err columns_read(struct columns *columns, const struct sheet_row *header,
				 char why[static COLUMNS_WHY_SIZE]);

bool columns_has(const struct columns *columns, enum column column);

/* What stands in this field; COLUMN_COUNT for something of no interest. */
enum column columns_at(const struct columns *columns, size_t field);

/* The field of a row, which has it. */
const struct sheet_field *columns_field(const struct columns *columns, const struct sheet_row *row,
					enum column column);

/* Prints the names and their spellings, for --help. */
void columns_print_help(FILE *out);

#endif
