/* The gate's numbers, in one statement. */
#include "gate_numbers.h"

#include <string.h>

#include "sql.h"

/* clang-format off */
/* No locks. One row by primary key; the others by waiting_queue_line: counts of who was passed by and
 * who is admitted, and the first of the line; and the newest draw by primary key. */
static const struct db_query select_numbers = {
	"gate-numbers",
	"SELECT " SQL_US("SYSDATE(6)") ", " SQL_US("g.ticked_at") ", g.policy_state, g.last_ticket,"
	" g.served, g.per_minute, g.waiting, g.active,"
	" (SELECT COUNT(*) FROM waiting_queue a FORCE INDEX (waiting_queue_line)"
	" WHERE a.status = 'ASIDE'),"
	" (SELECT COUNT(*) FROM waiting_queue e FORCE INDEX (waiting_queue_line)"
	" WHERE e.status = 'ACTIVE' AND e.show_up_by IS NOT NULL),"
	" g.reclaimed, g.abandoned, g.departed,"
	" (SELECT " SQL_US("o.created_at") " FROM waiting_queue o FORCE INDEX (waiting_queue_line)"
	" WHERE o.status = 'WAITING' AND o.place > 0 ORDER BY o.place LIMIT 1),"
	" g.stock, (SELECT d.state FROM gate_draw d ORDER BY d.id DESC LIMIT 1)"
	" FROM gate_state g WHERE g.id = 1"};
/* clang-format on */

const struct db_query *const gate_numbers_queries[] = {&select_numbers, NULL};

static const char *const stock_names[] = {
	[GATE_STOCK_FREE] = "free", [GATE_STOCK_HELD] = "held", [GATE_STOCK_SOLD] = "sold"};

const char *gate_stock_name(enum gate_stock stock)
{
	return stock_names[stock];
}

enum gate_stock gate_stock_from(const char *name)
{
	unsigned stock = GATE_STOCK_FREE;

	while (stock < GATE_STOCK_SOLD && strcmp(stock_names[stock], name) != 0)
		stock++;
	return (enum gate_stock)stock;
}

static enum err take_numbers(void *arg, const struct db_row *row)
{
	struct gate_numbers *numbers = arg;
	char state[16], stock[16], draw[16];

	db_row_text(row, 2, state, sizeof state);
	db_row_text(row, 14, stock, sizeof stock);
	db_row_text(row, 15, draw, sizeof draw);
	*numbers = (struct gate_numbers){
		.now_us = db_row_int(row, 0),
		.ticked_us = db_row_int(row, 1),
		.state = policy_state_from(state),
		.last_ticket = db_row_int(row, 3),
		.served = db_row_int(row, 4),
		.per_minute = db_row_int(row, 5),
		.waiting = db_row_int(row, 6),
		.active = db_row_int(row, 7),
		.aside = db_row_int(row, 8),
		.expected = db_row_int(row, 9),
		.reclaimed = db_row_int(row, 10),
		.abandoned = db_row_int(row, 11),
		.departed = db_row_int(row, 12),
		.oldest_us = db_row_int(row, 13),
		.stock = gate_stock_from(stock),
		.has_draw = !db_row_is_null(row, 15),
		.draw = draw_state_from(draw),
	};
	return ERR_OK;
}

enum err gate_numbers_read(struct db *db, struct gate_numbers *numbers)
{
	enum err err;

	*numbers = (struct gate_numbers){0};
	err = db_select(db, &select_numbers, NULL, 0, take_numbers, numbers);
	return err == ERR_OK && numbers->now_us == 0 ? ERR_NOT_FOUND : err;
}
