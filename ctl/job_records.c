#include "job_records.h"

#include <stdio.h>
#include <string.h>

#include "sql.h"

/* clang-format off */
/* One row: the job by primary key, the history by cash_history_job, the reservation by
 * seat_reservation_job, payments by payment_job and payment_refund_job, the ticket by primary key. What is
 * in double quotes is no member of the parameter. */
static const struct db_query select_story = {
	"ctl-job",
	"SELECT j.kind, j.attempt, j.code, j.why, j.data, " SQL_US("j.created_at") ","
	" h.id, h.user_id, h.amount, h.balance_after, h.description, h.reverses,"
	" r.id, r.seat_id, r.status, r.price, p.id, p.status, p.total_amount, q.id, q.total_amount,"
	" w.id, w.status, w.place"
	" FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" LEFT JOIN job j FORCE INDEX (PRIMARY) ON j.id = UNHEX(d.id)"
	" LEFT JOIN cash_history h FORCE INDEX (cash_history_job) ON h.job_id = UNHEX(d.id)"
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_job) ON r.job_id = UNHEX(d.id)"
	" LEFT JOIN payment p FORCE INDEX (payment_job) ON p.job_id = UNHEX(d.id)"
	" LEFT JOIN payment q FORCE INDEX (payment_refund_job) ON q.refund_job_id = UNHEX(d.id)"
	" LEFT JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id = IF(j.kind = 'issue', CAST(JSON_VALUE(j.data, \"$.ticket\") AS SIGNED), NULL)"};
/* clang-format on */

const struct db_query *const job_records_queries[] = {&select_story, NULL};

static enum err take_story(void *arg, const struct db_row *row)
{
	struct job_story *story = arg;

	db_row_text(row, 0, story->kind, sizeof story->kind);
	story->attempt = db_row_int(row, 1);
	db_row_text(row, 2, story->code, sizeof story->code);
	db_row_text(row, 3, story->why, sizeof story->why);
	db_row_text(row, 4, story->data, sizeof story->data);
	story->decided_us = db_row_int(row, 5);
	story->history = db_row_int(row, 6);
	story->user = db_row_int(row, 7);
	story->amount = db_row_int(row, 8);
	story->balance_after = db_row_int(row, 9);
	db_row_text(row, 10, story->memo, sizeof story->memo);
	story->reverses = db_row_int(row, 11);
	story->reservation = db_row_int(row, 12);
	story->seat = db_row_int(row, 13);
	db_row_text(row, 14, story->reservation_status, sizeof story->reservation_status);
	story->price = db_row_int(row, 15);
	story->payment = db_row_int(row, 16);
	db_row_text(row, 17, story->payment_status, sizeof story->payment_status);
	story->paid = db_row_int(row, 18);
	story->refunded = db_row_int(row, 19);
	story->refund = db_row_int(row, 20);
	story->ticket = db_row_int(row, 21);
	db_row_text(row, 22, story->ticket_status, sizeof story->ticket_status);
	story->place = db_row_int(row, 23);
	return ERR_OK;
}

enum err job_records_story(struct db *db, const struct id *id, struct job_story *story)
{
	char hex[ID_HEX_SIZE], json[ID_HEX_SIZE + 16];

	*story = (struct job_story){0};
	id_format_hex(id, hex);
	snprintf(json, sizeof json, "[{\"id\":\"%s\"}]", hex);
	return db_select(db, &select_story, json, strlen(json), take_story, story);
}
