/* Calls: what a client sent wrong is refused in the envelope before anything is queued or asked. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "clock.h"

static struct conf conf;
static struct token_keys *keys;
static struct token_cache *tokens;
static struct call call;
static struct exchange exchange = {.state = &call};

static int set_up(void **state)
{
	(void)state;
	conf_init(&conf);
	return token_cache_new(&tokens, 64) == ERR_OK &&
			       token_keys_new(&keys, "a:000102030405060708090a0b0c0d0e0f1011121314"
						     "15161718191a1b1c1d1e1f") == ERR_OK
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	(void)state;
	token_cache_free(tokens);
	token_keys_free(keys);
	text_fini(&exchange.response.body);
	return 0;
}

/* Neither courier nor snapshots nor database are there: whoever asked them would crash. */
static int status_of(struct http_raw raw, const char *body, enum err body_err)
{
	struct front front = {.conf = &conf, .keys = keys, .tokens = tokens};

	exchange.raw = raw;
	exchange.body = body;
	exchange.body_length = strlen(body);
	exchange.body_err = body_err;
	assert_true(call_serve(&front, &exchange));
	return exchange.response.status;
}

static bool code_is(const char *code)
{
	char member[64];

	snprintf(member, sizeof member, "\"code\":\"%s\"", code);
	return strstr(exchange.response.body.bytes, member) != NULL &&
	       strncmp(exchange.response.body.bytes, "{\"success\":false,", 17) == 0;
}

#define POST(path_, ...)                                                                           \
	((struct http_raw){.method = "POST",                                                       \
			   .path = (path_),                                                        \
			   .content_type = "application/json" __VA_OPT__(, ) __VA_ARGS__})
#define GET(path_, ...)                                                                            \
	((struct http_raw){.method = "GET", .path = (path_)__VA_OPT__(, ) __VA_ARGS__})

static void health_answers_without_anything_behind_it(void **state)
{
	(void)state;
	assert_int_equal(status_of(GET("/healthz", .request_id = "r-1"), "", ERR_OK), 200);
	assert_string_equal(exchange.response.body.bytes,
			    "{\"success\":true,\"data\":{\"status\":\"ok\"}}");
	assert_string_equal(exchange.request_id, "r-1");
}

static void unknown_paths_and_methods_are_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of(GET("/nothing"), "", ERR_OK), 404);
	assert_true(code_is("not-found"));
	assert_int_equal(status_of(GET("/payment"), "", ERR_OK), 405);
	assert_string_equal(exchange.response.allow, "POST");
	assert_int_equal(status_of((struct http_raw){0}, "", ERR_OK), 404);
}

static void bodies_are_checked(void **state)
{
	static const char *const bad[] = {"[]",
					  "{",
					  "{}",
					  "{\"name\":1}",
					  "{\"name\":\"\"}",
					  "{\"name\":\"a\",\"name\":\"b\"}",
					  "{\"name\":\"a\",\"x\":1}",
					  "{\"name\":\"\\u0000\"}",
					  "{\"name\":\"\xff\"}",
					  "{\"name\":\"a\"} x"};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(status_of(POST("/user"), bad[i], ERR_OK), 400);
	assert_int_equal(status_of(POST("/user"), "", ERR_OK), 400);
	assert_int_equal(status_of(POST("/user"), "", ERR_BODY_TOO_LARGE), 413);
	assert_int_equal(status_of((struct http_raw){.method = "POST", .path = "/user"},
				   "{\"name\":\"a\"}", ERR_OK),
			 415);
}

static void amounts_have_their_limits(void **state)
{
	static const char *const bad[] = {"0",   "-1",    "100000001", "1.0",
					  "1e3", "\"1\"", "null",      "99999999999999999999"};
	char body[128];

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(body, sizeof body,
			 "{\"userId\":\"11111111-1111-4111-8111-111111111111\",\"amount\":%s}",
			 bad[i]);
		assert_int_equal(status_of(POST("/user/charge"), body, ERR_OK), 400);
		assert_true(code_is("bad-field"));
	}
}

static void query_parameters_that_a_call_does_not_know_are_refused(void **state)
{
	(void)state;
	assert_int_equal(status_of(GET("/healthz", .query = "x=1"), "", ERR_OK), 400);
	assert_true(code_is("bad-field"));
	assert_int_equal(status_of(GET("/user/check", .query = "userId=nobody"), "", ERR_OK), 400);
	assert_int_equal(status_of(GET("/user/check"), "", ERR_OK), 400);
	assert_true(code_is("bad-request"));
}

