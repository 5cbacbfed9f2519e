/* The pulse: the one file that knows libcurl. */
#include "pulse.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "tick.h"

#define LOOK_US INT64_C(100000)    /* whether a tick is due */
#define CHANGED_US INT64_C(500000) /* between ticks when something changed */
#define IDLE_US INT64_C(1000000)   /* between ticks anyway */
#define SILENCE_S 2                /* who published is gone */
#define TIMEOUT_MS 1000L
/* nginx's publisher for the channel; the host says nothing on a unix socket. */
#define URL "http://localhost/line"
#define ANSWER_SIZE 512
#define MESSAGE_ID_SIZE 64

struct pulse {
	struct snapshots *snapshots;
	CURL *curl;
	struct curl_slist *headers;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping;
	bool was_healthy;
	char mine[MESSAGE_ID_SIZE]; /* nginx's id of the tick that we published last; "": none */
	int64_t published_us;
	uint64_t told;            /* what that tick said, in short */
	char answer[ANSWER_SIZE]; /* of the last call, cut and ended */
	size_t answer_length;
};

static size_t take_answer(char *bytes, size_t size, size_t count, void *arg)
{
	struct pulse *p = arg;
	size_t room = sizeof p->answer - 1 - p->answer_length;
	size_t taken = size * count < room ? size * count : room;

	memcpy(p->answer + p->answer_length, bytes, taken);
	p->answer_length += taken;
	p->answer[p->answer_length] = '\0';
	return size * count;
}

static bool call(struct pulse *p)
{
	long status = 0;

	p->answer_length = 0;
	p->answer[0] = '\0';
	if (curl_easy_perform(p->curl) != CURLE_OK)
		return false;
	curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &status);
	/* 404: nothing was published yet. */
	return status == 404 || (status >= 200 && status < 300);
}

/* Of "last message id: 1795341600:0": the id; it begins with the second by nginx's clock, which is
 * ours. "": there is none. */
static void read_message_id(const char *answer, char id[static MESSAGE_ID_SIZE])
{
	static const char key[] = "last message id: ";
	const char *at = strstr(answer, key);

	id[0] = '\0';
	if (at != NULL)
		snprintf(id, MESSAGE_ID_SIZE, "%.*s", (int)strcspn(at + sizeof key - 1, " \r\n"),
			 at + sizeof key - 1);
}

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
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE, (long)body.length);
	curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body.bytes);
	is_done = call(p);
	text_fini(&body);
	metrics_count(METRIC_EVENTS, is_done ? DONE_OK : DONE_FAILED, 0);
	if (is_done)
		read_message_id(p->answer, p->mine);
	return is_done;
}

/* One tick, or none when another front is at it. False: nginx does not take it. */
static bool beat(struct pulse *p, const struct snapshot *snapshot)
{
	char last[MESSAGE_ID_SIZE];

	p->published_us = clock_us();
	p->told = tick_sum(snapshot);
	curl_easy_setopt(p->curl, CURLOPT_HTTPGET, 1L);
	if (!call(p))
		return false;
	read_message_id(p->answer, last);
	return !is_leader(p, last) || publish(p, snapshot);
}

static void beat_if_due(struct pulse *p)
{
	struct snapshot *snapshot = snapshots_hold(p->snapshots);
	int64_t since_us = clock_us() - p->published_us;
	bool is_healthy;

	if (snapshot == NULL)
		return;
	if (since_us >= IDLE_US || (since_us >= CHANGED_US && tick_sum(snapshot) != p->told)) {
		is_healthy = beat(p, snapshot);
		if (!is_healthy && p->was_healthy)
			log_warn("pulse-failed", LOG_ERR(ERR_UNAVAILABLE));
		else if (is_healthy && !p->was_healthy)
			log_info("pulse-recovered", LOG_ERR(ERR_OK));
		p->was_healthy = is_healthy;
	}
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
	curl_slist_free_all(p->headers);
	curl_easy_cleanup(p->curl);
	pthread_cond_destroy(&p->stop);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static bool set_up(struct pulse *p, const char *socket)
{
	p->curl = curl_easy_init();
	p->headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (p->curl == NULL || p->headers == NULL)
		return false;
	curl_easy_setopt(p->curl, CURLOPT_URL, URL);
	curl_easy_setopt(p->curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(p->curl, CURLOPT_PROXY, "");
	curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
	curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->headers);
	curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take_answer);
	curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
	return true;
}

enum err pulse_new(struct pulse **pulse, const struct conf *conf, struct snapshots *snapshots)
{
	struct pulse *p;

	if (conf->events_socket[0] == '\0')
		return ERR_OK;
	if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
		return ERR_SYSTEM;
	p = calloc(1, sizeof *p);
	if (p == NULL)
		return ERR_MEMORY;
	p->snapshots = snapshots;
	p->was_healthy = true;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->stop, NULL);
	if (!set_up(p, conf->events_socket) ||
	    pthread_create(&p->thread, NULL, pulse_run, p) != 0) {
		pulse_fini(p);
		return ERR_SYSTEM;
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
	curl_global_cleanup();
}
