/* The database connection: see db.h. Written against the API that MariaDB Connector/C 3.3 and
 * MySQL's libmysqlclient 8 share. */
#include "config.h"

#include "db_mysql.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "db_fate.h"
#include "fault.h"
#include "log.h"
#include "metrics.h"

#define COLUMN_SIZE 4096 /* the widest column is job.data: 2,048 bytes */
#define CONNECT_TIMEOUT_S 3
#define CONNECT_TIMEOUT_OF_SEVERAL_S 2 /* one lost packet is sent again after a second */
/* Whoever takes writes no more without ending our session is noticed within this time by who only
 * reads; by who writes, at once. */
#define WRITABLE_CHECK_US 1000000

/* The entry of the list that took writes when a thread of this process last connected: the others
 * need not find out anew. */
static atomic_size_t last_writable;

static void forget_statements(struct db *db)
{
	for (size_t i = 0; i < db->statement_count; i++) {
		struct statement *statement = &db->statements[i];
		if (statement->handle)
			mysql_stmt_close(statement->handle);
		for (unsigned c = 0; c < statement->row.count; c++)
			free(statement->row.columns[c].bytes);
	}
	memset(db->statements, 0, sizeof db->statements);
	db->statement_count = 0;
}

static void disconnect(struct db *db)
{
	forget_statements(db);
	if (db->mysql)
		mysql_close(db->mysql);
	db->mysql = NULL;
	db->in_transaction = false;
}

/* Logs a failure and gives its fate. A lost connection is dropped at once: the server has rolled
 * the transaction back, or will by wait_timeout. */
static enum err failed(struct db *db, const char *what, unsigned number, const char *sqlstate,
		       const char *message)
{
	enum err err = db_fate(number, sqlstate);
	metrics_count(METRIC_DB_FAILURES, err, 0);
	if (err == ERR_DB_GONE || err == ERR_DB_REFUSED || err == ERR_DB_DATA)
		log_warn("db-failed", LOG_S("statement", what), LOG_I("number", number),
			 LOG_S("message", message));
	else
		log_debug("db-conflict", LOG_S("statement", what), LOG_I("number", number));
	if (err == ERR_DB_GONE) {
		disconnect(db);
		db->was_lost = true;
	}
	return err;
}

static enum err failed_connection(struct db *db, const char *what)
{
	return failed(db, what, mysql_errno(db->mysql), mysql_sqlstate(db->mysql),
		      mysql_error(db->mysql));
}

static enum err read_hosts(struct db_hosts *hosts, const struct conf *conf)
{
	const char *socket = conf->mysql_socket;
	if (!socket[0])
		return db_hosts_read(hosts, conf->mysql_host, (unsigned)conf->mysql_port);
	*hosts = (struct db_hosts){.count = 1};
	int length = snprintf(hosts->hosts[0].name, sizeof hosts->hosts[0].name, "%s", socket);
	return length < (int)sizeof hosts->hosts[0].name ? ERR_OK : ERR_CONF;
}

enum err db_new(struct db **db, const struct conf *conf, unsigned io_timeout_s)
{
	if (mysql_library_init(0, NULL, NULL) != 0)
		return ERR_MEMORY;
	struct db *fresh = calloc(1, sizeof *fresh);
	if (!fresh)
		return ERR_MEMORY;
	fresh->conf = conf;
	fresh->io_timeout_s = io_timeout_s;
	enum err err = read_hosts(&fresh->hosts, conf);
	if (err)
		free(fresh);
	else
		*db = fresh;
	return err;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	disconnect(db);
	free(db);
}

static enum err set_up_session(struct db *db)
{
	/* READ COMMITTED: look-ups that find nothing take no gap locks. wait_timeout: the locks of
	 * a worker that was stopped end with its session. */
	static const char *const settings[] = {
		"SET time_zone = '+00:00', wait_timeout = 10, innodb_lock_wait_timeout = 3",
		"SET sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ENGINE_SUBSTITUTION'",
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
	};
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		if (mysql_query(db->mysql, settings[i]) != 0)
			return failed_connection(db, "session");
	return ERR_OK;
}

/* The server has to show whose it is before it is told even the account's name; one without TLS is
 * refused. */
