/* What a user has: live holds, payments, and what moved the balance. Look-ups (lookup.h), newest
 * first, a page at most. */
#ifndef BOXOFFICE_HOLDINGS_H
#define BOXOFFICE_HOLDINGS_H

#include <stdint.h>

#include "db.h"
#include "err.h"
#include "lookup.h"
#include "snapshot.h"

#define HOLDINGS_PAYMENTS 100 /* a page of them */
#define HOLDINGS_ENTRIES 50
#define HOLDINGS_DESCRIPTION_SIZE (200 * 4 + 1)

struct holdings_seat {
	int64_t id;
	int64_t schedule;
	char number[SNAPSHOT_SEAT_NUMBER_SIZE];
	char concert[SNAPSHOT_NAME_SIZE];
};

struct holdings_hold {
	struct holdings_seat seat;
	int64_t price;
	int64_t expires_us; /* since 1970 */
};

struct holdings_payment {
	struct holdings_seat seat; /* its names are those of the day of the payment */
	int64_t id;
	int64_t amount;
	int64_t open_us;
	int64_t close_us;
	int64_t created_us;
	char status[16]; /* PAID, REFUNDED */
};

struct holdings_entry {
	int64_t id;
	int64_t amount; /* below 0: what went out */
	int64_t balance_after;
	int64_t created_us;
	char kind[16]; /* charge, payment, refund, reversal */
	char description[HOLDINGS_DESCRIPTION_SIZE];
};

typedef void holdings_hold_fn(void *arg, const struct holdings_hold *hold);
typedef void holdings_payment_fn(void *arg, const struct holdings_payment *payment);
typedef void holdings_entry_fn(void *arg, const struct holdings_entry *entry);

/* Each hands over what the user of this number has, of payments and entries those with an id below
 * before. The errors of lookup_ask(), after some of them perhaps. */
MUST_CHECK enum err holdings_each_hold(struct lookup *lookup, int64_t user, holdings_hold_fn *fn,
				       void *arg);
MUST_CHECK enum err holdings_each_payment(struct lookup *lookup, int64_t user, int64_t before,
					  holdings_payment_fn *fn, void *arg);
MUST_CHECK enum err holdings_each_entry(struct lookup *lookup, int64_t user, int64_t before,
					holdings_entry_fn *fn, void *arg);

/* For front_queries[]. */
extern const struct db_query holdings_holds, holdings_payments, holdings_entries;

#endif
