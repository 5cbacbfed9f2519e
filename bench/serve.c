/* The front's FastCGI loop without the front. */
#include "serve.h"

#include <signal.h>
#include <string.h>

#include "log.h"

#define JOIN_MS 50

enum err serve_load(struct conf *conf)
{
	enum err err = conf_load(conf);

	return err != ERR_OK ? err : log_open(conf->name, conf->log_level);
}

enum err serve_begin(struct exchange *exchange, struct http_request *request,
		     char why[static HTTP_WHY_SIZE])
{
	enum err err;

	http_response_clear(&exchange->response);
	*request =
		(struct http_request){.body = exchange->body, .body_length = exchange->body_length};
	err = http_request_parse(request, &exchange->raw, why);
	memcpy(exchange->request_id, request->id, HTTP_REQUEST_ID_SIZE);
	return err == ERR_OK ? exchange->body_err : err;
}

int serve_until_told(const struct conf *conf, fcgi_serve_fn *serve, void *arg)
{
	const struct fcgi_server server = {.serve = serve, .arg = arg};
	struct fcgi *fcgi = NULL;
	sigset_t signals;
	int signal;
	enum err err;

	/* Blocked in every thread, taken by sigwait() in this one. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	err = fcgi_new(&fcgi, conf, &server);
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
