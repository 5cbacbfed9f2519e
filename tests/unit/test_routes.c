/* Routes: every call of PROTOCOL.md is there, and nothing else is. */
#include "unit.h"

#include <stdbool.h>
#include <string.h>

#include "metrics.h"
#include "routes.h"

static enum err find(const char *method, const char *path, const struct route **route,
		     const char **allow)
{
	const char *rest;

	*route = NULL;
	*allow = NULL;
	return routes_find(method, path, route, &rest, allow);
}

static void every_call_is_found(void **state)
{
	static const struct {
		const char *method, *path;
		bool is_write;
	} calls[] = {
		{"POST", "/user", true},
		{"POST", "/queue/issue", true},
		{"GET", "/queue/status", false},
		{"GET", "/concert/available-dates", false},
		{"GET", "/concert/available-seats", false},
		{"GET", "/concert/seats", false},
		{"GET", "/concert/seat-events", false},
		{"POST", "/reservation", true},
		{"POST", "/reservation/cancel", true},
		{"POST", "/user/charge", true},
		{"GET", "/user/check", false},
		{"GET", "/user/reservations", false},
		{"GET", "/user/cash-history", false},
		{"POST", "/payment", true},
		{"GET", "/jobs/x", false},
		{"POST", "/join", true},
		{"GET", "/line", false},
		{"GET", "/healthz", false},
		{"GET", "/readyz", false},
	};
	const struct route *route;
	const char *allow;

	(void)state;
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		assert_int_equal(find(calls[i].method, calls[i].path, &route, &allow), ERR_OK);
		assert_int_equal(route_is_write(route), calls[i].is_write);
		assert_true(!calls[i].is_write || route->needs & (NEEDS_BODY | ANSWERS_PAGE));
	}
}

static void another_method_says_which_is_taken(void **state)
{
	const struct route *route;
	const char *allow;

	(void)state;
	assert_int_equal(find("GET", "/payment", &route, &allow), ERR_METHOD_NOT_ALLOWED);
	assert_string_equal(allow, "POST");
	assert_int_equal(find("HEAD", "/healthz", &route, &allow), ERR_METHOD_NOT_ALLOWED);
	assert_string_equal(allow, "GET");
	assert_int_equal(find("post", "/payment", &route, &allow), ERR_METHOD_NOT_ALLOWED);
}

static void other_paths_are_not_found(void **state)
{
	static const char *const paths[] = {"",      "/",      "/users",    "/user/", "/payment/1",
					    "/jobs", "/jobs/", "/jobs/a/b", "//user", "/USER"};
	const struct route *route;
	const char *allow;

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(find("POST", paths[i], &route, &allow), ERR_NOT_FOUND);
		assert_int_equal(find("GET", paths[i], &route, &allow), ERR_NOT_FOUND);
	}
}

static void a_prefix_leaves_the_rest_to_its_handler(void **state)
{
	const struct route *route;
	const char *rest;
	const char *allow;

	(void)state;
	assert_int_equal(routes_find("GET", "/jobs/a.b.c", &route, &rest, &allow), ERR_OK);
	assert_string_equal(rest, "a.b.c");
}

/* Metrics count by it. */
static void each_route_has_an_index_of_its_own(void **state)
{
	const struct route *user, *job;
	const char *allow;
	struct text out = {0};
	struct conf conf;

	(void)state;
	assert_int_equal(find("POST", "/user", &user, &allow), ERR_OK);
	assert_int_equal(find("GET", "/jobs/x", &job, &allow), ERR_OK);
	assert_int_not_equal(routes_index(user), routes_index(job));
	assert_int_equal(routes_index(NULL), METRICS_ROUTES - 1);
	conf_init(&conf);
	metrics_open(IN_FRONT, "front", &conf);
	routes_name_metrics();
	metrics_count(METRIC_REQUESTS, routes_index(job), ERR_OK);
	metrics_write(&out);
	assert_non_null(strstr(out.bytes, "{route=\"/jobs/\",status=\"200\",code=\"ok\"} 1\n"));
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_is_found),
		cmocka_unit_test(another_method_says_which_is_taken),
		cmocka_unit_test(other_paths_are_not_found),
		cmocka_unit_test(a_prefix_leaves_the_rest_to_its_handler),
		cmocka_unit_test(each_route_has_an_index_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
