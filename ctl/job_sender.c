#include "job_sender.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker.h"
#include "clock.h"

#define REPLY_CHANNEL 2 /* the first publishes */
#define PUMP_MS 100

/* One question and what came of it. */
struct question {
	struct broker *broker;
	char reply_queue[BROKER_NAME_SIZE];
	int64_t until_ms;
	enum err confirmed; /* ERR_TIMEOUT: not yet */
};

static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	(void)sequence;
	((struct question *)arg)->confirmed = err;
}

static enum err publish(struct question *question, const char *exchange, const char *routing_key,
			const struct job *job)
{
	const struct job *const jobs[] = {job};
	struct text body = {0};
	char correlation_id[ID_TEXT_SIZE];
	enum err err;

	id_format(&job->id, correlation_id);
	job_encode_envelope(&body, jobs, 1);
	err = broker_publish(question->broker,
			     &(struct broker_message){.exchange = exchange,
						      .routing_key = routing_key,
						      .body = body.bytes,
						      .length = body.length,
						      .type = JOB_TYPE,
						      .reply_to = question->reply_queue,
						      .correlation_id = correlation_id,
						      .persistent = true,
						      .mandatory = true,
						      .tells_account = true},
			     NULL);
	text_fini(&body);
	return err;
}

/* Takes the result out of a reply, if it is that of the job. */
static bool take_result(const struct broker_delivery *delivery, const struct job *job,
			struct result *result)
{
	struct result *results = NULL;
	size_t count = 0;
	bool is_it;

	if (reply_decode(delivery->body, delivery->length, &results, &count) != ERR_OK)
		return false;
	is_it = count == 1 && id_equal(&results[0].id, &job->id);
	if (is_it)
		*result = results[0];
	free(results);
	return is_it;
}

static enum err await(struct question *question, const struct job *job, struct result *result)
{
	struct broker_delivery delivery;
	bool has_result = false;
	enum err err = ERR_OK;

	while (!has_result && clock_ms() < question->until_ms) {
		err = broker_pump(question->broker, PUMP_MS);
		if (err != ERR_OK && err != ERR_TIMEOUT)
			return err;
		if (question->confirmed == ERR_BROKER_NACKED ||
		    question->confirmed == ERR_BROKER_RETURNED)
			return question->confirmed;
		while (!has_result && broker_take(question->broker, REPLY_CHANNEL, &delivery)) {
			has_result = take_result(&delivery, job, result);
			broker_delivery_fini(&delivery);
		}
	}
	if (has_result)
		return ERR_OK;
	return question->confirmed == ERR_OK ? ERR_TIMEOUT : ERR_BROKER_GONE;
}

enum err job_sender_ask(const struct conf *conf, const char *exchange, const char *routing_key,
			const struct job *job, int64_t timeout_ms, struct result *result)
{
	struct question question = {.until_ms = clock_ms() + timeout_ms, .confirmed = ERR_TIMEOUT};
	const struct id own = id_random();
	char text[ID_TEXT_SIZE];
	enum err err = broker_open(&question.broker, conf, "boxofficectl");

	if (err != ERR_OK)
		return err;
	id_format(&own, text);
	snprintf(question.reply_queue, sizeof question.reply_queue, "reply.ctl.%s", text);
	err = broker_declare_reply_queue(question.broker, question.reply_queue);
	if (err == ERR_OK)
		err = broker_consume(question.broker, REPLY_CHANNEL, question.reply_queue, 1);
	if (err == ERR_OK)
		err = broker_confirm(question.broker, on_confirm, &question);
	if (err == ERR_OK)
		err = publish(&question, exchange, routing_key, job);
	if (err == ERR_OK)
		err = await(&question, job, result);
	broker_free(question.broker);
	return err;
}
