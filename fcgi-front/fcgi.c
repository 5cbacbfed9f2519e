/* FastCGI, with libfcgi 2.4. Idle connections wait in an epoll set; whoever serves takes one event
 * at a time, so a busy front goes from request to request without a change of threads. libfcgi's
 * accept is not used: a connection is given to it ready to be read. */
#include "fcgi.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "clock.h"
#include "listen.h"
#include "log.h"
#include "mem.h"
#include "turn.h"

#define STACK_BYTES (512 * 1024) /* parsing a bearer token takes up to 200 KiB of it */
#define DRAIN_MAX (1024 * 1024)  /* of an overlong body, before its connection is closed instead */
#define ACCEPT_PAUSE_MS 50
#define BODY_KEPT 65536 /* bytes of room for answers that an idle connection keeps */
#define STALL_S 2       /* for a peer that does not send or take what it began */
#define ACCEPT_MOST 16  /* connections taken at a time */
#define LOOK_MS 100     /* how soon an idle thread sees that the front drains */
#define DRAINING_MS 10

struct connection {
	struct exchange exchange; /* first: the one is found from the other */
	struct fcgi *fcgi;
	FCGX_Request request;
	bool is_reusable;
	char *body;
	size_t body_size;
	struct text head;
	struct connection *next_resumed;
	struct connection *previous, *next; /* of all */
};

struct fcgi {
	struct fcgi_server server;
	const char *path;
	int listen_fd;
	int epoll_fd;
	int resume_fd; /* an eventfd: somebody is to be resumed */
	atomic_bool draining;
	atomic_size_t in_hand; /* requests that came and are not answered */
	size_t count;          /* threads started */
	size_t joined;
	pthread_t *threads;

	pthread_mutex_t lock; /* of all below */
	struct connection *connections;
	struct connection *first_resumed, *last_resumed;
};

/* A request ---------------------------------------------------------------------------------- */

#define PARAM(name, member, header)                                                                \
	{                                                                                          \
		(name), sizeof(name) - 1, offsetof(struct http_raw, member), (header)              \
	}
static const struct {
	const char *name;
	size_t length;
	size_t offset;      /* of the text in struct http_raw */
	const char *header; /* what must not come twice; NULL: the web server sees to that */
} params[] = {
	PARAM("REQUEST_METHOD", method, NULL),
	PARAM("DOCUMENT_URI", path, NULL),
	PARAM("QUERY_STRING", query, NULL),
	PARAM("CONTENT_TYPE", content_type, NULL),
	PARAM("CONTENT_LENGTH", content_length, NULL),
	PARAM("HTTP_QUEUE_TOKEN", token, "queue-token"),
	PARAM("HTTP_USER_ID", user, "user-id"),
	PARAM("HTTP_IDEMPOTENCY_KEY", key, "Idempotency-Key"),
	PARAM("HTTP_AUTHORIZATION", authorization, "Authorization"),
	PARAM("HTTP_COOKIE", cookie, NULL),
	PARAM("HTTP_ACCEPT_LANGUAGE", languages, NULL),
	PARAM("HTTP_SEC_FETCH_SITE", fetch_site, NULL),
	PARAM("HTTPS", https, NULL),
	PARAM("REQUEST_ID", request_id, NULL),
	PARAM("REQUEST_MS", request_ms, NULL),
};

static void param_set(struct http_raw *raw, const char *param)
{
	for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
		const char **text = (const char **)(void *)((char *)raw + params[i].offset);
		size_t length = params[i].length;

		if (*param != *params[i].name || strncmp(param, params[i].name, length) != 0 ||
		    param[length] != '=')
			continue;
		if (*text != NULL && params[i].header != NULL)
			raw->twice = params[i].header;
		*text = param + length + 1;
		return;
	}
}

static struct http_raw params_read(char **envp)
{
	struct http_raw raw = {0};

	for (; *envp != NULL; envp++)
		param_set(&raw, *envp);
	return raw;
}

/* Reads on until the end: what stays behind in a kept connection would be taken for the next
 * request. False when there is too much of it. */
