/* FastCGI, with libfcgi 2.4: FCGX_Accept_r() in every thread, without a mutex around it. */
#include "fcgi.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

#define BACKLOG 4096
#define STACK_BYTES (256 * 1024)
#define DRAIN_MAX (1024 * 1024) /* of an overlong body, before its connection is closed instead */
#define ACCEPT_PAUSE_MS 50

struct fcgi {
	fcgi_serve_fn *serve;
	void *arg;
	const char *path;
	int listen_fd;
	int drain_fd; /* an eventfd: readable once the front drains */
	atomic_bool draining;
	size_t count; /* threads started */
	size_t joined;
	pthread_t *threads;
};

/* What a thread keeps from request to request. */
struct workspace {
	char body[HTTP_BODY_MAX + 1];
	struct http_response response;
	struct text head;
};

/* A request ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset;      /* of the text in struct http_raw */
	const char *header; /* what must not come twice; NULL: the web server sees to that */
} params[] = {
	{"REQUEST_METHOD", offsetof(struct http_raw, method), NULL},
	{"DOCUMENT_URI", offsetof(struct http_raw, path), NULL},
	{"QUERY_STRING", offsetof(struct http_raw, query), NULL},
	{"CONTENT_TYPE", offsetof(struct http_raw, content_type), NULL},
	{"CONTENT_LENGTH", offsetof(struct http_raw, content_length), NULL},
	{"HTTP_QUEUE_TOKEN", offsetof(struct http_raw, token), "queue-token"},
	{"HTTP_IDEMPOTENCY_KEY", offsetof(struct http_raw, key), "Idempotency-Key"},
	{"REQUEST_ID", offsetof(struct http_raw, request_id), NULL},
};

