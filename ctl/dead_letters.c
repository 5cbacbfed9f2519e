/* Dead letters: reading them, and going over the queue.
 *
 * The pass subscribes instead of getting message by message, which would cost a round of the
 * replicas' log each. What is not acknowledged stays the queue's: it goes back when the connection
 * ends. A channel is given CHUNK letters at most, then the next one goes on, so that nothing has to
 * be acknowledged to see more. */
#include "dead_letters.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "fault.h"
#include "mem.h"
#include "text.h"
#include "topology.h"

#define QUEUE "dead"
#define CHUNK 1000
#define FIRST_CHANNEL 2 /* the first publishes */
#define SILENCE_MS 2000 /* then the rest is with somebody else */
#define CONFIRM_MS 10000
#define ATTEMPT_MAX 1000 /* PROTOCOL.md, "Jobs" */
#define ANY_QUEUE (QUEUE_SEAT | QUEUE_GATE | QUEUE_ACCOUNT | QUEUE_IMPORT)

/* Reading ----------------------------------------------------------------------------------- */

static int64_t read_iso(const char *text)
{
	struct tm fields = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &fields);

	if (end == NULL || (*end != '\0' && *end != '.' && *end != 'Z'))
		return 0;
	return (int64_t)timegm(&fields) * 1000000;
}

int64_t dead_moment(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end;
	long long number = strtoll(text, &end, 10);

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (end != text && end[0] == units[i].unit && end[1] == '\0' && number >= 0 &&
		    number < 100000)
			return (clock_wall_s() - number * units[i].seconds) * 1000000;
	return read_iso(text);
}

/* Version 7 and the front's 8 begin with the milliseconds since 1970 (RFC 9562), an importer's 8
 * with its source. */
static int64_t time_of_id(const struct id *id, const char *queue)
{
	int64_t ms = 0;

	if (id->bytes[6] >> 4 != 7 &&
	    (id->bytes[6] >> 4 != 8 || strcmp(queue, "charge.import") == 0))
		return 0;
	for (size_t i = 0; i < 6; i++)
		ms = ms << 8 | id->bytes[i];
	return ms * 1000;
}

static const char *header(const struct dead_letter *letter, const char *name)
{
	const char *value = broker_delivery_header(letter->delivery, name);

	return value != NULL ? value : "";
}

struct single {
	const char *name;
	const char *value;
	size_t count;
};

static void seek_single(void *arg, const char *name, const char *value)
{
	struct single *single = arg;

	if (strcmp(name, single->name) == 0) {
		single->value = value;
		single->count++;
	}
}

/* Seconds since 1970 in digits, as microseconds; 0 when they are none, or of no year of four
 * digits. */
static int64_t read_seconds(const char *text)
{
	const int64_t most = INT64_C(253402300799);
	long long seconds = strtoll(text, NULL, 10);

	return seconds > 0 && seconds <= most ? seconds * 1000000 : 0;
}

/* A member of the newest death. A publisher may call a header of its own "x-death.queue": then
 * there are two, and neither is believed. */
static const char *death(const struct dead_letter *letter, const char *name)
{
	struct single single = {.name = name};

	broker_delivery_each_header(letter->delivery, seek_single, &single);
	return single.count == 1 ? single.value : "";
}

static bool is_brokers(const struct dead_letter *letter)
{
	return broker_delivery_header(letter->delivery, "x-death.queue") != NULL;
}

/* What the broker moved itself has the headers that its publisher gave it, ours perhaps among them.
 * An expire job died once before, of its time to live: that was the first death, not the newest. */
static void read_brokers(struct dead_letter *letter)
{
	snprintf(letter->code, sizeof letter->code, "%s", death(letter, "x-death.reason"));
	for (char *c = letter->code; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	letter->reason = strcmp(letter->code, "delivery-limit") == 0
				 ? "it came too often: each time its worker died, or let go of it"
				 : "the broker moved it here";
	snprintf(letter->queue, sizeof letter->queue, "%s", death(letter, "x-death.queue"));
	letter->died_us = read_seconds(death(letter, "x-death.time"));
}

static void read_workers(struct dead_letter *letter)
{
	snprintf(letter->code, sizeof letter->code, "%s", header(letter, "boxoffice-code"));
	letter->reason = header(letter, "boxoffice-reason");
	snprintf(letter->queue, sizeof letter->queue, "%s", header(letter, "boxoffice-queue"));
	letter->died_us = read_iso(header(letter, "boxoffice-time"));
	letter->deliveries = strtoll(header(letter, "boxoffice-deliveries"), NULL, 10);
}

/* A job that no queue would take has none; one that is bad otherwise is refused again anywhere. */
static unsigned takers_of(const struct job_entry *entry)
{
	if (entry->err == ERR_OK)
		return job_kind_queues(entry->job.kind);
	return entry->err == ERR_BAD_KIND ? 0 : ANY_QUEUE;
}

static void read_jobs(struct dead_letter *letter)
{
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];

	letter->takers = ANY_QUEUE;
	if (job_decode(letter->delivery->body, letter->delivery->length, ANY_QUEUE, &entries,
		       &letter->jobs, why) != ERR_OK) {
		letter->jobs = 0;
		return;
	}
	for (size_t i = 0; i < letter->jobs; i++)
		letter->takers &= takers_of(&entries[i]);
	if (letter->jobs > 0) {
		letter->has_id = entries[0].has_id;
		letter->id = entries[0].job.id;
		letter->has_job = letter->jobs == 1 && entries[0].err == ERR_OK;
		letter->job = entries[0].job;
		if (entries[0].err == ERR_OK)
			letter->kind = job_kind_name(entries[0].job.kind);
		if (letter->has_id)
			letter->published_us = time_of_id(&letter->id, letter->queue);
	}
	free(entries);
}

