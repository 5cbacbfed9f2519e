/* Invariants of messages, and of all at rest. */
#include "invariants.h"

#include <stdlib.h>
#include <string.h>

#include "clients.h"
#include "job.h"
#include "kernel.h"
#include "notes.h"
#include "reply.h"
#include "tables.h"

#define OVERDUE_MOST_US (30 * SECOND_US) /* a hold at rest: the sweeper comes every few seconds */

static const struct conf *conf;

void invariants_start(const struct conf *settings)
{
	conf = settings;
	notes_start();
}

static const struct job_row *job_by_id(const struct id *id)
{
	for (size_t i = 0; i < table_count(TABLE_JOB); i++) {
		const struct job_row *row = table_committed(table_record(TABLE_JOB, i));
		if (row && id_equal(&row->id, id))
			return row;
	}
	return NULL;
}

static const struct hold_row *hold_by_job(const struct id *job)
{
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *row = table_committed(table_record(TABLE_HOLD, i));
		if (row && id_equal(&row->job, job))
			return row;
	}
	return NULL;
}

static bool have_note(enum note note, const struct id *id)
{
	return notes_have(note, id->bytes, sizeof id->bytes);
}

/* Results ----------------------------------------------------------------------------------------
 */

/* A refusal that a later attempt replaced may still be under way. */
static void check_stored(const struct result *result, const struct job_row *row)
{
	const struct outcome *outcome = &result->outcome;
	bool is_same = row && strcmp(row->code, err_code(outcome->err)) == 0 &&
		       strcmp(row->data, outcome->data) == 0;
	if (!row)
		kernel_fail("reply-is-committed", "a client is told %s, but nothing is stored",
			    err_code(outcome->err));
	else if (!is_same && !(row->attempt > 1 && outcome->err))
		kernel_fail("reply-is-committed", "a client is told %s %s, but %s %s is stored",
			    err_code(outcome->err), outcome->data, row->code, row->data);
}

static void check_result(const struct result *result)
{
	const struct outcome *outcome = &result->outcome;
	if (outcome->err == ERR_KEY_REUSED)
		notes_add(NOTE_KEY_REUSED, result->id.bytes, sizeof result->id.bytes);
	if (outcome->err && !err_settles(outcome->err))
		notes_add(NOTE_UNSETTLED, result->id.bytes, sizeof result->id.bytes);
	else
		check_stored(result, job_by_id(&result->id));
}

/* A sign of life is answered too if its sender asks, and nothing of it is stored. */
static bool is_stored_kind(const struct id *id)
{
	for (size_t i = clients_sent_count(); i--;)
		if (id_equal(&clients_sent(i)->id, id))
			return job_kind_stores(clients_sent(i)->kind);
	return false;
}

void invariants_check_publish(const struct broker_message *message)
{
	struct result *results = NULL;
	size_t count = 0;
	if (message->exchange[0])
		return;
	if (reply_decode(message->body, message->length, &results, &count))
		return; /* clients_hear() says so */
	for (size_t i = 0; i < count; i++)
		if (is_stored_kind(&results[i].id) || results[i].outcome.err)
			check_result(&results[i]);
	free(results);
	if (message->correlation_id)
		notes_add(NOTE_ANSWERED, message->correlation_id, strlen(message->correlation_id));
}

/* Acknowledgements -------------------------------------------------------------------------------
 */

static void check_dead(const char *text, size_t length, const char *what)
{
	if (!notes_have(NOTE_DEAD, text, length))
		kernel_fail("ack-after-dead-letter",
			    "%s is acknowledged, but is no dead letter: %.*s", what, (int)length,
			    text);
}

static size_t count_sendings(const struct id *id)
{
	size_t count = 0;
	for (size_t i = 0; i < clients_sent_count(); i++)
		count += id_equal(&clients_sent(i)->id, id);
	return count;
}

/* Of a job that was sent again whoever comes first sees to the expiry: not every message. */
static void check_expiry(const struct message *message, const struct job *job)
{
	if (!message->is_redelivered && (message->is_twice || count_sendings(&job->id) > 1))
		return;
	const struct hold_row *hold = hold_by_job(&job->id);
	if (hold && hold->status == HOLD_PENDING && hold->expires_us > kernel_database_us() &&
	    !have_note(NOTE_HOLD_EXPIRY, &job->id))
		kernel_fail("ack-after-expiry", "a hold began, but nothing will end it");
}

