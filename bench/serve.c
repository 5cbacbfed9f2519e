/* The front's FastCGI loop without the front. */
#include "serve.h"

#include <signal.h>

#include "log.h"

#define JOIN_MS 50

enum err serve_load(struct conf *conf)
{
	enum err err = conf_load(conf);

	return err != ERR_OK ? err : log_open(conf->name, conf->log_level);
}

int serve_until_told(const struct conf *conf, fcgi_serve_fn *serve, void *arg)
{
	struct fcgi *fcgi = NULL;
	sigset_t signals;
	int signal;
	enum err err;

	/* Blocked in every thread, taken by sigwait() in this one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	err = fcgi_new(&fcgi, conf, serve, arg);
	if (err != ERR_OK) {
		log_error("not-started", LOG_ERR(err));
		return 1;
	}
	log_info("ready", LOG_S("socket", conf->front_socket),
		 LOG_I("threads", conf->front_threads));
	sigwait(&signals, &signal);
	fcgi_drain(fcgi);
	while (!fcgi_join(fcgi, JOIN_MS))
		;
	fcgi_free(fcgi);
	return 0;
}
