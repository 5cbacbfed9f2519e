#include "shift.h"

#include <stdio.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "stop.h"
#include "tally.h"

/* Hits on a unique key in a row after which it is not a race but the job itself. */
#define MAX_DUPLICATES 5
#define PUMP_MS 100

void shift_wait(struct worker *worker, int64_t span_ms)
{
	int64_t end_ms = clock_ms() + span_ms;
	for (int64_t left = span_ms; left > 0 && !stop_is_wanted(); left = end_ms - clock_ms()) {
		int slice_ms = left < PUMP_MS ? (int)left : PUMP_MS;
		outbox_keep_alive(&worker->outbox);
		if (consumer_pump(&worker->consumer, slice_ms) != ERR_BROKER_GONE)
			continue;
		struct timespec pause = {.tv_nsec = slice_ms * 1000000L};
		nanosleep(&pause, NULL);
	}
}

static void note_failure(struct worker *worker, const struct batch *batch, enum err err,
			 unsigned attempt)
{
	metrics_count(METRIC_RETRIES, err, 0);
	if (err == ERR_DB_DUPLICATE)
		return; /* decide again at once: the answer is there by now */
	int backoff_ms = broker_backoff_ms(err == ERR_DB_CONFLICT && attempt < 4 ? 0 : attempt);
	if (err == ERR_DB_CONFLICT && attempt < 4)
		backoff_ms /= 10;
	else
		log_warn("batch-waits", LOG_ERR(err), LOG_I("jobs", batch->count),
			 LOG_I("attempt", attempt + 1), LOG_I("backoff_ms", backoff_ms));
	shift_wait(worker, backoff_ms);
}

static enum err apply_once(struct worker *worker, struct batch *batch)
{
	int64_t began_us = clock_us();
	enum err err = batch_apply(batch, &worker->store, &worker->rules);
	if (!err || err == ERR_DB_GONE)
		metrics_set(METRIC_CONNECTED, SIDE_DATABASE, !err);
	if (err)
		return err;
	metrics_observe(METRIC_DATABASE_TIME, 0, clock_us() - began_us);
	tally_holds(batch, LAYER_MESSAGE);
	return ERR_OK;
}

/* Runs a batch until it is committed. ERR_DB_DATA: the database will never have it, by some job in
 * it. ERR_TIMEOUT: TERM came while waiting. */
static enum err apply(struct worker *worker, struct batch *batch)
{
	unsigned duplicates = 0;
	for (unsigned attempt = 0; !stop_is_wanted() || attempt == 0; attempt++) {
		enum err err = apply_once(worker, batch);
		if (!err || err == ERR_DB_DATA)
			return err;
		if (err == ERR_DB_GONE)
			batch->was_lost = true;
		if (err == ERR_DB_DUPLICATE) {
			batch->look_deep = true;
			if (++duplicates > MAX_DUPLICATES)
				return ERR_DB_DATA;
		}
		note_failure(worker, batch, err, attempt);
	}
	return ERR_TIMEOUT;
}

/* A batch that the database refuses is run job by job: the one at fault goes to the dead letters,
 * the others are applied. */
static enum err isolate(struct worker *worker)
{
	struct intake *intake = &worker->intake;
	log_warn("batch-isolated", LOG_I("jobs", intake->batch.count));
	for (size_t i = 0; i < intake->item_count; i++) {
		struct intake_item *item = &intake->items[i];
		if (item->entry == BATCH_NONE)
			continue;
		struct batch_entry *entry = &intake->batch.entries[item->entry];
		batch_clear(&worker->single);
		batch_add(&worker->single, &entry->job);
		enum err err = apply(worker, &worker->single);
		if (err == ERR_TIMEOUT)
			return err;
		if (err) {
			item->err = err;
			snprintf(item->why, sizeof item->why, "%s", err_message(err));
			continue;
		}
		entry->outcome = worker->single.entries[0].outcome;
		entry->starts_hold = worker->single.entries[0].starts_hold;
		intake->batch.now_us = worker->single.now_us;
		intake->batch.was_lost |= worker->single.was_lost;
	}
	return ERR_OK;
}

/* Tells those who wait, then sees to what must be confirmed before the acknowledgement; all of it
 * again on a new connection, since replies may have died with the old one. A crash on the way costs
 * a repeat, which finds the stored outcome and publishes again. */
static enum err deliver(struct worker *worker, int64_t taken_us)
{
	bool is_told = false;
	for (unsigned attempt = 0; !stop_is_wanted() || attempt == 0; attempt++) {
		enum err err = outbox_ensure_open(&worker->outbox);
		if (!err)
			err = outbox_send_replies(&worker->outbox, &worker->intake);
		if (!err && !is_told)
			metrics_observe(METRIC_ANSWER_TIME, 0, clock_us() - taken_us);
		is_told = is_told || !err;
		if (!err)
			err = outbox_send_due(&worker->outbox, &worker->intake);
		if (!err)
			err = outbox_settle(&worker->outbox, PUMP_MS);
		while (err == ERR_TIMEOUT && !stop_is_wanted()) {
			consumer_keep_alive(&worker->consumer);
			err = outbox_settle(&worker->outbox, PUMP_MS);
		}
		if (!err)
			return ERR_OK;
		outbox_close(&worker->outbox);
		int backoff_ms = broker_backoff_ms(attempt);
		log_warn("publish-waits", LOG_ERR(err), LOG_I("backoff_ms", backoff_ms));
		shift_wait(worker, backoff_ms);
	}
	return ERR_TIMEOUT;
}

static size_t count_refused(const struct intake *intake)
{
	size_t refused = 0;
	for (size_t i = 0; i < intake->item_count; i++) {
		const struct intake_item *item = &intake->items[i];
		if (item->err || intake->batch.entries[item->entry].outcome.err)
			refused++;
	}
	return refused;
}

static void log_shift(const struct intake *intake, int64_t began_us, int64_t applied_us)
{
	log_info("batch", LOG_S("queue", intake->deliveries[0].consumer),
		 LOG_I("messages", intake->delivery_count), LOG_I("jobs", intake->item_count),
		 LOG_I("refused", count_refused(intake)), LOG_US("apply_ms", applied_us - began_us),
		 LOG_US("total_ms", clock_us() - began_us),
		 LOG_S("request",
		       intake->batch.count ? intake->batch.entries[0].job.request_id : ""));
}

void shift_run(struct worker *worker, unsigned lane)
{
	struct intake *intake = &worker->intake;
	intake_clear(intake);
	consumer_fill(&worker->consumer, lane, intake);
	if (!intake->delivery_count)
		return;
	unsigned generation = worker->consumer.generation;
	int64_t began_us = clock_us();
	tally_intake(intake, clock_wall_ms());
	enum err err = intake->batch.count ? apply(worker, &intake->batch) : ERR_OK;
	if (err == ERR_DB_DATA)
		err = isolate(worker);
	if (err)
		return; /* TERM: unacknowledged, it comes again */
	int64_t applied_us = clock_us();
	fault_point("after-commit");
	err = deliver(worker, began_us);
	tally_outcomes(intake);
	fault_point("after-reply");
	if (!err && worker->consumer.broker && generation == worker->consumer.generation)
		err = consumer_ack(&worker->consumer, lane, intake);
	if (err)
		log_warn("not-acknowledged", LOG_ERR(err), LOG_I("jobs", intake->item_count));
	log_shift(intake, began_us, applied_us);
}
