/* The store of accounts: users and their cash on the real database. */
#ifndef BOXOFFICE_ACCOUNT_STORE_H
#define BOXOFFICE_ACCOUNT_STORE_H

#include "cash_store.h"
#include "db_store.h"
#include "known_users.h"

struct account_store {
	struct db_store base;
	struct ledger world;
	struct known_users known;
	bool has_registration; /* in the batch */
};

/* db is borrowed. Users are looked up again after known_s seconds; 0: each time. */
void account_store_init(struct account_store *store, struct db *db, int64_t known_s);
void account_store_fini(struct account_store *store);

/* The interface for batch_apply(), good as long as the store. */
struct store account_store_interface(struct account_store *store);

extern const struct db_query *const account_store_queries[];

#endif
