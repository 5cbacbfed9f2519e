/* The inbox: which jobs are done already. A job takes effect once, however often it comes: its
 * outcome is stored in the transaction of its effect, and a repeat finds it. */
#ifndef BOXOFFICE_INBOX_H
#define BOXOFFICE_INBOX_H

#include "batch.h"

/* Starts over: every distinct id of the batch gets its struct known, nothing is known yet. */
void inbox_open(struct batch *batch);

/* A store found the outcome of an id in the database. outcome is copied. */
void inbox_put_stored(struct batch *batch, const struct id *id,
		      const uint8_t fingerprint[static FINGERPRINT_SIZE], int attempt,
		      const struct outcome *outcome);

/* True when some entry needs the rules: its id is not settled, or its attempt is higher than that
 * of a stored refusal. */
bool inbox_has_work(const struct batch *batch);

/* Settles an entry without the rules if what is known of its id allows: a repeat shares the
 * outcome, other content under the same id is KEY_REUSED. False: the rules must decide. */
bool inbox_settle(struct batch *batch, struct batch_entry *entry);

/* Notes what the rules decided, for the repeats that follow in this batch. */
void inbox_note(struct batch *batch, size_t entry);

/* After the commit: repeats get a copy of the outcome they share. */
void inbox_share(struct batch *batch);

/* True for an entry whose outcome must be stored: decided here, the last word on its id. */
bool inbox_must_store(const struct batch *batch, size_t entry);

#endif
