/* boxoffice-front: HTTP in, job out. Reads settings, starts the parts, ends them on SIGTERM. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "fault.h"
#include "fcgi.h"
#include "log.h"
#include "metrics.h"
#include "metrics_http.h"
#include "privilege.h"
#include "routes.h"

#define DRAIN_S 10 /* how long requests in hand may take after SIGTERM */
#define JOIN_MS 50
#define OPEN_MS 2000 /* how long the door stays shut for the broker and the database */
#define NAP_MS 5

static bool serve(void *arg, struct exchange *exchange)
{
	return call_serve(arg, exchange);
}

static bool resume(void *arg, struct exchange *exchange)
{
	(void)arg;
	return call_resume(exchange);
}

static void seat_changed(void *arg)
{
	snapshots_request(arg);
}

/* A file for each connection that the web server keeps: the soft limit is often 1,024. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_warn("file-limit-kept", LOG_ERR(ERR_SYSTEM));
}

static enum err front_start(struct front *front, const struct conf *conf)
{
	enum err err = token_keys_new(&front->keys, conf->token_keys);

	front->conf = conf;
	if (err == ERR_OK)
		err = bearer_new(&front->bearer, conf);
	if (err == ERR_OK)
		err = token_cache_new(&front->tokens, (size_t)conf->front_tokens);
	if (err == ERR_OK)
		err = lookup_new(&front->lookup, conf);
	if (err == ERR_OK)
		err = snapshots_new(&front->snapshots, conf);
	if (err == ERR_OK)
		err = courier_new(&front->courier, conf, seat_changed, front->snapshots);
	if (err == ERR_OK)
		err = pulse_new(&front->pulse, conf, front->snapshots);
	if (err == ERR_OK)
		err = signs_new(&front->signs, conf, front->courier);
	return err;
}

static void front_stop(struct front *front)
{
	pulse_free(front->pulse);
	signs_free(front->signs);
	courier_free(front->courier);
	snapshots_free(front->snapshots);
	lookup_free(front->lookup);
	token_cache_free(front->tokens);
	bearer_free(front->bearer);
	token_keys_free(front->keys);
}

/* A front that can do nothing yet would refuse what another one can do. When they are away it opens
 * all the same: then all fronts are alike. */
static void await_servers(const struct front *front)
{
	const struct timespec nap = {.tv_nsec = NAP_MS * 1000000L};
	int64_t until_ms = clock_ms() + OPEN_MS;

	while (clock_ms() < until_ms &&
	       !(courier_ready(front->courier) && snapshots_healthy(front->snapshots)))
		nanosleep(&nap, NULL);
}

/* Until the signal that ends us; then until the requests in hand are answered. False when some
 * are not in time. A second signal exits at once. */
static bool run(struct fcgi *fcgi, const sigset_t *signals)
{
	const struct timespec now = {0};
	int64_t deadline_us;
	bool done = false;
	int signal;

	sigwait(signals, &signal);
	log_notice("stop", LOG_I("signal", signal));
	deadline_us = clock_us() + DRAIN_S * INT64_C(1000000);
	fcgi_drain(fcgi);
	while (!done && clock_us() < deadline_us) {
		done = fcgi_join(fcgi, JOIN_MS);
		if (sigtimedwait(signals, NULL, &now) > 0)
			_exit(1);
	}
	return done;
}

static int start_and_run(const struct conf *conf, const sigset_t *signals)
{
	struct front front = {0};
	const struct fcgi_server server = {
		.serve = serve, .resume = resume, .arg = &front, .state_size = sizeof(struct call)};
	struct fcgi *fcgi = NULL;
	struct metrics_http *metrics = NULL;
	enum err err = log_gather();

	metrics_open(IN_FRONT, "front", conf);
	routes_name_metrics();
	if (err == ERR_OK)
		err = metrics_http_new(&metrics, conf);
	if (err == ERR_OK)
		err = front_start(&front, conf);
	if (err == ERR_OK) {
		await_servers(&front);
		err = fcgi_new(&fcgi, conf, &server);
	}
	if (err != ERR_OK) {
		log_error("not-started", LOG_ERR(err));
		metrics_http_free(metrics);
		front_stop(&front);
		return 1;
	}
	metrics_set(METRIC_UP, 0, 1);
	log_notice("ready", LOG_S("socket", conf->front_socket),
		   LOG_I("threads", conf->front_threads));
	if (!run(fcgi, signals)) {
		log_warn("requests-cut", LOG_I("after_s", DRAIN_S));
		_exit(0); /* threads still use what would be freed */
	}
	fcgi_free(fcgi);
	metrics_http_free(metrics);
	front_stop(&front);
	log_notice("stopped", LOG_I("status", 0));
	log_gather_end();
	return 0;
}

int main(int argc, char **argv)
{
	static struct conf conf;
	sigset_t signals;

	if (argc > 1) {
		FILE *out = strcmp(argv[1], "--help") == 0 ? stdout : stderr;

		fprintf(out, "usage: %s (settings come from the environment)\n", argv[0]);
		conf_print_help(out);
		return out == stdout ? 0 : 2;
	}
	if (conf_load(&conf) != ERR_OK || log_open(conf.name, conf.log_level) != ERR_OK ||
	    fault_open(conf.fault) != ERR_OK || privilege_drop() != ERR_OK)
		return 2;
	raise_file_limit();
	/* Blocked in every thread, taken by sigwait() in this one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return start_and_run(&conf, &signals);
}