static void what_is_ones_own_needs_one_user(void **state)
{
	static const char *const paths[] = {"/user/check", "/user/reservations",
					    "/user/cash-history"};
	static const char user[] = "11111111-1111-4111-8111-111111111111";
	const struct queue_token of_another = {
		.user = {{1}}, .ticket = 1, .issued_s = 1, .expires_s = INT64_MAX};
	char token[TOKEN_TEXT_SIZE];

	(void)state;
	assert_int_equal(token_sign_queue(keys, &of_another, token), ERR_OK);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(status_of(GET(paths[i]), "", ERR_OK), 400);
		assert_true(code_is("bad-request"));
		assert_int_equal(status_of(GET(paths[i], .user = "nobody"), "", ERR_OK), 400);
		assert_true(code_is("bad-field"));
		assert_int_equal(status_of(GET(paths[i], .token = "a.b.c"), "", ERR_OK), 401);
		assert_int_equal(status_of(GET(paths[i], .user = user, .token = token), "", ERR_OK),
				 401);
		assert_true(code_is("token-invalid"));
	}
	assert_int_equal(status_of(GET("/user/check", .user = user,
				       .query = "userId=22222222-1111-4111-8111-111111111111"),
				   "", ERR_OK),
			 400);
	for (size_t i = 1; i < sizeof paths / sizeof *paths; i++)
		assert_int_equal(
			status_of(GET(paths[i], .user = user, .query = "before=0"), "", ERR_OK),
			400);
}

static void a_token_must_be_there_and_ours(void **state)
{
	char expired[TOKEN_TEXT_SIZE];
	char handle[TOKEN_TEXT_SIZE];

	(void)state;
	assert_int_equal(status_of(GET("/queue/status"), "", ERR_OK), 401);
	assert_true(code_is("token-missing"));
	assert_int_equal(status_of(GET("/queue/status", .token = "a.b.c"), "", ERR_OK), 401);
	assert_true(code_is("token-invalid"));
	assert_int_equal(
		token_sign_queue(keys,
				 &(struct queue_token){.ticket = 1, .issued_s = 1, .expires_s = 2},
				 expired),
		ERR_OK);
	assert_int_equal(status_of(POST("/payment", .token = expired), "{\"seatId\":1}", ERR_OK),
			 401);
	assert_true(code_is("token-expired"));
	assert_int_equal(token_sign_handle(keys,
					   &(struct job_handle){.issued_s = 1,
								.expires_s = clock_wall_s() + 60},
					   handle),
			 ERR_OK);
	assert_int_equal(status_of(GET("/queue/status", .token = handle), "", ERR_OK), 401);
}

static void a_forged_job_handle_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(status_of(GET("/jobs/abc"), "", ERR_OK), 404);
	assert_true(code_is("unknown-job"));
}

static void every_answer_to_a_write_carries_its_key(void **state)
{
	(void)state;
	assert_int_equal(status_of(POST("/user/charge", .key = "k-1"), "{}", ERR_OK), 400);
	assert_string_equal(exchange.response.key, "k-1");
	assert_int_equal(status_of(POST("/user/charge"), "{}", ERR_OK), 400);
	assert_int_equal(strlen(exchange.response.key), 36);
	assert_int_equal(status_of(GET("/healthz"), "", ERR_OK), 200);
	assert_string_equal(exchange.response.key, "");
}

static void only_a_write_looks_at_the_key(void **state)
{
	(void)state;
	assert_int_equal(status_of(POST("/user/charge", .key = "a b"), "{}", ERR_OK), 400);
	assert_true(code_is("bad-idempotency-key"));
	assert_string_equal(exchange.response.key, "");
	assert_int_equal(status_of(GET("/healthz", .key = "a b"), "", ERR_OK), 200);
}

static void registering_takes_only_a_uuid_for_a_key(void **state)
{
	(void)state;
	assert_int_equal(status_of(POST("/user", .key = "k-1"), "{\"name\":\"a\"}", ERR_OK), 400);
	assert_true(code_is("bad-idempotency-key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_answers_without_anything_behind_it),
		cmocka_unit_test(unknown_paths_and_methods_are_refused),
		cmocka_unit_test(bodies_are_checked),
		cmocka_unit_test(amounts_have_their_limits),
		cmocka_unit_test(query_parameters_that_a_call_does_not_know_are_refused),
		cmocka_unit_test(what_is_ones_own_needs_one_user),
		cmocka_unit_test(a_token_must_be_there_and_ours),
		cmocka_unit_test(a_forged_job_handle_is_unknown),
		cmocka_unit_test(every_answer_to_a_write_carries_its_key),
		cmocka_unit_test(only_a_write_looks_at_the_key),
		cmocka_unit_test(registering_takes_only_a_uuid_for_a_key),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
