/* A sheet: a CSV file or stream, read line by line in constant memory. Only sheet.c knows libcsv.
 *
 * A row is a line: a quoted field does not run over the end of its line, since no field that we
 * take holds one. So whatever is wrong with a line, the next one is judged by itself. */
#ifndef BOXOFFICE_IMPORT_SHEET_H
#define BOXOFFICE_IMPORT_SHEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "text.h"

#define SHEET_LINE_MAX 8192 /* bytes of a line, its end included */
#define SHEET_FIELDS_MAX 64

struct sheet; /* opaque */

struct sheet_field {
	const char *text; /* ended by '\0' */
	size_t length;
};

/* Good until the next call on its sheet. */
struct sheet_row {
	int64_t number;    /* of the row, from 1, blank lines not counted; 0: the header */
	int64_t line;      /* in the file, from 1 */
	int64_t end;       /* bytes of the file up to its end */
	const char *fault; /* why it cannot be taken apart; NULL: it can */
	const char *raw;   /* the line as it stands, without its end; cut when it is too long */
	size_t raw_length;
	size_t count;
	struct sheet_field fields[SHEET_FIELDS_MAX];
};

enum sheet_state {
	SHEET_ROW,   /* a row was read */
	SHEET_AGAIN, /* nothing is there yet: poll sheet_fd() */
	SHEET_END,
	SHEET_BROKEN, /* it cannot be read further: sheet_why() */
};

/* Opens a file, or "-" for standard input. ERR_SYSTEM: errno says why; ERR_MEMORY. Returns owned:
 * sheet_free(). */
MUST_CHECK enum err sheet_open(struct sheet **sheet, const char *path);
void sheet_free(struct sheet *sheet);

/* Reads the next row that is not blank. Never waits for a stream. */
enum sheet_state sheet_next(struct sheet *sheet, struct sheet_row *row);

const char *sheet_why(const struct sheet *sheet);

/* The descriptor to poll for input. */
int sheet_fd(const struct sheet *sheet);

/* Waits for input, up to timeout_ms. */
void sheet_await(const struct sheet *sheet, int timeout_ms);

/* Bytes of the file; 0 when it is a stream. */
int64_t sheet_size(const struct sheet *sheet);

/* Takes a line apart that a sheet gave before, as it did then. */
void sheet_split(struct sheet *sheet, const char *raw, size_t length, struct sheet_row *row);

/* Appends a field in quotes. */
void sheet_put_field(struct text *out, const char *field, size_t length);

#endif
