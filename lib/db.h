/* The database: one connection and its prepared statements; db_mysql.h alone knows mysql.h.
 *
 * A statement takes at most one parameter, a JSON text, unfolded by JSON_TABLE: any number of rows,
 * one text, no injection. It may stand in the statement twice. An INSERT takes its rows as cells
 * (db_insert()). A connection belongs to one thread. It is opened when first needed and again after
 * it was lost. Sessions are UTC, READ COMMITTED, wait_timeout 10 s.
 *
 * Of several hosts (db_hosts.h) it goes to one that is reachable and takes writes, for reads too:
 * what a replica tells is older than what was answered. Entries are tried one after the other, 2 s
 * each at most to connect, and the caller waits before the next round. */
#ifndef BOXOFFICE_DB_H
#define BOXOFFICE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cells.h"
#include "conf.h"
#include "err.h"
#include "id.h"

struct db; /* opaque */

/* A statement: a static constant beside the function that runs it. Its address is its identity.
 *
 * It says FORCE INDEX: a table of few rows MariaDB would otherwise read, and lock, from end to end,
 * STRAIGHT_JOIN or not; and for ORDER BY id LIMIT it walks along the whole history. */
struct db_query {
	const char *name; /* for the log and for the EXPLAIN test */
	const char *text;
};

struct db_row; /* opaque: valid inside the callback alone */

/* Called for each row; an error ends the select and is returned by it. */
typedef enum err db_row_fn(void *arg, const struct db_row *row);

/* Prepares a connection with the account in conf, which it borrows; does not connect yet. A server
 * that is silent for io_timeout_s seconds counts as gone. Returns owned: db_free(). */
MUST_CHECK enum err db_new(struct db **db, const struct conf *conf, unsigned io_timeout_s);
void db_free(struct db *db);

/* Each returns ERR_DB_GONE (lost; the transaction is over), ERR_DB_CONFLICT (deadlock, lock wait),
 * ERR_DB_DUPLICATE (1062), ERR_DB_REFUSED (the server's state), ERR_DB_DATA (a value): db_fate.h.
 * After an error inside a transaction: db_rollback(). */
MUST_CHECK enum err db_begin(struct db *db);

/* A transaction that only reads, and in which every statement sees the moment of this call. */
MUST_CHECK enum err db_begin_snapshot(struct db *db);
MUST_CHECK enum err db_commit(struct db *db);
void db_rollback(struct db *db);

/* Runs a statement; json may be NULL for one without a parameter. affected may be NULL. */
MUST_CHECK enum err db_run(struct db *db, const struct db_query *query, const char *json,
			   size_t length, uint64_t *affected);

/* Inserts all rows of cells. The query's text inserts one row: INSERT INTO … VALUES (…), with a ?
 * for each of its cells, and ends there. Any number of rows is one exchange with MariaDB
 * (Connector/C, STMT_ATTR_ARRAY_SIZE), and a few with a server that cannot do that. affected may be
 * NULL. */
MUST_CHECK enum err db_insert(struct db *db, const struct db_query *query,
			      const struct cells *cells, uint64_t *affected);

/* Runs a SELECT and hands each row to fn. */
MUST_CHECK enum err db_select(struct db *db, const struct db_query *query, const char *json,
			      size_t length, db_row_fn *fn, void *arg);

/* Keeps the session alive when idle, and connects when there is none. */
MUST_CHECK enum err db_ping(struct db *db);

/* Columns, from 0. NULL reads as 0, "" or a zero id. Text is cut at size - 1 bytes. */
bool db_row_is_null(const struct db_row *row, unsigned column);
int64_t db_row_int(const struct db_row *row, unsigned column);
void db_row_text(const struct db_row *row, unsigned column, char *out, size_t size);
struct id db_row_id(const struct db_row *row, unsigned column); /* a BINARY(16) column */
void db_row_bytes(const struct db_row *row, unsigned column, void *out,
		  size_t size); /* exactly size, else zeroes */

#endif
