#include "db_store.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "inbox.h"
#include "sql.h"

/* clang-format off */
#define JOB_IDS SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))

/* No locks. job by its primary key: at most one row for each id. */
static const struct db_query find_jobs = {
	"find-jobs",
	"SELECT j.id, j.fingerprint, j.attempt, j.code, j.why, j.data FROM " JOB_IDS
	" STRAIGHT_JOIN job j FORCE INDEX (PRIMARY) ON j.id = UNHEX(d.id)"};

/* No locks. cash_history by cash_history_job, user, seat_reservation and the charge taken back by
 * primary key, payment by payment_job and payment_refund_job: what moved money and has no row in job
 * any more. */
static const struct db_query find_postings = {
	"find-postings",
	"SELECT h.job_id, h.amount, h.balance_after, h.description, u.uuid, r.seat_id,"
	" q.id, c.job_id FROM " JOB_IDS
	" STRAIGHT_JOIN cash_history h FORCE INDEX (cash_history_job) ON h.job_id = UNHEX(d.id)"
	" STRAIGHT_JOIN user u FORCE INDEX (PRIMARY) ON u.id = h.user_id"
	" LEFT JOIN payment p FORCE INDEX (payment_job) ON p.job_id = h.job_id"
	" LEFT JOIN seat_reservation r FORCE INDEX (PRIMARY) ON r.id = p.reservation_id"
	" LEFT JOIN payment q FORCE INDEX (payment_refund_job) ON q.refund_job_id = h.job_id"
	" LEFT JOIN cash_history c FORCE INDEX (PRIMARY) ON c.id = h.reverses"};

/* No locks. seat_reservation by seat_reservation_job: reserves whose row in job was pruned. */
static const struct db_query find_reserves = {
	"find-reserves",
	"SELECT r.job_id FROM " JOB_IDS
	" STRAIGHT_JOIN seat_reservation r FORCE INDEX (seat_reservation_job)"
	" ON r.job_id = UNHEX(d.id)"};

/* Inserts one row for each; an id that another worker has just stored is ERR_DB_DUPLICATE. */
static const struct db_query insert_jobs = {
	"insert-jobs",
	"INSERT INTO job (id, kind, attempt, fingerprint, code, why, data, created_at)"
	" VALUES (?, ?, ?, ?, ?, ?, ?, NOW(6))"};

