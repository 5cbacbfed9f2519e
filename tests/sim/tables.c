#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "kernel.h"
#include "process.h"
#include "session.h"

static const struct {
	const char *name;
	size_t size;
	int rank; /* in the one order of locks; 0: not in it */
} kinds[TABLE_COUNT] = {
	[TABLE_USER] = {"user", sizeof(struct user_row), 0},
	[TABLE_CASH] = {"cash", sizeof(struct cash_row), 5},
	[TABLE_HISTORY] = {"cash_history", sizeof(struct history_row), 0},
	[TABLE_TICKET] = {"waiting_queue", sizeof(struct ticket_row), 4},
	[TABLE_SEAT] = {"seat", sizeof(struct seat_row), 2},
	[TABLE_HOLD] = {"seat_reservation", sizeof(struct hold_row), 3},
	[TABLE_PAYMENT] = {"payment", sizeof(struct payment_row), 0},
	[TABLE_JOB] = {"job", sizeof(struct job_row), 0},
	[TABLE_GATE] = {"gate_state", sizeof(struct gate_row), 1},
	[TABLE_POLICY] = {"gate_policy", sizeof(struct policy_row), 0},
};

static struct {
	struct record **records;
	size_t count, capacity;
	int64_t last_id;
} tables[TABLE_COUNT];

static struct record **gone; /* inserts that were rolled back: somebody may wait for them */
static size_t gone_count, gone_capacity;

/* Keys ------------------------------------------------------------------------------------------
 */

static struct id number_key(int64_t number)
{
	struct id key = {{0}};
	memcpy(key.bytes, &number, sizeof number);
	return key;
}

static struct id user_uuid(const void *row)
{
	return ((const struct user_row *)row)->uuid;
}

static struct id cash_user(const void *row)
{
	return number_key(((const struct cash_row *)row)->user);
}

static struct id history_job(const void *row)
{
	return ((const struct history_row *)row)->job;
}

static struct id history_reverses(const void *row)
{
	return number_key(((const struct history_row *)row)->reverses);
}

static struct id ticket_number(const void *row)
{
	return number_key(((const struct ticket_row *)row)->id);
}

static struct id ticket_live_user(const void *row)
{
	const struct ticket_row *ticket = row;
	bool is_live = ticket_is_in_line(ticket->status) || ticket->status == TICKET_ACTIVE;
	return number_key(is_live ? ticket->user : 0);
}

static struct id ticket_place(const void *row)
{
	return number_key(((const struct ticket_row *)row)->place);
}

static struct id hold_live_seat(const void *row)
{
	const struct hold_row *hold = row;
	bool is_live = hold->status == HOLD_PENDING || hold->status == HOLD_PAID;
	return number_key(is_live ? hold->seat : 0);
}

static struct id hold_job(const void *row)
{
	return ((const struct hold_row *)row)->job;
}

static struct id payment_hold(const void *row)
{
	return number_key(((const struct payment_row *)row)->hold);
}

static struct id payment_job(const void *row)
{
	return ((const struct payment_row *)row)->job;
}

static struct id payment_refund_job(const void *row)
{
	return ((const struct payment_row *)row)->refund_job;
}

static struct id job_id(const void *row)
{
	return ((const struct job_row *)row)->id;
}

/* Unique keys by their names in the migrations, primary ones by a text that stands there. A key of
 * zeroes is NULL: it never clashes. */
static struct key {
	enum table table;
	bool is_there;
	struct id (*of)(const void *row);
	const char *text;
} keys[] = {
	{TABLE_USER, false, user_uuid, "UNIQUE KEY user_uuid (uuid)"},
	{TABLE_CASH, false, cash_user, "PRIMARY KEY (user_id)"},
	{TABLE_HISTORY, false, history_job, "UNIQUE KEY cash_history_job (job_id)"},
	{TABLE_HISTORY, false, history_reverses, "UNIQUE KEY cash_history_reverses (reverses)"},
	{TABLE_TICKET, false, ticket_number,
	 "PRIMARY KEY (id),\n    UNIQUE KEY waiting_queue_live_user"},
	{TABLE_TICKET, false, ticket_live_user,
	 "UNIQUE KEY waiting_queue_live_user (live_user_id)"},
	{TABLE_TICKET, false, ticket_place, "UNIQUE KEY waiting_queue_number (place)"},
	{TABLE_HOLD, false, hold_live_seat, "UNIQUE KEY seat_reservation_live_seat (live_seat_id)"},
	{TABLE_HOLD, false, hold_job, "UNIQUE KEY seat_reservation_job (job_id)"},
	{TABLE_PAYMENT, false, payment_hold, "UNIQUE KEY payment_reservation (reservation_id)"},
	{TABLE_PAYMENT, false, payment_job, "UNIQUE KEY payment_job (job_id)"},
	{TABLE_PAYMENT, false, payment_refund_job, "UNIQUE KEY payment_refund_job (refund_job_id)"},
	{TABLE_JOB, false, job_id, "PRIMARY KEY (id),\n    KEY job_created (created_at)"},
};

