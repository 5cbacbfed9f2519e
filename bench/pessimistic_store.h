/* A charge as one SELECT … FOR UPDATE transaction, on one connection: the strategy that the queue
 * is compared with. Leaves the rows that a worker leaves, with the same durability. */
#ifndef BOXOFFICE_BENCH_PESSIMISTIC_STORE_H
#define BOXOFFICE_BENCH_PESSIMISTIC_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "id.h"

#define CHARGE_DATA_SIZE 64

struct charge {
	struct id job;
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct id user;
	int64_t amount;
};

struct charge_answer {
	char data[CHARGE_DATA_SIZE]; /* JSON: {"balance":…} */
	bool replayed;
};

struct pessimistic_store; /* opaque; belongs to one thread at a time */

/* Connects with the account in conf and prepares the statements. ERR_DB_GONE (logged).
 * Returns owned: pessimistic_store_free(). */
MUST_CHECK enum err pessimistic_store_new(struct pessimistic_store **store,
					  const struct conf *conf);
void pessimistic_store_free(struct pessimistic_store *store);

/* Applies a charge once. A repeat gets the first answer; ERR_KEY_REUSED for another content,
 * ERR_UNKNOWN_USER, ERR_BALANCE_LIMIT, ERR_DB_GONE (logged). */
MUST_CHECK enum err pessimistic_store_charge(struct pessimistic_store *store,
					     const struct charge *charge,
					     struct charge_answer *answer);

#endif
