/* The clients of a queue: threads that publish the operations, beside the one that consumes them.
 */
#ifndef BOXOFFICE_BENCH_PUBLISHERS_H
#define BOXOFFICE_BENCH_PUBLISHERS_H

#include <stdatomic.h>

#include "order.h"

struct publishers; /* opaque */

/* The numbers of operations, given to whoever asks. */
struct numbers {
	const struct order *order;
	atomic_int_least64_t next;
	atomic_int_least64_t first_us; /* clock_us() of the first; 0: none yet */
	atomic_bool has_failed;        /* one of the publishers: the consumer waits in vain */
};

/* The next operation; false: that was all. */
bool numbers_take(struct numbers *numbers, struct operation *operation);

/* Publishes until numbers_take() gives no more and all is confirmed. */
typedef enum err publisher_fn(void *arg, struct numbers *numbers);

/* Starts a thread for each client. publish and arg are borrowed. Returns owned:
 * publishers_join(). */
struct publishers *publishers_start(const struct order *order, publisher_fn *publish, void *arg);
struct numbers *publishers_numbers(struct publishers *publishers);

/* Waits for their end and lets go of them; the first error. */
MUST_CHECK enum err publishers_join(struct publishers *publishers);

#endif
