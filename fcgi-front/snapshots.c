/* The newest snapshot and the thread that renews it. */
#include "snapshot.h"

#include <pthread.h>
#include <stdlib.h>

#include "clock.h"
#include "db.h"
#include "log.h"
#include "metrics.h"
#include "snapshot_store.h"
#include "turn.h"

/* Before a renewal on request, for a rush of replies asks all the time: no less than this, and so
 * many times what the last one took. What is asked for costs the database a quarter of a processor
 * at most, and half of one while somebody waits for it; the tick comes whatever it costs. */
#define GAP_US 10000
#define GAP_TIMES 3
#define GAP_TIMES_AWAITED 1
/* Nobody waits for a renewal that has been under way for so long: the database is silent. */
#define STALL_US 500000

struct snapshots {
	struct db *db; /* of the thread alone */
	int64_t tick_us;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wanted; /* a renewal is asked for, or the end */
	pthread_cond_t done;   /* a renewal ended, either way */
	struct snapshot *newest;
	uint64_t begun;     /* renewals begun and ended so far: */
	uint64_t ended;     /* "begun after this moment" is a number above begun */
	uint64_t succeeded; /* the number of the last that succeeded */
	int64_t begun_us;   /* when the last one began and ended */
	int64_t ended_us;
	bool requested;
	bool awaited; /* by somebody who would else be refused */
	bool stopping;
};

/* Until the next tick, or until asked but not before the gap is over. Called with the lock. */
static void wait_for_turn(struct snapshots *s)
{
	int64_t took_us = s->ended_us - s->begun_us;

	for (;;) {
		int64_t long_us = took_us * (s->awaited ? GAP_TIMES_AWAITED : GAP_TIMES);
		int64_t gap_us = long_us > GAP_US ? long_us : GAP_US;
		int64_t tick_us = s->begun_us + s->tick_us;
		int64_t asked_us = s->ended_us + gap_us;
		int64_t due_us = s->requested && asked_us < tick_us ? asked_us : tick_us;
		struct timespec due = clock_timespec(due_us);

		if (s->stopping || clock_us() >= due_us)
			return;
		pthread_cond_clockwait(&s->wanted, &s->lock, CLOCK_MONOTONIC, &due);
	}
}

/* Logs the first failure of a row of them, and the recovery. */
static void log_change(bool was_healthy, enum err err)
{
	if (err != ERR_OK && was_healthy)
		log_warn("snapshot-failed", LOG_ERR(err));
	else if (err == ERR_OK && !was_healthy)
		log_info("snapshot-recovered", LOG_ERR(err));
}

static void count_renewal(enum err err, int64_t span_us, const struct snapshot *fresh)
{
	metrics_count(METRIC_SNAPSHOTS, err == ERR_OK ? DONE_OK : DONE_FAILED, 0);
	metrics_set(METRIC_CONNECTED, SIDE_DATABASE, err == ERR_OK);
	if (err != ERR_OK)
		return;
	metrics_observe(METRIC_SNAPSHOT_TIME, 0, span_us);
	metrics_set(METRIC_SNAPSHOT_AGE, 0, fresh->taken_us);
}

static void renew(struct snapshots *s)
{
	struct snapshot *fresh = NULL;
	struct snapshot *old = NULL;
	const struct snapshot *previous;
	bool was_healthy;
	enum err err;

	pthread_mutex_lock(&s->lock);
	s->begun++;
	s->begun_us = clock_us();
	s->requested = s->awaited = false;
	was_healthy = s->succeeded == s->ended;
	previous = s->newest; /* ours until we replace it */
	pthread_mutex_unlock(&s->lock);

	err = snapshot_store_load(s->db, previous, &fresh);
	count_renewal(err, clock_us() - s->begun_us, fresh);
	log_change(was_healthy, err);

	pthread_mutex_lock(&s->lock);
	s->ended = s->begun;
	s->ended_us = clock_us();
	if (err == ERR_OK) {
		s->succeeded = s->ended;
		old = s->newest;
		s->newest = fresh;
	}
	pthread_cond_broadcast(&s->done);
	pthread_mutex_unlock(&s->lock);
	snapshot_release(old);
}

static void *snapshots_run(void *arg)
{
	struct snapshots *s = arg;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		wait_for_turn(s);
		if (s->stopping)
			break;
		pthread_mutex_unlock(&s->lock);
		renew(s);
		pthread_mutex_lock(&s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

enum err snapshots_new(struct snapshots **snapshots, const struct conf *conf)
{
	struct snapshots *s = calloc(1, sizeof *s);
	enum err err = ERR_MEMORY;

	if (s == NULL)
		goto out;
	s->tick_us = conf->snapshot_ms * 1000;
	err = db_new(&s->db, conf, FRONT_DB_SILENCE_S);
	if (err != ERR_OK)
		goto out;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->wanted, NULL);
	pthread_cond_init(&s->done, NULL);
	if (pthread_create(&s->thread, NULL, snapshots_run, s) != 0) {
		err = ERR_SYSTEM;
		goto out;
	}
	*snapshots = s;
	s = NULL;
out:
	if (s != NULL)
		db_free(s->db);
	free(s);
	return err;
}

void snapshots_free(struct snapshots *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->wanted);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	snapshot_release(s->newest);
	db_free(s->db);
	pthread_cond_destroy(&s->done);
	pthread_cond_destroy(&s->wanted);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct snapshot *snapshots_hold(struct snapshots *s)
{
	struct snapshot *snapshot;

	pthread_mutex_lock(&s->lock);
	snapshot = s->newest;
	if (snapshot != NULL)
		atomic_fetch_add(&snapshot->references, 1);
	pthread_mutex_unlock(&s->lock);
	return snapshot;
}

/* Called with the lock. */
static void request(struct snapshots *s, bool is_awaited)
{
	if (s->requested && (s->awaited || !is_awaited))
		return;
	s->requested = true;
	s->awaited |= is_awaited;
	pthread_cond_signal(&s->wanted);
}

void snapshots_request(struct snapshots *s)
{
	pthread_mutex_lock(&s->lock);
	request(s, false);
	pthread_mutex_unlock(&s->lock);
}

/* Called with the lock. */
static bool is_stalled(const struct snapshots *s)
{
	return s->begun != s->ended && clock_us() - s->begun_us > STALL_US;
}

bool snapshots_refresh(struct snapshots *s, int64_t deadline_us)
{
	struct timespec deadline = clock_timespec(deadline_us);
	uint64_t number;
	bool fresh;
	int rc = 0;

	if (!turn_yield())
		return false;
	pthread_mutex_lock(&s->lock);
	number = s->begun + 1;
	request(s, true);
	while (s->ended < number && rc == 0 && !is_stalled(s))
		rc = pthread_cond_clockwait(&s->done, &s->lock, CLOCK_MONOTONIC, &deadline);
	fresh = s->succeeded >= number;
	pthread_mutex_unlock(&s->lock);
	return fresh;
}

bool snapshots_healthy(struct snapshots *s)
{
	bool healthy;

	pthread_mutex_lock(&s->lock);
	healthy = s->newest != NULL && s->succeeded == s->ended;
	pthread_mutex_unlock(&s->lock);
	return healthy;
}
