/* Look-ups: plain reads of one row by a unique key, no locks. */
#include "lookup.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "holdings.h"
#include "snapshot_store.h"
#include "sql.h"
#include "turn.h"

#define WAIT_US 1000000
/* The server ends a session that idles for 10 s (wait_timeout); ours begin anew before that. */
#define IDLE_MOST_US 8000000

struct pooled {
	struct db *db;
	int64_t used_us; /* when it was given back */
};

struct lookup {
	const struct conf *conf;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	size_t free_count;
	struct pooled free[]; /* the last used one at the end */
};

/* clang-format off */
/* user by user_uuid, cash by primary key. */
static const struct db_query select_user = {
	"lookup_user",
	"SELECT u.id, COALESCE(c.balance, 0) FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN user u FORCE INDEX (user_uuid) ON u.uuid = UNHEX(d.id)"
	" LEFT JOIN cash c FORCE INDEX (PRIMARY) ON c.user_id = u.id"
	" WHERE u.deleted_at IS NULL"};

/* waiting_queue by primary key, user by primary key. */
static const struct db_query select_ticket = {
	"lookup_ticket",
	"SELECT u.uuid, w.status, " SQL_US("w.expired_at") ", w.expired_at > SYSDATE(6)"
	" FROM " SQL_IDS
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY) ON w.id = d.id"
	" STRAIGHT_JOIN user u ON u.id = w.user_id"};

/* job by primary key. */
static const struct db_query select_job = {
	"lookup_job",
	"SELECT j.fingerprint, j.code, j.why, j.data FROM " SQL_ROWS(SQL_COLUMN("id", "CHAR(32)"))
	" STRAIGHT_JOIN job j FORCE INDEX (PRIMARY) ON j.id = UNHEX(d.id)"};
/* clang-format on */

const struct db_query *const front_queries[] = {&snapshot_store_gate,     &snapshot_store_draw,
						&snapshot_store_drawn,    &snapshot_store_places,
						&snapshot_store_changes,  &snapshot_store_tickets,
						&snapshot_store_concerts, &snapshot_store_schedules,
						&snapshot_store_seats,    &select_user,
						&select_ticket,           &select_job,
						&holdings_holds,          &holdings_payments,
						&holdings_entries,        NULL};

enum err lookup_new(struct lookup **lookup, const struct conf *conf)
{
	size_t count = (size_t)conf->front_db_connections;
	struct lookup *made = calloc(1, sizeof *made + count * sizeof made->free[0]);
	enum err err = ERR_OK;

	if (made == NULL)
		return ERR_MEMORY;
	pthread_mutex_init(&made->lock, NULL);
	pthread_cond_init(&made->returned, NULL);
	made->conf = conf;
	while (err == ERR_OK && made->free_count < count) {
		err = db_new(&made->free[made->free_count].db, conf, FRONT_DB_SILENCE_S);
		if (err == ERR_OK)
			made->free_count++;
	}
	if (err == ERR_OK)
		*lookup = made;
	else
		lookup_free(made);
	return err;
}

void lookup_free(struct lookup *lookup)
{
	if (lookup == NULL)
		return;
	while (lookup->free_count > 0)
		db_free(lookup->free[--lookup->free_count].db);
	pthread_cond_destroy(&lookup->returned);
	pthread_mutex_destroy(&lookup->lock);
	free(lookup);
}

static struct pooled take(struct lookup *lookup)
{
	struct timespec deadline = clock_timespec(clock_us() + WAIT_US);
	struct pooled pooled = {0};
	int rc = 0;

	pthread_mutex_lock(&lookup->lock);
	while (lookup->free_count == 0 && rc == 0)
		rc = pthread_cond_clockwait(&lookup->returned, &lookup->lock, CLOCK_MONOTONIC,
					    &deadline);
	if (lookup->free_count > 0)
		pooled = lookup->free[--lookup->free_count];
	pthread_mutex_unlock(&lookup->lock);
	return pooled;
}

static struct db *borrow(struct lookup *lookup)
{
	struct pooled pooled = take(lookup);
	struct db *fresh;

