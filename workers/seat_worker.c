/* The seat worker: reserve, pay, cancel and expire, one active worker for each partition. Worker i
 * of n takes the partitions k = i mod n at once and stands by for the others. Its chore is the
 * sweeper: holds whose expiry message was lost. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "seat_rules.h"
#include "seat_store.h"
#include "tally.h"
#include "worker.h"

#define COUNT_MS 5000 /* between counts of all holds */

struct sweeper {
	struct worker *worker;
	struct seat_store *store;
	struct batch batch;
	int64_t next_count_ms;
};

/* After the sweep: what is overdue then is what the sweeper did not get. */
static void count_holds(struct sweeper *sweeper)
{
	struct hold_numbers numbers = {0};
	if (clock_ms() < sweeper->next_count_ms)
		return;
	sweeper->next_count_ms = clock_ms() + COUNT_MS;
	if (seat_store_count_holds(sweeper->store, &numbers))
		return;
	metrics_set(METRIC_HOLDS_LIVE, 0, numbers.live);
	metrics_set(METRIC_HOLDS_OVERDUE, 0, numbers.overdue);
	metrics_set(METRIC_HOLD_OVERDUE_TIME, 0, numbers.overdue_us);
}

/* What is overdue is ended by the same rule as by a message. A conflict, a lost database: the next
 * sweep finds it again. */
static void sweep(void *arg)
{
	struct sweeper *sweeper = arg;
	batch_clear(&sweeper->batch);
	enum err err = seat_store_find_overdue(sweeper->store, &sweeper->batch);
	if (!err && sweeper->batch.count)
		err = batch_apply(&sweeper->batch, &sweeper->worker->store,
				  &sweeper->worker->rules);
	if (!err && sweeper->batch.count) {
		tally_holds(&sweeper->batch, LAYER_SWEEPER);
		log_info("swept", LOG_I("holds", sweeper->batch.count));
	}
	count_holds(sweeper);
}

static void add_partitions(struct worker *worker)
{
	const struct conf *conf = &worker->conf;
	unsigned lane =
		consumer_add_lane(&worker->consumer, QUEUE_SEAT, conf->prefetch, conf->batch_jobs);
	for (int64_t k = 0; k < conf->partitions; k++) {
		char name[32];
		snprintf(name, sizeof name, "seat.%" PRId64, k);
		bool is_mine = k % conf->worker_count == conf->worker_index;
		consumer_add_queue(&worker->consumer, name, lane,
				   is_mine ? 0 : conf->takeover_ms + 1);
	}
}

int main(void)
{
	struct worker worker;
	if (worker_open(&worker, "seat-worker", IN_SEAT))
		return EXIT_FAILURE;
	struct seat_store store;
	seat_store_init(&store, worker.db, &worker.conf);
	struct sweeper sweeper = {.worker = &worker, .store = &store};
	batch_init(&sweeper.batch);
	worker.store = seat_store_interface(&store);
	worker.rules = seat_rules(&store.world);
	worker.chore = sweep;
	worker.chore_arg = &sweeper;
	worker.chore_interval_ms = worker.conf.sweep_ms;
	add_partitions(&worker);
	int status = worker_run(&worker);
	batch_fini(&sweeper.batch);
	seat_store_fini(&store);
	worker_close(&worker);
	return status;
}
