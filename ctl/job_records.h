/* What the database knows of one job. */
#ifndef BOXOFFICE_CTL_JOB_RECORDS_H
#define BOXOFFICE_CTL_JOB_RECORDS_H

#include "db.h"
#include "job.h"
#include "reply.h"

/* Its row, "" when there is none, and each thing that it did, 0 when it did not. */
struct job_story {
	char kind[17];
	char code[33];
	char why[161 * 4];
	char data[OUTCOME_MAX + 1];
	int64_t attempt, decided_us;
	int64_t history, user, amount, balance_after, reverses;
	char memo[JOB_MEMO_CHARS * 4 + 1];
	int64_t reservation, seat, price;
	char reservation_status[16];
	int64_t payment, paid; /* that it made */
	char payment_status[16];
	int64_t refunded, refund; /* the payment that it refunded, and its amount */
	int64_t ticket, place;
	char ticket_status[16];
};

MUST_CHECK enum err job_records_story(struct db *db, const struct id *id, struct job_story *story);

extern const struct db_query *const job_records_queries[];

#endif
