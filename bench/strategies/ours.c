/* 9. Ours: the account worker's own code in a process of its own, on a queue of the run's own. Its
 * rules are wrapped: a charge with memo "use" takes money. The jobs are packed as an importer packs
 * them, and an operation counts when its result came, after the commit. It writes more than the
 * others: a row of table job for each operation. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../session.h"
#include "account_rules.h"
#include "account_store.h"
#include "broker.h"
#include "clock.h"
#include "log.h"
#include "mem.h"
#include "order.h"
#include "queue.h"
#include "reply.h"
#include "worker.h"

#define CHANNEL 1
#define MESSAGE_JOBS 200
#define WINDOW 64
#define BATCH_JOBS 1000
#define TURN_MS 1000
#define SILENCE_MS 30000
#define USE "use"
#define STATEMENT_SIZE 640

/* The worker --------------------------------------------------------------------------------- */

static struct rules real_rules;

static enum err use(struct ledger *world, const struct job *job)
{
	struct account *account = ledger_find(world, &job->user);

	if (!account || !account->exists)
		return ERR_UNKNOWN_USER;
	if (account->balance < job->amount)
		return ERR_INSUFFICIENT_BALANCE;
	ledger_post(world, account, &job->id, -job->amount, job->memo);
	return ERR_OK;
}

static void decide(void *world, struct batch_entry *entry, int64_t now_us)
{
	struct outcome *outcome = &entry->outcome;

	if (strcmp(entry->job.memo, USE) != 0) {
		real_rules.decide(world, entry, now_us);
		return;
	}
	outcome->err = use(world, &entry->job);
	if (!outcome->err)
		snprintf(outcome->data, sizeof outcome->data, "{\"balance\":%" PRId64 "}",
			 ledger_find(world, &entry->job.user)->balance);
}

/* In the child. */
static int work(void)
{
	struct worker worker;
	struct account_store store;

	if (worker_open(&worker, "bench-worker", IN_ACCOUNT))
		return EXIT_FAILURE;
	account_store_init(&store, worker.db, worker.conf.known_user_s);
	worker.store = account_store_interface(&store);
	real_rules = account_rules(&store.world);
	worker.rules = real_rules;
	worker.rules.decide = decide;
	unsigned lane = consumer_add_lane(&worker.consumer, QUEUE_IMPORT,
					  worker.conf.import_prefetch, BATCH_JOBS);
	consumer_add_queue(&worker.consumer, QUEUE_NAME, lane, 0);
	int status = worker_run(&worker);
	account_store_fini(&store);
	worker_close(&worker);
	return status;
}

static enum err start_worker(pid_t *pid)
{
	const pid_t parent = getpid();

	*pid = fork();
	if (*pid < 0)
		return ERR_SYSTEM;
	if (*pid)
		return ERR_OK;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	_exit(getppid() == parent ? work() : EXIT_FAILURE);
}

static enum err stop_worker(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
		return ERR_SYSTEM;
	return ERR_OK;
}

/* The users ---------------------------------------------------------------------------------- */

/* Users of a run: eight bytes of the run, then the number of the balance. */
struct users {
	uint8_t prefix[8];
	char hex[2 * 8 + 1];
};

static struct users users_new(void)
{
	struct users users;
	const struct id id = id_random();
	char hex[ID_HEX_SIZE];

	memcpy(users.prefix, id.bytes, sizeof users.prefix);
	id_format_hex(&id, hex);
	snprintf(users.hex, sizeof users.hex, "%.16s", hex);
	return users;
}

static struct id users_id(const struct users *users, int64_t balance)
{
	struct id id;

	memcpy(id.bytes, users->prefix, sizeof users->prefix);
	for (int i = 0; i < 8; i++)
		id.bytes[8 + i] = (uint8_t)(balance >> (8 * (7 - i)));
	return id;
}

static enum err users_insert(struct session *session, const struct users *users,
			     const struct order *order)
{
	char statement[STATEMENT_SIZE];

	snprintf(statement, sizeof statement,
		 "INSERT INTO user (uuid, name, job_id, created_at, updated_at)"
		 " SELECT UNHEX(CONCAT('%s', LPAD(HEX(seq), 16, '0'))), 'bench %s',"
		 " UNHEX(CONCAT('%s', LPAD(HEX(seq), 16, '0'))), NOW(6), NOW(6)"
		 " FROM seq_1_to_%" PRId64,
		 users->hex, users->hex, users->hex, order->balances);
	enum err err = session_run(session, statement);
	if (err)
		return err;
	snprintf(statement, sizeof statement,
		 "INSERT INTO cash (user_id, balance, created_at, updated_at)"
		 " SELECT id, %" PRId64 ", NOW(6), NOW(6) FROM user WHERE name = 'bench %s'",
		 order->opening, users->hex);
	err = session_run(session, statement);
	if (err || order->opening == 0)
		return err;
	snprintf(statement, sizeof statement,
		 "INSERT INTO cash_history (user_id, job_id, amount, balance_after, description,"
		 " created_at) SELECT id, job_id, %" PRId64 ", %" PRId64 ", 'opening', NOW(6)"
		 " FROM user WHERE name = 'bench %s'",
		 order->opening, order->opening, users->hex);
	return session_run(session, statement);
}

