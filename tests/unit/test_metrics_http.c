/* The metrics port: where it is opened, and what it answers. */
#include "unit.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "capture.h"
#include "metrics.h"
#include "metrics_http.h"

static struct conf conf;
static struct metrics_http *http;
static int holder; /* a socket that has conf's port */

static int begin(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	(void)state;
	http = NULL;
	conf_init(&conf);
	metrics_reset();
	metrics_open(IN_ACCOUNT, "sample", &conf);
	holder = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(holder, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(holder, 1), 0);
	assert_int_equal(getsockname(holder, (struct sockaddr *)&address, &size), 0);
	conf.metrics_port = ntohs(address.sin_port);
	return 0;
}

static int end(void **state)
{
	(void)state;
	metrics_http_free(http);
	if (holder >= 0)
		close(holder);
	return 0;
}

static void free_port(void)
{
	close(holder);
	holder = -1;
}

static void assert_refused(const char *why)
{
	char log[1024];
	struct capture capture;
	enum err err;

	capture_begin(&capture);
	err = metrics_http_new(&http, &conf);
	capture_next(&capture, log, sizeof(log));
	capture_end(&capture);
	assert_int_equal(err, ERR_CONF);
	assert_null(http);
	assert_non_null(strstr(log, "event=metrics-port-refused"));
	assert_non_null(strstr(log, why));
}

/* Sends a request and reads until the connection is closed. */
static void ask(const char *request, char *answer, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons((uint16_t)conf.metrics_port)};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t length = 0;
	ssize_t got = 1;

	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (got > 0 && length < size - 1) {
		got = read(fd, answer + length, size - 1 - length);
		length += got > 0 ? (size_t)got : 0;
	}
	answer[length] = '\0';
	close(fd);
}

static void without_a_port_nothing_is_opened(void **state)
{
	(void)state;
	conf.metrics_port = 0;
	assert_int_equal(metrics_http_new(&http, &conf), ERR_OK);
	assert_null(http);
}

static void a_taken_port_is_refused_with_the_reason(void **state)
{
	(void)state;
	assert_refused("Address already in use");
}

static void what_is_no_address_is_refused(void **state)
{
	(void)state;
	free_port();
	snprintf(conf.metrics_address, sizeof(conf.metrics_address), "localhost.example");
	assert_refused("address=localhost.example");
	snprintf(conf.metrics_address, sizeof(conf.metrics_address), "192.0.2.1");
	assert_refused("Cannot assign requested address");
}

static void it_serves_what_was_counted(void **state)
{
	static char answer[65536];

	(void)state;
	free_port();
	metrics_add(METRIC_MESSAGES, 0, 0, 42);
	assert_int_equal(metrics_http_new(&http, &conf), ERR_OK);
	ask("GET /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 200 OK\r\n"));
	assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
	assert_non_null(strstr(answer, "\nboxoffice_messages_total 42\n"));
	ask("HEAD /metrics HTTP/1.0\r\n\r\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 200 OK\r\n"));
	assert_null(strstr(answer, "boxoffice_messages_total"));
	ask("GET /healthz HTTP/1.0\r\n\r\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, "\r\n\r\nok\n"));
}

static void all_else_is_refused(void **state)
{
	static char answer[65536];

	(void)state;
	free_port();
	assert_int_equal(metrics_http_new(&http, &conf), ERR_OK);
	ask("GET / HTTP/1.0\r\n\r\n", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 404 Not Found\r\n"));
	ask("POST /metrics HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 405 Method Not Allowed\r\n"));
	assert_non_null(strstr(answer, "Allow: GET, HEAD\r\n"));
	ask("no request at all\r\n\r\n", answer, sizeof(answer));
	assert_null(strstr(answer, " 200 "));
}

static void the_port_is_free_again_afterwards(void **state)
{
	(void)state;
	free_port();
	for (int i = 0; i < 3; i++) {
		assert_int_equal(metrics_http_new(&http, &conf), ERR_OK);
		metrics_http_free(http);
		http = NULL;
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_a_port_nothing_is_opened),
		TEST(a_taken_port_is_refused_with_the_reason),
		TEST(what_is_no_address_is_refused),
		TEST(it_serves_what_was_counted),
		TEST(all_else_is_refused),
		TEST(the_port_is_free_again_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