static bool drain(FCGX_Stream *in)
{
	char waste[4096];
	size_t total = 0;
	int got;

	do {
		got = FCGX_GetStr(waste, sizeof waste, in);
		if (got > 0)
			total += (size_t)got;
	} while (got == (int)sizeof waste && total < DRAIN_MAX);
	return total < DRAIN_MAX;
}

/* Reads the body into the connection's room; OK when it is whole and within its limit. */
static enum err body_read(struct connection *c)
{
	struct exchange *exchange = &c->exchange;
	size_t announced = 0;
	enum err err = http_body_length(exchange->raw.content_length, &announced);
	int got;

	if (err != ERR_OK)
		return err;
	if (c->body_size < announced + 2) {
		c->body_size = announced + 2; /* one more than announced shows that there is more */
		c->body = mem_array(c->body, c->body_size, 1);
	}
	got = FCGX_GetStr(c->body, (int)announced + 1, c->request.in);
	exchange->body = c->body;
	exchange->body_length = got > 0 ? (size_t)got : 0;
	c->body[exchange->body_length] = '\0';
	return exchange->body_length == announced ? ERR_OK : ERR_BAD_REQUEST;
}

static void exchange_read(struct connection *c)
{
	struct exchange *exchange = &c->exchange;

	exchange->raw = params_read(c->request.envp);
	exchange->body = "";
	exchange->body_length = 0;
	exchange->request_id[0] = '\0';
	exchange->body_err = body_read(c);
	c->is_reusable = drain(c->request.in);
}

/* A connection ------------------------------------------------------------------------------- */

static bool watch(const struct fcgi *fcgi, int operation, int fd, uint32_t events, void *data)
{
	struct epoll_event event = {.events = events, .data.ptr = data};

	return epoll_ctl(fcgi->epoll_fd, operation, fd, &event) == 0;
}

/* Closes it here: libfcgi would wait for the peer to close first. */
static void connection_free(struct connection *c)
{
	if (c->request.ipcFd >= 0)
		close(c->request.ipcFd);
	c->request.ipcFd = -1;
	FCGX_Free(&c->request, 0);
	free(c->body);
	free(c->exchange.state);
	text_fini(&c->exchange.response.body);
	text_fini(&c->head);
	free(c);
}

static void connection_close(struct connection *c)
{
	struct fcgi *fcgi = c->fcgi;

	pthread_mutex_lock(&fcgi->lock);
	if (c->previous != NULL)
		c->previous->next = c->next;
	else
		fcgi->connections = c->next;
	if (c->next != NULL)
		c->next->previous = c->previous;
	pthread_mutex_unlock(&fcgi->lock);
	connection_free(c);
}

static void connection_open(struct fcgi *fcgi, int fd)
{
	static const struct timeval stall = {.tv_sec = STALL_S};
	struct connection *c = mem_array(NULL, 1, sizeof *c);

	memset(c, 0, sizeof *c);
	c->fcgi = fcgi;
	/* A thread has a turn while it reads and writes: libfcgi takes the timeout for an end. */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
	c->exchange.state = mem_array(NULL, 1, fcgi->server.state_size);
	FCGX_InitRequest(&c->request, -1, 0); /* it is not to accept another by itself */
	c->request.ipcFd = fd;
	c->request.keepConnection = 1; /* libfcgi ends what it takes for the last request first */
	pthread_mutex_lock(&fcgi->lock);
	c->next = fcgi->connections;
	if (c->next != NULL)
		c->next->previous = c;
	fcgi->connections = c;
	pthread_mutex_unlock(&fcgi->lock);
	if (!watch(fcgi, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, c))
		connection_close(c);
}

static void connection_answer(struct connection *c)
{
	struct fcgi *fcgi = c->fcgi;
	const struct text *body = &c->exchange.response.body;
	bool goes_on;

	text_clear(&c->head);
	http_response_head(&c->exchange.response, c->exchange.request_id, &c->head);
	FCGX_PutStr(c->head.bytes, (int)c->head.length, c->request.out);
	FCGX_PutStr(body->bytes, (int)body->length, c->request.out);
	FCGX_Finish_r(&c->request);
	if (c->exchange.response.body.capacity > BODY_KEPT)
		text_fini(&c->exchange.response.body);
	goes_on = c->is_reusable && c->request.ipcFd >= 0 && !atomic_load(&fcgi->draining) &&
		  watch(fcgi, EPOLL_CTL_MOD, c->request.ipcFd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
			c);
	/* From here on another thread may have it. */
	if (!goes_on)
		connection_close(c);
	atomic_fetch_sub(&fcgi->in_hand, 1);
}

