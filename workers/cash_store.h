/* The cash store: balances and their history, changed together or not at all. */
#ifndef BOXOFFICE_CASH_STORE_H
#define BOXOFFICE_CASH_STORE_H

#include "db_store.h"
#include "ledger.h"

/* Locks the cash rows of the ledger's accounts that have a user_id, in ascending user_id, and fills
 * in their balances. Locks: cash by primary key, one row each. */
MUST_CHECK enum err cash_store_lock(struct db_store *store, struct ledger *ledger);

/* Writes the changed balances and one history row for each posting. */
MUST_CHECK enum err cash_store_write(struct db_store *store, struct ledger *ledger);

extern const struct db_query *const cash_store_queries[];

#endif
