#include "worker.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "privilege.h"
#include "shift.h"
#include "stop.h"

#define IDLE_MS 1000
#define DB_SILENCE_S 30
#define PING_MS 3000 /* well under the session's wait_timeout */

enum err worker_open(struct worker *worker, const char *name, enum metrics_where where)
{
	*worker = (struct worker){0};
	enum err err = conf_load(&worker->conf);
	if (err)
		return err;
	err = log_open(worker->conf.name, worker->conf.log_level);
	if (!err)
		err = fault_open(worker->conf.fault);
	if (!err)
		err = privilege_drop();
	if (!err)
		err = db_new(&worker->db, &worker->conf, DB_SILENCE_S);
	if (err)
		return err;
	metrics_open(where, name, &worker->conf);
	err = metrics_http_new(&worker->metrics, &worker->conf);
	if (err)
		return err;
	stop_install();
	worker->consumer.conf = &worker->conf;
	outbox_init(&worker->outbox, &worker->conf);
	worker->intake.operator_account = worker->conf.operator_account;
	batch_init(&worker->single);
	log_notice("start", LOG_S("kind", name), LOG_I("index", worker->conf.worker_index),
		   LOG_I("count", worker->conf.worker_count));
	return ERR_OK;
}

void worker_close(struct worker *worker)
{
	metrics_http_free(worker->metrics);
	consumer_fini(&worker->consumer);
	outbox_fini(&worker->outbox);
	intake_fini(&worker->intake);
	batch_fini(&worker->single);
	db_free(worker->db);
}

static void do_chore(struct worker *worker)
{
	if (!worker->chore || clock_ms() < worker->next_chore_ms)
		return;
	worker->chore(worker->chore_arg);
	worker->next_chore_ms = clock_ms() + worker->chore_interval_ms;
}

static int idle_ms(const struct worker *worker)
{
	if (!worker->chore)
		return IDLE_MS;
	int64_t left = worker->next_chore_ms - clock_ms();
	return left < 0 ? 0 : left < IDLE_MS ? (int)left : IDLE_MS;
}

static void ping(struct worker *worker)
{
	if (clock_ms() - worker->last_ping_ms < PING_MS)
		return;
	worker->last_ping_ms = clock_ms();
	enum err err = db_ping(worker->db);
	metrics_set(METRIC_CONNECTED, SIDE_DATABASE, !err);
	if (err) {
		metrics_count(METRIC_PING_FAILURES, 0, 0);
		log_debug("ping-failed", LOG_S("mended", "by the next batch"));
	}
}

/* The topology is declared by the outbox before anything is consumed. */
static enum err ensure_connected(struct worker *worker)
{
	enum err err = outbox_ensure_open(&worker->outbox);
	if (!err)
		err = consumer_ensure_open(&worker->consumer);
	if (!err && !worker->was_ready && consumer_is_ready(&worker->consumer)) {
		worker->was_ready = true;
		metrics_set(METRIC_UP, 0, 1);
		log_notice("ready", LOG_I("queues", worker->consumer.queue_count));
	}
	if (!err) {
		worker->failures = 0;
		return ERR_OK;
	}
	int backoff_ms = broker_backoff_ms(worker->failures++);
	int most_ms = idle_ms(worker) + 1; /* the chore and the pings go on */
	if (backoff_ms > most_ms)
		backoff_ms = most_ms;
	log_warn("broker-away", LOG_ERR(err), LOG_I("backoff_ms", backoff_ms));
	shift_wait(worker, backoff_ms);
	return err;
}

static bool serve_lanes(struct worker *worker)
{
	for (unsigned lane = 0; lane < worker->consumer.lane_count; lane++) {
		if (!consumer_has_message(&worker->consumer, lane))
			continue;
		shift_run(worker, lane);
		return true; /* the first lane goes first again: it has precedence */
	}
	return false;
}

static void turn(struct worker *worker, int *timeout_ms)
{
	do_chore(worker);
	ping(worker);
	if (ensure_connected(worker))
		return;
	outbox_keep_alive(&worker->outbox);
	int wait_ms = idle_ms(worker);
	if (consumer_pump(&worker->consumer, *timeout_ms < wait_ms ? *timeout_ms : wait_ms) &&
	    !worker->consumer.broker) {
		/* The queue may be gone: declare the topology anew. */
		outbox_close(&worker->outbox);
		return;
	}
	*timeout_ms = serve_lanes(worker) ? 0 : IDLE_MS;
}

int worker_run(struct worker *worker)
{
	int timeout_ms = 0;
	while (!stop_is_wanted())
		turn(worker, &timeout_ms);
	log_notice("stop", LOG_S("kind", worker->conf.name));
	return EXIT_SUCCESS;
}
