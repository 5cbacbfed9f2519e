#include "intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "mem.h"

void intake_fini(struct intake *intake)
{
	intake_clear(intake);
	batch_fini(&intake->batch);
	free(intake->deliveries);
	free(intake->items);
	*intake = (struct intake){0};
}

void intake_clear(struct intake *intake)
{
	for (size_t i = 0; i < intake->delivery_count; i++)
		broker_delivery_fini(&intake->deliveries[i]);
	intake->delivery_count = 0;
	intake->item_count = 0;
	intake->bytes = 0;
	batch_clear(&intake->batch);
}

static struct intake_item *add_item(struct intake *intake)
{
	if (intake->item_count == intake->item_capacity) {
		intake->item_capacity = intake->item_capacity ? intake->item_capacity * 2 : 64;
		intake->items =
			mem_array(intake->items, intake->item_capacity, sizeof *intake->items);
	}
	struct intake_item *item = &intake->items[intake->item_count++];
	*item = (struct intake_item){.delivery = intake->delivery_count - 1, .entry = BATCH_NONE};
	return item;
}

/* A message that is no envelope, or that asks for answers where it must not: one item, no job. */
static void add_refused(struct intake *intake, enum err err, const char *why)
{
	const struct broker_delivery *delivery = &intake->deliveries[intake->delivery_count - 1];
	struct intake_item *item = add_item(intake);
	item->err = err;
	item->raw = delivery->body;
	item->raw_length = delivery->length;
	snprintf(item->why, sizeof item->why, "%s", why);
}

/* The broker vouches for the account that a message tells. */
static bool may_send(const struct intake *intake, const struct broker_delivery *delivery,
		     enum job_kind kind)
{
	const char *operator_account = intake->operator_account;
	return !job_kind_is_operators(kind) || (operator_account && operator_account[0] &&
						strcmp(delivery->account, operator_account) == 0);
}

static void add_entry(struct intake *intake, struct job_entry *entry, size_t index)
{
	struct intake_item *item = add_item(intake);
	if (!entry->err &&
	    !may_send(intake, &intake->deliveries[item->delivery], entry->job.kind)) {
		entry->err = ERR_NOT_OPERATOR;
		snprintf(entry->why, sizeof entry->why, "%s", err_message(entry->err));
	}
	item->index = index;
	item->err = entry->err;
	item->id = entry->job.id;
	item->raw = entry->raw;
	item->raw_length = entry->raw_length;
	memcpy(item->why, entry->why, sizeof item->why);
	if (entry->err)
		return;
	if (entry->job.request_id[0])
		fault_point(entry->job.request_id);
	item->entry = intake->batch.count;
	batch_add(&intake->batch, &entry->job);
}

/* Results go to reply queues alone, and those of importers to the queues that importers own: else
 * whoever may publish here could make a worker write into any queue. */
static bool may_reply_to(const char *name, unsigned queue_set)
{
	const char *prefix = queue_set & QUEUE_IMPORT ? "reply.import." : "reply.";
	return !name[0] || strncmp(name, prefix, strlen(prefix)) == 0;
}

static void keep(struct intake *intake, const struct broker_delivery *delivery)
{
	if (intake->delivery_count == intake->delivery_capacity) {
		intake->delivery_capacity =
			intake->delivery_capacity ? intake->delivery_capacity * 2 : 64;
		intake->deliveries = mem_array(intake->deliveries, intake->delivery_capacity,
					       sizeof *intake->deliveries);
	}
	intake->deliveries[intake->delivery_count++] = *delivery;
	intake->bytes += delivery->length;
}

bool intake_add(struct intake *intake, struct broker_delivery *delivery, unsigned queue_set,
		size_t max_jobs)
{
	bool is_first = intake->delivery_count == 0;
	if (!is_first && intake->bytes + delivery->length > INTAKE_MAX_BYTES)
		return false;
	struct job_entry *entries = NULL;
	size_t count = 0;
	char why[JOB_WHY_SIZE] = "";
	enum err err =
		job_decode(delivery->body, delivery->length, queue_set, &entries, &count, why);
	if (err == ERR_MEMORY)
		abort(); /* as mem.h: the message is good and comes again */
	if (!err && !is_first && intake->batch.count + count > max_jobs) {
		free(entries);
		return false;
	}
	keep(intake, delivery);
	/* What is no envelope is answered, too. */
	if (!may_reply_to(delivery->reply_to, queue_set)) {
		err = ERR_BAD_REPLY_TO;
		snprintf(why, sizeof why, "%s", err_message(err));
	}
	if (err)
		add_refused(intake, err, why);
	for (size_t i = 0; i < count && !err; i++)
		add_entry(intake, &entries[i], i);
	free(entries);
	return true;
}
