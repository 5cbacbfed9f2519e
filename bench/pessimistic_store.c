#include "pessimistic_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"
#include "session.h"

#define ATTEMPTS 10 /* at a transaction that deadlocks or waits too long for a lock */

enum statement {
	LOCK_BALANCE,
	UPDATE_BALANCE,
	INSERT_HISTORY,
	INSERT_JOB,
	FIND_JOB,
	STATEMENT_COUNT,
};

static const char *const texts[] = {
	/* Locks one row of user (by user_uuid) and one of cash (by primary key). */
	[LOCK_BALANCE] =
		"SELECT u.id, c.balance FROM user u STRAIGHT_JOIN cash c ON c.user_id = u.id"
		" WHERE u.uuid = ? FOR UPDATE",
	[UPDATE_BALANCE] = "UPDATE cash SET balance = ?, updated_at = NOW(6) WHERE user_id = ?",
	[INSERT_HISTORY] = "INSERT INTO cash_history (user_id, job_id, amount, balance_after,"
			   " description, created_at) VALUES (?, ?, ?, ?, '', NOW(6))",
	[INSERT_JOB] =
		"INSERT INTO job (id, kind, attempt, fingerprint, code, why, data, created_at)"
		" VALUES (?, 'charge', 1, ?, 'ok', '', ?, NOW(6))",
	/* job by primary key; no locks. */
	[FIND_JOB] = "SELECT fingerprint, data FROM job WHERE id = ?",
};

struct pessimistic_store {
	struct session *session;
};

enum err pessimistic_store_new(struct pessimistic_store **store, const struct conf *conf)
{
	struct pessimistic_store *made = calloc(1, sizeof *made);
	enum err err;

	if (made == NULL)
		return ERR_MEMORY;
	err = session_new(&made->session, conf, texts, STATEMENT_COUNT);
	if (err == ERR_OK)
		*store = made;
	else
		pessimistic_store_free(made);
	return err;
}

void pessimistic_store_free(struct pessimistic_store *store)
{
	if (store == NULL)
		return;
	session_free(store->session);
	free(store);
}

/* The transaction, up to its end. Works on a copy of the charge, for the sake of the API. */
static enum err apply(struct pessimistic_store *store, struct charge charge,
		      struct charge_answer *answer)
{
	int64_t user = 0;
	int64_t balance = 0;
	enum err err = session_fetch(
		store->session, LOCK_BALANCE,
		(MYSQL_BIND[]){session_bytes(charge.user.bytes, sizeof charge.user.bytes)},
		(MYSQL_BIND[]){session_int(&user), session_int(&balance)}, ERR_UNKNOWN_USER);

	if (err == ERR_OK && balance > JOB_MAX_BALANCE - charge.amount)
		err = ERR_BALANCE_LIMIT;
	if (err != ERR_OK)
		return err;
	balance += charge.amount;
	snprintf(answer->data, sizeof answer->data, "{\"balance\":%" PRId64 "}", balance);
	err = session_execute(store->session, UPDATE_BALANCE,
			      (MYSQL_BIND[]){session_int(&balance), session_int(&user)});
	if (err == ERR_OK)
		err = session_execute(
			store->session, INSERT_HISTORY,
			(MYSQL_BIND[]){session_int(&user),
				       session_bytes(charge.job.bytes, sizeof charge.job.bytes),
				       session_int(&charge.amount), session_int(&balance)});
	if (err == ERR_OK)
		err = session_execute(
			store->session, INSERT_JOB,
			(MYSQL_BIND[]){session_bytes(charge.job.bytes, sizeof charge.job.bytes),
				       session_bytes(charge.fingerprint, sizeof charge.fingerprint),
				       session_bytes(answer->data, strlen(answer->data))});
	return err == ERR_OK ? session_commit(store->session) : err;
}

/* What the first of two with one id was answered. */
static enum err find_answer(struct pessimistic_store *store, struct charge charge,
			    struct charge_answer *answer)
{
	uint8_t fingerprint[FINGERPRINT_SIZE] = {0};
	unsigned long length = 0;
	MYSQL_BIND results[] = {session_bytes(fingerprint, sizeof fingerprint),
				session_bytes(answer->data, sizeof answer->data - 1)};
	enum err err;

	results[1].length = &length;
	err = session_fetch(
		store->session, FIND_JOB,
		(MYSQL_BIND[]){session_bytes(charge.job.bytes, sizeof charge.job.bytes)}, results,
		ERR_DB_CONFLICT);
	if (err == ERR_OK && memcmp(fingerprint, charge.fingerprint, sizeof fingerprint) != 0)
		err = ERR_KEY_REUSED;
	answer->data[length < sizeof answer->data ? length : 0] = '\0';
	answer->replayed = err == ERR_OK;
	return err;
}

enum err pessimistic_store_charge(struct pessimistic_store *store, const struct charge *charge,
				  struct charge_answer *answer)
{
	enum err err = ERR_DB_CONFLICT;

	answer->replayed = false;
	for (int attempt = 0; attempt < ATTEMPTS && err == ERR_DB_CONFLICT; attempt++) {
		err = apply(store, *charge, answer);
		if (err == ERR_OK)
			break;
		enum err undone = session_roll_back(store->session);
		if (undone != ERR_OK)
			return undone;
		if (err == ERR_DB_DUPLICATE)
			err = find_answer(store, *charge, answer);
	}
	return err;
}