/* Nothing of a run stays in the service's tables but the outcomes of refusals, which are pruned. */
static enum err users_delete(struct session *session, const struct users *users)
{
	static const char *const statements[] = {
		"DELETE j FROM user u JOIN cash_history h ON h.user_id = u.id"
		" JOIN job j ON j.id = h.job_id WHERE u.name = 'bench ",
		"DELETE h FROM user u JOIN cash_history h ON h.user_id = u.id WHERE u.name = "
		"'bench ",
		"DELETE c FROM user u JOIN cash c ON c.user_id = u.id WHERE u.name = 'bench ",
		"DELETE FROM user WHERE name = 'bench ",
	};
	char statement[STATEMENT_SIZE];
	enum err err = ERR_OK;

	for (size_t i = 0; i < sizeof statements / sizeof *statements && !err; i++) {
		snprintf(statement, sizeof statement, "%s%s'", statements[i], users->hex);
		err = session_run(session, statement);
	}
	return err;
}

static enum err users_check(struct session *session, const struct users *users,
			    const struct order *order, const struct arm_result *result)
{
	char statement[STATEMENT_SIZE];
	int64_t rows = 0, wrong = 0;

	snprintf(statement, sizeof statement,
		 "SELECT COUNT(*) FROM user u JOIN cash_history h ON h.user_id = u.id"
		 " WHERE u.name = 'bench %s' AND h.description <> 'opening'",
		 users->hex);
	enum err err = session_number(session, statement, &rows);
	if (err)
		return err;
	snprintf(statement, sizeof statement,
		 "SELECT COUNT(*) FROM user u JOIN cash c ON c.user_id = u.id"
		 " WHERE u.name = 'bench %s' AND c.balance <> (SELECT COALESCE(SUM(h.amount), 0)"
		 " FROM cash_history h WHERE h.user_id = u.id)",
		 users->hex);
	err = session_number(session, statement, &wrong);
	if (err)
		return err;
	if (rows == result->applied && !wrong)
		return ERR_OK;
	log_error("money-wrong", LOG_I("balances", wrong), LOG_I("rows", rows),
		  LOG_I("applied", result->applied), LOG_I("opening", order->opening));
	return ERR_DB_DATA;
}

/* The importer ------------------------------------------------------------------------------- */

struct importer {
	const struct order *order;
	struct users users;
	struct broker *publisher, *listener;
	char replies[64];
	struct job *jobs; /* of one message */
	int64_t next;     /* number of an operation */
	size_t under_way; /* messages without their results */
	struct arm_result result;
};

static enum err importer_open(struct importer *importer, const struct order *order)
{
	const struct id fresh = id_random();
	char id[ID_TEXT_SIZE];

	importer->order = order;
	importer->jobs = mem_array(NULL, MESSAGE_JOBS, sizeof *importer->jobs);
	id_format(&fresh, id);
	snprintf(importer->replies, sizeof importer->replies, "reply.import.%s", id);
	enum err err = broker_open(&importer->listener, &order->conf, "strategies results");
	if (!err)
		err = broker_declare_reply_queue(importer->listener, importer->replies);
	if (!err)
		err = broker_consume(importer->listener, CHANNEL, importer->replies, WINDOW);
	return err ? err : broker_open(&importer->publisher, &order->conf, "strategies importer");
}

static void importer_close(struct importer *importer)
{
	broker_free(importer->publisher);
	broker_free(importer->listener);
	free(importer->jobs);
}

static enum err publish(struct importer *importer, size_t count)
{
	const struct job *list[MESSAGE_JOBS];
	struct text body = {0};

	for (size_t i = 0; i < count; i++)
		list[i] = &importer->jobs[i];
	job_encode_envelope(&body, list, count);
	const struct broker_message message = {.exchange = QUEUE_NAME,
					       .routing_key = "",
					       .body = body.bytes,
					       .length = body.length,
					       .type = JOB_TYPE,
					       .reply_to = importer->replies,
					       .persistent = true,
					       .mandatory = true};
	enum err err = broker_publish(importer->publisher, &message, NULL);
	importer->under_way += !err;
	text_fini(&body);
	return err;
}

