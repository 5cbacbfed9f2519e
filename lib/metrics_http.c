/* The metrics port, with libmicrohttpd. */
#include "metrics_http.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "log.h"
#include "metrics.h"

#define BACKLOG 16
#define CONNECTIONS 16u /* at once: some scrapers, and who looks with curl */
#define IDLE_S 30u      /* a kept connection */
#define TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_http {
	struct MHD_Daemon *daemon;
};

/* Answers ----------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct text *body,
			      const char *allow)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(body->length, body->bytes, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		text_fini(body);
		return MHD_NO;
	}
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, TEXT_TYPE);
	if (result == MHD_YES && allow)
		result = MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* Called for the head of a request, for each part of its body, and at its end, where it is
 * answered. */
static enum MHD_Result serve(void *arg, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload,
			     size_t *upload_size, void **request)
{
	static int has_begun;
	struct text body = {0};

	(void)arg;
	(void)version;
	(void)upload;
	if (!*request || *upload_size > 0) {
		*request = &has_begun;
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(url, "/metrics") != 0 && strcmp(url, "/healthz") != 0) {
		text_puts(&body, "not found\n");
		return answer(connection, MHD_HTTP_NOT_FOUND, &body, NULL);
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		text_puts(&body, "GET or HEAD\n");
		return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, &body, "GET, HEAD");
	}
	if (strcmp(url, "/metrics") == 0)
		metrics_write(&body);
	else
		text_puts(&body, "ok\n");
	return answer(connection, MHD_HTTP_OK, &body, NULL);
}

/* The socket -------------------------------------------------------------------------------- */

static enum err refuse(const struct conf *conf, const char *why)
{
	log_error("metrics-port-refused", LOG_S("address", conf->metrics_address),
		  LOG_I("port", conf->metrics_port), LOG_S("why", why));
	return ERR_CONF;
}

static int listen_on(const struct addrinfo *address)
{
	const int on = 1;
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* REUSEADDR: connections of the process before may still be closing. */
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	if (fd >= 0) {
		int reason = errno;

		close(fd);
		errno = reason;
	}
	return -1;
}

/* Ours, not libmicrohttpd's, so that the reason of a failure is known. */
static enum err open_socket(const struct conf *conf, int *fd)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *address = NULL;
	char port[16];
	int rc;

	snprintf(port, sizeof(port), "%" PRId64, conf->metrics_port);
	rc = getaddrinfo(conf->metrics_address, port, &hints, &address);
	if (rc != 0)
		return refuse(conf, gai_strerror(rc));
	*fd = listen_on(address);
	rc = errno;
	freeaddrinfo(address);
	return *fd < 0 ? refuse(conf, strerror(rc)) : ERR_OK;
}

/* Life -------------------------------------------------------------------------------------- */

/* The process's signals are for its other threads: one of them may wait to be woken by them. */
static struct MHD_Daemon *start_daemon(int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, NULL, NULL, serve, NULL,
				  MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				  CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
				  MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

enum err metrics_http_new(struct metrics_http **http, const struct conf *conf)
{
	struct metrics_http *made;
	int fd = -1;
	enum err err;

	if (conf->metrics_port == 0)
		return ERR_OK;
	made = calloc(1, sizeof(*made));
	if (!made)
		return ERR_MEMORY;
	err = open_socket(conf, &fd);
	if (err == ERR_OK) {
		made->daemon = start_daemon(fd);
		err = made->daemon ? ERR_OK : ERR_SYSTEM;
	}
	if (err == ERR_OK)
		*http = made;
	else
		free(made);
	return err;
}

void metrics_http_free(struct metrics_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}
