/* The crowd: so many client threads, each with a session of its own, that apply the operations. */
#ifndef BOXOFFICE_BENCH_CROWD_H
#define BOXOFFICE_BENCH_CROWD_H

#include "order.h"
#include "transaction.h"

/* A way to have a balance to oneself. shared belongs to all threads, hand to one. */
struct lock_way {
	void *shared;
	/* NULL: a thread needs nothing of its own. */
	enum err (*join)(void *shared, void **hand);
	void (*leave)(void *hand);
	/* Waits until it has the balance (1 and up). */
	enum err (*take)(void *shared, void *hand, int64_t balance);
	void (*give)(void *shared, void *hand, int64_t balance);
};

/* lock may be NULL: the database does it. pause_us: what the first conflict is followed by, doubled
 * up to 64 times that, at random between nothing and this; 0: none. */
MUST_CHECK enum err crowd_run(const struct order *order, const struct lock_way *lock,
			      enum transaction_way way, int64_t pause_us,
			      struct arm_result *result);

/* A random number from 0 to most, of a generator that this thread keeps. */
int64_t crowd_random(int64_t most);

/* Pauses this thread. */
void crowd_pause_us(int64_t span_us);

#endif
