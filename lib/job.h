/* A job: one change that somebody wants, as it travels on a queue. PROTOCOL.md, "Jobs". */
#ifndef BOXOFFICE_JOB_H
#define BOXOFFICE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "id.h"
#include "text.h"

#define JOB_ENVELOPE_VERSION 1
#define JOB_TYPE "boxoffice.jobs"
#define JOB_MAX_PER_MESSAGE 1000
#define JOB_MAX_MESSAGE_BYTES (256 * 1024)
#define JOB_MAX_AMOUNT INT64_C(100000000)
#define JOB_MAX_BALANCE INT64_C(9007199254740991)
#define JOB_MAX_ID INT64_C(9007199254740991)
#define JOB_NAME_CHARS 100 /* characters of a user's name, UTF-8 */
#define JOB_MEMO_CHARS 200
#define JOB_REQUEST_ID_SIZE 65
#define JOB_WHY_SIZE 160

enum queue_set {
	QUEUE_SEAT = 1,
	QUEUE_GATE = 2,
	QUEUE_ACCOUNT = 4,
	QUEUE_IMPORT = 8,
};

enum field_set {
	FIELD_USER = 1,      /* userId: UUID */
	FIELD_NAME = 2,      /* name: 1 to 100 characters, no control characters */
	FIELD_AMOUNT = 4,    /* amount: 1 to 100,000,000 KRW */
	FIELD_MEMO = 8,      /* memo: up to 200 characters, no control characters */
	FIELD_RESUME = 16,   /* resume: boolean */
	FIELD_TICKET = 32,   /* ticket: ticket number, 1 and up */
	FIELD_SEAT = 64,     /* seatId: 1 and up */
	FIELD_HOLD = 128,    /* hold: UUID of the reserve job that made the hold */
	FIELD_PAYMENT = 256, /* payment: its id, 1 and up */
	FIELD_CHARGE = 512,  /* charge: UUID of the charge job that is taken back */
};

enum job_kind {
#define KIND(symbol, name, queue, sender, stores, fields, optional, identity) JOB_##symbol,
#include "kinds.def"
#undef KIND
	JOB_KIND_COUNT
};

struct job {
	struct id id;
	enum job_kind kind;
	int attempt; /* 1 and up; a stored refusal with a lower attempt is decided afresh */
	bool resume;
	struct id user;
	struct id hold;
	struct id charge;
	int64_t payment;
	int64_t ticket;
	int64_t seat;
	int64_t amount;
	char name[JOB_NAME_CHARS * 4 + 1];
	char memo[JOB_MEMO_CHARS * 4 + 1];
	char request_id[JOB_REQUEST_ID_SIZE]; /* for the log alone */
};

/* One entry of a message: a job, or why it is none. */
struct job_entry {
	enum err err;   /* OK: job is whole */
	struct job job; /* id is set when it could be read (has_id) */
	bool has_id;
	char why[JOB_WHY_SIZE]; /* names the field and what is wrong */
	const char *raw;        /* its own text inside the message body, which it borrows */
	size_t raw_length;
};

const char *job_kind_name(enum job_kind kind);
bool job_kind_stores(enum job_kind kind);

/* True when the operator's account alone may send it. */
bool job_kind_is_operators(enum job_kind kind);

/* The queues that take this kind (bits of enum queue_set). */
unsigned job_kind_queues(enum job_kind kind);

/* The fields that this kind must, and may besides, carry (bits of enum field_set). */
unsigned job_kind_fields(enum job_kind kind);
unsigned job_kind_optional(enum job_kind kind);

/* The member's name of one field: "userId". */
const char *job_field_name(enum field_set field);

/* Reads a message body: {"v":1,"jobs":[…]} or one bare job. On OK entries is an array of count
 * (owned by the caller: free()), one for each job in order; a bad job has its own error and harms
 * no other. Other errors (BAD_MESSAGE, BAD_VERSION, MESSAGE_TOO_LARGE) mean that the whole is no
 * envelope; why then says what is wrong. queue: the set the message came through; a kind that it
 * does not take is BAD_KIND. */
MUST_CHECK enum err job_decode(const char *body, size_t length, unsigned queue,
			       struct job_entry **entries, size_t *count,
			       char why[static JOB_WHY_SIZE]);

/* Appends one job as a JSON object. */
void job_encode(struct text *out, const struct job *job);

/* Appends the envelope around count jobs. */
void job_encode_envelope(struct text *out, const struct job *const *jobs, size_t count);

/* SHA-256 over the kind and its identity fields, each with its length. */
void job_fingerprint(const struct job *job, uint8_t digest[static FINGERPRINT_SIZE]);

/* The first 48 bits of a fingerprint, 0 and up: short enough for a handle, and enough to tell two
 * contents under one key apart. */
int64_t job_content(const uint8_t fingerprint[static FINGERPRINT_SIZE]);

/* Prints the table of kinds as Markdown (for PROTOCOL.md and its test). */
void job_print_kinds(struct text *out);

#endif
