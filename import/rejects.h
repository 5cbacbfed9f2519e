/* The rejects file: a CSV of the rows that were refused, with number, code and reason in front of
 * their own fields, so that it can be corrected and imported as it is.
 *
 * It is written beside its place, under a name of its own, and put there whole at the end: what
 * stands at path is always of one run. */
#ifndef BOXOFFICE_IMPORT_REJECTS_H
#define BOXOFFICE_IMPORT_REJECTS_H

#include <stdbool.h>
#include <stdio.h>

#include "charge_row.h"
#include "parcel.h"
#include "sheet.h"

struct rejects { /* zero-initialise, then rejects_init() */
	const char *path;
	const struct columns *columns;
	struct sheet *sheet; /* takes lines apart again */
	FILE *file;          /* NULL: nothing was rejected yet */
	struct text part;    /* the path that it is written to */
	struct text header;  /* its own line */
	struct text line;    /* scratch */
	bool has_failed;
};

/* True when there is nothing at path, or a rejects file: no other file may be lost. */
bool rejects_may_take(const char *path);

/* All is borrowed; header is the sheet's own. */
void rejects_init(struct rejects *rejects, const char *path, struct sheet *sheet,
		  const struct columns *columns, const struct sheet_row *header);
void rejects_fini(struct rejects *rejects);

/* Writes a refused row. A failure is told at the end. */
void rejects_add(struct rejects *rejects, const struct parcel *parcel,
		 const struct parcel_row *row);

/* Puts the file in its place. If nothing was rejected and removes is set, a rejects file of an
 * earlier run is removed. ERR_SYSTEM: it could not be written, or path is taken; errno says why. */
MUST_CHECK enum err rejects_end(struct rejects *rejects, bool removes);

#endif
