/* The courier: its lock, and the request threads' side of it. */
#include "courier_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "topology.h"

/* Lanes: the seat partitions, then these. */
static unsigned lane_of(const struct courier *c, const struct job *job)
{
	unsigned queues = job_kind_queues(job->kind);
	unsigned partitions = (unsigned)c->conf->partitions;

	if (queues & QUEUE_SEAT)
		return (unsigned)topology_partition(c->conf, job->seat);
	return queues & QUEUE_GATE ? partitions : partitions + 1;
}

void courier_wake_publisher(const struct courier *c)
{
	if (eventfd_write(c->wake_fd, 1) != 0)
		log_error("courier-wake-failed", LOG_ERR(ERR_SYSTEM));
}

bool courier_is_stopping(struct courier *c)
{
	bool stopping;

	pthread_mutex_lock(&c->lock);
	stopping = c->stopping;
	pthread_mutex_unlock(&c->lock);
	return stopping;
}

void courier_pause(struct courier *c, int ms)
{
	struct timespec until = clock_timespec(clock_us() + (int64_t)ms * 1000);
	int rc = 0;

	pthread_mutex_lock(&c->lock);
	while (!c->stopping && rc == 0)
		rc = pthread_cond_clockwait(&c->stop, &c->lock, CLOCK_MONOTONIC, &until);
	pthread_mutex_unlock(&c->lock);
}

void courier_rename_reply_queue(struct courier *c, char name[static BROKER_NAME_SIZE])
{
	struct id id = id_random();
	char text[ID_TEXT_SIZE];

	id_format(&id, text);
	snprintf(name, BROKER_NAME_SIZE, "reply.front.%s", text);
	pthread_mutex_lock(&c->lock);
	memcpy(c->reply_queue, name, BROKER_NAME_SIZE);
	pthread_mutex_unlock(&c->lock);
}

/* Request threads --------------------------------------------------------------------------- */

enum err courier_pack(const struct courier *c, const struct job *job, struct errand *errand)
{
	errand->parcel = parcel_new(job, lane_of(c, job));
	return errand->parcel != NULL ? ERR_OK : ERR_UNAVAILABLE;
}

enum err courier_carry(struct courier *c, struct errand *errand)
{
	enum err err = ERR_UNAVAILABLE;

	pthread_mutex_lock(&c->lock);
	errand->at_confirm = !c->replying;
	if (c->online)
		err = lanes_enter(c->lanes, errand);
	if (err == ERR_OK && !errand->is_repeat && lanes_is_first(c->lanes, errand->parcel))
		courier_wake_publisher(c);
	if (err == ERR_OK && errand->deadline_us < c->clock_us)
		pthread_cond_broadcast(&c->stop);
	pthread_mutex_unlock(&c->lock);
	return err;
}

void courier_outcome(const struct errand *errand, struct outcome *outcome)
{
	*outcome = errand->parcel->outcome;
	outcome->replayed |= errand->is_repeat && err_settles(outcome->err);
}

void courier_release(struct errand *errand)
{
	parcel_release(errand->parcel);
	errand->parcel = NULL;
}

/* Tells errands whose time is over. Who enters while nobody waits mostly has the whole reply
 * deadline before it, so it is seldom woken: by one that waited for something else before. */
static void *clock_run(void *arg)
{
	struct courier *c = arg;
	struct told told = {0};

	pthread_mutex_lock(&c->lock);
	while (!c->stopping) {
		int64_t now_us = clock_us();
		int64_t next_us = now_us + c->conf->reply_deadline_ms * 1000;
		int64_t due_us = lanes_deadline_us(c->lanes);
		struct timespec until;

		c->clock_us = due_us < next_us ? due_us : next_us;
		until = clock_timespec(c->clock_us);
		pthread_cond_clockwait(&c->stop, &c->lock, CLOCK_MONOTONIC, &until);
		lanes_overdue(c->lanes, clock_us(), &told);
		pthread_mutex_unlock(&c->lock);
		told_tell(&told);
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

void courier_post_gate(struct courier *c, struct text *body, enum job_kind kind, size_t jobs)
{
	struct post *post = calloc(1, sizeof *post);
	bool online;

	if (post == NULL)
		return;
	post->body = *body;
	post->kind = kind;
	post->jobs = jobs;
	*body = (struct text){0};
	pthread_mutex_lock(&c->lock);
	online = c->online;
	if (online) {
		post->next = c->posts;
		c->posts = post;
	}
	pthread_mutex_unlock(&c->lock);
	if (online)
		courier_wake_publisher(c);
	else
		courier_drop_posts(post);
}

void courier_drop_posts(struct post *posts)
{
	while (posts != NULL) {
		struct post *post = posts;

		posts = post->next;
		text_fini(&post->body);
		free(post);
	}
}

bool courier_ready(struct courier *c)
{
	bool ready;

	pthread_mutex_lock(&c->lock);
	ready = c->online && c->replying;
	pthread_mutex_unlock(&c->lock);
	return ready;
}

/* Life -------------------------------------------------------------------------------------- */

static void courier_stop(struct courier *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->stop);
	pthread_mutex_unlock(&c->lock);
	courier_wake_publisher(c);
}

static void courier_fini(struct courier *c)
{
	lanes_free(c->lanes);
	courier_drop_posts(c->posts);
	if (c->wake_fd >= 0)
		close(c->wake_fd);
	pthread_cond_destroy(&c->stop);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static enum err threads_start(struct courier *c)
{
	const struct {
		pthread_t *thread;
		void *(*run)(void *arg);
	} threads[] = {{&c->publisher, courier_publish_run},
		       {&c->replier, courier_replies_run},
		       {&c->clock, clock_run}};
	size_t started = 0;

	while (started < sizeof threads / sizeof *threads &&
	       pthread_create(threads[started].thread, NULL, threads[started].run, c) == 0)
		started++;
	if (started == sizeof threads / sizeof *threads)
		return ERR_OK;
	courier_stop(c);
	while (started > 0)
		pthread_join(*threads[--started].thread, NULL);
	return ERR_SYSTEM;
}

enum err courier_new(struct courier **courier, const struct conf *conf,
		     courier_seat_fn *seat_changed, void *arg)
{
	struct courier *c = calloc(1, sizeof *c);
	char queue[BROKER_NAME_SIZE];
	enum err err;

	if (c == NULL)
		return ERR_MEMORY;
	c->conf = conf;
	c->seat_changed = seat_changed;
	c->seat_arg = arg;
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->stop, NULL);
	courier_rename_reply_queue(c, queue);
	err = lanes_new(&c->lanes, (unsigned)conf->partitions + 2, conf->coalesce_ms * 1000);
	if (err == ERR_OK && c->wake_fd < 0)
		err = ERR_SYSTEM;
	if (err == ERR_OK)
		err = threads_start(c);
	if (err == ERR_OK)
		*courier = c;
	else
		courier_fini(c);
	return err;
}

void courier_free(struct courier *c)
{
	if (c == NULL)
		return;
	courier_stop(c);
	pthread_join(c->publisher, NULL);
	pthread_join(c->replier, NULL);
	pthread_join(c->clock, NULL);
	courier_fini(c);
}
