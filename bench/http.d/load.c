/* load --port N [--clients N] [--seconds N] [--once] [--rate N] [--answers FILE] SCRIPT
 *
 * Sends the requests of a script (script.h) to 127.0.0.1 and prints one line of JSON.
 *
 * Closed loop: each client sends its next request when the last one is answered, so a slow server
 * is asked less, and its worst moments are under-represented (coordinated omission). With --rate
 * the loop is open: request k is due k / rate seconds after the beginning whatever became of
 * those before it, and its time counts from then on, a wait for a free connection included. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "figures.h"
#include "heard.h"
#include "mem.h"
#include "script.h"

#define SILENCE_MS 30000 /* without any answer: then it is over */
#define TIMER_LEAST_US 50
#define READ_SIZE 16384
#define EVENTS_AT_ONCE 256

struct peer {
	int fd;
	bool is_busy;
	size_t number; /* of its request: counted from 0 as they are sent */
	int64_t due_us;
	struct text out;
	struct text in;
};

struct load {
	const char *path;
	int64_t port;
	int64_t clients;
	int64_t seconds;
	int64_t rate; /* requests a second; 0: the loop is closed */
	bool is_once; /* each request once, however long it takes */
	const char *answers_path;

	struct script script;
	struct figures figures;
	struct text *answers; /* bodies by request; NULL: not wanted */
	struct peer *peers;
	struct peer **idle; /* a stack */
	size_t idle_count;
	int epoll;
	int timer; /* ticks about as often as requests are due; -1: the loop is closed */
	size_t sent;
	int64_t begin_us;
	int64_t end_us; /* the last answer */
};

static int connect_peer(int64_t port)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)port),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const int on = 1;

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool open_peer(struct load *load, struct peer *peer)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};

	peer->fd = connect_peer(load->port);
	return peer->fd >= 0 && epoll_ctl(load->epoll, EPOLL_CTL_ADD, peer->fd, &event) == 0;
}

/* A request is a few hundred bytes, so a full socket is rare, and waited for. */
static bool send_all(const struct peer *peer)
{
	for (size_t sent = 0; sent < peer->out.length;) {
		ssize_t count = send(peer->fd, peer->out.bytes + sent, peer->out.length - sent,
				     MSG_NOSIGNAL);

		if (count < 0 && errno == EAGAIN) {
			struct pollfd full = {.fd = peer->fd, .events = POLLOUT};

			poll(&full, 1, SILENCE_MS);
		} else if (count < 0) {
			return false;
		} else {
			sent += (size_t)count;
		}
	}
	return true;
}

/* When request k is due, or with a closed loop whether there is another one now. */
static bool has_next(const struct load *load, int64_t now_us, int64_t *due_us)
{
	*due_us = now_us;
	if (load->rate)
		*due_us = load->begin_us + (int64_t)load->sent * 1000000 / load->rate;
	if (load->is_once)
		return load->sent < load->script.count;
	return *due_us < load->begin_us + load->seconds * 1000000;
}

static void rest_peer(struct load *load, struct peer *peer)
{
	assert(load->idle);
	peer->is_busy = false;
	load->idle[load->idle_count++] = peer;
}

/* A connection that fails is replaced, its request lost. */
static bool lose_peer(struct load *load, struct peer *peer)
{
	if (peer->is_busy) {
		load->figures.broken++;
		rest_peer(load, peer);
	}
	close(peer->fd);
	if (open_peer(load, peer))
		return true;
	perror("load: connect");
	return false;
}

/* Sends what is due as far as there are connections. */
static bool send_due(struct load *load)
{
	int64_t now_us = clock_us();
	int64_t due_us;

	while (load->idle_count && has_next(load, now_us, &due_us) && due_us <= now_us) {
		struct peer *peer = load->idle[--load->idle_count];

		peer->is_busy = true;
		peer->number = load->sent++;
		peer->due_us = due_us;
		text_clear(&peer->in);
		script_write(&load->script.requests[peer->number % load->script.count], &peer->out);
		if (!send_all(peer) && !lose_peer(load, peer))
			return false;
	}
	return true;
}

static bool take_answer(struct load *load, struct peer *peer, const struct heard *heard)
{
	size_t request = peer->number % load->script.count;

	load->end_us = clock_us();
	figures_add(&load->figures, load->script.requests[request].kind, heard->status,
		    load->end_us - peer->due_us);
	rest_peer(load, peer);
	return !heard->closes || lose_peer(load, peer);
}

static bool hear(struct load *load, struct peer *peer)
{
	struct text *body =
		load->answers ? &load->answers[peer->number % load->script.count] : NULL;
	struct heard heard;
	char bytes[READ_SIZE];
	ssize_t count = recv(peer->fd, bytes, sizeof bytes, 0);

	if (count < 0 && errno == EAGAIN)
		return true;
	if (count <= 0 || !peer->is_busy)
		return lose_peer(load, peer);
	text_add(&peer->in, bytes, (size_t)count);
	switch (heard_read(peer->in.bytes, peer->in.length, &heard, body)) {
	case HEARD_ALL:
		return take_answer(load, peer, &heard);
	case HEARD_NONSENSE:
		return lose_peer(load, peer);
	case HEARD_PART:
		break;
	}
	return true;
}

static bool start_timer(struct load *load)
{
	int64_t every_us = 1000000 / load->rate;
	every_us = every_us > TIMER_LEAST_US ? every_us : TIMER_LEAST_US;
	const struct timespec every = clock_timespec(every_us);
	const struct itimerspec times = {.it_interval = every, .it_value = every};
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

	load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return load->timer >= 0 && timerfd_settime(load->timer, 0, &times, NULL) == 0 &&
	       epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->timer, &event) == 0;
}

