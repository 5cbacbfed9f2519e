#include "clients.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "reply.h"
#include "tables.h"
#include "text.h"

#define SENT_MAX 4096
#define LATE_MOST_MS 6000
#define PRICE 30000

static const struct conf *conf;
static size_t count;
static struct id users[CLIENTS_MAX];
static struct job sent[SENT_MAX];
static size_t sent_count;
static uint64_t message_count;

static uint64_t roll(uint64_t sides)
{
	return dice_roll(&kernel.will, sides);
}

static struct id fresh_id(void)
{
	struct id id;
	for (size_t i = 0; i < sizeof id.bytes; i++)
		id.bytes[i] = (uint8_t)dice_next(&kernel.will);
	return id;
}

static void plant_policy(int64_t most)
{
	struct policy_row row = {.id = table_next_id(TABLE_POLICY),
				 .policy = policy_from_conf(conf)};
	row.policy.max_active = most;
	if (roll(4) == 0)
		row.policy.window_limit = (int64_t)roll(4) + 1;
	if (roll(6) == 0)
		row.policy.state = POLICY_PAUSED;
	table_plant(TABLE_POLICY, &row);
}

void clients_start(const struct conf *settings, size_t clients)
{
	conf = settings;
	count = clients;
	sent_count = 0;
	message_count = 0;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		users[i] = fresh_id();
	for (int64_t id = 1; id <= SEATS_COUNT; id++)
		table_plant(TABLE_SEAT,
			    &(struct seat_row){.id = id, .price = PRICE + id, .is_active = true});
	table_plant(TABLE_GATE, &(struct gate_row){.id = 1});
	table_plant(TABLE_POLICY, &(struct policy_row){.id = table_next_id(TABLE_POLICY),
						       .policy = policy_from_conf(conf)});
}

/* What a client knows: the snapshot of a front ---------------------------------------------------
 */

static int64_t number_of(const struct id *user)
{
	for (size_t i = 0; i < table_count(TABLE_USER); i++) {
		const struct user_row *row = table_committed(table_record(TABLE_USER, i));
		if (row && id_equal(&row->uuid, user))
			return row->id;
	}
	return 0;
}

/* Its newest ticket; 0: none. */
static int64_t ticket_of(const struct id *user)
{
	int64_t number = number_of(user);
	for (size_t i = table_count(TABLE_TICKET); i-- && number;) {
		const struct ticket_row *row = table_committed(table_record(TABLE_TICKET, i));
		if (row && row->user == number)
			return row->id;
	}
	return 0;
}

/* The seat it held last; else any. */
static int64_t seat_of(const struct id *user)
{
	int64_t number = number_of(user);
	for (size_t i = table_count(TABLE_HOLD); i-- && number;) {
		const struct hold_row *row = table_committed(table_record(TABLE_HOLD, i));
		if (row && row->user == number)
			return row->seat;
	}
	return (int64_t)roll(SEATS_COUNT) + 1;
}

/* What they want ---------------------------------------------------------------------------------
 */

static bool want_refund(struct job *job)
{
	size_t payments = table_count(TABLE_PAYMENT);
	const struct payment_row *payment =
		payments ? table_committed(table_record(TABLE_PAYMENT, roll(payments))) : NULL;
	if (!payment)
		return false;
	job->kind = JOB_REFUND;
	job->payment = payment->id;
	job->seat = (int64_t)roll(SEATS_COUNT) + 1;
	for (size_t i = 0; i < table_count(TABLE_HOLD) && roll(8); i++) {
		const struct hold_row *hold = table_committed(table_record(TABLE_HOLD, i));
		if (hold && hold->id == payment->hold)
			job->seat = hold->seat;
	}
	return true;
}

static bool want_reversal(struct job *job)
{
	if (!sent_count)
		return false;
	const struct job *charge = &sent[roll(sent_count)];
	if (charge->kind != JOB_CHARGE)
		return false;
	job->kind = JOB_REVERSE;
	job->user = charge->user;
	job->charge = charge->id;
	return true;
}

