#include "session.h"

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

#include "log.h"

enum statement {
	READ_BALANCE,
	LOCK_BALANCE,
	WRITE_BALANCE,
	WRITE_VERSION,
	INSERT_HISTORY,
	STATEMENT_COUNT,
};

/* All by primary key: one row each. */
static const char *const texts[] = {
	[READ_BALANCE] = "SELECT balance, version FROM bench_cash WHERE id = ?",
	[LOCK_BALANCE] = "SELECT balance, version FROM bench_cash WHERE id = ? FOR UPDATE",
	[WRITE_BALANCE] = "UPDATE bench_cash SET balance = ? WHERE id = ?",
	[WRITE_VERSION] = "UPDATE bench_cash SET balance = ?, version = version + 1"
			  " WHERE id = ? AND version = ?",
	[INSERT_HISTORY] = "INSERT INTO bench_history (id, cash_id, amount, balance_after,"
			   " created_at) VALUES (?, ?, ?, ?, NOW(6))",
};

struct session {
	MYSQL *mysql;
	MYSQL_STMT *statements[STATEMENT_COUNT];
};

static enum err failed(unsigned number, const char *message)
{
	switch (number) {
	case ER_LOCK_DEADLOCK:
	case ER_LOCK_WAIT_TIMEOUT:
		return ERR_DB_CONFLICT;
	case ER_DUP_ENTRY:
		return ERR_DB_DUPLICATE;
	default:
		log_error("db-failed", LOG_I("number", number), LOG_S("message", message));
		return ERR_DB_GONE;
	}
}

static enum err connection_failed(struct session *session)
{
	return failed(mysql_errno(session->mysql), mysql_error(session->mysql));
}

static enum err statement_failed(MYSQL_STMT *statement)
{
	return failed(mysql_stmt_errno(statement), mysql_stmt_error(statement));
}

static enum err connect_session(struct session *session, const struct conf *conf)
{
	/* Without autocommit a transaction needs no statement of its own to begin. */
	static const char *const settings[] = {
		"SET time_zone = '+00:00', autocommit = 0, sql_mode = 'STRICT_ALL_TABLES'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	};
	const char *socket = conf->mysql_socket[0] ? conf->mysql_socket : NULL;

	if (!mysql_real_connect(session->mysql, socket ? "localhost" : conf->mysql_host,
				conf->mysql_user, conf->mysql_password, conf->mysql_database,
				(unsigned)conf->mysql_port, socket, 0))
		return connection_failed(session);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (mysql_query(session->mysql, settings[i]))
			return connection_failed(session);
	return ERR_OK;
}

static enum err prepare(struct session *session)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		MYSQL_STMT *statement = mysql_stmt_init(session->mysql);

		if (!statement)
			return ERR_MEMORY;
		session->statements[i] = statement;
		if (mysql_stmt_prepare(statement, texts[i], strlen(texts[i])))
			return statement_failed(statement);
	}
	return ERR_OK;
}

enum err session_new_bare(struct session **session, const struct conf *conf)
{
	struct session *made = calloc(1, sizeof *made);
	enum err err = ERR_MEMORY;

	if (!made)
		return ERR_MEMORY;
	made->mysql = mysql_init(NULL);
	if (made->mysql)
		err = connect_session(made, conf);
	if (err)
		session_free(made);
	else
		*session = made;
	return err;
}

enum err session_new(struct session **session, const struct conf *conf)
{
	struct session *made = NULL;
	enum err err = session_new_bare(&made, conf);

	if (err)
		return err;
	err = prepare(made);
	if (err)
		session_free(made);
	else
		*session = made;
	return err;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (session->statements[i])
			mysql_stmt_close(session->statements[i]);
	if (session->mysql)
		mysql_close(session->mysql);
	free(session);
}

static MYSQL_BIND number(int64_t *value)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = value};
}

static enum err run(struct session *session, enum statement which, MYSQL_BIND *parameters)
{
	MYSQL_STMT *statement = session->statements[which];

	if (mysql_stmt_bind_param(statement, parameters) || mysql_stmt_execute(statement))
		return statement_failed(statement);
	return ERR_OK;
}

struct found {
	int64_t balance, version;
};

static enum err read_balance(struct session *session, enum session_way way, int64_t id,
			     struct found *found)
{
	enum statement which = way == SESSION_LOCK ? LOCK_BALANCE : READ_BALANCE;
	MYSQL_STMT *statement = session->statements[which];
	MYSQL_BIND results[] = {number(&found->balance), number(&found->version)};
	enum err err = run(session, which, (MYSQL_BIND[]){number(&id)});

	if (err)
		return err;
	if (mysql_stmt_bind_result(statement, results))
		return statement_failed(statement);
	int rc = mysql_stmt_fetch(statement);
	if (rc == MYSQL_NO_DATA)
		err = ERR_DB_DATA;
	else if (rc)
		err = statement_failed(statement);
	mysql_stmt_free_result(statement);
	return err;
}

static enum err write_balance(struct session *session, enum session_way way, int64_t id,
			      struct found *found)
{
	enum statement which = way == SESSION_VERSION ? WRITE_VERSION : WRITE_BALANCE;
	enum err err =
		run(session, which,
		    (MYSQL_BIND[]){number(&found->balance), number(&id), number(&found->version)});

	if (err)
		return err;
	return mysql_stmt_affected_rows(session->statements[which]) == 1 ? ERR_OK : ERR_DB_CONFLICT;
}

static enum err insert_history(struct session *session, struct operation operation, int64_t after)
{
	MYSQL_BIND id = {.buffer_type = MYSQL_TYPE_STRING,
			 .buffer = operation.id.bytes,
			 .buffer_length = sizeof operation.id.bytes};

	return run(session, INSERT_HISTORY,
		   (MYSQL_BIND[]){id, number(&operation.balance), number(&operation.amount),
				  number(&after)});
}

enum err session_apply(struct session *session, enum session_way way,
		       const struct operation *operation)
{
	struct found found = {0};
	enum err err = read_balance(session, way, operation->balance, &found);

	if (!err && found.balance + operation->amount < 0)
		err = ERR_INSUFFICIENT_BALANCE;
	found.balance += operation->amount;
	if (!err)
		err = write_balance(session, way, operation->balance, &found);
	if (!err)
		err = insert_history(session, *operation, found.balance);
	if (!err && mysql_commit(session->mysql))
		err = connection_failed(session);
	if (err && mysql_rollback(session->mysql))
		return connection_failed(session);
	return err;
}

enum err session_run(struct session *session, const char *statement)
{
	if (mysql_query(session->mysql, statement) || mysql_commit(session->mysql))
		return connection_failed(session);
	return ERR_OK;
}

enum err session_number(struct session *session, const char *statement, int64_t *out)
{
	enum err err = ERR_DB_DATA;

	if (mysql_query(session->mysql, statement))
		return connection_failed(session);
	MYSQL_RES *rows = mysql_store_result(session->mysql);
	if (!rows)
		return connection_failed(session);
	MYSQL_ROW row = mysql_fetch_row(rows);
	if (row && row[0]) {
		*out = strtoll(row[0], NULL, 10);
		err = ERR_OK;
	}
	mysql_free_result(rows);
	return err;
}