void dead_letter_read(struct dead_letter *letter, const struct broker_delivery *delivery)
{
	*letter = (struct dead_letter){.delivery = delivery, .reason = "", .kind = ""};
	if (is_brokers(letter))
		read_brokers(letter);
	else
		read_workers(letter);
	read_jobs(letter);
}

struct destination {
	const char *name;
	unsigned takes;
};

static enum err seek_queue(const struct topology_queue *queue, void *arg)
{
	struct destination *destination = arg;

	if (strcmp(queue->name, destination->name) == 0)
		destination->takes = queue->takes;
	return ERR_OK;
}

/* It is published with the operator's rights, which reach every queue. */
const char *dead_letter_why_not(const struct dead_letter *letter, const struct conf *conf)
{
	struct destination destination = {.name = letter->queue};

	if (letter->queue[0] == '\0')
		return "it does not say where it came from";
	if (topology_each_queue(conf, seek_queue, &destination) != ERR_OK || destination.takes == 0)
		return "where it came from is no queue of jobs";
	if (!(letter->takers & destination.takes))
		return "the queue it came from takes no such job";
	if (letter->has_job && letter->job.attempt >= ATTEMPT_MAX)
		return "it has no attempt left";
	return NULL;
}

static bool is_meant(const struct dead_filter *filter, const struct dead_letter *letter)
{
	return (filter->code == NULL || strcmp(filter->code, letter->code) == 0) &&
	       (filter->queue == NULL || strcmp(filter->queue, letter->queue) == 0) &&
	       (filter->kind == NULL || strcmp(filter->kind, letter->kind) == 0) &&
	       (!filter->has_id || (letter->has_id && id_equal(&filter->id, &letter->id))) &&
	       (filter->after_us == 0 ||
		(letter->died_us != 0 && letter->died_us >= filter->after_us)) &&
	       (filter->before_us == 0 ||
		(letter->died_us != 0 && letter->died_us < filter->before_us));
}

/* Going over the queue ---------------------------------------------------------------------- */

/* A letter that was published, until it is confirmed. */
struct sending {
	unsigned channel;
	uint64_t tag;
	enum err err;
};

struct walk {
	struct dead_pass *pass;
	struct broker *broker;
	struct sending *sendings;
	size_t sending_count, sending_capacity;
	uint64_t first_sequence; /* of sendings[0] */
};

static void on_confirm(void *arg, uint64_t sequence, enum err err)
{
	struct walk *walk = arg;

	if (sequence - walk->first_sequence < walk->sending_count)
		walk->sendings[sequence - walk->first_sequence].err = err;
}

static void note_sending(struct walk *walk, const struct broker_delivery *delivery)
{
	if (walk->sending_count == walk->sending_capacity) {
		walk->sending_capacity = walk->sending_capacity ? walk->sending_capacity * 2 : 64;
		walk->sendings =
			mem_array(walk->sendings, walk->sending_capacity, sizeof *walk->sendings);
	}
	walk->sendings[walk->sending_count++] = (struct sending){
		.channel = delivery->channel, .tag = delivery->tag, .err = ERR_TIMEOUT};
}

/* Waits for the confirms, then acknowledges what arrived. A crash before that costs a repeat: the
 * letter is here and sent, and its job keeps its id. After an error there is no waiting: what is
 * not confirmed by then stays. */
static enum err end_sendings(struct walk *walk, enum err err)
{
	int64_t until_ms = clock_ms() + CONFIRM_MS;

