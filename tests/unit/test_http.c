/* HTTP: requests are taken apart strictly, and nothing hostile goes back in a header. */
#include "unit.h"

#include <string.h>

#include "http.h"

static enum err parse(struct http_request *request, struct http_raw raw)
{
	char why[HTTP_WHY_SIZE];

	memset(request, 0, sizeof *request);
	return http_request_parse(request, &raw, why);
}

static void query_parameters_are_decoded(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(parse(&request, (struct http_raw){.query = "a=1&b%20c=x+y%2Bz&d="}),
			 ERR_OK);
	assert_string_equal(http_param(&request, "a"), "1");
	assert_string_equal(http_param(&request, "b c"), "x y+z");
	assert_string_equal(http_param(&request, "d"), "");
	assert_null(http_param(&request, "e"));
}

static void bad_queries_are_refused(void **state)
{
	static const char *const queries[] = {
		"a=%",     "a=%4", "a=%4x",     "a=%00b",
		"a=1&a=2", "a",    "a=1&%61=2", "a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1"};
	struct http_request request;
	char longest[HTTP_QUERY_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++)
		assert_int_equal(parse(&request, (struct http_raw){.query = queries[i]}),
				 ERR_BAD_REQUEST);
	memset(longest, 'a', HTTP_QUERY_MAX);
	longest[1] = '=';
	longest[HTTP_QUERY_MAX] = '\0';
	assert_int_equal(parse(&request, (struct http_raw){.query = longest}), ERR_BAD_REQUEST);
	longest[HTTP_QUERY_MAX - 1] = '\0';
	assert_int_equal(parse(&request, (struct http_raw){.query = longest}), ERR_OK);
}

static bool takes_key(const char *key)
{
	struct http_request request;

	assert_int_equal(parse(&request, (struct http_raw){.key = key}), ERR_OK);
	assert_true(request.has_bad_key == (request.key == NULL));
	return request.key == key;
}

static void a_key_is_1_to_255_visible_characters(void **state)
{
	struct http_request request;
	char key[HTTP_KEY_SIZE + 1];

	(void)state;
	memset(key, 'k', sizeof key);
	key[HTTP_KEY_SIZE] = '\0';
	assert_false(takes_key(key));
	key[HTTP_KEY_SIZE - 1] = '\0';
	assert_true(takes_key(key));
	assert_false(takes_key(""));
	assert_false(takes_key("a b"));
	assert_false(takes_key("a\r\nSet-Cookie:x"));
	assert_false(takes_key("\xc3\xa4"));
	assert_int_equal(parse(&request, (struct http_raw){0}), ERR_OK);
	assert_null(request.key);
	assert_false(request.has_bad_key);
}

static void a_header_that_came_twice_is_named(void **state)
{
	struct http_request request = {0};
	char why[HTTP_WHY_SIZE];

	(void)state;
	assert_int_equal(
		http_request_parse(&request, &(struct http_raw){.twice = "queue-token"}, why),
		ERR_BAD_REQUEST);
	assert_non_null(strstr(why, "queue-token"));
}

#define ORIGIN_ID "000102030405060708090a0b0c0d0e0f"

static void a_request_sent_on_again_has_the_same_origin(void **state)
{
	struct http_request first = {0}, second = {0};
	const struct http_raw raw = {.request_id = ORIGIN_ID, .request_ms = "1764000000.123"};
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_int_equal(parse(&first, raw), ERR_OK);
	assert_int_equal(parse(&second, raw), ERR_OK);
	assert_true(first.has_origin && second.has_origin);
	assert_true(id_equal(&first.origin, &second.origin));
	id_format(&first.origin, text);
	assert_string_equal(text, "019ab697-e87b-7607-8809-0a0b0c0d0e0f");
}

