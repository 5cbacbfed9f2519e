#include "tally.h"

#include "outbox.h"

/* What is older than this was not sent by our clock, whatever its header says. */
#define SENT_MOST_MS INT64_C(604800000)

void tally_holds(const struct batch *batch, enum metrics_layer layer)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (entry->starts_hold)
			metrics_count(METRIC_HOLDS_BEGUN, 0, 0);
		if (entry->ends_hold)
			metrics_count(METRIC_HOLDS_RELEASED,
				      entry->job.kind == JOB_EXPIRE ? layer : LAYER_READ, 0);
		if (entry->settles_hold)
			metrics_count(entry->job.kind == JOB_PAY ? METRIC_HOLDS_PAID
								 : METRIC_HOLDS_CANCELLED,
				      0, 0);
	}
}

void tally_intake(const struct intake *intake, int64_t now_ms)
{
	metrics_add(METRIC_MESSAGES, 0, 0, (int64_t)intake->delivery_count);
	metrics_observe(METRIC_BATCH_JOBS, 0, (int64_t)intake->batch.count);
	for (size_t i = 0; i < intake->delivery_count; i++) {
		const struct broker_delivery *delivery = &intake->deliveries[i];
		if (delivery->redelivered)
			metrics_count(METRIC_REDELIVERED, 0, 0);
		if (delivery->sent_ms > now_ms - SENT_MOST_MS &&
		    delivery->sent_ms < now_ms + SENT_MOST_MS)
			metrics_observe(METRIC_QUEUE_TIME, 0, (now_ms - delivery->sent_ms) * 1000);
	}
}

void tally_outcomes(const struct intake *intake)
{
	for (size_t i = 0; i < intake->item_count; i++) {
		const struct intake_item *item = &intake->items[i];
		enum err dead = outbox_dead_letter_code(intake, item);
		if (dead)
			metrics_count(METRIC_DEAD_LETTERS, dead, 0);
		if (item->entry == BATCH_NONE)
			continue;
		const struct batch_entry *entry = &intake->batch.entries[item->entry];
		const struct outcome *outcome = &entry->outcome;
		metrics_count(METRIC_JOBS, entry->job.kind, item->err ? item->err : outcome->err);
		if (!item->err && outcome->replayed)
			metrics_count(METRIC_REPEATS, entry->job.kind, 0);
	}
}
