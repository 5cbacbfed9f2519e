/* The gate as it is: what `boxofficectl gate status` and the metrics of gate workers tell, read by
 * one statement, so that both tell the same. */
#ifndef BOXOFFICE_GATE_NUMBERS_H
#define BOXOFFICE_GATE_NUMBERS_H

#include "db.h"
#include "draw.h"
#include "err.h"
#include "policy.h"

/* What is left to buy. */
enum gate_stock { GATE_STOCK_FREE, GATE_STOCK_HELD, GATE_STOCK_SOLD };

/* "free", "held", "sold". */
const char *gate_stock_name(enum gate_stock stock);

/* SOLD for a name that is not known. */
enum gate_stock gate_stock_from(const char *name);

struct gate_numbers {
	int64_t now_us, ticked_us;
	enum policy_state state; /* of the policy that ruled at the last tick */
	enum gate_stock stock;
	int64_t last_ticket, served, per_minute;
	int64_t waiting, active;
	int64_t aside;    /* of those waiting: passed by, and in their grace */
	int64_t expected; /* of those active: have not made their first call */
	int64_t reclaimed, abandoned, departed;
	int64_t oldest_us; /* when the first of the line joined; 0: nobody waits */
	bool has_draw;     /* there ever was a draw: */
	enum draw_state draw;
};

/* ERR_NOT_FOUND when the schema has no gate; else the errors of db.h. */
MUST_CHECK enum err gate_numbers_read(struct db *db, struct gate_numbers *numbers);

extern const struct db_query *const gate_numbers_queries[];

#endif
