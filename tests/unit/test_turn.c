/* Turns: few serve at once, and who waits lets another one serve. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "turn.h"

#define THREADS 8

static atomic_uint serving, serving_most, refused;
static sem_t wake;

static void note_serving(void)
{
	unsigned now = atomic_fetch_add(&serving, 1) + 1;
	unsigned most = atomic_load(&serving_most);

	while (now > most && !atomic_compare_exchange_weak(&serving_most, &most, now))
		;
}

static void *serve_a_lot(void *arg)
{
	(void)arg;
	for (int i = 0; i < 200; i++) {
		turn_take();
		note_serving();
		sched_yield();
		atomic_fetch_sub(&serving, 1);
		(void)turn_yield();
	}
	turn_take();
	turn_leave();
	return NULL;
}

static void *wait_for_something(void *arg)
{
	(void)arg;
	turn_take();
	if (turn_yield())
		sem_wait(&wake);
	else
		atomic_fetch_add(&refused, 1);
	turn_take();
	turn_leave();
	return NULL;
}

static void start(pthread_t threads[static THREADS], void *(*run)(void *arg))
{
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
}

static void join(pthread_t threads[static THREADS])
{
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static unsigned processors(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
	return CPU_COUNT(&set) > 1 ? (unsigned)CPU_COUNT(&set) : 2;
}

static void no_more_serve_at_once_than_there_are_processors(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	turn_open(THREADS);
	start(threads, serve_a_lot);
	join(threads);
	assert_in_range(atomic_load(&serving_most), 1, processors());
}

/* The last quarter is told not to wait: it ends, and is joined while the others still wait. */
static void a_quarter_never_waits(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	turn_open(THREADS);
	sem_init(&wake, 0, 0);
	start(threads, wait_for_something);
	while (atomic_load(&refused) < THREADS / 4)
		sched_yield();
	for (int i = 0; i < THREADS; i++)
		sem_post(&wake);
	join(threads);
	assert_int_equal(atomic_load(&refused), THREADS / 4);
	sem_destroy(&wake);
}

static void whoever_has_no_part_in_it_may_wait(void **state)
{
	(void)state;
	for (int i = 0; i < 2 * THREADS; i++)
		assert_true(turn_yield());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_serve_at_once_than_there_are_processors),
		cmocka_unit_test(a_quarter_never_waits),
		cmocka_unit_test(whoever_has_no_part_in_it_may_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
