/* The pulse. */
#include "pulse.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "baton.h"
#include "channels.h"
#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "seat_feed.h"
#include "tick.h"

#define LOOK_US INT64_C(100000)    /* whether a tick is due, or a seat changed */
#define CHANGED_US INT64_C(500000) /* between ticks when something changed */
#define IDLE_US INT64_C(1000000)   /* between ticks anyway */
#define SILENCE_S 2                /* who published is stopped, or cut off */
#define CHANNEL "/line"

struct pulse {
	struct snapshots *snapshots;
	struct channels *channels;
	struct seat_feed *feed;
	struct baton *baton;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
	bool was_healthy;
	bool leads;                  /* this front is the one that publishes */
	char mine[CHANNELS_ID_SIZE]; /* nginx's id of the tick that we published last; "": none */
	int64_t published_us;
	uint64_t told; /* what that tick said, in short */
};

/* Of several fronts the one goes on whose tick was the last; another one takes over when that is
 * too long ago. Two that do so at once see it at the next tick, and one of them stops. */
static bool is_leader(const struct pulse *p, const char *last)
{
	return (p->mine[0] != '\0' && strcmp(last, p->mine) == 0) ||
	       strtoll(last, NULL, 10) <= clock_wall_s() - SILENCE_S;
}

static bool publish(struct pulse *p, const struct snapshot *snapshot)
{
	struct text body = {0};
	bool is_done;

	tick_write(snapshot, &body);
	is_done = channels_publish(p->channels, CHANNEL, &body, p->mine);
	text_fini(&body);
	metrics_count(METRIC_EVENTS, is_done ? DONE_OK : DONE_FAILED, 0);
	return is_done;
}

/* One tick, or none when another front is at it. is_alone: whoever was has ended just now. False:
 * nginx does not take it. */
static bool beat(struct pulse *p, const struct snapshot *snapshot, bool is_alone)
{
	char last[CHANNELS_ID_SIZE];

	p->published_us = clock_us();
	p->told = tick_sum(snapshot);
	p->leads = false;
	if (!channels_last(p->channels, CHANNEL, last))
		return false;
	if (!is_alone && !is_leader(p, last)) {
		baton_drop(p->baton); /* we were stopped, and another one went on */
		return true;
	}
	p->leads = publish(p, snapshot);
	return p->leads;
}

static void note_health(struct pulse *p, bool is_healthy)
{
	if (!is_healthy && p->was_healthy)
		log_warn("pulse-failed", LOG_ERR(ERR_UNAVAILABLE));
	else if (is_healthy && !p->was_healthy)
		log_info("pulse-recovered", LOG_ERR(ERR_OK));
	p->was_healthy = is_healthy;
}

static void beat_if_due(struct pulse *p)
{
	struct snapshot *snapshot = snapshots_hold(p->snapshots);
	int64_t since_us = clock_us() - p->published_us;
	bool is_alone;

	if (snapshot == NULL)
		return;
	is_alone = baton_take(p->baton);
	if (is_alone || since_us >= IDLE_US ||
	    (since_us >= CHANGED_US && tick_sum(snapshot) != p->told))
		note_health(p, beat(p, snapshot, is_alone));
	/* Whoever publishes ticks publishes the seats too. */
	if (!p->leads)
		seat_feed_stop(p->feed);
	else if (!seat_feed_tell(p->feed, snapshot, clock_us()))
		note_health(p, p->leads = false);
	snapshot_release(snapshot);
}

static void *pulse_run(void *arg)
{
	struct pulse *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		struct timespec due = clock_timespec(clock_us() + LOOK_US);

		pthread_mutex_unlock(&p->lock);
		beat_if_due(p);
		pthread_mutex_lock(&p->lock);
		if (!p->stopping)
			pthread_cond_clockwait(&p->stop, &p->lock, CLOCK_MONOTONIC, &due);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void pulse_fini(struct pulse *p)
{
	baton_free(p->baton);
	seat_feed_free(p->feed);
	channels_free(p->channels);
	pthread_cond_destroy(&p->stop);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

enum err pulse_new(struct pulse **pulse, const struct conf *conf, struct snapshots *snapshots)
{
	struct pulse *p;
	enum err err;

	if (conf->events_socket[0] == '\0')
		return ERR_OK;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	p->snapshots = snapshots;
	p->was_healthy = true;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->stop, NULL);
	err = channels_new(&p->channels, conf->events_socket);
	if (err == ERR_OK)
		err = seat_feed_new(&p->feed, p->channels);
	if (err == ERR_OK)
		err = baton_new(&p->baton, conf->events_socket);
	if (err == ERR_OK && pthread_create(&p->thread, NULL, pulse_run, p) != 0)
		err = ERR_SYSTEM;
	if (err != ERR_OK) {
		pulse_fini(p);
		return err;
	}
	*pulse = p;
	return ERR_OK;
}

void pulse_free(struct pulse *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_signal(&p->stop);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	pulse_fini(p);
}