#define KEY_COUNT (sizeof keys / sizeof *keys)

static bool read_file(const char *path)
{
	static char text[65536];
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	size_t length = fread(text, 1, sizeof text - 1, file);
	bool is_read = !ferror(file) && length < sizeof text - 1;
	fclose(file);
	text[length] = '\0';
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strstr(text, keys[i].text))
			keys[i].is_there = true;
	return is_read;
}

bool tables_read_keys(const char *folder)
{
	static const char *const names[] = {"001_schema.sql", "002_waiting_room.sql",
					    "004_refunds.sql"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		if (!read_file(path))
			return false;
	}
	return true;
}

const char *tables_missing_key(void)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (!keys[i].is_there)
			return keys[i].text;
	return NULL;
}

/* Rows ------------------------------------------------------------------------------------------
 */

static void free_record(struct record *record)
{
	own_free(record->committed);
	own_free(record->pending);
	own_free(record);
}

void tables_start(void)
{
	tables_end();
	for (size_t t = 0; t < TABLE_COUNT; t++)
		tables[t].last_id = 0;
}

void tables_end(void)
{
	for (size_t t = 0; t < TABLE_COUNT; t++) {
		for (size_t i = 0; i < tables[t].count; i++)
			free_record(tables[t].records[i]);
		tables[t].count = 0;
	}
	for (size_t i = 0; i < gone_count; i++)
		free_record(gone[i]);
	gone_count = 0;
}

size_t table_count(enum table table)
{
	return tables[table].count;
}

struct record *table_record(enum table table, size_t nth)
{
	return tables[table].records[nth];
}

const char *table_name(enum table table)
{
	return kinds[table].name;
}

int64_t table_next_id(enum table table)
{
	return ++tables[table].last_id;
}

const void *table_committed(const struct record *record)
{
	return record->is_committed ? record->committed : NULL;
}

const void *table_see(const struct session *session, const struct record *record)
{
	if (record->locker == session && record->is_dirty)
		return record->pending;
	return table_committed(record);
}

/* Locks ------------------------------------------------------------------------------------------
 */

struct waiter {
	struct session *session;
	struct record *record;
	unsigned generation;
};

static bool is_ready(void *arg)
{
	const struct waiter *waiter = arg;
	return !waiter->record->locker || waiter->session->generation != waiter->generation;
}

/* Does whoever has the row wait, in the end, for us? */
static bool is_deadlock(const struct session *session, const struct record *record)
{
	const struct session *other = record->locker;
	for (size_t i = 0; other && other != session && i < PROCESSES_MAX * 4; i++)
		other = other->waits_for ? other->waits_for->locker : NULL;
	return other == session;
}

bool table_is_locked(const struct session *session, const struct record *record)
{
	return record->locker && record->locker != session;
}

/* Gate state, seats, their holds, tickets, cash: each statement ascending, holds by their seats. */
static void check_order(struct session *session, const struct record *record)
{
	const int64_t *row = record->is_committed ? record->committed : record->pending;
	int rank = kinds[record->table].rank;
	bool is_same =
		rank == session->lock_rank && session->lock_statement == session->statement_nth;
	if (!rank || record->locker == session || !session->in_transaction)
		return;
	if (rank < session->lock_rank ||
	    (is_same && record->table != TABLE_HOLD && *row < session->lock_number))
		kernel_fail("lock-order", "%s locks %s %lld out of order", session->statement,
			    kinds[record->table].name, (long long)*row);
	session->lock_rank = rank;
	session->lock_number = *row;
	session->lock_statement = session->statement_nth;
}

enum err table_lock(struct session *session, struct record *record)
{
	check_order(session, record);
	struct waiter waiter = {session, record, session->generation};
	int64_t until_us = kernel.now_us + LOCK_WAIT_US;
	while (table_is_locked(session, record)) {
		if (is_deadlock(session, record) || kernel.now_us >= until_us) {
			kernel_trace("conflict at %s", table_name(record->table));
			return ERR_DB_CONFLICT;
		}
		session->waits_for = record;
		process_wait(is_ready, &waiter, until_us, "wait for a lock");
		if (session->generation != waiter.generation)
			return ERR_DB_GONE;
		session->waits_for = NULL;
		session->last_us = kernel.now_us;
	}
	if (!record->locker && !record->is_gone) {
		record->locker = session;
		record->next_locked = session->locked;
		session->locked = record;
		record->nth = ++session->lock_count;
	}
	return ERR_OK;
}

