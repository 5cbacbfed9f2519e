#include "session.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_MYSQL_H
#include <mysqld_error.h>
#else
#include <mysql/mysqld_error.h>
#endif

#include "db_hosts.h"
#include "log.h"

struct session {
	MYSQL *mysql;
	MYSQL_STMT *statements[SESSION_STATEMENTS_MAX];
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
		log_warn("db-failed", LOG_I("number", number), LOG_S("message", message));
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
	static const char *const settings[] = {
		"SET time_zone = '+00:00', autocommit = 0, sql_mode = 'STRICT_ALL_TABLES'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	};
	struct db_hosts hosts;
	const struct db_host *host = &hosts.hosts[0]; /* nobody fails over meanwhile */
	const char *socket = NULL;

	if (db_hosts_read(&hosts, conf->mysql_host, (unsigned)conf->mysql_port) != ERR_OK)
		return ERR_CONF;
	if (conf->mysql_socket[0] || host->port == 0)
		socket = conf->mysql_socket[0] ? conf->mysql_socket : host->name;
	mysql_options(session->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(session->mysql, socket ? "localhost" : host->name, conf->mysql_user,
				conf->mysql_password, conf->mysql_database, host->port, socket, 0))
		return connection_failed(session);
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (mysql_query(session->mysql, settings[i]))
			return connection_failed(session);
	return ERR_OK;
}

static enum err prepare(struct session *session, const char *const *statements, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		MYSQL_STMT *statement = mysql_stmt_init(session->mysql);

		if (!statement)
			return ERR_MEMORY;
		session->statements[i] = statement;
		if (mysql_stmt_prepare(statement, statements[i], strlen(statements[i])))
			return statement_failed(statement);
	}
	return ERR_OK;
}

enum err session_new(struct session **session, const struct conf *conf,
		     const char *const *statements, size_t count)
{
	struct session *made;
	enum err err = ERR_MEMORY;

	if (mysql_library_init(0, NULL, NULL))
		return ERR_MEMORY;
	made = calloc(1, sizeof *made);
	if (!made)
		return ERR_MEMORY;
	made->mysql = mysql_init(NULL);
	if (made->mysql)
		err = connect_session(made, conf);
	if (!err)
		err = prepare(made, statements, count);
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
	for (size_t i = 0; i < SESSION_STATEMENTS_MAX; i++)
		if (session->statements[i])
			mysql_stmt_close(session->statements[i]);
	if (session->mysql)
		mysql_close(session->mysql);
	free(session);
}

MYSQL_BIND session_int(int64_t *value)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .buffer = value};
}

MYSQL_BIND session_bytes(void *value, size_t size)
{
	return (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
			    .buffer = value,
			    .buffer_length = (unsigned long)size};
}

enum err session_execute(struct session *session, size_t statement, MYSQL_BIND *parameters)
{
	MYSQL_STMT *prepared = session->statements[statement];

	if (mysql_stmt_bind_param(prepared, parameters) || mysql_stmt_execute(prepared))
		return statement_failed(prepared);
	return ERR_OK;
}

uint64_t session_affected(const struct session *session, size_t statement)
{
	return mysql_stmt_affected_rows(session->statements[statement]);
}

enum err session_fetch(struct session *session, size_t statement, MYSQL_BIND *parameters,
		       MYSQL_BIND *results, enum err missing)
{
	MYSQL_STMT *prepared = session->statements[statement];
	enum err err = session_execute(session, statement, parameters);
	int rc;

	if (err)
		return err;
	if (mysql_stmt_bind_result(prepared, results))
		return statement_failed(prepared);
	rc = mysql_stmt_fetch(prepared);
	if (rc == 1)
		err = statement_failed(prepared);
	else if (rc == MYSQL_NO_DATA)
		err = missing;
	mysql_stmt_free_result(prepared);
	return err;
}

enum err session_commit(struct session *session)
{
	return mysql_commit(session->mysql) ? connection_failed(session) : ERR_OK;
}

enum err session_roll_back(struct session *session)
{
	return mysql_rollback(session->mysql) ? connection_failed(session) : ERR_OK;
}

enum err session_run(struct session *session, const char *statement)
{
	if (mysql_query(session->mysql, statement))
		return connection_failed(session);
	return session_commit(session);
}

enum err session_number(struct session *session, const char *statement, int64_t *number)
{
	enum err err = ERR_DB_DATA;

	if (mysql_query(session->mysql, statement))
		return connection_failed(session);
	MYSQL_RES *rows = mysql_store_result(session->mysql);
	if (!rows)
		return connection_failed(session);
	MYSQL_ROW row = mysql_fetch_row(rows);
	if (row && row[0]) {
		*number = strtoll(row[0], NULL, 10);
		err = ERR_OK;
	}
	mysql_free_result(rows);
	return err;
}
