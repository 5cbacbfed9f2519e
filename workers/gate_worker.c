/* The gate worker: gives out tickets in the order of arrival (one active consumer), and ticks:
 * expires the admitted whose time is over and admits the first of the line. Every gate worker
 * ticks, consumer or not: one on standby never learns that it took over. The lock on gate_state
 * keeps two from ticking at once. */
#include <stdlib.h>

#include "gate_rules.h"
#include "gate_store.h"
#include "log.h"
#include "worker.h"

struct ticker {
	struct gate_store *store;
	const struct conf *conf;
	bool has_policy;
};

/* Fills the tick and decides; ERR_DB_CONFLICT when another gate worker is at it. */
static enum err tick_once(struct ticker *ticker, const struct store *ticking)
{
	struct gate_tick *tick = &ticker->store->tick;
	int64_t now_us = 0;
	enum err err = gate_store_lock_tick(ticker->store);
	if (!err)
		err = ticking->clock(ticking->self, &now_us);
	if (err)
		return err;
	/* Another worker has just ticked: nothing to do until the interval is over. Unless the
	 * database's clock went back, as after a change of its host. */
	int64_t since_us = now_us - tick->state.ticked_us;
	if (since_us >= 0 && since_us < ticker->conf->gate_tick_ms * INT64_C(1000) / 2)
		return ERR_TIMEOUT;
	err = ticking->load(ticking->self, NULL);
	if (err)
		return err;
	gate_tick_decide(tick, now_us);
	return ticking->write(ticking->self, NULL);
}

static void tick(void *arg)
{
	struct ticker *ticker = arg;
	if (!ticker->has_policy)
		ticker->has_policy =
			gate_store_ensure_policy(ticker->store, ticker->conf) == ERR_OK;
	struct store ticking = gate_store_tick_interface(ticker->store);
	enum err err = ticking.begin(ticking.self);
	if (err)
		return;
	err = tick_once(ticker, &ticking);
	if (!err)
		err = ticking.commit(ticking.self);
	if (err) {
		ticking.rollback(ticking.self);
		return;
	}
	const struct gate_tick *done = &ticker->store->tick;
	if (done->admitted_count || done->expired_count)
		log_info("tick", LOG_I("admitted", done->admitted_count),
			 LOG_I("expired", done->expired_count), LOG_I("active", done->active),
			 LOG_I("waiting", done->state.waiting));
}

int main(void)
{
	struct worker worker;
	if (worker_open(&worker, "gate-worker"))
		return EXIT_FAILURE;
	struct gate_store store;
	gate_store_init(&store, worker.db);
	struct ticker ticker = {.store = &store, .conf = &worker.conf};
	worker.store = gate_store_interface(&store);
	worker.rules = gate_rules(&store.world);
	worker.chore = tick;
	worker.chore_arg = &ticker;
	worker.chore_interval_ms = worker.conf.gate_tick_ms;
	unsigned lane = consumer_add_lane(&worker.consumer, QUEUE_GATE, worker.conf.prefetch,
					  worker.conf.batch_jobs);
	consumer_add_queue(&worker.consumer, "gate", lane, 0);
	int status = worker_run(&worker);
	gate_store_fini(&store);
	worker_close(&worker);
	return status;
}
