#include "gate_tick_store.h"

#include "clock.h"
#include "gate_draw.h"
#include "gate_state.h"
#include "gate_tick_rules.h"
#include "gate_tickets.h"
#include "sql.h"

#define STOCK_AGE_US INT64_C(1000000)

/* clang-format off */
/* No locks: candidates, the longest due first. By waiting_queue_due. */
static const struct db_query find_due = {
	"find-due",
	"SELECT w.id FROM waiting_queue w FORCE INDEX (waiting_queue_due)"
	" WHERE w.status = 'ACTIVE' AND w.due_at <= NOW(6) ORDER BY w.due_at LIMIT 500"};
static const struct db_query find_abandoned = {
	"find-abandoned",
	"SELECT w.id FROM waiting_queue w FORCE INDEX (waiting_queue_due)"
	" WHERE w.status = 'ASIDE' AND w.due_at <= NOW(6) ORDER BY w.due_at LIMIT 500"};

/* No locks. By waiting_queue_line, over the admitted, and waiting_queue_admitted. */
static const struct db_query count_admitted = {
	"count-admitted",
	"SELECT (SELECT COUNT(*) FROM waiting_queue a FORCE INDEX (waiting_queue_line)"
	" WHERE a.status = 'ACTIVE'),"
	" COUNT(*), " SQL_US("MIN(m.admitted_at)")
	" FROM waiting_queue m FORCE INDEX (waiting_queue_admitted)"
	" WHERE m.admitted_at > NOW(6) - INTERVAL 300 SECOND"};

/* No locks. By waiting_queue_admitted. */
static const struct db_query count_released = {
	"count-released",
	"SELECT COUNT(*) FROM waiting_queue w FORCE INDEX (waiting_queue_admitted)"
	" WHERE w.admitted_at > NOW(6) - INTERVAL " SQL_NUMBER("window") " SECOND"};

/* No locks. By waiting_queue_arrived. */
static const struct db_query count_arrived = {
	"count-arrived",
	"SELECT COUNT(*) FROM waiting_queue w FORCE INDEX (waiting_queue_arrived)"
	" WHERE w.arrived_at > NOW(6) - INTERVAL " SQL_NUMBER("window") " SECOND"};

/* No locks. By waiting_queue_admitted, over some windows: how many are still expected, how many
 * were judged, and how many of these came. */
static const struct db_query count_expected = {
	"count-expected",
	"SELECT COALESCE(SUM(w.status = 'ACTIVE' AND w.show_up_by > NOW(6)), 0),"
	" COALESCE(SUM(w.arrived_at IS NOT NULL OR w.status = 'EXPIRED'), 0),"
	" COALESCE(SUM(w.arrived_at IS NOT NULL), 0)"
	" FROM waiting_queue w FORCE INDEX (waiting_queue_admitted)"
	" WHERE w.admitted_at > NOW(6) - INTERVAL " SQL_NUMBER("span") " SECOND"};

/* No locks: the line does not change while gate_state is held. By waiting_queue_line. */
static const struct db_query read_line = {
	"read-line",
	"SELECT w.id, w.place, " SQL_US("w.seen_at")
	" FROM waiting_queue w FORCE INDEX (waiting_queue_line)"
	" WHERE w.status = 'WAITING' AND w.place BETWEEN 1 AND " SQL_NUMBER("most")
	" ORDER BY w.place LIMIT 1000"};

/* No locks. Whether a seat that can still be booked is free, held or sold: schedules by primary key,
 * of each the seats by seat_number_of_schedule, of each the reservation by
 * seat_reservation_live_seat, up to the first that is. */
#define ANY_SEAT(condition)                                                             \
	"EXISTS (SELECT STRAIGHT_JOIN 1 FROM concert_schedule s"                            \
	" JOIN seat t FORCE INDEX (seat_number_of_schedule)"                                \
	" ON t.concert_schedule_id = s.id"                                                  \
	" LEFT JOIN seat_reservation r FORCE INDEX (seat_reservation_live_seat)"            \
	" ON r.live_seat_id = t.id"                                                         \
	" WHERE s.deleted_at IS NULL AND s.booking_end_at > NOW(6) AND t.deleted_at IS NULL" \
	" AND " condition ")"
