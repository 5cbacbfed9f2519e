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

/* The newest changes, the newest first: at most `most`, GATE_HISTORY_MOST at most; count is set. */
MUST_CHECK enum err gate_records_history(struct db *db, struct policy_change *changes, size_t most,
					 size_t *count);

/* Changes are made one at a time: from the reading of the policy that is changed to the writing.
 * ERR_TIMEOUT when another operator is at it. The lock ends with the connection. */
MUST_CHECK enum err gate_records_lock(struct db *db);

/* Records a policy, which then rules within a tick. */
MUST_CHECK enum err gate_records_record(struct db *db, const struct policy *policy, const char *by);

extern const struct db_query *const gate_records_queries[];

#endif
