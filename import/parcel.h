/* A parcel: the rows of one message, from the file to their outcomes. Pure. */
#ifndef BOXOFFICE_IMPORT_PARCEL_H
#define BOXOFFICE_IMPORT_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "job.h"
#include "text.h"

struct parcel_row {
	int64_t number; /* as people know it; 0: it is not known */
	int64_t amount;
	struct id id;
	size_t raw, raw_length; /* its line, in the parcel's texts */
	size_t why;             /* in the same, when it has a reason of its own; 0: none */
	enum err err;           /* why it was refused */
	bool is_replayed;
};

enum parcel_state {
	PARCEL_FILLING,
	PARCEL_READY,     /* to be sent */
	PARCEL_SENT,      /* and neither confirmed nor answered */
	PARCEL_CONFIRMED, /* by the broker */
	PARCEL_ANSWERED,  /* by a worker, or there was nothing to send */
};

struct parcel { /* zero-initialise, then parcel_open() */
	enum parcel_state state;
	int64_t number;    /* from 1; its correlation id */
	uint64_t sequence; /* of its last publish */
	bool is_probe;     /* it was sent again to learn whether anybody answers */
	struct text body;  /* the message */
	struct text texts;
	struct parcel_row *rows;
	size_t row_count, row_capacity;
	uint16_t jobs[JOB_MAX_PER_MESSAGE]; /* the row of each job */
	size_t job_count;
	int64_t end; /* bytes of the file up to its last row */
};

void parcel_fini(struct parcel *parcel);

/* Empties it for the parcel of this number. */
void parcel_open(struct parcel *parcel, int64_t number);

/* Adds a row that was refused before it was sent. */
void parcel_add_refused(struct parcel *parcel, int64_t number, const char *raw, size_t length,
			enum err err, const char *why);

/* Adds a row and its job. */
void parcel_add(struct parcel *parcel, int64_t number, const char *raw, size_t length,
		const struct job *job);

/* True when it takes no more rows: of jobs most at most, or by its size. */
bool parcel_is_full(const struct parcel *parcel, size_t most);

/* Ends it: the body is whole. */
void parcel_close(struct parcel *parcel);

/* Takes a message of results. ERR_BAD_MESSAGE: it does not belong to this parcel, which is as it
 * was before. */
MUST_CHECK enum err parcel_take_results(struct parcel *parcel, const char *body, size_t length);

/* The reason of a refused row. */
const char *parcel_why(const struct parcel *parcel, const struct parcel_row *row);

#endif