/* Locks and changes job by its primary key; the attempt guards against a faster worker. */
static const struct db_query update_jobs = {
	"update-jobs",
	"UPDATE " SQL_ROWS(SQL_COLUMN("nth", "INT") ", "
			   SQL_COLUMN("code", "VARCHAR(32)") ", "
			   SQL_COLUMN("why", "VARCHAR(160)") ", "
			   SQL_COLUMN("data", "VARCHAR(2048)") ", "
			   SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN job j FORCE INDEX (PRIMARY) ON j.id = UNHEX(d.id) AND j.attempt < d.nth"
	" SET j.attempt = d.nth, j.code = d.code, j.why = d.why, j.data = d.data"};

/* Locks and deletes by job_created, the oldest first. */
static const struct db_query prune_jobs = {
	"prune-jobs",
	"DELETE FROM job WHERE created_at <"
	" NOW(6) - INTERVAL " SQL_NUMBER("days") " DAY"
	" ORDER BY created_at LIMIT 2000"};

/* The clock of every hold: the database's, read after the locks are held. */
static const struct db_query read_clock = {"read-clock", "SELECT " SQL_US("SYSDATE(6)")};
/* clang-format on */

const struct db_query *const db_store_queries[] = {
	&find_jobs,   &find_postings, &find_reserves, &insert_jobs,
	&update_jobs, &read_clock,    &prune_jobs,    NULL};

void db_store_fini(struct db_store *store)
{
	rows_fini(&store->rows);
	cells_fini(&store->cells);
}

static enum err begin(void *self)
{
	struct db_store *store = self;
	return db_begin(store->db);
}

static enum err commit(void *self)
{
	struct db_store *store = self;
	return db_commit(store->db);
}

static void rollback(void *self)
{
	struct db_store *store = self;
	db_rollback(store->db);
}

static enum err take_clock(void *arg, const struct db_row *row)
{
	*(int64_t *)arg = db_row_int(row, 0);
	return ERR_OK;
}

enum err db_store_clock(struct db_store *store, int64_t *now_us)
{
	return db_select(store->db, &read_clock, NULL, 0, take_clock, now_us);
}

static enum err read_time(void *self, int64_t *now_us)
{
	return db_store_clock(self, now_us);
}

enum err db_store_run(struct db_store *store, const struct db_query *query, uint64_t expected)
{
	if (!store->rows.count)
		return ERR_OK;
	rows_end(&store->rows);
	uint64_t affected = 0;
	enum err err = db_run(store->db, query, store->rows.text.bytes, store->rows.text.length,
			      &affected);
	if (!err && expected != DB_STORE_ANY && affected != expected)
		err = ERR_DB_CONFLICT;
	return err;
}

enum err db_store_insert(struct db_store *store, const struct db_query *query)
{
	if (!store->cells.count)
		return ERR_OK;
	uint64_t affected = 0;
	enum err err = db_insert(store->db, query, &store->cells, &affected);
	return err || affected == store->cells.count ? err : ERR_DB_CONFLICT;
}

enum err db_store_select(struct db_store *store, const struct db_query *query, db_row_fn *fn,
			 void *arg)
{
	if (!store->rows.count)
		return ERR_OK;
	rows_end(&store->rows);
	return db_select(store->db, query, store->rows.text.bytes, store->rows.text.length, fn,
			 arg);
}

static enum err take_job(void *arg, const struct db_row *row)
{
	struct batch *batch = arg;
	struct id id = db_row_id(row, 0);
	uint8_t fingerprint[FINGERPRINT_SIZE];
	char code[40];
	struct outcome outcome = {0};
	db_row_bytes(row, 1, fingerprint, sizeof fingerprint);
	db_row_text(row, 3, code, sizeof code);
	db_row_text(row, 4, outcome.why, sizeof outcome.why);
	db_row_text(row, 5, outcome.data, sizeof outcome.data);
	outcome.err = err_from_code(code);
	if (outcome.err == ERR_COUNT)
		return ERR_DB_DATA; /* a code of a later version: not ours to answer */
	inbox_put_stored(batch, &id, fingerprint, (int)db_row_int(row, 2), &outcome);
	return ERR_OK;
}

/* The very charge that made this row of the history? */
static bool is_same_charge(const struct job *job, const struct db_row *row)
{
	char memo[sizeof job->memo];
	struct id user = db_row_id(row, 4);
	db_row_text(row, 3, memo, sizeof memo);
	return job->kind == JOB_CHARGE && job->amount == db_row_int(row, 1) &&
	       strcmp(job->memo, memo) == 0 && id_equal(&job->user, &user);
}

/* The very payment that made this row? Then the rules find it. */
static bool is_same_payment(const struct job *job, const struct db_row *row)
{
	return job->kind == JOB_PAY && !db_row_is_null(row, 5) && job->seat == db_row_int(row, 5);
}

/* The very refund, or reversal, that made this row? The same. */
static bool is_same_return(const struct job *job, const struct db_row *row)
{
	struct id charge = db_row_id(row, 7);
	return (job->kind == JOB_REFUND && !db_row_is_null(row, 6) &&
		job->payment == db_row_int(row, 6)) ||
	       (job->kind == JOB_REVERSE && !db_row_is_null(row, 7) &&
		id_equal(&job->charge, &charge));
}

/* Gives every unsettled job of this id what is left of its first outcome. */
static void put_left(struct batch *batch, const struct id *id, const struct outcome *outcome)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (id_equal(&entry->job.id, id) && !batch->known[entry->known].is_settled)
			inbox_put_stored(batch, id, entry->fingerprint, entry->job.attempt,
					 outcome);
	}
}

static const struct job *job_of(const struct batch *batch, const struct id *id)
{
	for (size_t i = 0; i < batch->count; i++)
		if (id_equal(&batch->entries[i].job.id, id))
			return &batch->entries[i].job;
	return NULL;
}

/* A posting whose job row was pruned: the same charge gets its balance of then, the same payment is
 * left to the rules, all else is a reused key. */
