/* A database session of one thread, and one operation as a transaction in it: plain prepared
 * statements by primary key, straight on the client library. */
#ifndef BOXOFFICE_BENCH_SESSION_H
#define BOXOFFICE_BENCH_SESSION_H

#include "order.h"

struct session; /* opaque */

/* Connects and prepares. ERR_MEMORY, ERR_DB_GONE (logged). Returns owned: session_free(). */
MUST_CHECK enum err session_new(struct session **session, const struct conf *conf);
void session_free(struct session *session);

enum session_way {
	SESSION_PLAIN,   /* somebody else keeps others away from the balance */
	SESSION_LOCK,    /* SELECT … FOR UPDATE */
	SESSION_VERSION, /* the write finds the version that was read, or nothing is done */
};

/* Reads the balance, refuses a use that it does not cover, writes it and the history, commits.
 * ERR_INSUFFICIENT_BALANCE; ERR_DB_CONFLICT (deadlock, or somebody was faster: the same again may
 * succeed); ERR_DB_DUPLICATE (it was applied before); ERR_DB_GONE (logged). But for ERR_OK the
 * transaction is rolled back. */
MUST_CHECK enum err session_apply(struct session *session, enum session_way way,
				  const struct operation *operation);

/* Runs a statement without parameters that gives no rows. */
MUST_CHECK enum err session_run(struct session *session, const char *statement);

/* Runs a statement that gives one number. */
MUST_CHECK enum err session_number(struct session *session, const char *statement, int64_t *number);

/* The tables of the run, fresh, and gone. They must be there before session_new(), which prepares
 * statements on them; so these two connect by themselves. */
MUST_CHECK enum err tables_make(const struct order *order);
MUST_CHECK enum err tables_drop(const struct conf *conf);

/* Looks whether the tables say what the result says. */
MUST_CHECK enum err tables_check(const struct order *order, const struct arm_result *result,
				 bool *is_right);

/* A session without prepared statements, for everything else. */
MUST_CHECK enum err session_new_bare(struct session **session, const struct conf *conf);

#endif
