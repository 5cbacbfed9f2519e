#include "account_store.h"

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
	" SELECT UNHEX(d.uuid), d.name, UNHEX(d.job), " SQL_TIME("d.now") ", " SQL_TIME("d.now")
	" FROM " SQL_ROWS(SQL_COLUMN("uuid", "CHAR(32)") ", "
			  SQL_COLUMN("name", "VARCHAR(100)") ", "
			  SQL_COLUMN("job", "CHAR(32)") ", "
			  SQL_COLUMN("now", "BIGINT"))};

/* Inserts one row for each registration. */
static const struct db_query insert_cash = {
	"insert-cash",
	"INSERT INTO cash (user_id, balance, created_at, updated_at)"
	" SELECT d.user, 0, " SQL_TIME("d.now") ", " SQL_TIME("d.now")
	" FROM " SQL_ROWS(SQL_COLUMN("user", "BIGINT") ", " SQL_COLUMN("now", "BIGINT"))};

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

static enum err load(void *self, const struct batch *batch)
{
	struct account_store *store = self;
	ledger_clear(&store->world);
	rows_clear(&store->base.rows);
	for (size_t i = 0; i < batch->count; i++) {
		size_t before = store->world.count;
		const struct id *user = &batch->entries[i].job.user;
		ledger_account(&store->world, user);
		if (store->world.count == before)
			continue;
		rows_next(&store->base.rows);
		rows_id(&store->base.rows, "uuid", user);
	}
	enum err err = db_store_select(&store->base, &find_users, take_user, &store->world);
	if (!err)
		err = cash_store_lock(&store->base, &store->world);
	return err ? err : load_charges(store, batch);
}

static enum err insert_registrations(struct account_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.count; i++) {
		const struct account *account = &store->world.accounts[i];
		if (!account->registration)
			continue;
		rows_next(rows);
		rows_id(rows, "uuid", &account->uuid);
		rows_string(rows, "name", account->registration->name);
		rows_id(rows, "job", &account->registration->id);
		rows_int(rows, "now", now_us);
	}
	enum err err = db_store_run(&store->base, &insert_users, rows->count);
	/* Their numbers are read back by uuid: those of a bulk insert need not be consecutive. */
	if (!err)
		err = db_store_select(&store->base, &find_users, take_user, &store->world);
	return err;
}

static enum err insert_balances(struct account_store *store, int64_t now_us)
{
	struct rows *rows = &store->base.rows;
	rows_clear(rows);
	for (size_t i = 0; i < store->world.count; i++) {
		const struct account *account = &store->world.accounts[i];
		if (!account->registration)
			continue;
		rows_next(rows);
		rows_int(rows, "user", account->user_id);
		rows_int(rows, "now", now_us);
	}
	return db_store_run(&store->base, &insert_cash, rows->count);
}

static enum err write(void *self, const struct batch *batch)
{
	struct account_store *store = self;
	enum err err = insert_registrations(store, batch->now_us);
	if (!err)
		err = insert_balances(store, batch->now_us);
	return err ? err : cash_store_write(&store->base, &store->world);
}

void account_store_init(struct account_store *store, struct db *db)
{
	*store = (struct account_store){.base = {.db = db}};
}

void account_store_fini(struct account_store *store)
{
	rows_fini(&store->base.rows);
	ledger_fini(&store->world);
}

struct store account_store_interface(struct account_store *store)
{
	return db_store_interface(store, load, write);
}
