#include "account_store.h"

#include "clock.h"

/* clang-format off */
/* No locks. user by user_uuid: one row for each user that there is. */
static const struct db_query find_users = {
	"find-users",
	"SELECT u.uuid, u.id, u.deleted_at IS NOT NULL FROM " SQL_ROWS(SQL_COLUMN("uuid", "CHAR(32)"))
	" STRAIGHT_JOIN user u FORCE INDEX (user_uuid) ON u.uuid = UNHEX(d.uuid)"};

/* Inserts one row for each registration. */
static const struct db_query insert_users = {
	"insert-users",
	"INSERT INTO user (uuid, name, job_id, created_at, updated_at)"
	" VALUES (?, ?, ?, " SQL_TIME("?") ", " SQL_TIME("?") ")"};

/* Inserts one row for each registration. */
static const struct db_query insert_cash = {
	"insert-cash",
	"INSERT INTO cash (user_id, balance, created_at, updated_at)"
	" VALUES (?, 0, " SQL_TIME("?") ", " SQL_TIME("?") ")"};

/* No locks: who takes a charge back holds the account's row. The history by cash_history_job, the
 * user by primary key, a refund by payment_refund_job, a reversal by cash_history_reverses. */
static const struct db_query find_charges = {
	"find-charges",
	"SELECT h.id, h.job_id, u.uuid, h.amount, p.id IS NOT NULL, v.job_id"
	" FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN cash_history h FORCE INDEX (cash_history_job) ON h.job_id = UNHEX(d.id)"
	" STRAIGHT_JOIN user u FORCE INDEX (PRIMARY) ON u.id = h.user_id"
	" LEFT JOIN payment p FORCE INDEX (payment_refund_job) ON p.refund_job_id = h.job_id"
	" LEFT JOIN cash_history v FORCE INDEX (cash_history_reverses) ON v.reverses = h.id"};
/* clang-format on */

const struct db_query *const account_store_queries[] = {&find_users, &insert_users, &insert_cash,
							&find_charges, NULL};

static enum err take_user(void *arg, const struct db_row *row)
{
	struct ledger *world = arg;
	struct id uuid = db_row_id(row, 0);
	struct account *account = ledger_find(world, &uuid);
	if (!account)
		return ERR_DB_DATA;
	account->user_id = db_row_int(row, 1);
	account->exists = true;
	account->is_deleted = db_row_int(row, 2) != 0;
	return ERR_OK;
}

static enum err take_charge(void *arg, const struct db_row *row)
{
	struct ledger *world = arg;
	const struct charge charge = {.id = db_row_int(row, 0),
				      .job = db_row_id(row, 1),
				      .user = db_row_id(row, 2),
				      .amount = db_row_int(row, 3),
				      .is_refund = db_row_int(row, 4) != 0,
				      .is_reversed = !db_row_is_null(row, 5),
				      .reversed_by = db_row_id(row, 5)};
	if (!ledger_charge(world, &charge.job))
		ledger_add_charge(world, &charge);
	return ERR_OK;
}

/* What is to be taken back; after the accounts are locked, so that nobody takes it back meanwhile.
 */
static enum err load_charges(struct account_store *store, const struct batch *batch)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->entries[i].job.kind != JOB_REVERSE)
			continue;
		rows_next(rows);
		rows_id(rows, "id", &batch->entries[i].job.charge);
	}
	return db_store_select(&store->base, &find_charges, take_charge, &store->world);
}

/* The accounts of the batch; in the scratch are those whose user is to be looked up. */
static void gather_accounts(struct account_store *store, const struct batch *batch, int64_t now_ms)
{
	ledger_clear(&store->world);
	rows_clear(&store->base.rows);
	store->has_registration = false;
	for (size_t i = 0; i < batch->count; i++) {
		store->has_registration |= batch->entries[i].job.kind == JOB_REGISTER;
		size_t before = store->world.count;
		struct account *account =
			ledger_account(&store->world, &batch->entries[i].job.user);
		if (store->world.count == before)
			continue;
		account->user_id = known_users_find(&store->known, &account->uuid, now_ms);
		account->exists = account->user_id != 0;
		if (account->exists)
			continue;
		rows_next(&store->base.rows);
		rows_id(&store->base.rows, "uuid", &account->uuid);
	}
}

/* The same of a user that was there before the batch. */
static enum err take_known_user(void *arg, const struct db_row *row)
{
	struct account_store *store = arg;
	struct id uuid = db_row_id(row, 0);
	enum err err = take_user(&store->world, row);
	if (!err && !db_row_int(row, 2))
		known_users_put(&store->known, &uuid, db_row_int(row, 1), clock_ms());
	return err;
}

static enum err load(void *self, const struct batch *batch)
{
	struct account_store *store = self;
	gather_accounts(store, batch, clock_ms());
	enum err err = db_store_select(&store->base, &find_users, take_known_user, store);
	if (!err)
		err = cash_store_lock(&store->base, &store->world);
	return err ? err : load_charges(store, batch);
}

/* Their numbers are read back by uuid: those of a bulk insert need not be consecutive. */
static enum err insert_registrations(struct account_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	struct cells *cells = &store->base.cells;
	rows_clear(rows);
	cells_clear(cells);
	for (size_t i = 0; i < store->world.count; i++) {
		const struct account *account = &store->world.accounts[i];
		if (!account->registration)
			continue;
		rows_next(rows);
		rows_id(rows, "uuid", &account->uuid);
		cells_next(cells);
		cells_id(cells, &account->uuid);
		cells_string(cells, account->registration->name);
		cells_id(cells, &account->registration->id);
		cells_int(cells, now_us);
		cells_int(cells, now_us);
	}
	enum err err = db_store_insert(&store->base, &insert_users);
	if (!err)
		err = db_store_select(&store->base, &find_users, take_user, &store->world);
	return err;
}

static enum err insert_balances(struct account_store *store, int64_t now_us)
{
	struct cells *cells = &store->base.cells;
	cells_clear(cells);
	for (size_t i = 0; i < store->world.count; i++) {
		const struct account *account = &store->world.accounts[i];
		if (!account->registration)
			continue;
		cells_next(cells);
		cells_int(cells, account->user_id);
		cells_int(cells, now_us);
		cells_int(cells, now_us);
	}
	return db_store_insert(&store->base, &insert_cash);
}

static enum err write(void *self, const struct batch *batch)
{
	struct account_store *store = self;
	enum err err = insert_registrations(store, batch->now_us);
	if (!err)
		err = insert_balances(store, batch->now_us);
	return err ? err : cash_store_write(&store->base, &store->world);
}

void account_store_init(struct account_store *store, struct db *db, int64_t known_s)
{
	*store = (struct account_store){.base = {.db = db}, .known = {.life_ms = known_s * 1000}};
}

void account_store_fini(struct account_store *store)
{
	db_store_fini(&store->base);
	ledger_fini(&store->world);
	known_users_fini(&store->known);
}

/* Of all that happens to accounts only a registration is told the time: others save the query, a
 * twentieth of what a lone charge takes. */
static enum err read_time(void *self, int64_t *now_us)
{
	struct account_store *store = self;
	*now_us = 0;
	return store->has_registration ? db_store_clock(&store->base, now_us) : ERR_OK;
}

struct store account_store_interface(struct account_store *store)
{
	struct store made = db_store_interface(store, load, write);
	made.clock = read_time;
	return made;
}
