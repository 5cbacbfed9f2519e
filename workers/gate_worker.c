/* The gate worker: gives out tickets in the order of arrival (one active consumer), and ticks: ends
 * what is over and admits the first of the line. Every gate worker ticks, consumer or not: one on
 * standby never learns that it took over. The lock on gate_state keeps two from ticking at once. */
#include <stdlib.h>

#include "gate_draw.h"
#include "gate_metrics.h"
#include "gate_rules.h"
#include "gate_state.h"
#include "gate_store.h"
#include "gate_tick_store.h"
#include "log.h"
#include "worker.h"

struct ticker {
	struct gate_tick_store store;
	struct gate_metrics metrics;
	bool has_policy;
};

static void tick(void *arg)
{
	struct ticker *ticker = arg;
	struct gate_tick_store *store = &ticker->store;
	if (!ticker->has_policy)
		ticker->has_policy = gate_state_ensure_policy(&store->base, store->conf) == ERR_OK;
	enum err err = gate_tick_store_run(store);
	gate_metrics_note(&ticker->metrics, store, err);
	if (err)
		return;
	err = gate_draw_step(&store->base);
	if (err)
		log_warn("draw-step-failed", LOG_ERR(err));
	const struct gate_tick *done = &store->tick;
	if (done->admitted || done->expired || done->aside)
		log_info("tick", LOG_I("admitted", done->admitted), LOG_I("expired", done->expired),
			 LOG_I("aside", done->aside), LOG_I("active", done->active),
			 LOG_I("waiting", done->state.waiting));
}

/* A policy that the gate itself would refuse must not wait for the first tick to be found out. */
static bool settings_make_sense(const struct conf *conf)
{
	struct policy policy = policy_from_conf(conf);
	char why[POLICY_WHY_SIZE];
	enum err err = policy_check(&policy, conf, why);
	if (err)
		log_error("setting-refused", LOG_S("why", why));
	return err == ERR_OK;
}

int main(void)
{
	struct ticker ticker = {0};
	struct worker worker;
	if (worker_open(&worker, "gate-worker", IN_GATE))
		return EXIT_FAILURE;
	struct gate_store store;
	gate_store_init(&store, worker.db, &worker.conf);
	gate_tick_store_init(&ticker.store, worker.db, &worker.conf);
	worker.store = gate_store_interface(&store);
	worker.rules = gate_rules(&store.world);
	worker.chore = tick;
	worker.chore_arg = &ticker;
	worker.chore_interval_ms = worker.conf.gate_tick_ms;
	unsigned lane = consumer_add_lane(&worker.consumer, QUEUE_GATE, worker.conf.prefetch,
					  worker.conf.batch_jobs);
	consumer_add_queue(&worker.consumer, "gate", lane, 0);
	int status = EXIT_FAILURE;
	if (settings_make_sense(&worker.conf))
		status = worker_run(&worker);
	gate_tick_store_fini(&ticker.store);
	gate_store_fini(&store);
	worker_close(&worker);
	return status;
}
