/* A batch: the jobs of one transaction, and how it is run.
 *
 * Rules, batch and inbox reach the database only through struct store, so that tests can put
 * another one in its place. */
#ifndef BOXOFFICE_BATCH_H
#define BOXOFFICE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "job.h"
#include "reply.h"

#define BATCH_NONE SIZE_MAX

/* What the inbox knows of one id: the outcome that a repeat gets. */
struct known {
	struct id id;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	int attempt;
	bool is_settled;        /* there is an outcome: a repeat gets it */
	bool is_stored;         /* the database has a row: a new attempt replaces it */
	size_t entry;           /* the entry of this batch that was decided; BATCH_NONE: none */
	struct outcome *stored; /* the outcome from the database, owned; NULL: none */
};

struct batch_entry {
	struct job job;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	size_t known;                 /* index of what is known of its id */
	bool is_decided;              /* by the rules, in this batch */
	const struct outcome *source; /* a repeat: the outcome it shares; NULL: its own */
	bool starts_hold;       /* set by decide(): a hold began, and its expiry is to be sent; */
	bool ends_hold;         /* one that was over ended; */
	bool settles_hold;      /* one in time was paid for or cancelled */
	size_t subject;         /* index in the world of what was decided about, for describe() */
	struct outcome outcome; /* valid once batch_apply() returned OK */
};

struct batch {
	struct batch_entry *entries;
	size_t count;
	size_t capacity;
	struct known *known;
	size_t known_count;
	uint32_t *slots; /* hash of ids: index of known + 1 */
	size_t slot_count;
	int64_t now_us; /* the database's clock, read after the locks were taken */
	bool look_deep; /* a key was hit twice: look also where pruned jobs left their trace */
	bool was_lost;  /* the answer of its commit, perhaps: what is stored may be its own */
};

/* Where outcomes and state live. Each call but rollback returns an error of db.h; load locks what
 * the batch's jobs need (gate state, seats, tickets, cash, each in ascending id). */
typedef enum err store_load_fn(void *self, const struct batch *batch);
typedef enum err store_write_fn(void *self, const struct batch *batch);

struct store {
	void *self;
	enum err (*begin)(void *self);
	enum err (*commit)(void *self);
	void (*rollback)(void *self);
	enum err (*clock)(void *self, int64_t *now_us);
	enum err (*find_outcomes)(void *self, struct batch *batch); /* calls inbox_put_stored() */
	enum err (*save_outcomes)(void *self, const struct batch *batch);
	store_load_fn *load;
	store_write_fn *write;
};

/* The pure part: decide sets an entry's outcome.err (and subject) from the world and the time;
 * describe writes outcome.data once the world is written and its new rows have ids. */
struct rules {
	void *world;
	void (*decide)(void *world, struct batch_entry *entry, int64_t now_us);
	void (*describe)(void *world, struct batch_entry *entry);
};

void batch_init(struct batch *batch);
void batch_fini(struct batch *batch);

/* Empties it, keeping the memory. */
void batch_clear(struct batch *batch);

/* Adds a copy of a job. */
void batch_add(struct batch *batch, const struct job *job);

/* Runs the batch in one transaction. On OK every entry has its outcome. On any other error the
 * transaction is rolled back and nothing happened; the same batch can be run again. */
MUST_CHECK enum err batch_apply(struct batch *batch, const struct store *store,
				const struct rules *rules);

#endif
