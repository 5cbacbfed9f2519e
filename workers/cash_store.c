#include "cash_store.h"

#include <stdlib.h>

/* clang-format off */
/* Locks cash by primary key, in the order of the array (ascending user_id). */
static const struct db_query lock_cash = {
	"lock-cash",
	"SELECT d.slot, c.balance"
	" FROM " SQL_ROWS_TO_LOCK_BY(SQL_COLUMN("slot", "INT") ", " SQL_COLUMN("user", "BIGINT"))
	" STRAIGHT_JOIN cash c FORCE INDEX (PRIMARY) ON c.user_id = d.user"
	" FOR UPDATE"};

/* Changes cash by primary key: rows that lock-cash has locked. */
static const struct db_query update_cash = {
	"update-cash",
	"UPDATE " SQL_ROWS(SQL_COLUMN("user", "BIGINT") ", " SQL_COLUMN("balance", "BIGINT"))
	" STRAIGHT_JOIN cash c FORCE INDEX (PRIMARY) ON c.user_id = d.user"
	" SET c.balance = d.balance, c.updated_at = NOW(6)"};

/* Inserts one row for each posting; a second one that takes the same charge back is
 * ERR_DB_DUPLICATE. */
static const struct db_query insert_history = {
	"insert-history",
	"INSERT INTO cash_history (user_id, job_id, amount, balance_after, description, reverses,"
	" created_at) VALUES (?, ?, ?, ?, ?, ?, NOW(6))"};
/* clang-format on */

const struct db_query *const cash_store_queries[] = {&lock_cash, &update_cash, &insert_history,
						     NULL};

static enum err take_balance(void *arg, const struct db_row *row)
{
	struct ledger *ledger = arg;
	ledger->accounts[db_row_int(row, 0)].balance = db_row_int(row, 1);
	return ERR_OK;
}

enum err cash_store_lock(struct db_store *store, struct ledger *ledger)
{
	size_t count;
	size_t *order = ledger_order(ledger, &count);
	rows_clear(&store->rows);
	for (size_t i = 0; i < count; i++) {
		rows_next(&store->rows);
		rows_int(&store->rows, "slot", (int64_t)order[i]);
		rows_int(&store->rows, "user", ledger->accounts[order[i]].user_id);
	}
	free(order);
	return db_store_select(store, &lock_cash, take_balance, ledger);
}

enum err cash_store_write(struct db_store *store, struct ledger *ledger)
{
	size_t count;
	size_t *order = ledger_order(ledger, &count);
	rows_clear(&store->rows);
	for (size_t i = 0; i < count; i++) {
		const struct account *account = &ledger->accounts[order[i]];
		if (!account->is_changed)
			continue;
		rows_next(&store->rows);
		rows_int(&store->rows, "user", account->user_id);
		rows_int(&store->rows, "balance", account->balance);
	}
	free(order);
	enum err err = db_store_run(store, &update_cash, store->rows.count);
	if (err)
		return err;
	struct cells *cells = &store->cells;
	cells_clear(cells);
	for (size_t i = 0; i < ledger->posting_count; i++) {
		const struct posting *posting = &ledger->postings[i];
		cells_next(cells);
		cells_int(cells, ledger->accounts[posting->account].user_id);
		cells_id(cells, &posting->job);
		cells_int(cells, posting->amount);
		cells_int(cells, posting->balance_after);
		cells_string(cells, posting->memo);
		cells_int_or_null(cells, posting->reverses);
	}
	return db_store_insert(store, &insert_history);
}
