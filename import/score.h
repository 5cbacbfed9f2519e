/* The score: what became of the rows of a file, counted. Pure. */
#ifndef BOXOFFICE_IMPORT_SCORE_H
#define BOXOFFICE_IMPORT_SCORE_H

#include <stdint.h>

#include "err.h"
#include "parcel.h"
#include "text.h"

struct score { /* zero-initialise */
	int64_t rows;
	int64_t applied, repeated, rejected;
	int64_t amount_applied, amount_repeated, amount_rejected; /* of rows that have an amount */
	int64_t codes[ERR_COUNT];                                 /* rejected rows by error */
};

void score_add(struct score *score, const struct parcel_row *row);

/* Appends a number with commas: 1,234,567. */
void score_put_number(struct text *out, int64_t number);

#endif