static void without_both_there_is_no_origin(void **state)
{
	static const struct http_raw raws[] = {
		{.request_id = ORIGIN_ID},
		{.request_ms = "1764000000.123"},
		{.request_id = ORIGIN_ID "0", .request_ms = "1764000000.123"},
		{.request_id = "x00102030405060708090a0b0c0d0e0f", .request_ms = "1764000000.123"},
		{.request_id = ORIGIN_ID, .request_ms = "1764000000"},
		{.request_id = ORIGIN_ID, .request_ms = "1764000000.123x"},
		{.request_id = ORIGIN_ID, .request_ms = "-1764000000.123"},
		{.request_id = ORIGIN_ID, .request_ms = "999999999999999.123"},
		{.request_id = ORIGIN_ID, .request_ms = ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof raws / sizeof *raws; i++) {
		struct http_request request = {0};

		assert_int_equal(parse(&request, raws[i]), ERR_OK);
		assert_false(request.has_origin);
	}
}

static void a_hostile_request_id_is_replaced(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(parse(&request, (struct http_raw){.request_id = "abc-1"}), ERR_OK);
	assert_string_equal(request.id, "abc-1");
	assert_int_equal(parse(&request, (struct http_raw){.request_id = "a\nb"}), ERR_OK);
	assert_int_equal(strlen(request.id), 36);
	assert_int_equal(parse(&request, (struct http_raw){.twice = "x"}), ERR_BAD_REQUEST);
	assert_int_equal(strlen(request.id), 36);
}

static void body_lengths_have_their_limit(void **state)
{
	size_t length = 7;

	(void)state;
	assert_int_equal(http_body_length("16385", &length), ERR_BODY_TOO_LARGE);
	assert_int_equal(http_body_length("99999999999999999999999", &length), ERR_BODY_TOO_LARGE);
	assert_int_equal(http_body_length("-1", &length), ERR_BAD_REQUEST);
	assert_int_equal(http_body_length("1x", &length), ERR_BAD_REQUEST);
	assert_int_equal(length, 7);
	assert_int_equal(http_body_length("16384", &length), ERR_OK);
	assert_int_equal(length, 16384);
	assert_int_equal(http_body_length("", &length), ERR_OK);
	assert_int_equal(length, 0);
	assert_int_equal(http_body_length(NULL, &length), ERR_OK);
}

static void json_is_json_with_or_without_parameters(void **state)
{
	(void)state;
	assert_true(http_is_json("application/json"));
	assert_true(http_is_json("Application/JSON ; charset=utf-8"));
	assert_false(http_is_json("application/jsonp"));
	assert_false(http_is_json("text/plain"));
	assert_false(http_is_json(NULL));
}

static void every_status_has_its_phrase(void **state)
{
	struct http_response response = {0};
	struct text head = {0};

	(void)state;
	for (unsigned i = 0; i < ERR_COUNT; i++) {
		response.status = err_http_status(err_public((enum err)i));
		text_clear(&head);
		http_response_head(&response, "r", &head);
		assert_null(strstr(head.bytes, "Unknown"));
	}
	text_fini(&head);
}

static void an_answer_has_the_headers_it_needs(void **state)
{
	struct http_response response = {0};
	struct text head = {0};

	(void)state;
	http_response_clear(&response);
	text_puts(&response.body, "{}");
	http_response_head(&response, "r1", &head);
	assert_string_equal(head.bytes, "Status: 200 OK\r\nContent-Type: application/json\r\n"
					"Content-Length: 2\r\nCache-Control: no-store\r\n"
					"X-Request-Id: r1\r\n\r\n");
	response.status = 503;
	response.retry_after_s = 1;
	response.replayed = true;
	response.allow = "POST";
	strcpy(response.key, "k");
	strcpy(response.location, "/jobs/h");
	text_clear(&head);
	http_response_head(&response, "r2", &head);
	assert_non_null(strstr(head.bytes, "Status: 503 Service Unavailable\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nRetry-After: 1\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nIdempotency-Replayed: true\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nAllow: POST\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nIdempotency-Key: k\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nLocation: /jobs/h\r\n"));
	http_response_clear(&response);
	assert_int_equal(response.body.length, 0);
	assert_int_equal(response.retry_after_s, 0);
	text_fini(&response.body);
	text_fini(&head);
}

static void a_cookie_is_found_among_others(void **state)
{
	struct http_request request = {.cookie = "xa=0; a=1;b=;  c=long"};
	char value[4];

	(void)state;
	assert_true(http_cookie(&request, "a", value, sizeof value));
	assert_string_equal(value, "1");
	assert_false(http_cookie(&request, "b", value, sizeof value));
	assert_false(http_cookie(&request, "c", value, sizeof value));
	assert_false(http_cookie(&request, "d", value, sizeof value));
	request.cookie = NULL;
	assert_false(http_cookie(&request, "a", value, sizeof value));
}

static void a_form_is_read_like_a_query(void **state)
{
	struct http_request request = {.body = "name=a+%22b%22&key=", .body_length = 19};
	char why[HTTP_WHY_SIZE];

	(void)state;
	assert_true(http_is_form("application/x-www-form-urlencoded; charset=utf-8"));
	assert_false(http_is_form("application/json"));
	assert_int_equal(http_form_parse(&request, why), ERR_OK);
	assert_string_equal(http_param(&request, "name"), "a \"b\"");
	request.body = "name=a\0b";
	request.body_length = 8;
	assert_int_equal(http_form_parse(&request, why), ERR_BAD_REQUEST);
}

static void a_page_may_set_a_cookie(void **state)
{
	struct http_response response = {.status = 303, .is_page = true, .cookie = "a=1"};
	struct text head = {0};

	(void)state;
	http_response_head(&response, "r", &head);
	assert_non_null(strstr(head.bytes, "\r\nContent-Type: text/html; charset=utf-8\r\n"));
	assert_non_null(strstr(head.bytes, "\r\nSet-Cookie: a=1\r\n"));
	http_response_clear(&response);
	assert_false(response.is_page);
	assert_string_equal(response.cookie, "");
	text_fini(&head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_parameters_are_decoded),
		cmocka_unit_test(bad_queries_are_refused),
		cmocka_unit_test(a_key_is_1_to_255_visible_characters),
		cmocka_unit_test(a_header_that_came_twice_is_named),
		cmocka_unit_test(a_request_sent_on_again_has_the_same_origin),
		cmocka_unit_test(without_both_there_is_no_origin),
		cmocka_unit_test(a_hostile_request_id_is_replaced),
		cmocka_unit_test(body_lengths_have_their_limit),
		cmocka_unit_test(json_is_json_with_or_without_parameters),
		cmocka_unit_test(every_status_has_its_phrase),
		cmocka_unit_test(an_answer_has_the_headers_it_needs),
		cmocka_unit_test(a_cookie_is_found_among_others),
		cmocka_unit_test(a_form_is_read_like_a_query),
		cmocka_unit_test(a_page_may_set_a_cookie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
