/* Turns: a semaphore, and a count of those who wait elsewhere. */
#include "turn.h"

#include <errno.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>

static sem_t turns;
static unsigned waiting_most;
static atomic_uint waiting; /* threads that gave their turn up to wait */
static _Thread_local enum { NO_PART, SERVING, WAITING } part;

static unsigned processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;

	return count > 1 ? (unsigned)count : 2;
}

void turn_open(unsigned threads)
{
	unsigned most = processors();

	/* Somebody must be left to serve. */
	waiting_most = threads - threads / 4 < threads ? threads - threads / 4 : threads - 1;
	sem_init(&turns, 0, most < threads ? most : threads);
}

void turn_take(void)
{
	if (part == SERVING)
		return;
	if (part == WAITING)
		atomic_fetch_sub(&waiting, 1);
	while (sem_wait(&turns) != 0 && errno == EINTR)
		;
	part = SERVING;
}

void turn_leave(void)
{
	if (part == SERVING)
		sem_post(&turns);
	part = NO_PART;
}

bool turn_yield(void)
{
	if (part != SERVING)
		return true;
	if (atomic_fetch_add(&waiting, 1) >= waiting_most) {
		atomic_fetch_sub(&waiting, 1);
		return false;
	}
	part = WAITING;
	sem_post(&turns);
	return true;
}
