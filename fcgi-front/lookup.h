/* Look-ups: the few questions that a snapshot cannot answer, asked of the database by request
 * threads through a small pool of connections. */
#ifndef BOXOFFICE_LOOKUP_H
#define BOXOFFICE_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "err.h"
#include "id.h"
#include "job.h"
#include "reply.h"
#include "ticket.h"

struct lookup; /* opaque */

struct lookup_user {
	int64_t number; /* by which the database knows the user; never shown */
	int64_t balance;
};

struct lookup_ticket {
	struct id user;
	enum ticket_status status;
	int64_t expires_us; /* since 1970; 0: not admitted yet */
	bool is_live;       /* expires_us is to come, by the database's clock */
};

struct lookup_job {
	uint8_t fingerprint[FINGERPRINT_SIZE];
	struct outcome outcome;
};

/* conf is borrowed; connects when first needed. ERR_MEMORY. Returns owned: lookup_free(). */
MUST_CHECK enum err lookup_new(struct lookup **lookup, const struct conf *conf);
void lookup_free(struct lookup *lookup);

/* Each waits for a free connection, for a second at most (ERR_UNAVAILABLE), and may return the
 * errors of db.h. */

/* ERR_UNKNOWN_USER. */
MUST_CHECK enum err lookup_user(struct lookup *lookup, const struct id *id,
				struct lookup_user *user);

/* ERR_NOT_FOUND. */
MUST_CHECK enum err lookup_ticket(struct lookup *lookup, int64_t number,
				  struct lookup_ticket *ticket);

/* ERR_UNKNOWN_JOB. */
MUST_CHECK enum err lookup_job(struct lookup *lookup, const struct id *id, struct lookup_job *job);

/* Runs a SELECT with this parameter: for the questions of holdings.c. */
MUST_CHECK enum err lookup_ask(struct lookup *lookup, const struct db_query *query,
			       const char *json, db_row_fn *row, void *arg);

/* Every statement of the front, ended by NULL, for the test that explains them. */
extern const struct db_query *const front_queries[];

#endif
