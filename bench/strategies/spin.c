/* 2. Spin lock: one in the process for each balance; who does not get it looks at it until it is
 * free, and now and then lets others run: with more threads than processors the one that has it may
 * be among them. */
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "crowd.h"
#include "mem.h"

#define SPINS 100 /* between two times that others may run */

static void spin_once(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#endif
}

static enum err take(void *shared, void *hand, int64_t balance)
{
	atomic_bool *is_taken = (atomic_bool *)shared + (balance - 1);

	(void)hand;
	/* Only looking leaves the cache line with the one that has it. */
	for (unsigned spins = 1; *is_taken || atomic_exchange(is_taken, true); spins++) {
		if (spins % SPINS)
			spin_once();
		else
			sched_yield();
	}
	return ERR_OK;
}

static void give(void *shared, void *hand, int64_t balance)
{
	atomic_bool *is_taken = (atomic_bool *)shared + (balance - 1);

	(void)hand;
	*is_taken = false;
}

enum err arm_spin(const struct order *order, struct arm_result *result)
{
	size_t count = (size_t)order->balances;
	atomic_bool *locks = mem_array(NULL, count, sizeof *locks);
	const struct lock_way way = {.shared = locks, .take = take, .give = give};

	for (size_t i = 0; i < count; i++)
		atomic_init(&locks[i], false);
	enum err err = crowd_run(order, &way, TRANSACTION_PLAIN, 0, result);
	free(locks);
	return err;
}