/* A request is there to be read, or its connection has ended. */
static void connection_serve(struct connection *c, uint32_t events)
{
	struct fcgi *fcgi = c->fcgi;

	if (!(events & EPOLLIN) || (events & EPOLLRDHUP) || FCGX_Accept_r(&c->request) != 0) {
		connection_close(c);
		return;
	}
	atomic_fetch_add(&fcgi->in_hand, 1);
	exchange_read(c);
	if (fcgi->server.serve(fcgi->server.arg, &c->exchange))
		connection_answer(c);
}

/* Out of descriptors, say: trying again at once would spin. */
static void accept_failed(void)
{
	struct timespec pause = {.tv_nsec = ACCEPT_PAUSE_MS * 1000000L};

	log_warn("accept-failed", LOG_I("errno", errno));
	(void)turn_yield();
	nanosleep(&pause, NULL);
}

/* True when there may be more. */
static bool accept_some(struct fcgi *fcgi)
{
	for (int i = 0; i < ACCEPT_MOST; i++) {
		int fd = accept4(fcgi->listen_fd, NULL, NULL, SOCK_CLOEXEC);

		if (fd >= 0) {
			connection_open(fcgi, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED &&
		    !atomic_load(&fcgi->draining))
			accept_failed();
		return false;
	}
	return true;
}

/* Requests that waited ------------------------------------------------------------------------ */

void fcgi_resume(struct exchange *exchange)
{
	struct connection *c = (struct connection *)(void *)exchange;
	struct fcgi *fcgi = c->fcgi;
	bool is_first;

	c->next_resumed = NULL;
	pthread_mutex_lock(&fcgi->lock);
	is_first = fcgi->first_resumed == NULL;
	if (is_first)
		fcgi->first_resumed = c;
	else
		fcgi->last_resumed->next_resumed = c;
	fcgi->last_resumed = c;
	/* Under the lock: once the last request is answered all of this may be freed. */
	if (is_first)
		eventfd_write(fcgi->resume_fd, 1);
	pthread_mutex_unlock(&fcgi->lock);
}

static struct connection *next_resumed(struct fcgi *fcgi, bool *are_more)
{
	struct connection *c;

	pthread_mutex_lock(&fcgi->lock);
	c = fcgi->first_resumed;
	if (c != NULL)
		fcgi->first_resumed = c->next_resumed;
	*are_more = fcgi->first_resumed != NULL;
	pthread_mutex_unlock(&fcgi->lock);
	return c;
}

/* Each write wakes one thread (the descriptor is edge-triggered): the first of many calls a second,
 * and so on, until all that serve are at it. */
static void resume_all(struct fcgi *fcgi)
{
	bool are_more = false;
	struct connection *c = next_resumed(fcgi, &are_more);

	if (are_more)
		eventfd_write(fcgi->resume_fd, 1);
	for (; c != NULL; c = next_resumed(fcgi, &are_more)) {
		if (fcgi->server.resume(fcgi->server.arg, &c->exchange))
			connection_answer(c);
	}
}

/* A thread ------------------------------------------------------------------------------------ */

/* False when the front drains and has nothing in hand or at its door. */
static bool serve_one(struct fcgi *fcgi)
{
	struct epoll_event event;
	bool draining = atomic_load(&fcgi->draining);
	bool is_idle = atomic_load(&fcgi->in_hand) == 0;
	int got = epoll_wait(fcgi->epoll_fd, &event, 1,
			     !draining ? LOOK_MS
			     : is_idle ? 0
				       : DRAINING_MS);

	if (got <= 0)
		return !(draining && is_idle);
	if (event.data.ptr == fcgi)
		(void)accept_some(fcgi);
	else if (event.data.ptr == &fcgi->resume_fd)
		resume_all(fcgi);
	else
		connection_serve(event.data.ptr, event.events);
	return true;
}

static void *thread_run(void *arg)
{
	struct fcgi *fcgi = arg;

	do
		turn_take();
	while (serve_one(fcgi));
	turn_leave();
	return NULL;
}

static enum err threads_start(struct fcgi *fcgi, size_t wanted)
{
	pthread_attr_t attributes;
	enum err err = ERR_OK;

	fcgi->threads = mem_array(NULL, wanted, sizeof *fcgi->threads);
	memset(fcgi->threads, 0, wanted * sizeof *fcgi->threads);
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	while (err == ERR_OK && fcgi->count < wanted) {
		pthread_t *thread = &fcgi->threads[fcgi->count];

		if (pthread_create(thread, &attributes, thread_run, fcgi) == 0)
			fcgi->count++;
		else
			err = ERR_SYSTEM;
	}
	pthread_attr_destroy(&attributes);
	return err;
}

/* Life --------------------------------------------------------------------------------------- */

static enum err events_open(struct fcgi *fcgi)
{
	fcgi->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	fcgi->resume_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fcgi->epoll_fd >= 0 && fcgi->resume_fd >= 0 &&
			       watch(fcgi, EPOLL_CTL_ADD, fcgi->listen_fd, EPOLLIN, fcgi) &&
			       watch(fcgi, EPOLL_CTL_ADD, fcgi->resume_fd, EPOLLIN | EPOLLET,
				     &fcgi->resume_fd)
		       ? ERR_OK
		       : ERR_SYSTEM;
}

enum err fcgi_new(struct fcgi **fcgi, const struct conf *conf, const struct fcgi_server *server)
{
	struct fcgi *made = mem_array(NULL, 1, sizeof *made);
	enum err err;

	*made = (struct fcgi){.server = *server,
			      .path = conf->front_socket,
			      .listen_fd = -1,
			      .epoll_fd = -1,
			      .resume_fd = -1};
	pthread_mutex_init(&made->lock, NULL);
	turn_open((unsigned)conf->front_threads);
	err = FCGX_Init() == 0 ? listen_on(made->path, &made->listen_fd) : ERR_SYSTEM;
	signal(SIGPIPE, SIG_IGN); /* a peer that has gone shows in the write */
	if (err == ERR_OK)
		err = events_open(made);
	if (err != ERR_OK)
		goto out;
	err = threads_start(made, (size_t)conf->front_threads);
	if (err == ERR_OK) {
		*fcgi = made;
		return ERR_OK;
	}
	fcgi_drain(made);
	while (!fcgi_join(made, 100))
		;
out:
	fcgi_free(made);
	return err;
}

void fcgi_drain(struct fcgi *fcgi)
{
	atomic_store(&fcgi->draining, true); /* from now on a connection ends with its answer */
	unlink(fcgi->path);
	epoll_ctl(fcgi->epoll_fd, EPOLL_CTL_DEL, fcgi->listen_fd, NULL);
	while (accept_some(fcgi)) /* who is at the door already may have sent its request */
		;
	shutdown(fcgi->listen_fd, SHUT_RD); /* who comes now is refused, and tries another front */
}

bool fcgi_join(struct fcgi *fcgi, int wait_ms)
{
	struct timespec until = clock_timespec(clock_us() + (int64_t)wait_ms * 1000);

	while (fcgi->joined < fcgi->count && pthread_clockjoin_np(fcgi->threads[fcgi->joined], NULL,
								  CLOCK_MONOTONIC, &until) == 0)
		fcgi->joined++;
	return fcgi->joined == fcgi->count;
}

void fcgi_free(struct fcgi *fcgi)
{
	if (fcgi == NULL)
		return;
	for (struct connection *c = fcgi->connections, *next; c != NULL; c = next) {
		next = c->next;
		connection_free(c);
	}
	if (fcgi->listen_fd >= 0)
		close(fcgi->listen_fd);
	if (fcgi->epoll_fd >= 0)
		close(fcgi->epoll_fd);
	if (fcgi->resume_fd >= 0)
		close(fcgi->resume_fd);
	pthread_mutex_destroy(&fcgi->lock);
	free(fcgi->threads);
	free(fcgi);
}