static enum err take_posting(void *arg, const struct db_row *row)
{
	struct batch *batch = arg;
	struct id id = db_row_id(row, 0);
	const struct job *job = job_of(batch, &id);
	struct outcome outcome = {.err = ERR_KEY_REUSED};
	if (!job || is_same_payment(job, row) || is_same_return(job, row))
		return ERR_OK;
	if (is_same_charge(job, row)) {
		outcome.err = ERR_OK;
		snprintf(outcome.data, sizeof outcome.data, "{\"balance\":%" PRId64 "}",
			 db_row_int(row, 2));
	}
	put_left(batch, &id, &outcome);
	return ERR_OK;
}

/* A hold of long ago, of this key: it is over, and its answer is gone. */
static enum err take_reserve(void *arg, const struct db_row *row)
{
	struct id id = db_row_id(row, 0);
	put_left(arg, &id, &(struct outcome){.err = ERR_KEY_REUSED});
	return ERR_OK;
}

/* With look_deep also where jobs leave a trace that is never pruned. */
static enum err find_outcomes(void *self, struct batch *batch)
{
	struct db_store *store = self;
	rows_clear(&store->rows);
	for (size_t i = 0; i < batch->known_count; i++) {
		rows_next(&store->rows);
		rows_id(&store->rows, "id", &batch->known[i].id);
	}
	enum err err = db_store_select(store, &find_jobs, take_job, batch);
	if (!err && batch->look_deep)
		err = db_store_select(store, &find_postings, take_posting, batch);
	if (!err && batch->look_deep)
		err = db_store_select(store, &find_reserves, take_reserve, batch);
	return err;
}

static bool is_to_save(const struct batch *batch, size_t i, bool is_stored)
{
	return inbox_must_store(batch, i) &&
	       batch->known[batch->entries[i].known].is_stored == is_stored;
}

static enum err insert_outcomes(struct db_store *store, const struct batch *batch)
{
	struct cells *cells = &store->cells;
	cells_clear(cells);
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (!is_to_save(batch, i, false))
			continue;
		cells_next(cells);
		cells_id(cells, &entry->job.id);
		cells_string(cells, job_kind_name(entry->job.kind));
		cells_int(cells, entry->job.attempt);
		cells_bytes(cells, entry->fingerprint, sizeof entry->fingerprint);
		cells_string(cells, err_code(entry->outcome.err));
		cells_string(cells, entry->outcome.why);
		cells_string(cells, entry->outcome.data);
	}
	return db_store_insert(store, &insert_jobs);
}

/* Of refusals that got a new attempt. */
static enum err update_outcomes(struct db_store *store, const struct batch *batch)
{
	struct rows *rows = &store->rows;
	rows_clear(rows);
	for (size_t i = 0; i < batch->count; i++) {
		const struct batch_entry *entry = &batch->entries[i];
		if (!is_to_save(batch, i, true))
			continue;
		rows_next(rows);
		rows_int(rows, "nth", entry->job.attempt);
		rows_string(rows, "code", err_code(entry->outcome.err));
		rows_string(rows, "why", entry->outcome.why);
		rows_string(rows, "data", entry->outcome.data);
		rows_id(rows, "id", &entry->job.id);
	}
	return db_store_run(store, &update_jobs, rows->count);
}

static enum err save_outcomes(void *self, const struct batch *batch)
{
	struct db_store *store = self;
	enum err err = insert_outcomes(store, batch);
	return err ? err : update_outcomes(store, batch);
}

enum err db_store_prune(struct db_store *store, int64_t days, uint64_t *pruned)
{
	rows_clear(&store->rows);
	rows_next(&store->rows);
	rows_int(&store->rows, "days", days);
	rows_end(&store->rows);
	return db_run(store->db, &prune_jobs, store->rows.text.bytes, store->rows.text.length,
		      pruned);
}

struct store db_store_interface(void *self, store_load_fn *load, store_write_fn *write)
{
	return (struct store){.self = self,
			      .begin = begin,
			      .commit = commit,
			      .rollback = rollback,
			      .clock = read_time,
			      .find_outcomes = find_outcomes,
			      .save_outcomes = save_outcomes,
			      .load = load,
			      .write = write};
}
