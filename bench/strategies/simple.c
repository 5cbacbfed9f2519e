/* 1. Simple lock: one in the process for each balance; who does not get it tries again after an
 * interval. */
#include <pthread.h>
#include <stdlib.h>

#include "crowd.h"
#include "mem.h"

struct locks {
	pthread_mutex_t *mutexes;
	int64_t retry_us;
};

static enum err take(void *shared, void *hand, int64_t balance)
{
	struct locks *locks = shared;

	(void)hand;
	while (pthread_mutex_trylock(&locks->mutexes[balance - 1]))
		crowd_pause_us(locks->retry_us);
	return ERR_OK;
}

static void give(void *shared, void *hand, int64_t balance)
{
	struct locks *locks = shared;

	(void)hand;
	pthread_mutex_unlock(&locks->mutexes[balance - 1]);
}

enum err arm_simple(const struct order *order, struct arm_result *result)
{
	size_t count = (size_t)order->balances;
	struct locks locks = {.mutexes = mem_array(NULL, count, sizeof *locks.mutexes),
			      .retry_us = order->retry_us};
	const struct lock_way way = {.shared = &locks, .take = take, .give = give};

	for (size_t i = 0; i < count; i++)
		pthread_mutex_init(&locks.mutexes[i], NULL);
	enum err err = crowd_run(order, &way, TRANSACTION_PLAIN, 0, result);
	for (size_t i = 0; i < count; i++)
		pthread_mutex_destroy(&locks.mutexes[i]);
	free(locks.mutexes);
	return err;
}
