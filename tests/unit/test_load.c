/* What the bench's client is made of: requests out of a script, answers out of bytes, figures. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../bench/http.d/figures.h"
#include "../../bench/http.d/heard.h"
#include "../../bench/http.d/script.h"

static struct script script;
static struct heard heard;
static struct text body;

static enum heard_state hear(const char *bytes)
{
	return heard_read(bytes, strlen(bytes), &heard, &body);
}

static enum err read_text(const char *text)
{
	char path[] = "/tmp/boxoffice-script.XXXXXX";
	int fd = mkstemp(path);
	enum err err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	err = script_read(&script, path);
	unlink(path);
	return err;
}

static int clean(void **state)
{
	(void)state;
	script_fini(&script);
	text_fini(&body);
	body = (struct text){0};
	return 0;
}

static void an_answer_ends_where_its_length_says(void **state)
{
	static const char whole[] = "HTTP/1.1 409 Conflict\r\ncontent-length: 5\r\n\r\nhello";
	char part[sizeof whole];

	(void)state;
	assert_int_equal(hear(whole), HEARD_ALL);
	assert_int_equal(heard.status, 409);
	assert_false(heard.closes);
	assert_string_equal(body.bytes, "hello");
	for (size_t length = 0; length < sizeof whole - 1; length++) {
		memcpy(part, whole, length);
		part[length] = '\0';
		assert_int_equal(hear(part), HEARD_PART);
	}
}

static void chunks_are_put_together(void **state)
{
	(void)state;
	assert_int_equal(hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			      "5\r\nhello\r\nA\r\n, everyone\r\n0\r\n\r\n"),
			 HEARD_ALL);
	assert_string_equal(body.bytes, "hello, everyone");
	assert_int_equal(hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
			 HEARD_PART);
	assert_int_equal(
		hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
		HEARD_PART);
	assert_int_equal(hear("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
			 HEARD_NONSENSE);
}

static void what_is_no_answer_or_too_much_is_nonsense(void **state)
{
	(void)state;
	assert_int_equal(hear("HTTP/1.1 20\r\n\r\n"), HEARD_NONSENSE);
	assert_int_equal(hear("SSH-2.0-OpenSSH\r\n\r\n"), HEARD_NONSENSE);
	assert_int_equal(hear("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"), HEARD_NONSENSE);
}

static void a_server_says_that_it_closes(void **state)
{
	(void)state;
	assert_int_equal(hear("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"),
			 HEARD_ALL);
	assert_true(heard.closes);
}

static void each_sending_has_a_key_of_its_own(void **state)
{
	struct text first = {0};
	struct text second = {0};

	(void)state;
	assert_int_equal(read_text("pay\tPOST\t/payment\tt0ken\t{\"seatId\":1}\n"
				   "poll\tGET\t/queue/status\tt0ken\t\n"
				   "pay\tPOST\t/payment\t\t\n"),
			 ERR_OK);
	assert_int_equal(script.count, 3);
	assert_int_equal(script.kind_count, 2);
	assert_int_equal(script.requests[2].kind, 0);
	script_write(&script.requests[0], &first);
	script_write(&script.requests[0], &second);
	assert_non_null(strstr(first.bytes, "\r\nqueue-token: t0ken\r\n"));
	assert_non_null(strstr(first.bytes, "\r\nContent-Length: 12\r\n\r\n{\"seatId\":1}"));
	assert_int_equal(first.length, second.length);
	assert_string_not_equal(first.bytes, second.bytes);
	script_write(&script.requests[1], &first);
	assert_string_equal(first.bytes, "GET /queue/status HTTP/1.1\r\nHost: boxoffice\r\n"
					 "queue-token: t0ken\r\n\r\n");
	text_fini(&first);
	text_fini(&second);
}

static void a_line_that_is_no_request_is_refused(void **state)
{
	(void)state;
	assert_int_equal(read_text("poll\tGET\t/queue/status\n"), ERR_CONF);
	script_fini(&script);
	assert_int_equal(read_text("poll\tGET\t/\t\t\tmore\n"), ERR_CONF);
	script_fini(&script);
	assert_int_equal(read_text(""), ERR_CONF);
	script_fini(&script);
	assert_int_equal(script_read(&script, "/nowhere"), ERR_CONF);
}

static void figures_are_those_of_each_kind(void **state)
{
	struct figures figures = {0};
	struct text out = {0};

	(void)state;
	assert_int_equal(read_text("a\tGET\t/\t\t\nb\tGET\t/\t\t\nc\tGET\t/\t\t\n"), ERR_OK);
	for (int64_t i = 100; i >= 0; i--)
		figures_add(&figures, 0, i == 7 ? 409 : 200, i * 1000);
	figures_add(&figures, 2, 503, 5);
	figures_write(&figures, &script, &out);
	assert_string_equal(out.bytes,
			    "{\"a\":{\"answers\":101,\"statuses\":{\"200\":100,\"409\":1},"
			    "\"meanMs\":50.000,\"p50Ms\":50.000,\"p90Ms\":90.000,\"p99Ms\":99.000,"
			    "\"maxMs\":100.000},"
			    "\"c\":{\"answers\":1,\"statuses\":{\"503\":1},"
			    "\"meanMs\":0.005,\"p50Ms\":0.005,\"p90Ms\":0.005,\"p99Ms\":0.005,"
			    "\"maxMs\":0.005}}");
	text_fini(&out);
	figures_fini(&figures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(an_answer_ends_where_its_length_says, clean),
		cmocka_unit_test_teardown(chunks_are_put_together, clean),
		cmocka_unit_test_teardown(what_is_no_answer_or_too_much_is_nonsense, clean),
		cmocka_unit_test_teardown(a_server_says_that_it_closes, clean),
		cmocka_unit_test_teardown(each_sending_has_a_key_of_its_own, clean),
		cmocka_unit_test_teardown(a_line_that_is_no_request_is_refused, clean),
		cmocka_unit_test_teardown(figures_are_those_of_each_kind, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