void *table_change(struct session *session, struct record *record)
{
	size_t size = kinds[record->table].size;
	if (record->locker != session)
		kernel_fail("locks", "%s changes a row of %s that it has not locked",
			    session->statement, table_name(record->table));
	if (!record->pending)
		record->pending = own_array(NULL, 1, size);
	if (!record->is_dirty)
		memcpy(record->pending, record->committed, size);
	record->is_dirty = true;
	return record->pending;
}

static bool has_key(const void *row, const struct key *key, const struct id *value)
{
	struct id theirs = key->of(row);
	return id_equal(&theirs, value);
}

/* Whoever is about to insert, or to give up, the same value must have ended first. */
static enum err check_key(struct session *session, struct record *record, const struct key *key)
{
	static const struct id null;
	struct id value = key->of(record->pending);
	if (id_equal(&value, &null))
		return ERR_OK;
	for (size_t i = 0; i < tables[key->table].count; i++) {
		struct record *other = tables[key->table].records[i];
		bool is_same = other != record &&
			       ((other->is_committed && has_key(other->committed, key, &value)) ||
				(other->is_dirty && has_key(other->pending, key, &value)));
		if (!is_same)
			continue;
		if (table_is_locked(session, other) && other->is_dirty) {
			enum err err = table_lock(session, other);
			if (err)
				return err;
			i = (size_t)-1; /* rows may have come and gone */
			continue;
		}
		const void *row = table_see(session, other);
		if (row && has_key(row, key, &value))
			return ERR_DB_DUPLICATE;
	}
	return ERR_OK;
}

enum err table_check_keys(struct session *session, struct record *record)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (!keys[i].is_there || keys[i].table != record->table)
			continue;
		enum err err = check_key(session, record, &keys[i]);
		if (err)
			return err;
	}
	return ERR_OK;
}

static struct record *add_record(enum table table)
{
	struct record *record = own_array(NULL, 1, sizeof *record);
	*record = (struct record){.table = table};
	if (tables[table].count == tables[table].capacity) {
		tables[table].capacity = 2 * tables[table].capacity + 64;
		tables[table].records = own_array(tables[table].records, tables[table].capacity,
						  sizeof *tables[table].records);
	}
	tables[table].records[tables[table].count++] = record;
	return record;
}

static void *copy_of(enum table table, const void *row)
{
	void *copy = own_array(NULL, 1, kinds[table].size);
	memcpy(copy, row, kinds[table].size);
	return copy;
}

enum err table_insert(struct session *session, enum table table, const void *row)
{
	struct record *record = add_record(table);
	record->pending = copy_of(table, row);
	record->is_dirty = true;
	record->locker = session;
	record->next_locked = session->locked;
	session->locked = record;
	return table_check_keys(session, record);
}

void table_plant(enum table table, const void *row)
{
	struct record *record = add_record(table);
	record->committed = copy_of(table, row);
	record->is_committed = true;
}

static void let_go(struct session *session)
{
	session->locked = NULL;
	session->lock_count = 0;
	session->lock_rank = 0;
	session->waits_for = NULL;
}

void tables_commit(struct session *session)
{
	for (struct record *record = session->locked; record; record = record->next_locked) {
		if (record->is_dirty) {
			void *old = record->committed;
			record->committed = record->pending;
			record->pending = old;
			record->is_committed = true;
			record->is_dirty = false;
		}
		record->locker = NULL;
	}
	let_go(session);
}

static void remove_record(struct record *record)
{
	size_t i = 0;
	while (tables[record->table].records[i] != record)
		i++;
	size_t after = --tables[record->table].count - i;
	memmove(&tables[record->table].records[i], &tables[record->table].records[i + 1],
		after * sizeof *tables[record->table].records);
	record->is_gone = true;
	record->is_dirty = false;
	if (gone_count == gone_capacity) {
		gone_capacity = 2 * gone_capacity + 64;
		gone = own_array(gone, gone_capacity, sizeof *gone);
	}
	gone[gone_count++] = record;
}

void tables_rollback(struct session *session)
{
	for (struct record *record = session->locked; record; record = record->next_locked) {
		record->locker = NULL;
		record->is_dirty = false;
		if (!record->is_committed)
			remove_record(record);
	}
	let_go(session);
}
