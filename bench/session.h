/* A database session of a bench, straight on the client library, not through lib/db.h: typed
 * parameters of single rows are what the strategies that are compared are best with. READ
 * COMMITTED, and without autocommit: a transaction needs no statement of its own to begin. */
#ifndef BOXOFFICE_BENCH_SESSION_H
#define BOXOFFICE_BENCH_SESSION_H

#include "config.h"

#include <stddef.h>
#include <stdint.h>

#ifdef HAVE_MYSQL_H
#include <mysql.h>
#else
#include <mysql/mysql.h>
#endif

#include "conf.h"
#include "err.h"

#define SESSION_STATEMENTS_MAX 8

struct session; /* opaque; belongs to one thread at a time */

/* Connects with the account in conf and prepares count statements, which are numbered in their
 * order. The first one of a process is made before it has threads. ERR_MEMORY, ERR_DB_GONE
 * (logged). Returns owned: session_free(). */
MUST_CHECK enum err session_new(struct session **session, const struct conf *conf,
				const char *const *statements, size_t count);
void session_free(struct session *session);

/* Parameters and results: the API wants pointers to what it only reads, too. */
MYSQL_BIND session_int(int64_t *value);
MYSQL_BIND session_bytes(void *value, size_t size);

/* All below: ERR_DB_CONFLICT (deadlock, or a lock waited for too long), ERR_DB_DUPLICATE,
 * ERR_DB_GONE (logged). */

/* Runs a prepared statement that gives no rows. */
MUST_CHECK enum err session_execute(struct session *session, size_t statement,
				    MYSQL_BIND *parameters);

/* How many rows it changed. */
uint64_t session_affected(const struct session *session, size_t statement);

/* Runs a prepared SELECT of at most one row; missing is the error for none. */
MUST_CHECK enum err session_fetch(struct session *session, size_t statement, MYSQL_BIND *parameters,
				  MYSQL_BIND *results, enum err missing);

MUST_CHECK enum err session_commit(struct session *session);
MUST_CHECK enum err session_roll_back(struct session *session);

/* Runs a statement without parameters that gives no rows, and commits. */
MUST_CHECK enum err session_run(struct session *session, const char *statement);

/* Runs a statement that gives one number. ERR_DB_DATA: it gave none. */
MUST_CHECK enum err session_number(struct session *session, const char *statement, int64_t *number);

#endif
