#include "outbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "fault.h"
#include "log.h"
#include "mem.h"
#include "metrics.h"
#include "topology.h"

void outbox_init(struct outbox *outbox, const struct conf *conf)
{
	*outbox = (struct outbox){.conf = conf};
	outbox->results = mem_array(NULL, JOB_MAX_PER_MESSAGE, sizeof *outbox->results);
	outbox->list = mem_array(NULL, JOB_MAX_PER_MESSAGE, sizeof *outbox->list);
	outbox->jobs = mem_array(NULL, JOB_MAX_PER_MESSAGE, sizeof *outbox->jobs);
	outbox->expiries = mem_array(NULL, JOB_MAX_PER_MESSAGE, sizeof *outbox->expiries);
	topology_hold_queue(conf, outbox->hold_exchange);
}

void outbox_fini(struct outbox *outbox)
{
	outbox_close(outbox);
	text_fini(&outbox->scratch);
	free(outbox->results);
	free(outbox->list);
	free(outbox->jobs);
	free(outbox->expiries);
}

void outbox_close(struct outbox *outbox)
{
	broker_free(outbox->broker);
	outbox->broker = NULL;
	metrics_disconnected(SIDE_PUBLISHER);
}

static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	struct outbox *outbox = arg;
	if (err == ERR_BROKER_NACKED && sequence >= outbox->first_expiry)
		outbox->expiries_refused++;
	else if (err)
		outbox->failure = err;
}

enum err outbox_ensure_open(struct outbox *outbox)
{
	if (outbox->broker)
		return ERR_OK;
	char name[CONF_TEXT_MAX + 16];
	snprintf(name, sizeof name, "%s publisher", outbox->conf->name);
	outbox->last_due = 0;
	enum err err = broker_open(&outbox->broker, outbox->conf, name);
	if (!err)
		err = broker_declare_topology(outbox->broker, outbox->conf);
	if (!err)
		err = broker_confirm(outbox->broker, on_confirm, outbox);
	if (err)
		outbox_close(outbox);
	else
		metrics_connected(SIDE_PUBLISHER);
	return err;
}

/* Replies ----------------------------------------------------------------------------------------
 */

/* Copies what is used of an outcome: whole ones are 2 KiB each, for answers of some twenty bytes.
 */
static void copy_outcome(struct outcome *out, const struct outcome *outcome)
{
	out->err = outcome->err;
	out->replayed = outcome->replayed;
	memcpy(out->data, outcome->data, strlen(outcome->data) + 1);
	memcpy(out->why, outcome->why, strlen(outcome->why) + 1);
}

/* The result of one item: of its job, or why it is none. */
static const struct result *result_of(const struct intake *intake, const struct intake_item *item,
				      struct result *out)
{
	out->id = item->id;
	out->index = item->index;
	if (item->err) {
		out->outcome.err = item->err;
		out->outcome.replayed = false;
		out->outcome.data[0] = '\0';
		snprintf(out->outcome.why, sizeof out->outcome.why, "%s", item->why);
	} else {
		copy_outcome(&out->outcome, &intake->batch.entries[item->entry].outcome);
	}
	return out;
}

static enum err publish_reply(struct outbox *outbox, const struct broker_delivery *delivery,
			      const struct text *body)
{
	const struct broker_message message = {
		.exchange = "",
		.routing_key = delivery->reply_to,
		.body = body->bytes,
		.length = body->length,
		.type = REPLY_TYPE,
		.correlation_id = delivery->correlation_id[0] ? delivery->correlation_id : NULL};
	return broker_publish(outbox->broker, &message, NULL);
}

enum err outbox_send_replies(struct outbox *outbox, const struct intake *intake)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < intake->item_count && !err;) {
		const struct intake_item *first = &intake->items[i];
		const struct broker_delivery *delivery = &intake->deliveries[first->delivery];
		size_t count = 0;
		for (; i < intake->item_count && intake->items[i].delivery == first->delivery;
		     i++) {
			outbox->list[count] =
				result_of(intake, &intake->items[i], &outbox->results[count]);
			count++;
		}
		if (!delivery->reply_to[0] || first->err == ERR_BAD_REPLY_TO ||
		    fault_is_on("lose-replies"))
			continue;
		text_clear(&outbox->scratch);
		reply_encode(&outbox->scratch, outbox->list, count);
		err = publish_reply(outbox, delivery, &outbox->scratch);
	}
	return err;
}

/* What must arrive -------------------------------------------------------------------------------
 */

static enum err publish_due(struct outbox *outbox, const struct broker_message *message)
{
	uint64_t sequence = 0;
	enum err err = broker_publish(outbox->broker, message, &sequence);
	if (!err)
		outbox->last_due = sequence;
	return err;
}

/* A reserve that was granted, and whose hold is not over. ISO 8601 in UTC sorts as text. */
static bool has_live_hold(const struct batch_entry *entry, int64_t now_us)
{
	static const char member[] = "\"expires_at\":\"";
	if (entry->job.kind != JOB_RESERVE || entry->outcome.err)
		return false;
	const char *expires = strstr(entry->outcome.data, member);
	char now[TIME_TEXT_SIZE];
	time_format(now_us, now);
	return expires && strncmp(expires + strlen(member), now, strlen(now)) > 0;
}

/* Publishes the first count of outbox->expiries. To the partition of the first of them: an expire
 * job may be done in any, as by a sweeper, and the others' are most often the same worker's. */