static const struct db_query read_stock = {
	"read-stock",
	"SELECT " ANY_SEAT("t.is_active AND (r.id IS NULL"
			   " OR (r.status = 'PENDING' AND r.expires_at <= NOW(6)))")
	", " ANY_SEAT("r.status = 'PENDING' AND r.expires_at > NOW(6)")
	", " ANY_SEAT("r.status = 'PAID'")};

/* Locks and changes waiting_queue by waiting_queue_line: some neighbouring places, from the one in
 * gate_state, whose row is held, on. */
static const struct db_query start_clocks = {
	"start-clocks",
	"UPDATE gate_state g STRAIGHT_JOIN waiting_queue w FORCE INDEX (waiting_queue_line)"
	" ON w.status = 'WAITING' AND w.place > g.near AND w.place <= " SQL_NUMBER("near")
	" SET w.seen_at = NOW(6) WHERE g.id = 1"};
/* clang-format on */

const struct db_query *const gate_tick_queries[] = {
	&find_due,       &find_abandoned, &count_admitted, &count_released, &count_arrived,
	&count_expected, &read_stock,     &read_line,      &start_clocks,   NULL};

static enum err take_due_id(void *arg, const struct db_row *row)
{
	int64_t **next = arg;
	*(*next)++ = db_row_int(row, 0);
	return ERR_OK;
}

static enum err take_due(void *arg, const struct db_row *row)
{
	struct gate_tickets *due = arg;
	struct gate_ticket ticket = gate_tickets_from_row(row);
	/* A payment may have finished it since it was found. */
	if (ticket.status == TICKET_ACTIVE || ticket.status == TICKET_ASIDE)
		due->items[due->count++] = ticket;
	return ERR_OK;
}

/* Both sorts are locked in one pass, ascending. */
static enum err load_due(struct gate_tick_store *store)
{
	int64_t ids[GATE_TICK_MAX];
	int64_t *next = ids;
	struct rows *rows = &store->base.rows;
	enum err err = db_select(store->base.db, &find_due, NULL, 0, take_due_id, &next);
	if (!err && store->tick.policy.state == POLICY_OPEN)
		err = db_select(store->base.db, &find_abandoned, NULL, 0, take_due_id, &next);
	if (err)
		return err;
	size_t count = rows_sort_ids(ids, (size_t)(next - ids));
	rows_clear(rows);
	for (size_t i = 0; i < count; i++) {
		rows_next(rows);
		rows_int(rows, "id", ids[i]);
	}
	return gate_tickets_lock(&store->base, take_due, &store->tick.due);
}

static enum err take_counts(void *arg, const struct db_row *row)
{
	struct gate_tick *tick = arg;
	tick->active = db_row_int(row, 0);
	tick->recent = db_row_int(row, 1);
	tick->recent_since_us = db_row_int(row, 2);
	return ERR_OK;
}

static enum err take_number(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

static enum err take_expected(void *arg, const struct db_row *row)
{
	struct gate_tick *tick = arg;
	tick->expected = db_row_int(row, 0);
	tick->judged = db_row_int(row, 1);
	tick->came = db_row_int(row, 2);
	return ERR_OK;
}

static enum err load_counts(struct gate_tick_store *store)
{
	struct gate_tick *tick = &store->tick;
	struct rows *rows = &store->base.rows;
	enum err err = db_select(store->base.db, &count_admitted, NULL, 0, take_counts, tick);
	if (err || !tick->policy.window_limit)
		return err;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "window", tick->policy.window_s);
	rows_int(rows, "span", 5 * tick->policy.window_s + tick->policy.show_up_s);
	err = db_store_select(&store->base, &count_released, take_number, &tick->released);
	if (err || !tick->policy.counts_arrivals)
		return err;
	err = db_store_select(&store->base, &count_arrived, take_number, &tick->arrived);
	if (!err)
		err = db_store_select(&store->base, &count_expected, take_expected, tick);
	return err;
}

static enum err take_place(void *arg, const struct db_row *row)
{
	struct gate_tickets *line = arg;
	line->items[line->count++] = (struct gate_ticket){.id = db_row_int(row, 0),
							  .place = db_row_int(row, 1),
							  .status = TICKET_WAITING,
							  .seen_us = db_row_int(row, 2)};
	return ERR_OK;
}

