/* Signs of life: two generations of a set of ticket numbers, and the thread that passes them on. */
#include "signs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

/* A ticket that was passed on is not again for one to two of these: a third of the shortest silence
 * that a policy can mind. */
#define GENERATION_US INT64_C(5000000)
#define SLOTS_LEAST 1024

/* A set of numbers, none of them 0, with open addressing. */
struct number_set {
	int64_t *slots;
	size_t slot_count; /* a power of two */
	size_t count;
};

struct signs {
	struct courier *courier;
	int64_t interval_us;
	pthread_t thread;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t stop;
	bool stopping;
	struct number_set fresh, old; /* noted in this generation and the one before */
	int64_t turned_us;            /* when this generation began */
	int64_t *pending;             /* to be passed on */
	size_t pending_count, pending_capacity;
};

static size_t slot_of(const struct number_set *set, int64_t number)
{
	size_t slot = (size_t)((uint64_t)number * UINT64_C(0x9E3779B97F4A7C15) >> 20);

	slot &= set->slot_count - 1;
	while (set->slots[slot] != 0 && set->slots[slot] != number)
		slot = (slot + 1) & (set->slot_count - 1);
	return slot;
}

static bool set_has(const struct number_set *set, int64_t number)
{
	return set->count > 0 && set->slots[slot_of(set, number)] == number;
}

static void set_clear(struct number_set *set)
{
	set->count = 0;
	if (set->slots != NULL)
		memset(set->slots, 0, set->slot_count * sizeof *set->slots);
}

static void set_grow(struct number_set *set)
{
	struct number_set grown = {.slot_count =
					   set->slot_count ? 2 * set->slot_count : SLOTS_LEAST};

	grown.slots = mem_array(NULL, grown.slot_count, sizeof *grown.slots);
	set_clear(&grown);
	for (size_t i = 0; i < set->slot_count; i++)
		if (set->slots[i] != 0)
			grown.slots[slot_of(&grown, set->slots[i])] = set->slots[i];
	grown.count = set->count;
	free(set->slots);
	*set = grown;
}

static void set_add(struct number_set *set, int64_t number)
{
	if (2 * (set->count + 1) > set->slot_count)
		set_grow(set);
	set->slots[slot_of(set, number)] = number;
	set->count++;
}

/* Called with the lock. */
static void turn_generation(struct signs *s, int64_t now_us)
{
	struct number_set old = s->old;
	int64_t age_us = now_us - s->turned_us;

	if (age_us < GENERATION_US)
		return;
	if (age_us >= 2 * GENERATION_US)
		set_clear(&s->fresh);
	set_clear(&old);
	s->old = s->fresh;
	s->fresh = old;
	s->turned_us = now_us;
}

void signs_note(struct signs *s, int64_t ticket, bool is_arrival)
{
	/* That a ticket lived while it waited says nothing about its arrival. */
	int64_t number = 2 * ticket + is_arrival;

	pthread_mutex_lock(&s->lock);
	turn_generation(s, clock_us());
	if (!set_has(&s->fresh, number) && !set_has(&s->old, number)) {
		set_add(&s->fresh, number);
		if (s->pending_count == s->pending_capacity) {
			s->pending_capacity = s->pending_capacity ? 2 * s->pending_capacity : 256;
			s->pending = mem_array(s->pending, s->pending_capacity, sizeof *s->pending);
		}
		s->pending[s->pending_count++] = ticket;
	}
	pthread_mutex_unlock(&s->lock);
}

/* Passes on what is pending, a message's worth at a time. What cannot leave is forgotten: who lives
 * calls again. */
static void pass_on(struct signs *s, const int64_t *tickets, size_t count)
{
	const struct job *batch[JOB_MAX_PER_MESSAGE];
	struct job *jobs = mem_array(NULL, JOB_MAX_PER_MESSAGE, sizeof *jobs);

	while (count > 0) {
		size_t taken = count < JOB_MAX_PER_MESSAGE ? count : JOB_MAX_PER_MESSAGE;
		struct text body = {0};

		for (size_t i = 0; i < taken; i++) {
			jobs[i] = (struct job){.id = id_ordered(),
					       .kind = JOB_SEEN,
					       .attempt = 1,
					       .ticket = tickets[i]};
			batch[i] = &jobs[i];
		}
		job_encode_envelope(&body, batch, taken);
		courier_post_gate(s->courier, &body, JOB_SEEN, taken);
		text_fini(&body);
		tickets += taken;
		count -= taken;
	}
	free(jobs);
}

static void *signs_run(void *arg)
{
	struct signs *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		int64_t due_us = clock_us() + s->interval_us;
		struct timespec due = clock_timespec(due_us);
		int64_t *tickets = s->pending;
		size_t count = s->pending_count;

		s->pending = NULL;
		s->pending_count = s->pending_capacity = 0;
		pthread_mutex_unlock(&s->lock);
		pass_on(s, tickets, count);
		free(tickets);
		pthread_mutex_lock(&s->lock);
		while (!s->stopping && clock_us() < due_us)
			pthread_cond_clockwait(&s->stop, &s->lock, CLOCK_MONOTONIC, &due);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

enum err signs_new(struct signs **signs, const struct conf *conf, struct courier *courier)
{
	struct signs *s = calloc(1, sizeof *s);

	if (s == NULL)
		return ERR_MEMORY;
	s->courier = courier;
	s->interval_us = conf->signs_ms * 1000;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->stop, NULL);
	if (pthread_create(&s->thread, NULL, signs_run, s) != 0) {
		free(s);
		return ERR_SYSTEM;
	}
	*signs = s;
	return ERR_OK;
}

void signs_free(struct signs *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->stop);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s->fresh.slots);
	free(s->old.slots);
	free(s->pending);
	free(s);
}