	if (pooled.db != NULL && clock_us() - pooled.used_us > IDLE_MOST_US &&
	    db_new(&fresh, lookup->conf, FRONT_DB_SILENCE_S) == ERR_OK) {
		db_free(pooled.db);
		pooled.db = fresh;
	}
	return pooled.db;
}

static void give_back(struct lookup *lookup, struct db *db)
{
	pthread_mutex_lock(&lookup->lock);
	lookup->free[lookup->free_count++] = (struct pooled){db, clock_us()};
	pthread_cond_signal(&lookup->returned);
	pthread_mutex_unlock(&lookup->lock);
}

/* Asks, and asks again when the connection turns out to be lost: the server may be back. */
enum err lookup_ask(struct lookup *lookup, const struct db_query *query, const char *json,
		    db_row_fn *row, void *arg)
{
	struct db *db = turn_yield() ? borrow(lookup) : NULL;
	enum err err;

	if (db == NULL)
		return ERR_UNAVAILABLE;
	err = db_select(db, query, json, strlen(json), row, arg);
	if (err == ERR_DB_GONE)
		err = db_select(db, query, json, strlen(json), row, arg);
	give_back(lookup, db);
	return err;
}

static void json_of_id(const struct id *id, char json[static 64])
{
	char hex[ID_HEX_SIZE];

	id_format_hex(id, hex);
	snprintf(json, 64, "[{\"id\":\"%s\"}]", hex);
}

static enum err user_row(void *arg, const struct db_row *row)
{
	*(struct lookup_user *)arg =
		(struct lookup_user){.number = db_row_int(row, 0), .balance = db_row_int(row, 1)};
	return ERR_OK;
}

enum err lookup_user(struct lookup *lookup, const struct id *id, struct lookup_user *user)
{
	struct lookup_user found = {0}; /* no user has the number 0 */
	char json[64];
	enum err err;

	json_of_id(id, json);
	err = lookup_ask(lookup, &select_user, json, user_row, &found);
	if (err == ERR_OK && found.number == 0)
		err = ERR_UNKNOWN_USER;
	if (err == ERR_OK)
		*user = found;
	return err;
}

struct ticket_found {
	struct lookup_ticket ticket;
	bool found;
};

static enum err ticket_row(void *arg, const struct db_row *row)
{
	struct ticket_found *found = arg;
	char text[16];

	db_row_text(row, 1, text, sizeof text);
	found->ticket = (struct lookup_ticket){.user = db_row_id(row, 0),
					       .status = ticket_status_from(text),
					       .expires_us = db_row_int(row, 2),
					       .is_live = db_row_int(row, 3) != 0};
	found->found = true;
	return ERR_OK;
}

enum err lookup_ticket(struct lookup *lookup, int64_t number, struct lookup_ticket *ticket)
{
	struct ticket_found found = {0};
	char json[64];
	enum err err;

	snprintf(json, sizeof json, "[{\"id\":%lld}]", (long long)number);
	err = lookup_ask(lookup, &select_ticket, json, ticket_row, &found);
	if (err == ERR_OK && !found.found)
		err = ERR_NOT_FOUND;
	if (err == ERR_OK)
		*ticket = found.ticket;
	return err;
}

struct job_found {
	struct lookup_job *job;
	bool found;
};

static enum err job_row(void *arg, const struct db_row *row)
{
	struct job_found *found = arg;
	struct lookup_job *job = found->job;
	char code[40];

	db_row_bytes(row, 0, job->fingerprint, sizeof job->fingerprint);
	db_row_text(row, 1, code, sizeof code);
	job->outcome.err = err_from_code(code);
	if (job->outcome.err == ERR_COUNT) /* stored by a newer release than ours */
		return ERR_DB_DATA;
	db_row_text(row, 2, job->outcome.why, sizeof job->outcome.why);
	db_row_text(row, 3, job->outcome.data, sizeof job->outcome.data);
	job->outcome.replayed = true;
	found->found = true;
	return ERR_OK;
}

enum err lookup_job(struct lookup *lookup, const struct id *id, struct lookup_job *job)
{
	struct job_found found = {.job = job};
	char json[64];
	enum err err;

	json_of_id(id, json);
	err = lookup_ask(lookup, &select_job, json, job_row, &found);
	if (err == ERR_OK && !found.found)
		err = ERR_UNKNOWN_JOB;
	return err;
}
