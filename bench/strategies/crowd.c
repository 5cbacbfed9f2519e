#include "crowd.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

#define PAUSE_DOUBLINGS 6

struct crowd {
	const struct order *order;
	const struct lock_way *lock;
	enum transaction_way way;
	int64_t pause_us;
	pthread_barrier_t start; /* all are connected */
	atomic_int_least64_t next;
	atomic_bool has_failed;
};

struct client {
	struct crowd *crowd;
	pthread_t thread;
	struct session *session;
	void *hand;
	struct arm_result result; /* of this thread */
	enum err err;
};

int64_t crowd_random(int64_t most)
{
	static _Thread_local uint64_t state;

	if (!state) {
		const struct id seed = id_random();
		state = id_hash(&seed) | 1;
	}
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (int64_t)(state % ((uint64_t)most + 1));
}

void crowd_pause_us(int64_t span_us)
{
	const struct timespec span = clock_timespec(span_us);

	nanosleep(&span, NULL);
}

static void back_off(int64_t pause_us, unsigned attempt)
{
	if (pause_us)
		crowd_pause_us(crowd_random(
			pause_us << (attempt < PAUSE_DOUBLINGS ? attempt : PAUSE_DOUBLINGS)));
}

static enum err apply(struct client *client, const struct operation *operation)
{
	struct crowd *crowd = client->crowd;

	for (unsigned attempt = 0;; attempt++) {
		enum err err = transaction_apply(client->session, crowd->way, operation);
		if (err != ERR_DB_CONFLICT)
			return err;
		back_off(crowd->pause_us, attempt);
	}
}

static enum err apply_locked(struct client *client, const struct operation *operation)
{
	const struct lock_way *lock = client->crowd->lock;

	if (!lock || client->crowd->order->is_unlocked)
		return apply(client, operation);
	enum err err = lock->take(lock->shared, client->hand, operation->balance);
	if (err)
		return err;
	err = apply(client, operation);
	lock->give(lock->shared, client->hand, operation->balance);
	return err;
}

static enum err work(struct client *client)
{
	struct crowd *crowd = client->crowd;
	struct arm_result *result = &client->result;

	result->begin_us = clock_us();
	while (!crowd->has_failed) {
		int64_t number = crowd->next++;
		if (number >= order_total(crowd->order))
			break;
		const struct operation operation = order_operation(crowd->order, number);
		enum err err = apply_locked(client, &operation);
		if (err && err != ERR_INSUFFICIENT_BALANCE)
			return err;
		if (err)
			result->refused++;
		else
			result->applied++;
		result->end_us = clock_us();
	}
	return ERR_OK;
}

static enum err join_crowd(struct client *client)
{
	const struct lock_way *lock = client->crowd->lock;
	enum err err = transaction_session_new(&client->session, &client->crowd->order->conf);

	if (!err && lock && lock->join)
		err = lock->join(lock->shared, &client->hand);
	return err;
}

static void *client_main(void *arg)
{
	struct client *client = arg;
	struct crowd *crowd = client->crowd;

	client->err = join_crowd(client);
	if (client->err)
		crowd->has_failed = true;
	pthread_barrier_wait(&crowd->start);
	if (!client->err)
		client->err = work(client);
	if (client->err)
		crowd->has_failed = true;
	if (client->hand)
		crowd->lock->leave(client->hand);
	session_free(client->session);
	return NULL;
}

static void add(struct arm_result *sum, const struct arm_result *part)
{
	sum->applied += part->applied;
	sum->refused += part->refused;
	if (!sum->begin_us || part->begin_us < sum->begin_us)
		sum->begin_us = part->begin_us;
	if (part->end_us > sum->end_us)
		sum->end_us = part->end_us;
}

enum err crowd_run(const struct order *order, const struct lock_way *lock, enum transaction_way way,
		   int64_t pause_us, struct arm_result *result)
{
	struct crowd crowd = {.order = order, .lock = lock, .way = way, .pause_us = pause_us};
	size_t count = (size_t)order->threads;
	struct client *clients = mem_array(NULL, count, sizeof *clients);
	struct arm_result sum = {0};
	enum err err = ERR_OK;

	pthread_barrier_init(&crowd.start, NULL, (unsigned)count);
	for (size_t i = 0; i < count; i++) {
		clients[i] = (struct client){.crowd = &crowd};
		/* Those that run already wait for all: there is no way back. */
		if (pthread_create(&clients[i].thread, NULL, client_main, &clients[i]))
			abort();
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(clients[i].thread, NULL);
		add(&sum, &clients[i].result);
		if (!err)
			err = clients[i].err;
	}
	pthread_barrier_destroy(&crowd.start);
	free(clients);
	if (err)
		log_error("crowd-failed", LOG_ERR(err));
	else
		*result = sum;
	return err;
}
