/* Turns: few serve at once, and who waits lets another one serve. */
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "turn.h"

#define THREADS_MOST 1024

static atomic_uint serving, serving_most, refused;
static sem_t wake;
static pthread_t threads[THREADS_MOST];
static unsigned count; /* more than ever serve at once */

static unsigned processors(void)
{
	cpu_set_t set;

	assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
	return CPU_COUNT(&set) > 1 ? (unsigned)CPU_COUNT(&set) : 2;
}

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

static void start(void *(*run)(void *arg))
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, run, NULL), 0);
}

static void join(void)
{
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void no_more_serve_at_once_than_there_are_processors(void **state)
{
	(void)state;
	turn_open(count);
	start(serve_a_lot);
	join();
	assert_in_range(atomic_load(&serving_most), 1, processors());
}

/* The last quarter is told not to wait: it ends, and is joined while the others still wait. */
static void a_quarter_never_waits(void **state)
{
	(void)state;
	turn_open(count);
	sem_init(&wake, 0, 0);
	start(wait_for_something);
	while (atomic_load(&refused) < count / 4)
		sched_yield();
	for (unsigned i = 0; i < count; i++)
		sem_post(&wake);
	join();
	assert_int_equal(atomic_load(&refused), count / 4);
	sem_destroy(&wake);
}

static void whoever_has_no_part_in_it_may_wait(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2 * count; i++)
		assert_true(turn_yield());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_more_serve_at_once_than_there_are_processors),
		cmocka_unit_test(a_quarter_never_waits),
		cmocka_unit_test(whoever_has_no_part_in_it_may_wait),
	};

	count = processors() * 4 < THREADS_MOST ? processors() * 4 : THREADS_MOST;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