static struct job job_of(const struct importer *importer, const struct operation *operation)
{
	struct job job = {.id = operation->id,
			  .kind = JOB_CHARGE,
			  .attempt = 1,
			  .user = users_id(&importer->users, operation->balance),
			  .amount = llabs(operation->amount)};

	if (operation->amount < 0)
		memcpy(job.memo, USE, sizeof USE);
	return job;
}

static enum err publish_window(struct importer *importer)
{
	enum err err = ERR_OK;

	while (!err && importer->under_way < WINDOW &&
	       importer->next < order_total(importer->order)) {
		size_t count = 0;
		for (; count < MESSAGE_JOBS && importer->next < order_total(importer->order);
		     count++) {
			const struct operation operation =
				order_operation(importer->order, importer->next++);
			importer->jobs[count] = job_of(importer, &operation);
		}
		err = publish(importer, count);
	}
	return err;
}

static enum err take_results(struct importer *importer, const struct broker_delivery *delivery)
{
	struct result *results;
	size_t count;
	enum err err = reply_decode(delivery->body, delivery->length, &results, &count);

	for (size_t i = 0; !err && i < count; i++) {
		if (!results[i].outcome.err)
			importer->result.applied++;
		else if (results[i].outcome.err == ERR_INSUFFICIENT_BALANCE)
			importer->result.refused++;
		else if (results[i].outcome.err != ERR_UNKNOWN_USER) /* the one that greets */
			log_error("job-refused", LOG_ERR(results[i].outcome.err));
	}
	if (err)
		return err;
	free(results);
	importer->under_way--;
	importer->result.end_us = clock_us();
	return ERR_OK;
}

static enum err take_replies(struct importer *importer)
{
	struct broker_delivery delivery;
	uint64_t last = 0;
	enum err err = ERR_OK;

	while (!err && broker_take(importer->listener, CHANNEL, &delivery)) {
		err = take_results(importer, &delivery);
		last = delivery.tag;
		broker_delivery_fini(&delivery);
	}
	if (!err && last)
		err = broker_ack(importer->listener, CHANNEL, last, true);
	return err;
}

/* Until all that is under way, and all that is to follow, is answered. */
static enum err import(struct importer *importer)
{
	int64_t heard_ms = clock_ms();
	enum err err = ERR_OK;

	while (!err && importer->under_way) {
		err = broker_pump(importer->listener, TURN_MS);
		if (err == ERR_TIMEOUT)
			err = clock_ms() - heard_ms > SILENCE_MS ? ERR_TIMEOUT : ERR_OK;
		else
			heard_ms = clock_ms();
		if (!err)
			err = take_replies(importer);
		if (!err)
			err = publish_window(importer);
	}
	return err;
}

/* One job for a user that is not there, so that the worker is known to be ready. */
static enum err greet(struct importer *importer)
{
	const int64_t next = importer->next;

	importer->jobs[0] = (struct job){.id = id_ordered(),
					 .kind = JOB_CHARGE,
					 .attempt = 1,
					 .user = id_random(),
					 .amount = 1};
	importer->next = order_total(importer->order);
	enum err err = publish(importer, 1);
	if (!err)
		err = import(importer);
	importer->next = next;
	return err;
}

static enum err run(struct importer *importer, const struct order *order)
{
	enum err err = importer_open(importer, order);

	if (!err)
		err = greet(importer);
	importer->result.begin_us = clock_us();
	if (!err)
		err = publish_window(importer);
	return err ? err : import(importer);
}

static enum err run_beside_worker(struct importer *importer, const struct order *order)
{
	pid_t worker;
	enum err err = start_worker(&worker);

	if (err)
		return err;
	err = run(importer, order);
	importer_close(importer);
	enum err stopped = stop_worker(worker);
	return err ? err : stopped;
}

enum err arm_ours(const struct order *order, struct arm_result *result)
{
	struct importer importer = {.users = users_new()};
	struct session *session = NULL;
	enum err err = queue_make(&order->conf);

	if (err)
		return err;
	err = session_new(&session, &order->conf, NULL, 0);
	if (!err)
		err = users_insert(session, &importer.users, order);
	if (!err)
		err = run_beside_worker(&importer, order);
	if (!err)
		err = users_check(session, &importer.users, order, &importer.result);
	if (session) {
		enum err undone = users_delete(session, &importer.users);
		err = err ? err : undone;
	}
	session_free(session);
	enum err deleted = queue_delete(&order->conf);
	if (!err)
		*result = importer.result;
	return err ? err : deleted;
}
