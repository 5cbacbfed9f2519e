/* The newest snapshot and who waits for it: many who miss one at once cause one renewal. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "snapshot_store.h"

#define THREADS 200
#define ROUNDS 1000
#define DEADLINE_US INT64_C(20000000)

static struct snapshots *snapshots;
static pthread_barrier_t start, end;
static atomic_uint loads, missed;
static atomic_bool is_failing;
static atomic_llong takes_us;           /* a load */
static atomic_llong began_us, ended_us; /* the last one */

/* In place of the database. */
enum err __wrap_snapshot_store_load(struct db *db, const struct snapshot *previous,
				    struct snapshot **snapshot);
enum err __wrap_snapshot_store_load(struct db *db, const struct snapshot *previous,
				    struct snapshot **snapshot)
{
	(void)db;
	(void)previous;
	atomic_store(&began_us, clock_us());
	atomic_fetch_add(&loads, 1);
	nanosleep(&(struct timespec){.tv_nsec = atomic_load(&takes_us) * 1000}, NULL);
	atomic_store(&ended_us, clock_us());
	if (atomic_load(&is_failing))
		return ERR_DB_GONE;
	*snapshot = snapshot_new();
	return *snapshot != NULL ? ERR_OK : ERR_MEMORY;
}

static void *miss(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&start);
		if (!snapshots_refresh(snapshots, clock_us() + DEADLINE_US))
			atomic_fetch_add(&missed, 1);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

static int begin(void **state)
{
	static struct conf conf;

	(void)state;
	conf_init(&conf);
	conf.snapshot_ms = 10000; /* no renewal but those asked for */
	atomic_store(&loads, 0);
	atomic_store(&missed, 0);
	atomic_store(&is_failing, false);
	atomic_store(&takes_us, 0);
	return snapshots_new(&snapshots, &conf) == ERR_OK ? 0 : 1;
}

static int finish(void **state)
{
	(void)state;
	snapshots_free(snapshots);
	return 0;
}

static void many_who_miss_one_at_once_cause_one_renewal(void **state)
{
	pthread_t threads[THREADS];
	pthread_attr_t attributes;
	unsigned most = 0, all;

	(void)state;
	assert_true(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
	pthread_barrier_init(&start, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 256 * 1024);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], &attributes, miss, NULL), 0);
	all = atomic_load(&loads);
	for (int i = 0; i < ROUNDS; i++) {
		unsigned before = atomic_load(&loads), caused;

		pthread_barrier_wait(&start);
		pthread_barrier_wait(&end);
		caused = atomic_load(&loads) - before;
		most = caused > most ? caused : most;
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
	pthread_barrier_destroy(&start);
	pthread_barrier_destroy(&end);
	all = atomic_load(&loads) - all;
	/* A thread that comes when the one renewal has begun needs the next: what that one reads
	 * may be older than its miss. So a round takes one, or two when somebody was late, never
	 * one each. */
	assert_true(most <= 2);
	assert_in_range(all, ROUNDS, 2 * ROUNDS);
	assert_int_equal(atomic_load(&missed), 0);
}

static void a_renewal_that_fails_keeps_the_old_one(void **state)
{
	struct snapshot *before, *after;

	(void)state;
	assert_true(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
	before = snapshots_hold(snapshots);
	atomic_store(&is_failing, true);
	assert_false(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
	assert_false(snapshots_healthy(snapshots));
	after = snapshots_hold(snapshots);
	assert_ptr_equal(before, after);
	snapshot_release(before);
	snapshot_release(after);
	atomic_store(&is_failing, false);
	assert_true(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
	assert_true(snapshots_healthy(snapshots));
}

/* How long after the end of the last renewal the one that ask() asks for begins. */
static int64_t gap_us(void (*ask)(void))
{
	int64_t last_us = atomic_load(&ended_us);
	unsigned before = atomic_load(&loads);

	ask();
	while (atomic_load(&loads) == before)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return atomic_load(&began_us) - last_us;
}

static void request(void)
{
	snapshots_request(snapshots);
}

static void request_and_await(void)
{
	snapshots_request(snapshots);
	assert_true(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
}

static void a_slow_renewal_is_not_repeated_soon_unless_somebody_waits(void **state)
{
	const int64_t slow_us = 200000;

	(void)state;
	atomic_store(&takes_us, slow_us);
	assert_true(snapshots_refresh(snapshots, clock_us() + DEADLINE_US));
	assert_in_range(gap_us(request_and_await), slow_us, 3 * slow_us - 1);
	assert_true(gap_us(request) >= 3 * slow_us);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_who_miss_one_at_once_cause_one_renewal),
		TEST(a_slow_renewal_is_not_repeated_soon_unless_somebody_waits),
		TEST(a_renewal_that_fails_keeps_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
