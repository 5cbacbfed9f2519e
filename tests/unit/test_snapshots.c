/* The newest snapshot and who waits for it: many who miss one at once cause one renewal. */
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "clock.h"
#include "snapshot_store.h"

#define THREADS 200
#define ROUNDS 1000
#define DEADLINE_US INT64_C(20000000)

static struct snapshots *snapshots;
static pthread_barrier_t start, end;
static atomic_uint loads, missed;
static atomic_bool is_failing;

/* In place of the database. */
enum err __wrap_snapshot_store_load(struct db *db, const struct snapshot *previous,
				    struct snapshot **snapshot);
enum err __wrap_snapshot_store_load(struct db *db, const struct snapshot *previous,
				    struct snapshot **snapshot)
{
	(void)db;
	(void)previous;
	atomic_fetch_add(&loads, 1);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(many_who_miss_one_at_once_cause_one_renewal),
		TEST(a_renewal_that_fails_keeps_the_old_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
