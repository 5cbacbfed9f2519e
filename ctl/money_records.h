/* What the commands that give money back read before they ask for it. */
#ifndef BOXOFFICE_CTL_MONEY_RECORDS_H
#define BOXOFFICE_CTL_MONEY_RECORDS_H

#include "db.h"

/* A payment; id 0: there is none. */
struct payment_record {
	int64_t id, seat, amount;
};

/* A row of the history that gave money; id 0: there is none. */
struct charge_record {
	int64_t id, amount;
	struct id job;
	struct id user;
};

/* What is stored of a job; attempt 0: nothing. */
struct job_record {
	int attempt;
	bool is_refused;
};

MUST_CHECK enum err money_records_payment(struct db *db, int64_t id,
					  struct payment_record *payment);

/* By its own number, or by the job that made it. */
MUST_CHECK enum err money_records_charge(struct db *db, int64_t id, struct charge_record *charge);
MUST_CHECK enum err money_records_charge_of(struct db *db, const struct id *job,
					    struct charge_record *charge);

MUST_CHECK enum err money_records_job(struct db *db, const struct id *id, struct job_record *job);

extern const struct db_query *const money_records_queries[];

#endif
