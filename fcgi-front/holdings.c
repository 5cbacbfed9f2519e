/* What a user has: plain reads, no locks. */
#include "holdings.h"

#include <stdio.h>

#include "sql.h"

#define PAGE_SIZE 80 /* of the parameter */
#define TEXT_OF(number) TEXT_OF_VALUE(number)
#define TEXT_OF_VALUE(number) #number

/* clang-format off */
/* The live ticket by waiting_queue_live_user, which a hold never outlives; its holds by
 * seat_reservation_ticket; the rest by primary key. */
const struct db_query holdings_holds = {
	"holdings_holds",
	"SELECT t.id, t.concert_schedule_id, t.seat_number, c.name, r.price, " SQL_US("r.expires_at")
	" FROM waiting_queue w FORCE INDEX (waiting_queue_live_user)"
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_ticket)"
	" ON r.ticket_id = w.id AND r.status = 'PENDING' AND r.expires_at > SYSDATE(6)"
	" STRAIGHT_JOIN seat t FORCE INDEX (PRIMARY) ON t.id = r.seat_id"
	" STRAIGHT_JOIN concert_schedule s FORCE INDEX (PRIMARY) ON s.id = t.concert_schedule_id"
	" STRAIGHT_JOIN concert c FORCE INDEX (PRIMARY) ON c.id = s.concert_id"
	" WHERE w.live_user_id = " SQL_NUMBER("user") " ORDER BY r.id DESC"};

/* A page of them along payment_user, from its end; the rest by primary key. */
const struct db_query holdings_payments = {
	"holdings_payments",
	"SELECT r.seat_id, t.concert_schedule_id, p.seat_number, p.concert_name, p.id, p.total_amount,"
	" " SQL_US("p.open_date") ", " SQL_US("p.close_date") ", " SQL_US("p.created_at") ", p.status"
	" FROM payment p FORCE INDEX (payment_user)"
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (PRIMARY) ON r.id = p.reservation_id"
	" STRAIGHT_JOIN seat t FORCE INDEX (PRIMARY) ON t.id = r.seat_id"
	" WHERE p.user_id = " SQL_NUMBER("user") " AND p.id < " SQL_NUMBER("before")
	" ORDER BY p.id DESC LIMIT " TEXT_OF(HOLDINGS_PAYMENTS)};

/* A page of them along cash_history_user, from its end; whether a row gives a payment back by
 * payment_refund_job. */
const struct db_query holdings_entries = {
	"holdings_entries",
	"SELECT h.id, h.amount, h.balance_after, " SQL_US("h.created_at") ","
	" CASE WHEN h.reverses IS NOT NULL THEN 'reversal' WHEN p.id IS NOT NULL THEN 'refund'"
	" WHEN h.amount < 0 THEN 'payment' ELSE 'charge' END, h.description"
	" FROM cash_history h FORCE INDEX (cash_history_user)"
	" LEFT JOIN payment p FORCE INDEX (payment_refund_job) ON p.refund_job_id = h.job_id"
	" WHERE h.user_id = " SQL_NUMBER("user") " AND h.id < " SQL_NUMBER("before")
	" ORDER BY h.id DESC LIMIT " TEXT_OF(HOLDINGS_ENTRIES)};
/* clang-format on */

static void page_of(int64_t user, int64_t before, char json[static PAGE_SIZE])
{
	snprintf(json, PAGE_SIZE, "[{\"user\":%lld,\"before\":%lld}]", (long long)user,
		 (long long)before);
}

static void read_seat(const struct db_row *row, struct holdings_seat *seat)
{
	seat->id = db_row_int(row, 0);
	seat->schedule = db_row_int(row, 1);
	db_row_text(row, 2, seat->number, sizeof seat->number);
	db_row_text(row, 3, seat->concert, sizeof seat->concert);
}

struct hold_reader {
	holdings_hold_fn *fn;
	void *arg;
};

static enum err hold_row(void *arg, const struct db_row *row)
{
	const struct hold_reader *reader = arg;
	struct holdings_hold hold;

	read_seat(row, &hold.seat);
	hold.price = db_row_int(row, 4);
	hold.expires_us = db_row_int(row, 5);
	reader->fn(reader->arg, &hold);
	return ERR_OK;
}

enum err holdings_each_hold(struct lookup *lookup, int64_t user, holdings_hold_fn *fn, void *arg)
{
	struct hold_reader reader = {fn, arg};
	char json[PAGE_SIZE];

	page_of(user, 0, json);
	return lookup_ask(lookup, &holdings_holds, json, hold_row, &reader);
}

struct payment_reader {
	holdings_payment_fn *fn;
	void *arg;
};

static enum err payment_row(void *arg, const struct db_row *row)
{
	const struct payment_reader *reader = arg;
	struct holdings_payment payment;

	read_seat(row, &payment.seat);
	payment.id = db_row_int(row, 4);
	payment.amount = db_row_int(row, 5);
	payment.open_us = db_row_int(row, 6);
	payment.close_us = db_row_int(row, 7);
	payment.created_us = db_row_int(row, 8);
	db_row_text(row, 9, payment.status, sizeof payment.status);
	reader->fn(reader->arg, &payment);
	return ERR_OK;
}

enum err holdings_each_payment(struct lookup *lookup, int64_t user, int64_t before,
			       holdings_payment_fn *fn, void *arg)
{
	struct payment_reader reader = {fn, arg};
	char json[PAGE_SIZE];

	page_of(user, before, json);
	return lookup_ask(lookup, &holdings_payments, json, payment_row, &reader);
}

struct entry_reader {
	holdings_entry_fn *fn;
	void *arg;
};

static enum err entry_row(void *arg, const struct db_row *row)
{
	const struct entry_reader *reader = arg;
	struct holdings_entry entry;

	entry.id = db_row_int(row, 0);
	entry.amount = db_row_int(row, 1);
	entry.balance_after = db_row_int(row, 2);
	entry.created_us = db_row_int(row, 3);
	db_row_text(row, 4, entry.kind, sizeof entry.kind);
	db_row_text(row, 5, entry.description, sizeof entry.description);
	reader->fn(reader->arg, &entry);
	return ERR_OK;
}

enum err holdings_each_entry(struct lookup *lookup, int64_t user, int64_t before,
			     holdings_entry_fn *fn, void *arg)
{
	struct entry_reader reader = {fn, arg};
	char json[PAGE_SIZE];

	page_of(user, before, json);
	return lookup_ask(lookup, &holdings_entries, json, entry_row, &reader);
}