static enum err publish_expiries(struct outbox *outbox, size_t count)
{
	char key[24];
	snprintf(key, sizeof key, "%" PRId64,
		 topology_partition(outbox->conf, outbox->expiries[0]->seat));
	text_clear(&outbox->scratch);
	job_encode_envelope(&outbox->scratch, outbox->expiries, count);
	enum err err =
		publish_due(outbox, &(struct broker_message){.exchange = outbox->hold_exchange,
							     .routing_key = key,
							     .body = outbox->scratch.bytes,
							     .length = outbox->scratch.length,
							     .type = JOB_TYPE,
							     .persistent = true,
							     .mandatory = true});
	if (!err && outbox->first_expiry == UINT64_MAX)
		outbox->first_expiry = outbox->last_due;
	return err;
}

static enum err send_dead_letter(struct outbox *outbox, const struct broker_delivery *delivery,
				 const struct intake_item *item, enum err why_err, const char *why)
{
	char time[TIME_TEXT_SIZE], deliveries[24];
	const struct broker_header headers[] = {
		{"boxoffice-code", err_code(why_err)},
		{"boxoffice-reason", why[0] ? why : err_message(why_err)},
		{"boxoffice-queue", delivery->consumer},
		{"boxoffice-time", time},
		{"boxoffice-deliveries", deliveries},
	};
	/* For operators: by this host's clock. */
	time_format(clock_wall_s() * INT64_C(1000000), time);
	snprintf(deliveries, sizeof deliveries, "%" PRId64, delivery->delivery_count + 1);
	log_info("dead-letter", LOG_S("queue", delivery->consumer), LOG_ERR(why_err),
		 LOG_S("reason", headers[1].value));
	return publish_due(outbox,
			   &(struct broker_message){
				   .exchange = "dead",
				   .routing_key = "",
				   .body = item->raw,
				   .length = item->raw_length,
				   .type = JOB_TYPE,
				   .reply_to = delivery->reply_to[0] ? delivery->reply_to : NULL,
				   .correlation_id = delivery->correlation_id[0]
							     ? delivery->correlation_id
							     : NULL,
				   .headers = headers,
				   .header_count = sizeof headers / sizeof *headers,
				   .persistent = true,
				   .mandatory = true});
}

/* A hold that was there may have been made by this very message: by a worker that died since, or by
 * this one, whose commit was done but not answered. */
static bool needs_expiry(const struct intake *intake, const struct intake_item *item)
{
	const struct batch_entry *entry = &intake->batch.entries[item->entry];
	bool may_be_own = intake->deliveries[item->delivery].redelivered || intake->batch.was_lost;
	return entry->starts_hold || (may_be_own && has_live_hold(entry, intake->batch.now_us));
}

enum err outbox_dead_letter_code(const struct intake *intake, const struct intake_item *item)
{
	if (item->err)
		return item->err;
	bool is_told = intake->deliveries[item->delivery].reply_to[0] != '\0';
	return is_told ? ERR_OK : intake->batch.entries[item->entry].outcome.err;
}

static enum err send_dead_letters(struct outbox *outbox, const struct intake *intake)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < intake->item_count && !err; i++) {
		const struct intake_item *item = &intake->items[i];
		const struct broker_delivery *delivery = &intake->deliveries[item->delivery];
		enum err code = outbox_dead_letter_code(intake, item);
		if (!code)
			continue;
		const char *why =
			item->err ? item->why : intake->batch.entries[item->entry].outcome.why;
		err = send_dead_letter(outbox, delivery, item, code, why);
	}
	return err;
}

/* The message waits as long as a hold lasts, from now on: all these holds began before. */
static enum err send_expiries(struct outbox *outbox, const struct intake *intake)
{
	enum err err = ERR_OK;
	size_t count = 0;
	for (size_t i = 0; i < intake->item_count && !err; i++) {
		const struct intake_item *item = &intake->items[i];
		if (item->err || !needs_expiry(intake, item))
			continue;
		const struct job *reservation = &intake->batch.entries[item->entry].job;
		outbox->jobs[count] = (struct job){.id = id_ordered(),
						   .kind = JOB_EXPIRE,
						   .attempt = 1,
						   .seat = reservation->seat,
						   .hold = reservation->id};
		outbox->expiries[count] = &outbox->jobs[count];
		if (++count == JOB_MAX_PER_MESSAGE) {
			err = publish_expiries(outbox, count);
			count = 0;
		}
	}
	if (!err && count)
		err = publish_expiries(outbox, count);
	return err;
}

enum err outbox_send_due(struct outbox *outbox, const struct intake *intake)
{
	outbox->failure = ERR_OK;
	outbox->last_due = 0;
	outbox->first_expiry = UINT64_MAX;
	outbox->expiries_refused = 0;
	enum err err = send_dead_letters(outbox, intake);
	if (err)
		return err;
	return send_expiries(outbox, intake);
}

/* Confirms may come out of order, but all of them: none outstanding is what counts. */
enum err outbox_settle(struct outbox *outbox, int timeout_ms)
{
	if (!outbox->broker)
		return ERR_BROKER_GONE;
	bool is_waiting = outbox->last_due && broker_unconfirmed(outbox->broker);
	enum err err = broker_pump(outbox->broker, is_waiting ? timeout_ms : 0);
	if (err && err != ERR_TIMEOUT)
		return err;
	if (outbox->failure)
		return outbox->failure;
	if (outbox->last_due && broker_unconfirmed(outbox->broker))
		return ERR_TIMEOUT;
	if (outbox->expiries_refused)
		log_warn("expiries-refused", LOG_S("queue", outbox->hold_exchange),
			 LOG_I("messages", outbox->expiries_refused));
	return ERR_OK;
}

void outbox_keep_alive(struct outbox *outbox)
{
	enum err err = outbox->broker ? broker_pump(outbox->broker, 0) : ERR_OK;
	if (err && err != ERR_TIMEOUT)
		outbox_close(outbox);
}
