/* The window of open publishes, and the deliveries that wait to be taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "broker_fifo.h"
#include "broker_renewal.h"
#include "broker_window.h"

#define MANY 5000

static unsigned told[MANY + 1];
static enum err told_err[MANY + 1];

static void remember(void *arg, uint64_t sequence, enum err err)
{
	(void)arg;
	assert_in_range(sequence, 1, MANY);
	told[sequence]++;
	told_err[sequence] = err;
}

static void open_some(struct broker_window *window, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		assert_true(broker_window_reserve(window));
		(void)broker_window_add(window);
	}
}

static int start(void **state)
{
	static struct broker_window window;

	for (size_t i = 0; i <= MANY; i++)
		told[i] = 0;
	broker_window_init(&window);
	*state = &window;
	return 0;
}

static int stop(void **state)
{
	broker_window_fini(*state);
	return 0;
}

static void sequences_count_from_one(void **state)
{
	assert_true(broker_window_reserve(*state));
	assert_int_equal(broker_window_add(*state), 1);
	assert_true(broker_window_reserve(*state));
	assert_int_equal(broker_window_add(*state), 2);
}

static void one_ack_settles_many_and_each_is_told_once(void **state)
{
	struct broker_window *window = *state;

	open_some(window, MANY);
	broker_window_settle(window, 7, false, ERR_OK, remember, NULL);
	broker_window_settle(window, 4000, true, ERR_OK, remember, NULL);
	broker_window_settle(window, 4000, true, ERR_BROKER_NACKED, remember, NULL);
	for (size_t i = 1; i <= MANY; i++)
		assert_int_equal(told[i], i <= 4000 ? 1 : 0);
	assert_int_equal(told_err[4000], ERR_OK);
	assert_int_equal(window->open, MANY - 4000);
	assert_int_equal(window->first, 4001);
}

static void answers_may_come_in_any_order(void **state)
{
	struct broker_window *window = *state;

	open_some(window, 3);
	broker_window_settle(window, 3, false, ERR_OK, remember, NULL);
	broker_window_settle(window, 1, false, ERR_BROKER_NACKED, remember, NULL);
	assert_int_equal(window->open, 1);
	broker_window_settle(window, 2, false, ERR_OK, remember, NULL);
	assert_int_equal(window->open, 0);
	assert_int_equal(told_err[1], ERR_BROKER_NACKED);
	assert_int_equal(window->first, 4);
}

static void a_returned_message_counts_as_returned_though_it_is_acked(void **state)
{
	struct broker_window *window = *state;

	open_some(window, 3);
	broker_window_return(window, 2);
	broker_window_settle(window, 3, true, ERR_OK, remember, NULL);
	assert_int_equal(told_err[1], ERR_OK);
	assert_int_equal(told_err[2], ERR_BROKER_RETURNED);
	assert_int_equal(told[2], 1);
	assert_int_equal(told_err[3], ERR_OK);
}

static void answers_to_what_was_not_asked_are_passed_over(void **state)
{
	struct broker_window *window = *state;

	broker_window_settle(window, 1, true, ERR_OK, remember, NULL);
	open_some(window, 2);
	broker_window_return(window, 0);
	broker_window_return(window, 3);
	broker_window_settle(window, 0, true, ERR_OK, remember, NULL);
	broker_window_settle(window, 3, true, ERR_OK, remember, NULL);
	broker_window_settle(window, UINT64_MAX, true, ERR_OK, remember, NULL);
	assert_int_equal(window->open, 2);
	assert_int_equal(told[1] + told[2], 0);
}

/* Publishes again from inside of each confirm, so that the ring grows under the loop. */
static void publish_more(void *arg, uint64_t sequence, enum err err)
{
	remember(NULL, sequence, err);
	open_some(arg, 2);
}

static void a_confirm_may_publish(void **state)
{
	struct broker_window *window = *state;

	open_some(window, 1000);
	broker_window_settle(window, 1000, true, ERR_OK, publish_more, window);
	assert_int_equal(window->open, 2000);
	assert_int_equal(window->first, 1001);
	broker_window_settle(window, 3000, true, ERR_OK, remember, NULL);
	for (size_t i = 1; i <= 3000; i++)
		assert_int_equal(told[i], 1);
}

static void deliveries_are_taken_in_their_order(void **state)
{
	struct broker_fifo fifo = {0};
	struct broker_delivery delivery = {0};
	uint64_t put = 0;
	uint64_t taken = 0;

	(void)state;
	while (taken < MANY) {
		for (int i = 0; i < 3 && put < MANY; i++) {
			delivery.tag = ++put;
			assert_true(broker_fifo_push(&fifo, &delivery));
		}
		assert_true(broker_fifo_pop(&fifo, &delivery));
		assert_int_equal(delivery.tag, ++taken);
		assert_int_equal(fifo.count, put - taken);
	}
	assert_false(broker_fifo_pop(&fifo, &delivery));
	delivery.body = malloc(8);
	assert_true(broker_fifo_push(&fifo, &delivery));
	broker_fifo_fini(&fifo);
}

static void pauses_double_up_to_five_seconds(void **state)
{
	static const int expected[] = {100, 200, 400, 800, 1600, 3200, 5000, 5000};

	(void)state;
	for (unsigned i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		assert_in_range(broker_backoff_ms(i), expected[i] * 3 / 4, expected[i]);
	assert_in_range(broker_backoff_ms(UINT32_MAX), 3750, 5000);
}

static void a_refused_publisher_is_renewed_ever_more_seldom(void **state)
{
	static const int64_t pauses[] = {200,  400,   800,   1600,  3200,
					 6400, 12800, 25600, 30000, 30000};
	struct broker_renewal renewal = {0};
	int64_t now_ms = 100000;

	(void)state;
	assert_true(broker_renewal_is_due(&renewal, now_ms));
	for (size_t i = 0; i < sizeof(pauses) / sizeof(*pauses); i++) {
		assert_false(broker_renewal_is_due(&renewal, now_ms + pauses[i] - 1));
		now_ms += pauses[i];
		assert_true(broker_renewal_is_due(&renewal, now_ms));
	}
	assert_true(broker_renewal_is_due(&renewal, now_ms += 60000));
	assert_true(broker_renewal_is_due(&renewal, now_ms + 200));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sequences_count_from_one, start, stop),
		cmocka_unit_test_setup_teardown(one_ack_settles_many_and_each_is_told_once, start,
						stop),
		cmocka_unit_test_setup_teardown(answers_may_come_in_any_order, start, stop),
		cmocka_unit_test_setup_teardown(
			a_returned_message_counts_as_returned_though_it_is_acked, start, stop),
		cmocka_unit_test_setup_teardown(answers_to_what_was_not_asked_are_passed_over,
						start, stop),
		cmocka_unit_test_setup_teardown(a_confirm_may_publish, start, stop),
		cmocka_unit_test(deliveries_are_taken_in_their_order),
		cmocka_unit_test(pauses_double_up_to_five_seconds),
		cmocka_unit_test(a_refused_publisher_is_renewed_ever_more_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
