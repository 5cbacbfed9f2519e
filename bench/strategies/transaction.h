/* One operation as a transaction in a session of its thread: plain statements by primary key. */
#ifndef BOXOFFICE_BENCH_TRANSACTION_H
#define BOXOFFICE_BENCH_TRANSACTION_H

#include "../session.h"
#include "order.h"

enum transaction_way {
	TRANSACTION_PLAIN,   /* somebody else keeps others away from the balance */
	TRANSACTION_LOCK,    /* SELECT … FOR UPDATE */
	TRANSACTION_VERSION, /* the write finds the version that was read, or nothing is done */
};

/* A session with the statements of all ways. The tables must be there (tables.h). As session_new().
 */
MUST_CHECK enum err transaction_session_new(struct session **session, const struct conf *conf);

/* Reads the balance, refuses a use that it does not cover, writes it and the history, commits.
 * ERR_INSUFFICIENT_BALANCE; ERR_DB_CONFLICT (deadlock, or somebody was faster: the same again may
 * succeed); ERR_DB_DUPLICATE (it was applied before); ERR_DB_GONE (logged). But for ERR_OK the
 * transaction is rolled back. */
MUST_CHECK enum err transaction_apply(struct session *session, enum transaction_way way,
				      const struct operation *operation);

#endif