/* What became of one job of a message that is acknowledged. */
static void check_outcome(const struct message *message, const struct job_entry *entry)
{
	const struct job *job = &entry->job;
	const struct job_row *row = job_by_id(&job->id);
	uint8_t fingerprint[FINGERPRINT_SIZE];
	if (!job_kind_stores(job->kind))
		return;
	job_fingerprint(job, fingerprint);
	bool is_dead = notes_have(NOTE_DEAD, entry->raw, entry->raw_length);
	bool is_own = row && memcmp(row->fingerprint, fingerprint, FINGERPRINT_SIZE) == 0;
	if (!is_own && !is_dead && !have_note(NOTE_UNSETTLED, &job->id) &&
	    !(row && have_note(NOTE_KEY_REUSED, &job->id)))
		kernel_fail("ack-after-outcome", "a job is acknowledged without an outcome: %.*s",
			    (int)entry->raw_length, entry->raw);
	if (is_own && row->attempt < job->attempt && strcmp(row->code, "ok") != 0 && !is_dead &&
	    !have_note(NOTE_UNSETTLED, &job->id))
		kernel_fail("ack-after-outcome", "a new attempt is acknowledged undecided: %.*s",
			    (int)entry->raw_length, entry->raw);
	if (is_own && strcmp(row->code, "ok") != 0 && !message->reply_to[0])
		check_dead(entry->raw, entry->raw_length, "a refusal that nobody waits for");
	if (is_own && job->kind == JOB_RESERVE)
		check_expiry(message, job);
}

static bool is_allowed(const struct message *message, const struct job *job)
{
	return !job_kind_is_operators(job->kind) ||
	       strcmp(message->account, conf->operator_account) == 0;
}

void invariants_check_ack(const struct delivered *delivered)
{
	const struct message *message = delivered->message;
	struct job_entry *entries = NULL;
	size_t count = 0;
	char why[JOB_WHY_SIZE];
	enum err err = job_decode(message->body, message->length, delivered->queue->is.takes,
				  &entries, &count, why);
	bool may_reply = !message->reply_to[0] || strncmp(message->reply_to, "reply.", 6) == 0;
	if (err || !may_reply)
		check_dead(message->body, message->length, "what is no job");
	else if (message->reply_to[0] && !notes_have(NOTE_ANSWERED, message->correlation_id,
						     strlen(message->correlation_id)))
		kernel_fail("ack-after-reply", "a message is acknowledged unanswered: %s",
			    message->body);
	for (size_t i = 0; i < count && !err && may_reply; i++) {
		if (entries[i].err || !is_allowed(message, &entries[i].job))
			check_dead(entries[i].raw, entries[i].raw_length, "what is no job");
		else
			check_outcome(message, &entries[i]);
	}
	free(entries);
}

/* Queues that nobody consumes --------------------------------------------------------------------
 */

static void note_jobs(const struct message *message, enum note note)
{
	struct job_entry *entries = NULL;
	size_t count = 0;
	char why[JOB_WHY_SIZE];
	unsigned all = QUEUE_SEAT | QUEUE_GATE | QUEUE_ACCOUNT | QUEUE_IMPORT;
	if (job_decode(message->body, message->length, all, &entries, &count, why))
		return;
	for (size_t i = 0; i < count; i++) {
		const struct id *hold = &entries[i].job.hold;
		if (note == NOTE_HOLD_EXPIRY)
			notes_add(note, hold->bytes, sizeof hold->bytes);
		else
			notes_add(note, entries[i].raw, entries[i].raw_length);
	}
	free(entries);
}

void invariants_note_arrival(const struct message *message)
{
	if (strcmp(message->exchange, "dead") != 0) {
		note_jobs(message, NOTE_HOLD_EXPIRY);
		return;
	}
	if (!message->code[0])
		kernel_fail("dead-letter-reason", "a dead letter without a reason: %s",
			    message->body);
	if (strncmp(message->code, "db-", 3) == 0)
		kernel_fail("nothing-is-refused", "a good job is a dead letter, %s: %s",
			    message->code, message->body);
	notes_add(NOTE_DEAD, message->body, message->length);
	note_jobs(message, NOTE_DEAD);
}

void invariants_note_refusal(const struct message *message)
{
	if (strncmp(message->exchange, "hold.", 5) == 0)
		note_jobs(message, NOTE_HOLD_EXPIRY);
}

/* Rest -------------------------------------------------------------------------------------------
 */

bool invariants_are_at_rest(void)
{
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *hold = table_committed(table_record(TABLE_HOLD, i));
		if (hold && hold->status == HOLD_PENDING &&
		    hold->expires_us > kernel_database_us() - OVERDUE_MOST_US)
			return false;
	}
	return true;
}

static bool is_told(const struct job *job)
{
	struct text text = {0};
	job_encode(&text, job);
	bool is_dead = notes_have(NOTE_DEAD, text.bytes, text.length);
	text_fini(&text);
	return is_dead || have_note(NOTE_UNSETTLED, &job->id);
}

void invariants_check_rest(void)
{
	for (size_t i = 0; i < clients_sent_count() && !kernel.failed; i++) {
		const struct job *job = clients_sent(i);
		if (job_kind_stores(job->kind) && !job_by_id(&job->id) && !is_told(job))
			kernel_fail("one-outcome", "nobody knows what became of a %s",
				    job_kind_name(job->kind));
	}
	for (size_t i = 0; i < table_count(TABLE_HOLD); i++) {
		const struct hold_row *hold = table_committed(table_record(TABLE_HOLD, i));
		if (hold && hold->status == HOLD_PENDING)
			kernel_fail("holds-end", "a hold of seat %lld is over and did not end",
				    (long long)hold->seat);
	}
}
