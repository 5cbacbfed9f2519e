/* What the gate commands read and write. */
#ifndef BOXOFFICE_CTL_GATE_RECORDS_H
#define BOXOFFICE_CTL_GATE_RECORDS_H

#include "db.h"
#include "policy.h"

#define GATE_HISTORY_MOST 100

/* A row of gate_policy. */
struct policy_change {
	int64_t id;
	struct policy policy;
	char by[101 * 4];
	int64_t at_us;
};

/* The gate as it is. */
struct gate_numbers {
	int64_t now_us, ticked_us;
	enum policy_state state;
	int64_t last_ticket, served, per_minute;
	int64_t waiting, active;
	int64_t aside;    /* of those waiting: passed by, and in their grace */
	int64_t expected; /* of those active: have not made their first call */
	int64_t reclaimed, abandoned, departed;
	int64_t oldest_us; /* when the first of the line joined; 0: nobody waits */
};

/* The newest changes, the newest first: at most `most`, GATE_HISTORY_MOST at most; count is set. */
MUST_CHECK enum err gate_records_history(struct db *db, struct policy_change *changes, size_t most,
					 size_t *count);

/* ERR_NOT_FOUND when the schema has no gate. */
MUST_CHECK enum err gate_records_numbers(struct db *db, struct gate_numbers *numbers);

/* Changes are made one at a time: from the reading of the policy that is changed to the writing.
 * ERR_TIMEOUT when another operator is at it. The lock ends with the connection. */
MUST_CHECK enum err gate_records_lock(struct db *db);

/* Records a policy, which then rules within a tick. */
MUST_CHECK enum err gate_records_record(struct db *db, const struct policy *policy, const char *by);

extern const struct db_query *const gate_records_queries[];

#endif