static void param_set(struct http_raw *raw, const char *param)
{
	for (size_t i = 0; i < sizeof params / sizeof *params; i++) {
		const char **text = (const char **)(void *)((char *)raw + params[i].offset);
		size_t length = strlen(params[i].name);

		if (strncmp(param, params[i].name, length) != 0 || param[length] != '=')
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

/* Reads the body into the workspace; OK when it is whole and within its limit. */
static enum err body_read(FCGX_Request *request, const struct http_raw *raw,
			  struct workspace *space, size_t *length)
{
	size_t announced = 0;
	enum err err = http_body_length(raw->content_length, &announced);
	int got;

	if (err != ERR_OK)
		return err;
	got = FCGX_GetStr(space->body, (int)sizeof space->body, request->in);
	*length = got > 0 ? (size_t)got : 0;
	if (*length > HTTP_BODY_MAX)
		return ERR_BODY_TOO_LARGE;
	return *length == announced ? ERR_OK : ERR_BAD_REQUEST;
}

/* Returns false when the connection cannot be used again. */
static bool serve_request(struct fcgi *fcgi, FCGX_Request *request, struct workspace *space)
{
	struct http_raw raw = params_read(request->envp);
	char request_id[HTTP_REQUEST_ID_SIZE] = "";
	size_t length = 0;
	enum err body_err = body_read(request, &raw, space, &length);
	bool reusable = drain(request->in);

	fcgi->serve(fcgi->arg, &raw, space->body, length, body_err, &space->response, request_id);
	text_clear(&space->head);
	http_response_head(&space->response, request_id, &space->head);
	FCGX_PutStr(space->head.bytes, (int)space->head.length, request->out);
	FCGX_PutStr(space->response.body.bytes, (int)space->response.body.length, request->out);
	return reusable;
}

/* A thread ----------------------------------------------------------------------------------- */

/* Waits on a kept connection for its next request. Sitting in read() would do as well, but a Unix
 * socket wakes its reader for nothing whenever the peer takes what was written (Linux,
 * unix_write_space()); poll() sleeps on: one switch of threads less for each request. False when
 * the front drains and nothing has come: what is in the socket already is still served. */
static bool await_request(const struct fcgi *fcgi, const FCGX_Request *request)
{
	struct pollfd fds[] = {{.fd = request->ipcFd, .events = POLLIN},
			       {.fd = fcgi->drain_fd, .events = POLLIN}};

	if (request->ipcFd < 0)
		return !atomic_load(&fcgi->draining);
	while (poll(fds, 2, -1) < 0)
		;
	return fds[0].revents != 0;
}

/* Out of descriptors, say: trying again at once would spin. */
static void accept_failed(const struct fcgi *fcgi, int rc)
{
	struct timespec pause = {.tv_nsec = ACCEPT_PAUSE_MS * 1000000L};

	if (atomic_load(&fcgi->draining))
		return;
	log_warn("accept-failed", LOG_I("errno", -rc));
	nanosleep(&pause, NULL);
}

static void *thread_run(void *arg)
{
	struct fcgi *fcgi = arg;
	struct workspace *space = mem_array(NULL, 1, sizeof *space);
	FCGX_Request request;

	memset(space, 0, sizeof *space);
	FCGX_InitRequest(&request, fcgi->listen_fd, 0);
	while (await_request(fcgi, &request)) {
		int rc = FCGX_Accept_r(&request);

		if (rc != 0) {
			accept_failed(fcgi, rc);
			continue;
		}
		if (!serve_request(fcgi, &request, space)) {
			FCGX_Finish_r(&request);
			FCGX_Free(&request, 1);
		} else {
			FCGX_Finish_r(&request);
		}
	}
	FCGX_Free(&request, 1);
	text_fini(&space->response.body);
	text_fini(&space->head);
	free(space);
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

/* The socket --------------------------------------------------------------------------------- */

/* Makes way for our socket: removes one that nobody answers on, and nothing else. */
static enum err path_clear(const struct sockaddr_un *address)
{
	struct stat status;
	bool answered;
	int fd;

	if (lstat(address->sun_path, &status) != 0)
		return errno == ENOENT ? ERR_OK : ERR_CONF;
	if (!S_ISSOCK(status.st_mode))
		return ERR_CONF;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	answered = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	close(fd);
	if (answered)
		return ERR_CONF;
	return unlink(address->sun_path) == 0 ? ERR_OK : ERR_CONF;
}

static enum err listen_on(const char *path, int *listen_fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	enum err err;
	int fd;

	if (strlen(path) >= sizeof address.sun_path)
		return ERR_CONF;
	strcpy(address.sun_path, path);
	err = path_clear(&address);
	if (err != ERR_OK)
		return err;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return ERR_SYSTEM;
	/* The web server's workers run as another user. */
	if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(path, 0666) != 0 || listen(fd, BACKLOG) != 0) {
		close(fd);
		return ERR_CONF;
	}
	*listen_fd = fd;
	return ERR_OK;
}

/* Life --------------------------------------------------------------------------------------- */

enum err fcgi_new(struct fcgi **fcgi, const struct conf *conf, fcgi_serve_fn *serve, void *arg)
{
	struct fcgi *made = mem_array(NULL, 1, sizeof *made);
	enum err err;

	*made = (struct fcgi){.serve = serve,
			      .arg = arg,
			      .path = conf->front_socket,
			      .listen_fd = -1,
			      .drain_fd = eventfd(0, EFD_CLOEXEC)};
	/* A peer that has gone shows in the write; libfcgi leaves a disposition that is not the
	 * default alone. */
	signal(SIGPIPE, SIG_IGN);
	if (made->drain_fd < 0 || FCGX_Init() != 0)
		err = ERR_SYSTEM;
	else
		err = listen_on(made->path, &made->listen_fd);
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
	atomic_store(&fcgi->draining, true);
	unlink(fcgi->path);
	shutdown(fcgi->listen_fd, SHUT_RD); /* accept() returns in all threads that sit in it */
	FCGX_ShutdownPending();
	eventfd_write(fcgi->drain_fd, 1); /* and those that wait on an idle kept connection end */
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
	if (fcgi->listen_fd >= 0)
		close(fcgi->listen_fd);
	if (fcgi->drain_fd >= 0)
		close(fcgi->drain_fd);
	free(fcgi->threads);
	free(fcgi);
}
