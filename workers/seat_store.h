/* The store of seats: reservations, tickets, payments and cash on the real database. */
#ifndef BOXOFFICE_SEAT_STORE_H
#define BOXOFFICE_SEAT_STORE_H

#include "cash_store.h"
#include "conf.h"
#include "db_store.h"
#include "seat_world.h"

struct seat_store {
	struct db_store base;
	struct seat_world world;
};

/* db is borrowed; the hold policy comes from conf. */
void seat_store_init(struct seat_store *store, struct db *db, const struct conf *conf);
void seat_store_fini(struct seat_store *store);

/* The interface for batch_apply(), good as long as the store. */
struct store seat_store_interface(struct seat_store *store);

/* Finds holds whose time is over, for the sweeper: adds an expire job for each to batch, at most
 * 500. Locks nothing that it keeps, and skips rows that others have locked: they are being dealt
 * with. */
MUST_CHECK enum err seat_store_find_overdue(struct seat_store *store, struct batch *batch);

/* How the holds of all seats are, by the database's clock. */
struct hold_numbers {
	int64_t live;       /* in time */
	int64_t overdue;    /* over, and not ended yet */
	int64_t overdue_us; /* how long the longest of these is over; 0: none is */
};
MUST_CHECK enum err seat_store_count_holds(struct seat_store *store, struct hold_numbers *numbers);

/* The two halves of the interface: seat_load.c and seat_write.c. */
enum err seat_store_load(void *self, const struct batch *batch);
enum err seat_store_write(void *self, const struct batch *batch);

extern const struct db_query *const seat_store_queries[];
extern const struct db_query *const seat_load_queries[];
extern const struct db_query *const seat_write_queries[];

#endif
