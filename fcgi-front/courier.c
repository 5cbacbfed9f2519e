/* The courier: its lock, and the request threads' side of it. */
#include "courier_private.h"

#include <errno.h>
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

static bool parcel_is_settled(const struct parcel *parcel, bool patient)
{
	return parcel_is_over(parcel) ||
	       (!patient && atomic_load(&parcel->state) == PARCEL_CONFIRMED);
}

static void await(struct parcel *parcel, bool patient, int64_t deadline_us)
{
	struct timespec deadline = clock_timespec(deadline_us);
	sem_t *told = patient ? &parcel->answered : &parcel->confirmed;
	int rc = 0;

	while (!parcel_is_settled(parcel, patient) && (rc == 0 || errno == EINTR))
		rc = sem_clockwait(told, CLOCK_MONOTONIC, &deadline);
}

static enum err parcel_verdict(const struct parcel *parcel, bool joined, struct outcome *outcome)
{
	switch ((enum parcel_state)atomic_load(&parcel->state)) {
	case PARCEL_ANSWERED:
		*outcome = parcel->outcome;
		outcome->replayed |= joined && err_settles(outcome->err);
		return ERR_OK;
	case PARCEL_CONFIRMED:
		return ERR_TIMEOUT;
	case PARCEL_GATHERED:
	case PARCEL_SENT:
	case PARCEL_FAILED:
		break;
	}
	return ERR_UNAVAILABLE;
}

/* Called with the lock. Takes fresh; NULL for a job of this id with other content. */
static struct parcel *enter(struct courier *c, struct parcel *fresh, bool *patient)
{
	struct parcel *parcel = lanes_enter(c->lanes, fresh);

	if (parcel != fresh &&
	    memcmp(parcel->fingerprint, fresh->fingerprint, FINGERPRINT_SIZE) != 0) {
		lanes_leave(c->lanes, parcel);
		return NULL;
	}
	*patient = c->replying && c->waiting < c->waiting_most;
	c->waiting += *patient;
	parcel->confirm_waiters += !*patient;
	if (parcel == fresh && lanes_is_first(c->lanes, parcel))
		courier_wake_publisher(c);
	return parcel;
}

/* The usual way takes no lock: who was answered is in no lane any more. */
static void leave(struct courier *c, struct parcel *parcel, bool patient)
{
	c->waiting -= patient;
	if (parcel_is_over(parcel)) {
		parcel_release(parcel);
		return;
	}
	pthread_mutex_lock(&c->lock);
	parcel->confirm_waiters -= !patient;
	lanes_leave(c->lanes, parcel);
	pthread_mutex_unlock(&c->lock);
}

enum err courier_carry(struct courier *c, const struct job *job, int64_t deadline_us,
		       struct outcome *outcome)
{
	struct parcel *fresh = parcel_new(job, lane_of(c, job));
	struct parcel *parcel = NULL;
	bool patient = false;
	bool online;
	enum err err;

	if (fresh == NULL)
		return ERR_UNAVAILABLE;
	pthread_mutex_lock(&c->lock);
	online = c->online;
	if (online)
		parcel = enter(c, fresh, &patient);
	pthread_mutex_unlock(&c->lock);
	if (parcel != fresh)
		parcel_release(fresh);
	if (parcel == NULL)
		return online ? ERR_KEY_REUSED : ERR_UNAVAILABLE;
	await(parcel, patient, deadline_us);
	err = parcel_verdict(parcel, parcel != fresh, outcome);
	leave(c, parcel, patient);
	return err;
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
	c->waiting_most = (unsigned)(conf->front_threads * 3 / 4);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->stop, NULL);
	courier_rename_reply_queue(c, queue);
	err = lanes_new(&c->lanes, (unsigned)conf->partitions + 2, conf->coalesce_ms * 1000);
	if (err == ERR_OK && c->wake_fd < 0)
		err = ERR_SYSTEM;
	if (err == ERR_OK && pthread_create(&c->publisher, NULL, courier_publish_run, c) != 0)
		err = ERR_SYSTEM;
	else if (err == ERR_OK && pthread_create(&c->replier, NULL, courier_replies_run, c) != 0) {
		courier_stop(c);
		pthread_join(c->publisher, NULL);
		err = ERR_SYSTEM;
	}
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
	courier_fini(c);
}