/* Nobody passes a draw: who joined it, and who came after, waits until it is drawn. */
static enum err load_line(struct gate_tick_store *store)
{
	struct gate_tick *tick = &store->tick;
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	rows_next(rows);
	rows_int(rows, "most", tick->draw.first ? tick->draw.first - 1 : JOB_MAX_ID);
	return db_store_select(&store->base, &read_line, take_place, &tick->line);
}

static enum err load_tick(struct gate_tick_store *store)
{
	struct gate_tick *tick = &store->tick;
	enum err err = gate_state_read_policy(&store->base, store->conf, &tick->policy);
	if (!err)
		err = gate_draw_lock(&store->base, &tick->draw);
	if (!err)
		err = load_due(store);
	if (!err)
		err = load_counts(store);
	if (!err && tick->policy.state == POLICY_OPEN && tick->state.waiting > 0)
		err = load_line(store);
	return err;
}

static enum err write_clocks(struct gate_tick_store *store)
{
	const struct gate_tick *tick = &store->tick;
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	if (tick->state.near > tick->clocks_from) {
		rows_next(rows);
		rows_int(rows, "near", tick->state.near);
	}
	return db_store_run(&store->base, &start_clocks, DB_STORE_ANY);
}

static enum err write_tick(struct gate_tick_store *store)
{
	const struct gate_tick *tick = &store->tick;
	int64_t now_us = tick->state.ticked_us;
	enum err err = gate_tickets_write(&store->base, tick->due.items, tick->due.count, now_us);
	if (!err)
		err = gate_tickets_write(&store->base, tick->line.items, tick->line.count, now_us);
	if (!err)
		err = write_clocks(store);
	if (!err)
		err = gate_draw_write(&store->base, &tick->draw, now_us);
	return err ? err : gate_state_write(&store->base, &tick->state, &tick->policy);
}

static enum err take_stock(void *arg, const struct db_row *row)
{
	enum gate_stock *stock = arg;
	/* Without any seat nothing is sold out: the catalogue is being made. */
	if (db_row_int(row, 0) || !(db_row_int(row, 1) || db_row_int(row, 2)))
		*stock = GATE_STOCK_FREE;
	else
		*stock = db_row_int(row, 1) ? GATE_STOCK_HELD : GATE_STOCK_SOLD;
	return ERR_OK;
}

/* Once a second, and before anything is locked: when all is sold it looks at every seat. */
static enum err refresh_stock(struct gate_tick_store *store)
{
	int64_t now_us = clock_us();
	if (store->stock_read_us && now_us - store->stock_read_us < STOCK_AGE_US)
		return ERR_OK;
	enum err err = db_select(store->base.db, &read_stock, NULL, 0, take_stock, &store->stock);
	if (!err)
		store->stock_read_us = now_us;
	return err;
}

/* Inside the transaction. The clock is read once the line is locked. */
static enum err tick_once(struct gate_tick_store *store, const struct store *transaction)
{
	struct gate_tick *tick = &store->tick;
	int64_t now_us = 0;
	*tick = (struct gate_tick){.near_span = store->conf->gate_near};
	enum err err = gate_state_try_lock(&store->base, &tick->state);
	if (!err)
		err = transaction->clock(transaction->self, &now_us);
	if (err)
		return err;
	/* Another worker has just ticked: nothing to do until the interval is over. Unless the
	 * database's clock went back, as after a change of its host. */
	int64_t since_us = now_us - tick->state.ticked_us;
	if (since_us >= 0 && since_us < store->conf->gate_tick_ms * INT64_C(1000) / 2)
		return ERR_TIMEOUT;
	tick->state.stock = store->stock;
	err = load_tick(store);
	if (err)
		return err;
	gate_tick_decide(tick, now_us);
	return write_tick(store);
}

enum err gate_tick_store_run(struct gate_tick_store *store)
{
	const struct store transaction = db_store_interface(store, NULL, NULL);
	enum err err = refresh_stock(store);
	if (!err)
		err = transaction.begin(transaction.self);
	if (err)
		return err;
	err = tick_once(store, &transaction);
	if (!err)
		err = transaction.commit(transaction.self);
	if (err)
		transaction.rollback(transaction.self);
	return err;
}

void gate_tick_store_init(struct gate_tick_store *store, struct db *db, const struct conf *conf)
{
	*store = (struct gate_tick_store){.base = {.db = db}, .conf = conf};
}

void gate_tick_store_fini(struct gate_tick_store *store)
{
	db_store_fini(&store->base);
}
