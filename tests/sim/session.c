#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "invariants.h"
#include "kernel.h"
#include "mem.h"
#include "process.h"

#define SESSIONS_MAX 64
#define WAIT_TIMEOUT_US (10 * SECOND_US) /* of db.c's sessions */
#define RESTART_MOST_MS 6000
#define REFUSE_MOST_MS 4000
#define UNNOTICED_MOST_MS 11000
#define COLUMNS_MAX 24
#define ID_BYTES_MAX 32

struct column {
	enum { COLUMN_NULL, COLUMN_NUMBER, COLUMN_BYTES } kind;
	int64_t number;
	const char *bytes; /* NULL: in own */
	char own[ID_BYTES_MAX];
	size_t length;
};

struct db_row {
	struct column columns[COLUMNS_MAX];
	unsigned count;
};

struct db {
	struct session *session; /* NULL: not connected */
	unsigned generation;     /* of that session */
	bool in_transaction;
	struct db_row *rows; /* of the last result */
	size_t row_capacity;
};

static struct session sessions[SESSIONS_MAX];
static int64_t away_until_us, refuses_until_us;

/* The server's side ------------------------------------------------------------------------------
 */

void sessions_start(void)
{
	memset(sessions, 0, sizeof sessions);
	away_until_us = refuses_until_us = 0;
	tables_start();
}

void sessions_end(void)
{
	tables_end();
}

static void end_session(struct session *session)
{
	tables_rollback(session);
	unsigned generation = session->generation + 1;
	*session = (struct session){.generation = generation};
}

/* The end of a session whose process is stopped: a statement that waits for a lock ends first. */
static int64_t silence_ends_us(const struct session *session)
{
	return session->last_us + WAIT_TIMEOUT_US + (session->is_at_work ? LOCK_WAIT_US : 0);
}

static int64_t ends_us(const struct session *session)
{
	int64_t silence_us = silence_ends_us(session);
	return session->ends_us < silence_us ? session->ends_us : silence_us;
}

void sessions_step(void)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].is_open && ends_us(&sessions[i]) <= kernel.now_us)
			end_session(&sessions[i]);
	}
}

void sessions_restart(void)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].is_open)
			end_session(&sessions[i]);
	away_until_us =
		kernel.now_us + dice_between(&kernel.noise, 0, RESTART_MOST_MS) * SECOND_US / 1000;
}

void sessions_refuse(void)
{
	refuses_until_us =
		kernel.now_us + dice_between(&kernel.noise, 0, REFUSE_MOST_MS) * SECOND_US / 1000;
}

int64_t sessions_next_us(void)
{
	int64_t next_us = INT64_MAX;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		if (sessions[i].locked && ends_us(&sessions[i]) < next_us)
			next_us = ends_us(&sessions[i]);
	}
	return next_us;
}

bool sessions_are_idle(void)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].locked)
			return false;
	return true;
}

/* The server notices at once, or keeps its locks for a while. */
static void leave_alone(struct session *session)
{
	session->process = -1;
	session->ends_us = kernel.now_us;
	if (dice_one_in(&kernel.noise, 2))
		session->ends_us +=
			dice_between(&kernel.noise, 0, UNNOTICED_MOST_MS) * SECOND_US / 1000;
	if (session->ends_us == kernel.now_us)
		end_session(session);
}

void session_lose_process(int process)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (sessions[i].is_open && sessions[i].process == process)
			leave_alone(&sessions[i]);
}

/* Results ----------------------------------------------------------------------------------------
 */

void result_next(struct call *call)
{
	if (call->row_count == call->row_capacity) {
		call->row_capacity = 2 * call->row_capacity + 16;
		call->rows = mem_array(call->rows, call->row_capacity, sizeof *call->rows);
	}
	call->rows[call->row_count++].count = 0;
}

enum err call_lock(const struct call *call, struct record *record)
{
	return call->is_for_update ? table_lock(call->session, record) : ERR_OK;
}

static struct column *next_column(struct call *call)
{
	struct db_row *row = &call->rows[call->row_count - 1];
	if (row->count == COLUMNS_MAX)
		abort();
	return &row->columns[row->count++];
}

void result_int(struct call *call, int64_t value)
{
	struct column *column = next_column(call);
	column->kind = COLUMN_NUMBER;
	column->number = value;
}

void result_null(struct call *call)
{
	next_column(call)->kind = COLUMN_NULL;
}

void result_int_or_null(struct call *call, int64_t value)
{
	if (value)
		result_int(call, value);
	else
		result_null(call);
}

