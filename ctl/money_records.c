#include "money_records.h"

#include <stdio.h>
#include <string.h>

#include "sql.h"

/* clang-format off */
/* Both by primary key. */
static const struct db_query select_payment = {
	"ctl-payment",
	"SELECT p.id, r.seat_id, p.total_amount FROM " SQL_IDS
	" STRAIGHT_JOIN payment p FORCE INDEX (PRIMARY) ON p.id = d.id"
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY) ON r.id = p.reservation_id"};

#define CHARGE_COLUMNS "h.id, h.amount, h.job_id, u.uuid"

/* Both by primary key. */
static const struct db_query select_charge = {
	"ctl-charge",
	"SELECT " CHARGE_COLUMNS " FROM " SQL_IDS
	" STRAIGHT_JOIN cash_history h FORCE INDEX (PRIMARY) ON h.id = d.id AND h.amount > 0"
	" STRAIGHT_JOIN user u FORCE INDEX (PRIMARY) ON u.id = h.user_id"};

/* The history by cash_history_job, the user by primary key. */
static const struct db_query select_charge_of = {
	"ctl-charge-of",
	"SELECT " CHARGE_COLUMNS " FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN cash_history h FORCE INDEX (cash_history_job)"
	" ON h.job_id = UNHEX(d.id) AND h.amount > 0"
	" STRAIGHT_JOIN user u FORCE INDEX (PRIMARY) ON u.id = h.user_id"};

/* By primary key. */
static const struct db_query select_job = {
	"ctl-job-attempt",
	"SELECT j.attempt, j.code <> 'ok' FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN job j FORCE INDEX (PRIMARY) ON j.id = UNHEX(d.id)"};
/* clang-format on */

const struct db_query *const money_records_queries[] = {&select_payment, &select_charge,
							&select_charge_of, &select_job, NULL};

static enum err select_number(struct db *db, const struct db_query *query, int64_t id,
			      db_row_fn *fn, void *arg)
{
	char json[40];

	snprintf(json, sizeof json, "[{\"id\":%lld}]", (long long)id);
	return db_select(db, query, json, strlen(json), fn, arg);
}

static enum err select_id(struct db *db, const struct db_query *query, const struct id *id,
			  db_row_fn *fn, void *arg)
{
	char hex[ID_HEX_SIZE], json[ID_HEX_SIZE + 16];

	id_format_hex(id, hex);
	snprintf(json, sizeof json, "[{\"id\":\"%s\"}]", hex);
	return db_select(db, query, json, strlen(json), fn, arg);
}

static enum err take_payment(void *arg, const struct db_row *row)
{
	*(struct payment_record *)arg = (struct payment_record){
		.id = db_row_int(row, 0), .seat = db_row_int(row, 1), .amount = db_row_int(row, 2)};
	return ERR_OK;
}

enum err money_records_payment(struct db *db, int64_t id, struct payment_record *payment)
{
	*payment = (struct payment_record){0};
	return select_number(db, &select_payment, id, take_payment, payment);
}

static enum err take_charge(void *arg, const struct db_row *row)
{
	*(struct charge_record *)arg = (struct charge_record){.id = db_row_int(row, 0),
							      .amount = db_row_int(row, 1),
							      .job = db_row_id(row, 2),
							      .user = db_row_id(row, 3)};
	return ERR_OK;
}

enum err money_records_charge(struct db *db, int64_t id, struct charge_record *charge)
{
	*charge = (struct charge_record){0};
	return select_number(db, &select_charge, id, take_charge, charge);
}

enum err money_records_charge_of(struct db *db, const struct id *job, struct charge_record *charge)
{
	*charge = (struct charge_record){0};
	return select_id(db, &select_charge_of, job, take_charge, charge);
}

static enum err take_job(void *arg, const struct db_row *row)
{
	*(struct job_record *)arg = (struct job_record){.attempt = (int)db_row_int(row, 0),
							.is_refused = db_row_int(row, 1) != 0};
	return ERR_OK;
}

enum err money_records_job(struct db *db, const struct id *id, struct job_record *job)
{
	*job = (struct job_record){0};
	return select_id(db, &select_job, id, take_job, job);
}
