/* The world of a seat batch: the seats, holds, tickets, payments and accounts that its jobs name,
 * loaded and locked by a store, changed by the rules, written back by the store. */
#ifndef BOXOFFICE_SEAT_WORLD_H
#define BOXOFFICE_SEAT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"
#include "ledger.h"
#include "ticket.h"

#define WORLD_NONE SIZE_MAX
#define SEAT_NUMBER_SIZE (8 * 4 + 1)    /* 8 characters of UTF-8 */
#define CONCERT_NAME_SIZE (200 * 4 + 1) /* 200 */

enum hold_status { HOLD_PENDING, HOLD_PAID, HOLD_CANCELLED, HOLD_EXPIRED, HOLD_REFUNDED };

/* How long holds last: from the settings. */
struct hold_policy {
	int64_t hold_us; /* how long a seat is held */
	int64_t cap_us; /* so long after its admission a hold no longer lengthens a ticket's life */
};

/* Names as the database's ENUMs spell them. */
const char *hold_status_name(enum hold_status status);
enum hold_status hold_status_from(const char *name);

struct seat {
	int64_t id;
	int64_t price;
	bool is_active;  /* on sale at all */
	bool is_deleted; /* or its schedule or concert: unknown to users, but its hold still ends */
	char number[SEAT_NUMBER_SIZE];
	char concert_name[CONCERT_NAME_SIZE];
	int64_t open_us, close_us;
	int64_t booking_start_us, booking_end_us;
	size_t newest_hold; /* head of its list of holds; WORLD_NONE: none known */
};

/* A row of seat_reservation. */
struct hold {
	int64_t id;    /* 0: made in this batch, not yet written */
	struct id job; /* the reserve job that made it */
	int64_t seat_id;
	int64_t user_id;
	int64_t ticket_id;
	int64_t price;
	int64_t created_us, expires_us;
	enum hold_status status;
	enum hold_status was; /* its status when it was loaded */
	bool is_changed;
	size_t older;   /* the next of its seat's list */
	size_t payment; /* of it; WORLD_NONE: none */
};

struct ticket {
	int64_t id;
	int64_t user_id;
	struct id user;
	enum ticket_status status;
	int64_t admitted_us, expires_us;
	bool is_changed;
	size_t hold; /* its PENDING hold on whichever seat; WORLD_NONE: none */
};

struct payment {
	int64_t id; /* 0: made in this batch, not yet written */
	struct id job;
	size_t hold;
	int64_t amount;
	int64_t created_us;
	char seat_number[SEAT_NUMBER_SIZE]; /* copies of that moment, as the ticket shows them */
	char concert_name[CONCERT_NAME_SIZE];
	int64_t open_us, close_us;
	struct id payer;
	bool is_refunded;
	struct id refund_job; /* that refunded it */
	bool is_changed;
};

struct seat_world {
	struct seat *seats; /* ascending id */
	size_t seat_count, seat_capacity;
	struct hold *holds;
	size_t hold_count, hold_capacity;
	struct ticket *tickets; /* ascending id */
	size_t ticket_count, ticket_capacity;
	struct payment *payments;
	size_t payment_count, payment_capacity;
	struct ledger ledger;
	struct hold_policy policy;
};

void seat_world_fini(struct seat_world *world);
void seat_world_clear(struct seat_world *world); /* keeps memory and policy */

/* Adding: seats and tickets in ascending id, payments to a hold that is there. Each returns the new
 * element, zeroed, good until the next one of its sort is added. */
struct seat *seat_world_add_seat(struct seat_world *world, int64_t id);
struct ticket *seat_world_add_ticket(struct seat_world *world, int64_t id);
struct payment *seat_world_add_payment(struct seat_world *world, size_t hold);

/* Adds a hold, unless one with the same id (not 0) is in its seat's list: then that one. The newest
 * must be added last. A seat that is not in the world is fine (the hold of a ticket elsewhere). */
size_t seat_world_add_hold(struct seat_world *world, const struct hold *hold);

/* NULL when it is not there. */
struct seat *seat_world_seat(const struct seat_world *world, int64_t id);
struct ticket *seat_world_ticket(const struct seat_world *world, int64_t id);

/* The hold of a seat that is PENDING (in time or not) or PAID; NULL: the seat is free. */
struct hold *seat_world_live_hold(const struct seat_world *world, const struct seat *seat);

/* A payment that was loaded, by its id; NULL when it is not there. */
struct payment *seat_world_payment(const struct seat_world *world, int64_t id);

/* The newest hold of a user on a seat, whatever became of it; NULL: none known. */
struct hold *seat_world_hold_of(const struct seat_world *world, const struct seat *seat,
				int64_t user_id);

#endif