static void demand_tls(struct db *db)
{
#ifdef MARIADB_BASE_VERSION
	const my_bool yes = 1;

	mysql_options(db->mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
	mysql_options(db->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
#else
	const unsigned mode = SSL_MODE_VERIFY_IDENTITY;

	mysql_options(db->mysql, MYSQL_OPT_SSL_MODE, &mode);
#endif
	mysql_options(db->mysql, MYSQL_OPT_SSL_CA, db->conf->tls_ca);
}

/* A replica is passed over, and so is a primary that is one no longer. super_read_only of MySQL
 * sets read_only as well. */
static enum err check_writable(struct db *db)
{
	bool is_writable = false;
	if (mysql_query(db->mysql, "SELECT @@global.read_only") != 0)
		return failed_connection(db, "read-only");
	MYSQL_RES *result = mysql_store_result(db->mysql);
	if (!result)
		return failed_connection(db, "read-only");
	MYSQL_ROW row = mysql_fetch_row(result);
	if (row && row[0])
		is_writable = strcmp(row[0], "0") == 0 || strcmp(row[0], "OFF") == 0;
	mysql_free_result(result);
	db->writable_us = clock_us();
	if (is_writable)
		return ERR_OK;
	log_warn("db-read-only", LOG_S("host", db->host->name), LOG_I("port", db->host->port));
	disconnect(db);
	db->was_lost = true;
	return ERR_DB_GONE;
}

static enum err connect_to(struct db *db, const struct db_host *host)
{
	const struct conf *conf = db->conf;
	db->mysql = mysql_init(NULL);
	if (!db->mysql)
		return ERR_MEMORY;
	db->host = host;
	unsigned connect_s = db->hosts.count > 1 ? CONNECT_TIMEOUT_OF_SEVERAL_S : CONNECT_TIMEOUT_S;
	mysql_options(db->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(db->mysql, MYSQL_OPT_READ_TIMEOUT, &db->io_timeout_s);
	mysql_options(db->mysql, MYSQL_OPT_WRITE_TIMEOUT, &db->io_timeout_s);
	mysql_options(db->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	/* CLIENT_FOUND_ROWS: affected counts the rows that an update found, changed or not. */
	const char *socket = host->port ? NULL : host->name;
	/* Else "localhost" would mean a socket that the library knows of. */
	const unsigned protocol = socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
	mysql_options(db->mysql, MYSQL_OPT_PROTOCOL, &protocol);
	if (conf->mysql_tls)
		demand_tls(db);
	if (!mysql_real_connect(db->mysql, socket ? "localhost" : host->name, conf->mysql_user,
				conf->mysql_password, conf->mysql_database, host->port, socket,
				CLIENT_FOUND_ROWS)) {
		enum err err = failed_connection(db, "connect");
		disconnect(db);
		return err == ERR_DB_DATA ? ERR_DB_GONE : err;
	}
	/* A session with the server's own settings must not be used: it would count another time
	 * zone's hours. */
	enum err err = set_up_session(db);
	if (!err && db->hosts.count > 1)
		err = check_writable(db);
	if (err)
		disconnect(db);
	else if (db->was_lost)
		metrics_count(METRIC_RECONNECTS, SIDE_DATABASE, 0);
	db->was_lost = db->was_lost && err;
	return err;
}

/* Goes through the list once, beginning with the entry that served last. */
static enum err connect_now(struct db *db)
{
	size_t count = db->hosts.count;
	size_t first = atomic_load_explicit(&last_writable, memory_order_relaxed) % count;
	enum err err = ERR_DB_GONE;
	for (size_t i = 0; i < count; i++) {
		size_t nth = (first + i) % count;
		err = connect_to(db, &db->hosts.hosts[nth]);
		if (!err) {
			atomic_store_explicit(&last_writable, nth, memory_order_relaxed);
			break;
		}
	}
	return err;
}

/* Between transactions: one that has begun ends where it is, by the server's own word. */
static bool is_due_for_check(const struct db *db)
{
	return db->mysql && db->hosts.count > 1 && !db->in_transaction &&
	       clock_us() - db->writable_us > WRITABLE_CHECK_US;
}

enum err db_ensure_connected(struct db *db)
{
	if (is_due_for_check(db)) {
		enum err err = check_writable(db);
		if (err && err != ERR_DB_GONE)
			return err;
	}
	return db->mysql ? ERR_OK : connect_now(db);
}

static enum err simple(struct db *db, const char *text)
{
	if (mysql_query(db->mysql, text) != 0)
		return failed_connection(db, text);
	return ERR_OK;
}

/* An idle session ends by wait_timeout: nothing is lost by connecting again, once. */
static enum err simple_on_fresh(struct db *db, const char *text)
{
	bool fresh = !db->mysql;
	enum err err = db_ensure_connected(db);
	if (err)
		return err;
	err = simple(db, text);
	if (err == ERR_DB_GONE && !fresh) {
		err = db_ensure_connected(db);
		if (!err)
			err = simple(db, text);
	}
	return err;
}

enum err db_begin(struct db *db)
{
	enum err err = simple_on_fresh(db, "START TRANSACTION");
	db->in_transaction = !err;
	return err;
}

/* At READ COMMITTED each statement would see a moment of its own. The level holds for the next
 * transaction of this session alone, so a lost session must not be replaced in between. */
enum err db_begin_snapshot(struct db *db)
{
	enum err err = simple_on_fresh(db, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
	if (!err)
		err = simple(db, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
	db->in_transaction = !err;
	return err;
}

enum err db_commit(struct db *db)
{
	db->in_transaction = false;
	if (!db->mysql)
		return ERR_DB_GONE;
	return simple(db, "COMMIT");
}

void db_rollback(struct db *db)
{
	db->in_transaction = false;
	if (db->mysql && mysql_query(db->mysql, "ROLLBACK") != 0)
		disconnect(db);
}

enum err db_ping(struct db *db)
{
	enum err err = db_ensure_connected(db);
	if (!err && mysql_ping(db->mysql) != 0)
		err = failed_connection(db, "ping");
	return err;
}

enum err db_failed_statement(struct db *db, struct statement *statement)
{
	return failed(db, statement->query->name, mysql_stmt_errno(statement->handle),
		      mysql_stmt_sqlstate(statement->handle), mysql_stmt_error(statement->handle));
}

static bool is_integer(enum enum_field_types type)
{
	return type == MYSQL_TYPE_TINY || type == MYSQL_TYPE_SHORT || type == MYSQL_TYPE_INT24 ||
	       type == MYSQL_TYPE_LONG || type == MYSQL_TYPE_LONGLONG;
}

/* Binds the result columns once, to buffers that live as long as the statement. */
static enum err bind_columns(struct db *db, struct statement *statement)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(statement->handle);
	if (!meta)
		return ERR_OK; /* no SELECT */
	MYSQL_BIND binds[MAX_COLUMNS] = {0};
	struct db_row *row = &statement->row;
	unsigned count = mysql_num_fields(meta);
	enum err err = count > MAX_COLUMNS ? ERR_DB_DATA : ERR_OK;
	for (unsigned i = 0; i < count && !err; i++) {
		struct column *column = &row->columns[i];
		column->is_text = !is_integer(mysql_fetch_field_direct(meta, i)->type);
		binds[i].is_null = (void *)&column->is_null;
		binds[i].length = &column->length;
		if (column->is_text) {
			column->bytes = malloc(COLUMN_SIZE);
			if (!column->bytes)
				err = ERR_MEMORY;
			binds[i].buffer_type = MYSQL_TYPE_STRING;
			binds[i].buffer = column->bytes;
			binds[i].buffer_length = COLUMN_SIZE;
		} else {
			binds[i].buffer_type = MYSQL_TYPE_LONGLONG;
			binds[i].buffer = &column->number;
		}
		row->count = i + 1;
	}
	mysql_free_result(meta);
	if (!err && mysql_stmt_bind_result(statement->handle, binds) != 0)
		err = db_failed_statement(db, statement);
	return err;
}

/* With the fault no-locks the text loses its locking clause: the test of what the locks prevent. */
static size_t text_length(const struct db_query *query)
{
	const char *end = fault_is_on("no-locks") ? strstr(query->text, " FOR UPDATE") : NULL;
	return end ? (size_t)(end - query->text) : strlen(query->text);
}

struct statement *db_find_statement(struct db *db, const struct db_query *query, size_t rows)
{
	for (size_t i = 0; i < db->statement_count; i++)
		if (db->statements[i].query == query && db->statements[i].rows == rows)
			return &db->statements[i];
	return NULL;
}

enum err db_prepare(struct db *db, const struct db_query *query, size_t rows, const char *text,
		    size_t length, struct statement **out)
{
	if (db->statement_count == MAX_STATEMENTS)
		return ERR_MEMORY;
	struct statement *statement = &db->statements[db->statement_count];
	statement->query = query;
	statement->rows = rows;
	statement->handle = mysql_stmt_init(db->mysql);
	if (!statement->handle)
		return ERR_MEMORY;
	db->statement_count++;
	enum err err = ERR_OK;
	if (mysql_stmt_prepare(statement->handle, text, (unsigned long)length) != 0)
		err = db_failed_statement(db, statement);
	else
		err = bind_columns(db, statement);
	if (err && db->mysql) {
		/* Half-made statements are of no use: the next call starts afresh. */
		forget_statements(db);
		return err;
	}
	*out = statement;
	return err;
}

static enum err execute(struct db *db, const struct db_query *query, const char *json,
			size_t length, struct statement **out)
{
	enum err err = db_ensure_connected(db);
	if (err)
		return err;
	*out = db_find_statement(db, query, 1);
	if (!*out)
		err = db_prepare(db, query, 1, query->text, text_length(query), out);
	if (err)
		return err;
	unsigned long bytes = (unsigned long)length;
	char *parameter = NULL;
	if (json)
		memcpy(&parameter, &json, sizeof parameter); /* the API lacks a const */
	MYSQL_BIND binds[MAX_USES];
	for (size_t i = 0; i < MAX_USES; i++)
		binds[i] = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_STRING,
					.buffer = parameter,
					.buffer_length = bytes,
					.length = &bytes};
	assert(mysql_stmt_param_count((*out)->handle) <= MAX_USES);
	if (json && mysql_stmt_bind_param((*out)->handle, binds) != 0)
		return db_failed_statement(db, *out);
	if (mysql_stmt_execute((*out)->handle) != 0)
		return db_failed_statement(db, *out);
	return ERR_OK;
}

/* Outside a transaction one lost session is replaced and the statement sent again: an idle one
 * ends by wait_timeout. Statements outside transactions are SELECTs, or harmless to repeat. */
static enum err execute_again(struct db *db, const struct db_query *query, const char *json,
			      size_t length, struct statement **out)
{
	bool may_repeat = db->mysql && !db->in_transaction;
	enum err err = execute(db, query, json, length, out);
	if (err == ERR_DB_GONE && may_repeat)
		err = execute(db, query, json, length, out);
	return err;
}

enum err db_run(struct db *db, const struct db_query *query, const char *json, size_t length,
		uint64_t *affected)
{
	struct statement *statement = NULL;
	enum err err = execute_again(db, query, json, length, &statement);
	if (!err && affected)
		*affected = mysql_stmt_affected_rows(statement->handle);
	return err;
}

enum err db_select(struct db *db, const struct db_query *query, const char *json, size_t length,
		   db_row_fn *fn, void *arg)
{
	struct statement *statement = NULL;
	enum err err = execute_again(db, query, json, length, &statement);
	if (err)
		return err;
	if (mysql_stmt_store_result(statement->handle) != 0)
		return db_failed_statement(db, statement);
	int more = 0;
	while (!err && (more = mysql_stmt_fetch(statement->handle)) == 0)
		err = fn(arg, &statement->row);
	if (!err && more == MYSQL_DATA_TRUNCATED)
		err = ERR_DB_DATA;
	else if (!err && more != MYSQL_NO_DATA)
		return db_failed_statement(db, statement);
	mysql_stmt_free_result(statement->handle);
	return err;
}

bool db_row_is_null(const struct db_row *row, unsigned column)
{
	return row->columns[column].is_null != 0;
}

int64_t db_row_int(const struct db_row *row, unsigned column)
{
	const struct column *c = &row->columns[column];
	if (c->is_null)
		return 0;
	if (!c->is_text)
		return c->number;
	/* DECIMAL, of SUM() and the like, comes as text. */
	char digits[32] = "";
	db_row_text(row, column, digits, sizeof digits);
	return strtoll(digits, NULL, 10);
}

void db_row_text(const struct db_row *row, unsigned column, char *out, size_t size)
{
	const struct column *c = &row->columns[column];
	size_t length = c->is_null || !c->is_text ? 0 : c->length;
	if (length > size - 1)
		length = size - 1;
	if (length)
		memcpy(out, c->bytes, length);
	out[length] = '\0';
}

void db_row_bytes(const struct db_row *row, unsigned column, void *out, size_t size)
{
	const struct column *c = &row->columns[column];
	if (c->is_null || !c->is_text || c->length != size)
		memset(out, 0, size);
	else
		memcpy(out, c->bytes, size);
}

struct id db_row_id(const struct db_row *row, unsigned column)
{
	struct id id;
	db_row_bytes(row, column, id.bytes, sizeof id.bytes);
	return id;
}
