#include "seat_store.h"

#include "seat_rules.h"

/* clang-format off */
/* Locks what it finds until its own end (autocommit), skipping what others have locked. By
 * seat_reservation_due. */
static const struct db_query find_overdue = {
	"find-overdue",
	"SELECT r.job_id, r.seat_id FROM seat_reservation r"
	" FORCE INDEX (seat_reservation_due)"
	" WHERE r.status = 'PENDING' AND r.expires_at <= NOW(6)"
	" ORDER BY r.expires_at LIMIT 500 FOR UPDATE SKIP LOCKED"};

/* No locks. By seat_reservation_due, over the live holds: no more than are admitted. */
static const struct db_query count_holds = {
	"count-holds",
	"SELECT COALESCE(SUM(r.expires_at > NOW(6)), 0), COALESCE(SUM(r.expires_at <= NOW(6)), 0),"
	" TIMESTAMPDIFF(MICROSECOND, MIN(r.expires_at), NOW(6))"
	" FROM seat_reservation r FORCE INDEX (seat_reservation_due) WHERE r.status = 'PENDING'"};
/* clang-format on */

const struct db_query *const seat_store_queries[] = {&find_overdue, &count_holds, NULL};

static enum err take_overdue(void *arg, const struct db_row *row)
{
	struct job job = {.kind = JOB_EXPIRE, .attempt = 1, .id = id_ordered()};
	job.hold = db_row_id(row, 0);
	job.seat = db_row_int(row, 1);
	batch_add(arg, &job);
	return ERR_OK;
}

enum err seat_store_find_overdue(struct seat_store *store, struct batch *batch)
{
	return db_select(store->base.db, &find_overdue, NULL, 0, take_overdue, batch);
}

static enum err take_numbers(void *arg, const struct db_row *row)
{
	struct hold_numbers *numbers = arg;
	*numbers = (struct hold_numbers){.live = db_row_int(row, 0), .overdue = db_row_int(row, 1)};
	numbers->overdue_us = numbers->overdue ? db_row_int(row, 2) : 0;
	return ERR_OK;
}

enum err seat_store_count_holds(struct seat_store *store, struct hold_numbers *numbers)
{
	return db_select(store->base.db, &count_holds, NULL, 0, take_numbers, numbers);
}

void seat_store_init(struct seat_store *store, struct db *db, const struct conf *conf)
{
	*store = (struct seat_store){.base = {.db = db}};
	store->world.policy = hold_policy_from(conf);
}

void seat_store_fini(struct seat_store *store)
{
	db_store_fini(&store->base);
	seat_world_fini(&store->world);
}

struct store seat_store_interface(struct seat_store *store)
{
	return db_store_interface(store, seat_store_load, seat_store_write);
}