void result_text(struct call *call, const char *text)
{
	struct column *column = next_column(call);
	column->kind = COLUMN_BYTES;
	column->bytes = text;
	column->length = strlen(text);
}

void result_bytes(struct call *call, const void *bytes, size_t size)
{
	struct column *column = next_column(call);
	column->kind = COLUMN_BYTES;
	column->bytes = NULL;
	memcpy(column->own, bytes, size);
	column->length = size;
}

void result_id(struct call *call, const struct id *id)
{
	result_bytes(call, id->bytes, sizeof id->bytes);
}

int64_t call_int(const struct call *call, size_t row, size_t column)
{
	const struct cells_column *cells = &call->cells->columns[column];
	return cells->is_null[row] ? 0 : cells->numbers[row];
}

const char *call_text(const struct call *call, size_t row, size_t column)
{
	return call->cells->columns[column].texts[row];
}

struct id call_id(const struct call *call, size_t row, size_t column)
{
	struct id id;
	memcpy(id.bytes, call->cells->columns[column].texts[row], sizeof id.bytes);
	return id;
}

bool db_row_is_null(const struct db_row *row, unsigned column)
{
	return row->columns[column].kind == COLUMN_NULL;
}

int64_t db_row_int(const struct db_row *row, unsigned column)
{
	const struct column *c = &row->columns[column];
	return c->kind == COLUMN_NUMBER ? c->number : 0;
}

static const char *bytes_of(const struct column *column)
{
	return column->bytes ? column->bytes : column->own;
}

void db_row_text(const struct db_row *row, unsigned column, char *out, size_t size)
{
	const struct column *c = &row->columns[column];
	size_t length = c->kind == COLUMN_BYTES ? c->length : 0;
	if (length > size - 1)
		length = size - 1;
	memcpy(out, length ? bytes_of(c) : "", length);
	out[length] = '\0';
}

void db_row_bytes(const struct db_row *row, unsigned column, void *out, size_t size)
{
	const struct column *c = &row->columns[column];
	if (c->kind == COLUMN_BYTES && c->length == size)
		memcpy(out, bytes_of(c), size);
	else
		memset(out, 0, size);
}

struct id db_row_id(const struct db_row *row, unsigned column)
{
	struct id id;
	db_row_bytes(row, column, id.bytes, sizeof id.bytes);
	return id;
}

/* The client's side: lib/db.h --------------------------------------------------------------------
 */

static const struct statement *find_statement(const struct db_query *query)
{
	static const struct statement *const lists[] = {account_statements, seat_statements,
							gate_statements};
	static struct {
		const struct db_query *query;
		const struct statement *statement;
	} known[256];
	size_t slot = (uintptr_t)query / sizeof *query % 256;
	if (known[slot].query == query)
		return known[slot].statement;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		for (const struct statement *s = lists[i]; s->name; s++)
			if (strcmp(s->name, query->name) == 0) {
				known[slot].query = query;
				known[slot].statement = s;
				return s;
			}
	fprintf(stderr, "sim: the statement %s is not known\n", query->name);
	abort();
}

enum err db_new(struct db **db, const struct conf *conf, unsigned io_timeout_s)
{
	(void)conf;
	(void)io_timeout_s;
	*db = mem_array(NULL, 1, sizeof **db);
	**db = (struct db){0};
	return ERR_OK;
}

static struct session *session_of(const struct db *db)
{
	if (db->session && db->session->generation == db->generation)
		return db->session;
	return NULL;
}

static enum err lose(struct db *db)
{
	struct session *session = session_of(db);
	if (session)
		leave_alone(session);
	db->session = NULL;
	return ERR_DB_GONE;
}

void db_free(struct db *db)
{
	if (!db)
		return;
	struct session *session = session_of(db);
	if (session)
		end_session(session);
	free(db->rows);
	free(db);
}

static enum err connect_now(struct db *db)
{
	if (kernel.now_us < away_until_us)
		return ERR_DB_GONE;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *session = &sessions[i];
		if (session->is_open)
			continue;
		session->is_open = true;
		session->process = process_number();
		session->last_us = kernel.now_us;
		session->ends_us = INT64_MAX;
		db->session = session;
		db->generation = session->generation;
		return ERR_OK;
	}
	return ERR_DB_GONE; /* too many connections */
}

/* A statement comes to the server, or does not. */
static enum err arrive(struct db *db, const char *what, bool writes)
{
	process_pause(what);
	enum err err = db->session ? ERR_OK : connect_now(db);
	if (err)
		return err;
	if (!session_of(db) || kernel_strikes(FAULT_LOST))
		return lose(db);
	struct session *session = session_of(db);
	session->statement = what;
	session->last_us = kernel.now_us;
	if (db->in_transaction && kernel_strikes(FAULT_CONFLICT))
		return ERR_DB_CONFLICT;
	if (writes && kernel.now_us < refuses_until_us)
		return ERR_DB_REFUSED;
	return ERR_OK;
}