static bool take_event(struct load *load, const struct epoll_event *event)
{
	uint64_t ticks;

	if (event->data.ptr)
		return hear(load, event->data.ptr);
	/* How many ticks there were is of no interest. */
	return read(load->timer, &ticks, sizeof ticks) > 0 || errno == EAGAIN;
}

static bool is_over(const struct load *load)
{
	int64_t due_us;

	return load->idle_count == (size_t)load->clients && !has_next(load, clock_us(), &due_us);
}

static bool run(struct load *load)
{
	struct epoll_event events[EVENTS_AT_ONCE];

	load->begin_us = clock_us();
	load->end_us = load->begin_us;
	if (load->rate && !start_timer(load))
		return false;
	if (!send_due(load))
		return false;
	while (!is_over(load)) {
		int count = epoll_wait(load->epoll, events, EVENTS_AT_ONCE, SILENCE_MS);

		if (count == 0)
			break;
		for (int i = 0; i < count; i++)
			if (!take_event(load, &events[i]))
				return false;
		if (!send_due(load))
			return false;
	}
	load->figures.broken += (size_t)load->clients - load->idle_count;
	return true;
}

/* Connecting is no part of what is measured. */
static bool open_all(struct load *load)
{
	load->epoll = epoll_create1(EPOLL_CLOEXEC);
	load->timer = -1;
	load->peers = mem_array(NULL, (size_t)load->clients, sizeof *load->peers);
	load->idle = mem_array(NULL, (size_t)load->clients, sizeof(struct peer *));
	memset(load->peers, 0, (size_t)load->clients * sizeof *load->peers);
	for (int64_t i = 0; i < load->clients; i++) {
		if (!open_peer(load, &load->peers[i])) {
			perror("load: connect");
			return false;
		}
		rest_peer(load, &load->peers[i]);
	}
	if (load->answers_path) {
		load->answers = mem_array(NULL, load->script.count, sizeof *load->answers);
		memset(load->answers, 0, load->script.count * sizeof *load->answers);
	}
	return true;
}

static int64_t cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
	       used.ru_stime.tv_usec;
}

static void print_report(struct load *load, int64_t used_us)
{
	struct text out = {0};

	text_printf(&out,
		    "{\"seconds\":%.6f,\"sent\":%zu,\"broken\":%zu,\"loadCpuUs\":%lld,\"kinds\":",
		    (double)(load->end_us - load->begin_us) / 1e6, load->sent, load->figures.broken,
		    (long long)used_us);
	figures_write(&load->figures, &load->script, &out);
	text_putc(&out, '}');
	puts(out.bytes);
	text_fini(&out);
}

/* A body a line, in the order of the script; what was not answered is an empty one. */
static bool write_answers(const struct load *load)
{
	FILE *file = fopen(load->answers_path, "we");

	if (!file) {
		perror(load->answers_path);
		return false;
	}
	for (size_t i = 0; i < load->script.count; i++)
		fprintf(file, "%s\n", load->answers[i].bytes ? load->answers[i].bytes : "");
	return fclose(file) == 0;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *rest;

	*number = strtoll(text, &rest, 10);
	return *text && !*rest && *number >= least && *number <= most;
}

enum option_key { PORT = 1, CLIENTS, SECONDS, RATE, ONCE, ANSWERS };

static const struct option options[] = {
	{"port", required_argument, NULL, PORT},
	{"clients", required_argument, NULL, CLIENTS},
	{"seconds", required_argument, NULL, SECONDS},
	{"rate", required_argument, NULL, RATE},
	{"once", no_argument, NULL, ONCE},
	{"answers", required_argument, NULL, ANSWERS},
	{0},
};

static bool take_option(struct load *load, int key, const char *value)
{
	switch (key) {
	case PORT:
		return read_number(value, 1, UINT16_MAX, &load->port);
	case CLIENTS:
		return read_number(value, 1, 20000, &load->clients);
	case SECONDS:
		return read_number(value, 1, 3600, &load->seconds);
	case RATE:
		return read_number(value, 1, 1000000, &load->rate);
	case ONCE:
		load->is_once = true;
		return true;
	case ANSWERS:
		load->answers_path = value;
		load->is_once = true;
		return true;
	default:
		return false;
	}
}

static int usage(void)
{
	fputs("usage: load --port N [OPTION …] SCRIPT\n"
	      "  --clients N     connections (default: 1)\n"
	      "  --seconds N     the script over and over for so long (default: 1)\n"
	      "  --once          the script once instead\n"
	      "  --rate N        requests a second; else as many as are answered\n"
	      "  --answers FILE  for their bodies, a line each; the script once\n",
	      stderr);
	return EXIT_FAILURE;
}

static void close_all(struct load *load)
{
	for (int64_t i = 0; load->peers && i < load->clients; i++) {
		close(load->peers[i].fd);
		text_fini(&load->peers[i].out);
		text_fini(&load->peers[i].in);
	}
	for (size_t i = 0; load->answers && i < load->script.count; i++)
		text_fini(&load->answers[i]);
	free(load->answers);
	free(load->peers);
	free(load->idle);
	figures_fini(&load->figures);
	script_fini(&load->script);
}

int main(int argc, char **argv)
{
	static struct load load = {.clients = 1, .seconds = 1};
	bool is_done = false;

	for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!take_option(&load, key, optarg))
			return usage();
	if (argc != optind + 1 || !load.port)
		return usage();
	load.path = argv[optind];
	if (script_read(&load.script, load.path) == ERR_OK && open_all(&load)) {
		int64_t before_us = cpu_us();

		is_done = run(&load) && (!load.answers_path || write_answers(&load));
		if (is_done)
			print_report(&load, cpu_us() - before_us);
	}
	close_all(&load);
	return is_done ? EXIT_SUCCESS : EXIT_FAILURE;
}