static bool want_seat(struct job *job, enum job_kind kind)
{
	job->kind = kind;
	job->ticket = ticket_of(&job->user);
	if (roll(20) == 0)
		job->ticket = (int64_t)roll(table_count(TABLE_TICKET)) + 1; /* somebody's */
	job->seat = kind == JOB_RESERVE ? (int64_t)roll(SEATS_COUNT) + 1 : seat_of(&job->user);
	return job->ticket > 0;
}

static bool want_money(struct job *job)
{
	job->kind = JOB_CHARGE;
	job->amount = 1 + (int64_t)roll(2 * PRICE);
	snprintf(job->memo, sizeof job->memo, "%s", roll(2) ? "" : "a \"gift\"");
	return true;
}

static bool want_place(struct job *job)
{
	job->kind = JOB_ISSUE;
	job->resume = roll(2) == 0;
	return true;
}

static bool want_sign(struct job *job, enum job_kind kind)
{
	job->kind = kind;
	job->ticket = ticket_of(&job->user);
	return job->ticket > 0;
}

/* Something new; false: nothing just now. */
static bool want(struct job *job)
{
	uint64_t dice = roll(100);
	*job = (struct job){.id = fresh_id(), .attempt = 1, .user = users[roll(count)]};
	if (!number_of(&job->user) ? roll(4) != 0 : dice < 2) {
		job->kind = JOB_REGISTER;
		snprintf(job->name, sizeof job->name, "fan %" PRIu64, roll(3));
		return true;
	}
	if (dice < 20)
		return want_money(job);
	if (dice < 34)
		return want_place(job);
	if (dice < 44)
		return want_sign(job, JOB_SEEN);
	if (dice < 68)
		return want_seat(job, JOB_RESERVE);
	if (dice < 86)
		return want_seat(job, JOB_PAY);
	if (dice < 92)
		return want_seat(job, JOB_CANCEL);
	if (dice < 94)
		return want_sign(job, JOB_LEAVE);
	return dice < 97 ? want_refund(job) : want_reversal(job);
}

/* The same key again, now and then with other content. */
static bool want_again(struct job *job)
{
	if (!sent_count)
		return false;
	/* Mostly one of the last ones. */
	uint64_t back = roll(2) ? roll(8) : roll(sent_count);
	*job = sent[back < sent_count ? sent_count - 1 - back : 0];
	if (roll(6) == 0) {
		job->amount += job->kind == JOB_CHARGE;
		job->seat = job->seat && job->kind != JOB_REFUND ? job->seat % SEATS_COUNT + 1
								 : job->seat;
		if (job->kind == JOB_REGISTER)
			snprintf(job->name, sizeof job->name, "somebody else");
	}
	if (roll(30) == 0)
		job->attempt++;
	return true;
}

/* How they send it -------------------------------------------------------------------------------
 */

static void address(struct message *message, const struct job *job)
{
	unsigned takes = job_kind_queues(job->kind);
	if (takes & QUEUE_SEAT) {
		strcpy(message->exchange, "seat");
		snprintf(message->key, sizeof message->key, "%" PRId64,
			 topology_partition(conf, job->seat));
	} else if (takes & QUEUE_GATE) {
		strcpy(message->exchange, "gate");
		strcpy(message->key, "gate");
	} else if (takes & QUEUE_IMPORT && roll(3) == 0) {
		strcpy(message->exchange, "charge.import");
	} else {
		strcpy(message->exchange, "account");
		strcpy(message->key, "account");
	}
}

static bool is_same_address(const struct message *message, const struct job *job)
{
	struct message other = {0};
	address(&other, job);
	return strcmp(other.exchange, message->exchange) == 0 &&
	       strcmp(other.key, message->key) == 0;
}

static int64_t arrival_us(void)
{
	int64_t at_us = kernel.now_us + dice_between(&kernel.will, 0, 3000);
	if (kernel_strikes(FAULT_LATE))
		at_us += dice_between(&kernel.will, 0, LATE_MOST_MS) * SECOND_US / 1000;
	return at_us;
}

