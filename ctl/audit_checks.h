/* The audit: what must hold in the database at any moment, a row of the table each. */
#ifndef BOXOFFICE_CTL_AUDIT_CHECKS_H
#define BOXOFFICE_CTL_AUDIT_CHECKS_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "text.h"

#define AUDIT_COLUMNS_MAX 8

/* What breaks one check. */
struct audit_findings {
	const char *columns; /* the check's */
	int64_t most;        /* rows that are told; all are counted */
	bool json;
	int64_t total;
	struct text rows; /* told so far: objects with commas between, or a line each */
};

/* What a check works with, inside the audit's transaction. */
struct audit {
	struct db *db;
	const struct conf *conf;
	struct audit_findings findings;
};

struct audit_check {
	const char *name;
	const char *means;
	bool is_warning;       /* no harm yet, or none that stays */
	const char *columns;   /* of a row that breaks it, blanks between; "job" is the id of a job,
				* all   else is a number */
	struct db_query query; /* or, with a text of NULL, */
	enum err (*run)(struct audit *audit); /* a check that SQL cannot make */
};

/* Ended by one without a name. */
extern const struct audit_check audit_checks[];

/* Begins the audit's transaction, and notes its moment for the checks; db_rollback() ends it, after
 * an error as well. An error of db.h. */
MUST_CHECK enum err audit_begin(struct audit *audit);

/* Runs one check: findings are those of this check, its rows to be freed by text_fini(). An error
 * of db.h or ERR_MEMORY: not known whether it holds. */
MUST_CHECK enum err audit_check_run(struct audit *audit, const struct audit_check *check);

/* Counts a row that breaks the check that runs, and tells it: a number for each of its columns. */
void audit_findings_add(struct audit_findings *findings, const int64_t *values);

/* The check of every draw: its roster, seed and order worked out again. Draw and ticket (0: the
 * draw as a whole). */
MUST_CHECK enum err audit_draws(struct audit *audit);

extern const struct db_query *const audit_draws_queries[];

#endif
