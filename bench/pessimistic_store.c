/* Straight on the client library, not through lib/db.h: typed parameters of single rows are what
 * this strategy is best with. */
#include "pessimistic_store.h"

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MYSQL_H
#include <mysql.h>
#include <mysqld_error.h>
#else
#include <mysql/mysql.h>
#include <mysql/mysqld_error.h>
#endif

#include "job.h"
#include "log.h"

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
	MYSQL *mysql;
	MYSQL_STMT *statements[STATEMENT_COUNT];
};

static enum err store_failed(unsigned number, const char *message)
{
	switch (number) {
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
		return ERR_DB_CONFLICT;
	case ER_DUP_ENTRY:
		return ERR_DB_DUPLICATE;
	default:
		log_warn("db-failed", LOG_I("number", number), LOG_S("message", message));
		return ERR_DB_GONE;
	}
}

static enum err connection_failed(struct pessimistic_store *store)
{
	return store_failed(mysql_errno(store->mysql), mysql_error(store->mysql));
}

static enum err store_connect(struct pessimistic_store *store, const struct conf *conf)
{
	/* Without autocommit a transaction needs no statement of its own to begin. */
	static const char *const settings[] = {
		"SET time_zone = '+00:00', autocommit = 0, sql_mode = 'STRICT_ALL_TABLES'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	};
	const char *socket = conf->mysql_socket[0] != '\0' ? conf->mysql_socket : NULL;

	mysql_options(store->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(store->mysql, socket != NULL ? "localhost" : conf->mysql_host,
				conf->mysql_user, conf->mysql_password, conf->mysql_database,
				(unsigned)conf->mysql_port, socket, 0))
		return connection_failed(store);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (mysql_query(store->mysql, settings[i]) != 0)
			return connection_failed(store);
	return ERR_OK;
}

static enum err store_prepare(struct pessimistic_store *store)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		MYSQL_STMT *statement = mysql_stmt_init(store->mysql);

		if (statement == NULL)
			return ERR_MEMORY;
		store->statements[i] = statement;
		if (mysql_stmt_prepare(statement, texts[i], strlen(texts[i])) != 0)
			return store_failed(mysql_stmt_errno(statement),
					    mysql_stmt_error(statement));
	}
	return ERR_OK;
}

enum err pessimistic_store_new(struct pessimistic_store **store, const struct conf *conf)
{
	struct pessimistic_store *made;
	enum err err = ERR_MEMORY;

	if (mysql_library_init(0, NULL, NULL) != 0)
		return ERR_MEMORY;
	made = calloc(1, sizeof *made);
	if (made == NULL)
		return ERR_MEMORY;
	made->mysql = mysql_init(NULL);
	if (made->mysql != NULL)
		err = store_connect(made, conf);
	if (err == ERR_OK)
		err = store_prepare(made);
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
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (store->statements[i] != NULL)
			mysql_stmt_close(store->statements[i]);
	if (store->mysql != NULL)
		mysql_close(store->mysql);
	free(store);
}

/* Parameters: the API wants pointers to what it only reads. */
static MYSQL_BIND number(int64_t *value)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = value};
}

static MYSQL_BIND bytes(void *value, size_t length)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
			    .buffer = value,
			    .buffer_length = (unsigned long)length};
}

static enum err run(struct pessimistic_store *store, enum statement which, MYSQL_BIND *parameters)
{
	MYSQL_STMT *statement = store->statements[which];

	if (mysql_stmt_bind_param(statement, parameters) != 0 || mysql_stmt_execute(statement) != 0)
		return store_failed(mysql_stmt_errno(statement), mysql_stmt_error(statement));
	return ERR_OK;
}

/* Runs a SELECT of at most one row; missing is the error for none. */
static enum err run_select(struct pessimistic_store *store, enum statement which,
			   MYSQL_BIND *parameters, MYSQL_BIND *results, enum err missing)
{
	MYSQL_STMT *statement = store->statements[which];
	enum err err = run(store, which, parameters);
	int rc;

	if (err != ERR_OK)
		return err;
	if (mysql_stmt_bind_result(statement, results) != 0)
		return store_failed(mysql_stmt_errno(statement), mysql_stmt_error(statement));
	rc = mysql_stmt_fetch(statement);
	if (rc == 1)
		err = store_failed(mysql_stmt_errno(statement), mysql_stmt_error(statement));
	else if (rc == MYSQL_NO_DATA)
		err = missing;
	mysql_stmt_free_result(statement);
	return err;
}

/* The transaction, up to its end. Works on a copy of the charge, for the sake of the API. */
static enum err apply(struct pessimistic_store *store, struct charge charge,
		      struct charge_answer *answer)
{
	int64_t user = 0;
	int64_t balance = 0;
	enum err err =
		run_select(store, LOCK_BALANCE,
			   (MYSQL_BIND[]){bytes(charge.user.bytes, sizeof charge.user.bytes)},
			   (MYSQL_BIND[]){number(&user), number(&balance)}, ERR_UNKNOWN_USER);

	if (err == ERR_OK && balance > JOB_MAX_BALANCE - charge.amount)
		err = ERR_BALANCE_LIMIT;
	if (err != ERR_OK)
		return err;
	balance += charge.amount;
	snprintf(answer->data, sizeof answer->data, "{\"balance\":%" PRId64 "}", balance);
	err = run(store, UPDATE_BALANCE, (MYSQL_BIND[]){number(&balance), number(&user)});
	if (err == ERR_OK)
		err = run(store, INSERT_HISTORY,
			  (MYSQL_BIND[]){number(&user),
					 bytes(charge.job.bytes, sizeof charge.job.bytes),
					 number(&charge.amount), number(&balance)});
	if (err == ERR_OK)
		err = run(store, INSERT_JOB,
			  (MYSQL_BIND[]){bytes(charge.job.bytes, sizeof charge.job.bytes),
					 bytes(charge.fingerprint, sizeof charge.fingerprint),
					 bytes(answer->data, strlen(answer->data))});
	if (err == ERR_OK && mysql_commit(store->mysql) != 0)
		err = connection_failed(store);
	return err;
}

/* What the first of two with one id was answered. */
static enum err find_answer(struct pessimistic_store *store, struct charge charge,
			    struct charge_answer *answer)
{
	uint8_t fingerprint[FINGERPRINT_SIZE] = {0};
	unsigned long length = 0;
	MYSQL_BIND results[] = {bytes(fingerprint, sizeof fingerprint),
				bytes(answer->data, sizeof answer->data - 1)};
	enum err err;

	results[1].length = &length;
	err = run_select(store, FIND_JOB,
			 (MYSQL_BIND[]){bytes(charge.job.bytes, sizeof charge.job.bytes)}, results,
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
		if (mysql_rollback(store->mysql) != 0)
			return connection_failed(store);
		if (err == ERR_DB_DUPLICATE)
			err = find_answer(store, *charge, answer);
	}
	return err;
}
