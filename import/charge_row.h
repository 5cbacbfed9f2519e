/* A row of a charge file, checked and made a job. */
#ifndef BOXOFFICE_IMPORT_CHARGE_ROW_H
#define BOXOFFICE_IMPORT_CHARGE_ROW_H

#include "charge_id.h"
#include "columns.h"
#include "job.h"
#include "sheet.h"

/* What holds for all rows of a file. */
struct charge_file {
	struct columns columns;
	struct charge_source source;
	int attempt;
};

/* The number that people and, without a reference, the id know the row by: that of its column "row"
 * (which a rejects file has), else its place in the file. ERR_BAD_FIELD: why says what is wrong
 * with the line; number is set all the same, to 0 when there is such a column and it cannot be
 * read. */
MUST_CHECK enum err charge_row_number(const struct charge_file *file, const struct sheet_row *row,
				      int64_t *number, char why[static JOB_WHY_SIZE]);

/* Makes the job of a row. ERR_BAD_FIELD with the column and what is wrong with it in why. */
MUST_CHECK enum err charge_row_read(const struct charge_file *file, const struct sheet_row *row,
				    int64_t number, struct job *job, char why[static JOB_WHY_SIZE]);

#endif
