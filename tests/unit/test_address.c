/* A URL that names several hosts, and the way round them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <string.h>

#include "address.h"
#include "conf.h"

#define THREADS 4

static void assert_picks(const char *url, unsigned index, const char *expected)
{
	char out[CONF_TEXT_MAX] = "";

	assert_int_equal(address_pick(url, index, out, sizeof out), ERR_OK);
	assert_string_equal(out, expected);
}

static void a_url_of_one_host_is_left_alone(void **state)
{
	static const char *const urls[] = {
		"amqp://guest:guest@127.0.0.1:5672/%2f",
		"amqps://a:b@[::1]:5671/x,y",
		"http://127.0.0.1:15672",
		"amqp://host",
		"amqp:///,",
		"nonsense",
		"a,b",
		"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
		assert_int_equal(address_count(urls[i]), 1);
		assert_picks(urls[i], 0, urls[i]);
	}
}

static void each_host_of_a_list_gets_account_and_path(void **state)
{
	const char *url = "amqps://front:a%2Cb,c@d@one:1,two,[::1]:3/%2f";

	(void)state;
	assert_int_equal(address_count(url), 3);
	assert_picks(url, 0, "amqps://front:a%2Cb,c@d@one:1/%2f");
	assert_picks(url, 1, "amqps://front:a%2Cb,c@d@two/%2f");
	assert_picks(url, 2, "amqps://front:a%2Cb,c@d@[::1]:3/%2f");
	assert_int_equal(address_count("http://a:1,b:2"), 2);
	assert_picks("http://a:1,b:2", 0, "http://a:1");
	assert_picks("http://a:1,b:2", 1, "http://b:2");
	assert_picks("http://a,b?x=1,2", 1, "http://b?x=1,2");
}

static void a_list_with_a_hole_is_refused(void **state)
{
	static const struct {
		const char *url;
		unsigned hole;
	} lists[] = {{"amqp://a:b@,two/", 0}, {"amqp://a:b@one,,two/", 1}, {"amqp://a:b@one,/", 1}};
	char out[CONF_TEXT_MAX] = "as it was";

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		assert_int_equal(address_pick(lists[i].url, lists[i].hole, out, sizeof out),
				 ERR_CONF);
	assert_string_equal(out, "as it was");
}

static void what_has_no_room_is_refused(void **state)
{
	char out[sizeof "amqp://two/"];

	(void)state;
	assert_int_equal(address_pick("amqp://one,two/", 1, out, sizeof out), ERR_OK);
	assert_string_equal(out, "amqp://two/");
	assert_int_equal(address_pick("amqp://one,two/", 1, out, sizeof out - 1), ERR_CONF);
	assert_int_equal(address_pick("amqp://one/abc", 0, out, sizeof out), ERR_CONF);
}

static void a_process_begins_where_it_is_told(void **state)
{
	unsigned step;

	(void)state;
	for (unsigned first = 0; first < 7; first++) {
		struct address_turn turn = {0};

		assert_int_equal(address_now(&turn, first, 3, &step), first % 3);
		assert_int_equal(address_now(&turn, first, 1, &step), 0);
	}
}

static void the_next_one_follows_a_lost_one_round_and_round(void **state)
{
	struct address_turn turn = {0};
	unsigned step;

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(address_now(&turn, 2, 3, &step), (2 + i) % 3);
		assert_int_equal(address_now(&turn, 2, 3, &step), (2 + i) % 3);
		address_leave(&turn, step);
	}
}

/* Two connections lose one host: were each of them to make a step, they would pass over a good one.
 */
static void many_connections_to_a_lost_host_make_one_step(void **state)
{
	struct address_turn turn = {0};
	unsigned lost, also_lost, step;

	(void)state;
	(void)address_now(&turn, 0, 3, &lost);
	(void)address_now(&turn, 0, 3, &also_lost);
	address_leave(&turn, lost);
	assert_int_equal(address_now(&turn, 0, 3, &step), 1);
	address_leave(&turn, also_lost);
	address_leave(&turn, lost);
	assert_int_equal(address_now(&turn, 0, 3, &step), 1);
	address_leave(&turn, step);
	assert_int_equal(address_now(&turn, 0, 3, &step), 2);
}

static void *lose_the_first_host(void *turn)
{
	address_leave(turn, 0);
	return NULL;
}

static void threads_that_lose_a_host_at_once_make_one_step(void **state)
{
	struct address_turn turn = {0};
	pthread_t threads[THREADS];
	unsigned step;

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, lose_the_first_host, &turn), 0);
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(address_now(&turn, 0, THREADS + 1, &step), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_url_of_one_host_is_left_alone),
		cmocka_unit_test(each_host_of_a_list_gets_account_and_path),
		cmocka_unit_test(a_list_with_a_hole_is_refused),
		cmocka_unit_test(what_has_no_room_is_refused),
		cmocka_unit_test(a_process_begins_where_it_is_told),
		cmocka_unit_test(the_next_one_follows_a_lost_one_round_and_round),
		cmocka_unit_test(many_connections_to_a_lost_host_make_one_step),
		cmocka_unit_test(threads_that_lose_a_host_at_once_make_one_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