static void commit(struct session *session)
{
	session->in_transaction = false;
	if (!session->locked)
		return;
	invariants_before_commit(session);
	tables_commit(session);
	kernel_trace("committed");
	invariants_after_commit();
}

static enum err begin(struct db *db)
{
	enum err err = arrive(db, "begin", false);
	if (err)
		return err;
	struct session *session = session_of(db);
	commit(session); /* what is still open: START TRANSACTION commits it */
	session->in_transaction = true;
	session->clock_us = 0;
	session->has_written = false;
	session->policy = NULL;
	return ERR_OK;
}

enum err db_begin(struct db *db)
{
	bool is_fresh = !db->session;
	db->in_transaction = false;
	enum err err = begin(db);
	if (err == ERR_DB_GONE && !is_fresh)
		err = begin(db);
	db->in_transaction = !err;
	return err;
}

enum err db_commit(struct db *db)
{
	process_pause("commit");
	bool was_open = db->in_transaction;
	db->in_transaction = false;
	if (!session_of(db) || !was_open || kernel_strikes(FAULT_LOST))
		return lose(db);
	session_of(db)->last_us = kernel.now_us;
	if (kernel.now_us < refuses_until_us)
		return ERR_DB_REFUSED;
	commit(session_of(db));
	return kernel_strikes(FAULT_ANSWER) ? lose(db) : ERR_OK;
}

void db_rollback(struct db *db)
{
	process_pause("rollback");
	db->in_transaction = false;
	struct session *session = session_of(db);
	if (!session) {
		db->session = NULL;
		return;
	}
	tables_rollback(session);
	session->in_transaction = false;
	session->last_us = kernel.now_us;
}

static enum err run(struct db *db, const struct statement *statement, struct call *call)
{
	enum err err = arrive(db, statement->name, statement->writes);
	if (err)
		return err;
	struct session *session = session_of(db);
	call->session = session;
	call->now_us = kernel_database_us();
	call->row_count = 0;
	call->affected = 0;
	session->statement_nth++;
	session->is_at_work = true;
	if (statement->writes && !session->has_written && !session->clock_us)
		session->clock_locks = session->lock_count;
	session->has_written |= statement->writes;
	err = statement->run(call);
	if (!session_of(db))
		return lose(db);
	session->is_at_work = false;
	session->last_us = kernel.now_us;
	if (!session->in_transaction) {
		if (err)
			tables_rollback(session);
		else
			commit(session);
	}
	return err;
}

/* As db.c: outside a transaction a lost session is replaced, once. */
static enum err run_again(struct db *db, const struct db_query *query, const char *json,
			  const struct cells *cells, struct call *call)
{
	const struct statement *statement = find_statement(query);
	bool may_repeat = db->session && !db->in_transaction;
	*call = (struct call){.cells = cells,
			      .rows = db->rows,
			      .row_capacity = db->row_capacity,
			      .is_for_update = strstr(query->text, "FOR UPDATE") != NULL};
	params_open(&call->params, json);
	enum err err = run(db, statement, call);
	if (err == ERR_DB_GONE && may_repeat) {
		params_open(&call->params, json);
		err = run(db, statement, call);
	}
	db->rows = call->rows;
	db->row_capacity = call->row_capacity;
	return err;
}

enum err db_run(struct db *db, const struct db_query *query, const char *json, size_t length,
		uint64_t *affected)
{
	struct call call;
	(void)length;
	enum err err = run_again(db, query, json, NULL, &call);
	if (!err && affected)
		*affected = call.affected;
	return err;
}

enum err db_insert(struct db *db, const struct db_query *query, const struct cells *cells,
		   uint64_t *affected)
{
	struct call call;
	enum err err = run_again(db, query, NULL, cells, &call);
	if (!err && affected)
		*affected = call.affected;
	return err;
}

enum err db_select(struct db *db, const struct db_query *query, const char *json, size_t length,
		   db_row_fn *fn, void *arg)
{
	struct call call;
	(void)length;
	enum err err = run_again(db, query, json, NULL, &call);
	for (size_t i = 0; i < call.row_count && !err; i++)
		err = fn(arg, &call.rows[i]);
	return err;
}

enum err db_ping(struct db *db)
{
	return arrive(db, "ping", false);
}
