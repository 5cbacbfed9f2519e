/* The account worker: registers users and charges balances, from `account` and `charge.import`. Any
 * number may run beside each other; imports yield to interactive charges. Its chore is to prune old
 * outcomes, a small step at a time. */
#include <stdlib.h>

#include "account_rules.h"
#include "account_store.h"
#include "log.h"
#include "worker.h"

/* A batch of imports is short, and shorter while there are interactive charges: each of these waits
 * for one of those. */
#define IMPORT_BATCH_JOBS 1000
#define IMPORT_YIELDING_JOBS 200

#define PRUNE_MS 1000

struct pruner {
	struct db_store *store;
	const struct conf *conf;
};

static void prune(void *arg)
{
	const struct pruner *pruner = arg;
	uint64_t pruned = 0;
	enum err err = db_store_prune(pruner->store, pruner->conf->job_days, &pruned);
	if (!err && pruned)
		log_info("pruned", LOG_I("jobs", pruned));
}

int main(void)
{
	struct worker worker;
	if (worker_open(&worker, "account-worker", IN_ACCOUNT))
		return EXIT_FAILURE;
	struct account_store store;
	account_store_init(&store, worker.db, worker.conf.known_user_s);
	worker.store = account_store_interface(&store);
	worker.rules = account_rules(&store.world);
	struct pruner pruner = {.store = &store.base, .conf = &worker.conf};
	worker.chore = prune;
	worker.chore_arg = &pruner;
	worker.chore_interval_ms = PRUNE_MS;
	unsigned interactive = consumer_add_lane(&worker.consumer, QUEUE_ACCOUNT,
						 worker.conf.prefetch, worker.conf.batch_jobs);
	unsigned import = consumer_add_lane(&worker.consumer, QUEUE_IMPORT,
					    worker.conf.import_prefetch, IMPORT_BATCH_JOBS);
	consumer_yield(&worker.consumer, import, IMPORT_YIELDING_JOBS);
	consumer_add_queue(&worker.consumer, "account", interactive, 0);
	consumer_add_queue(&worker.consumer, "charge.import", import, 0);
	int status = worker_run(&worker);
	account_store_fini(&store);
	worker_close(&worker);
	return status;
}