static void remember(const struct job *job)
{
	if (sent_count == SENT_MAX)
		abort();
	sent[sent_count++] = *job;
}

static bool want_something(struct job *job)
{
	return roll(4) ? want(job) : want_again(job);
}

static void send_jobs(void)
{
	struct job jobs[4];
	const struct job *list[4];
	struct message message = {0};
	struct text body = {0};
	size_t n = 0;
	if (!want_something(&jobs[0]))
		return;
	address(&message, &jobs[0]);
	do
		list[n] = &jobs[n];
	while (++n < 4 && roll(3) == 0 && want_something(&jobs[n]) &&
	       is_same_address(&message, &jobs[n]));
	snprintf(message.correlation_id, sizeof message.correlation_id, "%" PRIu64,
		 ++message_count);
	if (roll(5))
		strcpy(message.reply_to, strcmp(message.exchange, "charge.import") == 0
						 ? "reply.import.sim"
						 : "reply.sim");
	if (roll(20))
		strcpy(message.account, "operator");
	job_encode_envelope(&body, list, n);
	for (size_t i = 0; i < n; i++)
		remember(list[i]);
	kernel_trace("a client sends to %s: %s", message.exchange, body.bytes);
	exchange_send(&message, body.bytes, body.length, arrival_us());
	text_fini(&body);
}

static void send_nonsense(void)
{
	static const char *const bodies[] = {"", "{", "{\"v\":2,\"jobs\":[]}",
					     "{\"v\":1,\"jobs\":[{\"kind\":\"charge\"},7]}"};
	struct message message = {.exchange = "account", .key = "account"};
	const char *body = bodies[roll(sizeof bodies / sizeof *bodies)];
	if (roll(2))
		strcpy(message.reply_to, roll(2) ? "reply.sim" : "gate");
	snprintf(message.correlation_id, sizeof message.correlation_id, "%" PRIu64,
		 ++message_count);
	exchange_send(&message, body, strlen(body), arrival_us());
}

/* As `boxofficectl dead send-back`: each job with the next attempt. */
static void send_back(void)
{
	struct message *dead = exchange_take_dead();
	struct job_entry *entries = NULL;
	size_t n = 0;
	char why[JOB_WHY_SIZE];
	if (!dead)
		return;
	enum err err = job_decode(dead->body, dead->length, QUEUE_SEAT | QUEUE_GATE | QUEUE_ACCOUNT,
				  &entries, &n, why);
	for (size_t i = 0; i < n && !err; i++) {
		struct job *job = &entries[i].job;
		const struct job *list[] = {job};
		struct message message = {.account = "operator"};
		struct text body = {0};
		if (entries[i].err)
			continue;
		job->attempt++;
		address(&message, job);
		job_encode_envelope(&body, list, 1);
		remember(job);
		exchange_send(&message, body.bytes, body.length, arrival_us());
		text_fini(&body);
	}
	free(entries);
	exchange_free(dead);
}

void clients_step(void)
{
	uint64_t dice = roll(60);
	if (sent_count + 8 > SENT_MAX)
		return;
	if (dice == 0)
		send_nonsense();
	else if (dice == 1)
		send_back();
	else if (dice == 2)
		plant_policy((int64_t)roll(4) + 1);
	else
		send_jobs();
}

/* The results themselves were checked when they were published. */
void clients_hear(const struct message *message)
{
	struct result *results = NULL;
	size_t n = 0;
	if (strncmp(message->key, "reply.", 6) != 0)
		kernel_fail("reply", "a reply goes to %s", message->key);
	if (reply_decode(message->body, message->length, &results, &n))
		kernel_fail("reply", "a reply cannot be read: %s", message->body);
	else
		free(results);
}

size_t clients_sent_count(void)
{
	return sent_count;
}

const struct job *clients_sent(size_t nth)
{
	return &sent[nth];
}