	while (err == ERR_OK && broker_unconfirmed(walk->broker) > 0 && clock_ms() < until_ms) {
		err = broker_pump(walk->broker, 100);
		if (err == ERR_TIMEOUT)
			err = ERR_OK;
	}
	if (walk->sending_count > 0)
		fault_point("dead-sent");
	for (size_t i = 0; i < walk->sending_count; i++) {
		const struct sending *sending = &walk->sendings[i];

		if (sending->err == ERR_OK && err == ERR_OK)
			err = broker_ack(walk->broker, sending->channel, sending->tag, false);
		walk->pass->sent(walk->pass->arg, sending->err);
	}
	walk->first_sequence += walk->sending_count;
	walk->sending_count = 0;
	return err;
}

static enum err take(struct walk *walk, const struct broker_delivery *delivery)
{
	struct dead_pass *pass = walk->pass;
	struct dead_letter letter;

	pass->looked++;
	dead_letter_read(&letter, delivery);
	if (!is_meant(pass->filter, &letter))
		return ERR_OK;
	pass->meant++;
	switch (pass->take(pass->arg, walk->broker, &letter)) {
	case DEAD_STAYS:
		return ERR_OK;
	case DEAD_GOES:
		return broker_ack(walk->broker, delivery->channel, delivery->tag, false);
	case DEAD_SENT:
		note_sending(walk, delivery);
	}
	return ERR_OK;
}

static bool is_enough(const struct dead_pass *pass)
{
	return pass->filter->limit > 0 && pass->meant >= pass->filter->limit;
}

/* Takes what has come on the channels up to the last; count goes up by how many. */
static enum err take_all(struct walk *walk, unsigned last, uint64_t *count)
{
	struct broker_delivery delivery;
	enum err err = ERR_OK;

	for (unsigned channel = FIRST_CHANNEL; channel <= last; channel++) {
		while (err == ERR_OK && !is_enough(walk->pass) &&
		       broker_take(walk->broker, channel, &delivery)) {
			++*count;
			err = take(walk, &delivery);
			broker_delivery_fini(&delivery);
		}
	}
	return end_sendings(walk, err);
}

/* Only how many are meant is said, not which: then each letter is. */
static bool is_any(const struct dead_filter *filter)
{
	return filter->code == NULL && filter->queue == NULL && filter->kind == NULL &&
	       !filter->has_id && filter->after_us == 0 && filter->before_us == 0;
}

/* How many letters to ask for. More than are needed would be hidden from others meanwhile. */
static uint64_t count_wanted(const struct dead_pass *pass, uint64_t left)
{
	uint64_t wanted = left < CHUNK ? left : CHUNK;
	uint64_t needed = (uint64_t)(pass->filter->limit - pass->meant);

	return pass->filter->limit > 0 && is_any(pass->filter) && needed < wanted ? needed : wanted;
}

/* Goes over the next letters on a channel of their own. */
static enum err walk_chunk(struct walk *walk, unsigned channel, uint64_t left, uint64_t *taken)
{
	uint64_t wanted = count_wanted(walk->pass, left);
	enum err err = broker_consume(walk->broker, channel, QUEUE, (uint16_t)wanted);

	*taken = 0;
	while (err == ERR_OK && *taken < wanted && !is_enough(walk->pass)) {
		err = broker_pump(walk->broker, SILENCE_MS);
		if (err == ERR_OK)
			err = take_all(walk, channel, taken);
	}
	/* What is acknowledged makes room for more: that stops. What is under way by then is taken
	 * with the next chunk. */
	return err == ERR_OK ? broker_cancel(walk->broker, channel, QUEUE, (uint16_t)wanted) : err;
}

static enum err walk_all(struct walk *walk)
{
	uint64_t left = 0, taken = 0;
	enum err err = broker_count_ready(walk->broker, QUEUE, &left);

	for (unsigned channel = FIRST_CHANNEL; err == ERR_OK && left > 0 && !is_enough(walk->pass);
	     channel++) {
		err = walk_chunk(walk, channel, left, &taken);
		left -= taken < left ? taken : left;
	}
	if (!is_enough(walk->pass))
		walk->pass->unseen = (int64_t)left;
	return err == ERR_TIMEOUT ? ERR_OK : err;
}

enum err dead_pass_run(struct dead_pass *pass, const struct conf *conf)
{
	struct walk walk = {.pass = pass, .first_sequence = 1};
	enum err err = broker_open(&walk.broker, conf, "boxofficectl");

	if (err != ERR_OK)
		return err;
	broker_keep_headers(walk.broker);
	err = broker_confirm(walk.broker, on_confirm, &walk);
	if (err == ERR_OK)
		err = walk_all(&walk);
	broker_free(walk.broker);
	free(walk.sendings);
	return err;
}
