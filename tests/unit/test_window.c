/* Parcels under way: what is sent, sent again and answered, and what memory it takes. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

#include "job_sample.h"
#include "reply.h"
#include "score.h"
#include "window.h"

static struct window *window;

static int open_window(void **state)
{
	(void)state;
	window = calloc(1, sizeof *window);
	window_init(window);
	return window ? 0 : -1;
}

static int close_window(void **state)
{
	(void)state;
	window_fini(window);
	free(window);
	free(entries);
	entries = NULL;
	return 0;
}

static struct job charge_of(int number)
{
	struct job job = {.kind = JOB_CHARGE, .attempt = 1, .amount = number};
	job.id.bytes[0] = (uint8_t)number;
	return job;
}

/* A parcel of so many jobs, one refused row in front of them. */
static struct parcel *pack(int jobs)
{
	struct parcel *parcel = window_filling(window);
	assert_non_null(parcel);
	parcel_add_refused(parcel, 1, "bad", 3, ERR_BAD_FIELD, "why");
	for (int i = 1; i <= jobs; i++) {
		struct job job = charge_of(i);
		parcel_add(parcel, i + 1, "good", 4, &job);
	}
	window_close(window);
	return parcel;
}

/* Answers a parcel: every second job is refused. */
static enum err answer(struct parcel *parcel, size_t jobs, uint8_t first)
{
	struct text body = {0};
	struct result *results = calloc(jobs, sizeof *results);
	const struct result **list = mem_array(NULL, jobs, sizeof(void *));
	for (size_t i = 0; i < jobs; i++) {
		results[i].index = i;
		results[i].id.bytes[0] = (uint8_t)(first + i);
		results[i].outcome.err = i % 2 ? ERR_UNKNOWN_USER : ERR_OK;
		results[i].outcome.replayed = i == 2;
		list[i] = &results[i];
	}
	reply_encode(&body, list, jobs);
	enum err err = parcel_take_results(parcel, body.bytes, body.length);
	text_fini(&body);
	free(list);
	free(results);
	return err;
}

static void send(struct parcel *parcel, uint64_t sequence)
{
	parcel->sequence = sequence;
	parcel->state = PARCEL_SENT;
}

static void a_parcel_is_a_message_of_jobs(void **state)
{
	struct parcel *parcel = pack(3);
	(void)state;
	assert_int_equal(decode_length(parcel->body.bytes, parcel->body.length, QUEUE_IMPORT),
			 ERR_OK);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(entries[i].err, ERR_OK);
		assert_int_equal(entries[i].job.amount, (int64_t)i + 1);
	}
}

static void results_reach_the_rows_of_their_jobs(void **state)
{
	struct parcel *parcel = pack(3);
	struct score score = {0};
	(void)state;
	assert_int_equal(answer(parcel, 3, 1), ERR_OK);
	assert_ptr_equal(window_answered(window), parcel);
	for (size_t i = 0; i < parcel->row_count; i++)
		score_add(&score, &parcel->rows[i]);
	assert_int_equal(score.rows, 4);
	assert_int_equal(score.applied, 1);
	assert_int_equal(score.amount_applied, 1);
	assert_int_equal(score.repeated, 1);
	assert_int_equal(score.amount_repeated, 3);
	assert_int_equal(score.rejected, 2);
	assert_int_equal(score.codes[ERR_BAD_FIELD], 1);
	assert_int_equal(score.codes[ERR_UNKNOWN_USER], 1);
	assert_string_equal(parcel_why(parcel, &parcel->rows[0]), "why");
	assert_string_equal(parcel_why(parcel, &parcel->rows[2]), err_message(ERR_UNKNOWN_USER));
}

static void results_of_another_message_are_none(void **state)
{
	struct parcel *parcel = pack(3);
	(void)state;
	send(parcel, 1);
	assert_int_equal(answer(parcel, 2, 1), ERR_BAD_MESSAGE);
	assert_int_equal(answer(parcel, 3, 2), ERR_BAD_MESSAGE);
	assert_int_equal(parcel_take_results(parcel, "{}", 2), ERR_BAD_MESSAGE);
	assert_int_equal(parcel->state, PARCEL_SENT);
}

static void rows_that_are_all_refused_need_no_message(void **state)
{
	struct parcel *parcel = pack(0);
	(void)state;
	assert_null(window_ready(window));
	assert_ptr_equal(window_answered(window), parcel);
}

static void the_window_bounds_what_is_under_way(void **state)
{
	(void)state;
	for (int i = 0; i < WINDOW_PARCELS; i++)
		send(pack(1), (uint64_t)i + 1);
	assert_null(window_filling(window));
	assert_int_equal(answer(window_find(window, 2), 1, 1), ERR_OK);
	assert_null(window_answered(window)); /* the first is not */
	assert_int_equal(answer(window_find(window, 1), 1, 1), ERR_OK);
	for (int i = 0; i < 2; i++) {
		assert_non_null(window_answered(window));
		window_retire(window);
	}
	assert_null(window_answered(window));
	assert_null(window_find(window, 2));
	assert_int_equal(window_filling(window)->number, WINDOW_PARCELS + 1);
	pack(1);
	pack(1);
	assert_null(window_filling(window));
}

static void a_lost_connection_sends_all_again_that_is_not_answered(void **state)
{
	(void)state;
	for (int i = 1; i <= 4; i++)
		send(pack(1), (uint64_t)i);
	window_find(window, 2)->state = PARCEL_CONFIRMED;
	assert_int_equal(answer(window_find(window, 3), 1, 1), ERR_OK);
	window_send_again(window);
	assert_int_equal(window_find(window, 1)->state, PARCEL_READY);
	assert_int_equal(window_find(window, 2)->state, PARCEL_READY);
	assert_int_equal(window_find(window, 3)->state, PARCEL_ANSWERED);
	assert_int_equal(window_find(window, 4)->state, PARCEL_READY);
	assert_null(window_sent_as(window, 1));
}

static void what_was_sent_before_an_answered_probe_is_sent_again(void **state)
{
	(void)state;
	for (int i = 1; i <= 4; i++)
		send(pack(1), (uint64_t)i);
	send(window_find(window, 1), 5);
	window_send_earlier_again(window, 4);
	assert_int_equal(window_find(window, 1)->state, PARCEL_SENT);
	assert_int_equal(window_find(window, 2)->state, PARCEL_READY);
	assert_int_equal(window_find(window, 3)->state, PARCEL_READY);
	assert_int_equal(window_find(window, 4)->state, PARCEL_SENT);
	assert_ptr_equal(window_ready(window), window_find(window, 2));
	assert_ptr_equal(window_sent_as(window, 5), window_find(window, 1));
}

static void the_longest_rows_make_messages_that_workers_take(void **state)
{
	struct parcel *parcel = window_filling(window);
	struct job job = charge_of(1);
	(void)state;
	memset(job.memo, '"', JOB_MEMO_CHARS);
	for (int i = 0; !parcel_is_full(parcel, JOB_MAX_PER_MESSAGE); i++)
		parcel_add(parcel, i, "x", 1, &job);
	window_close(window);
	assert_true(parcel->body.length <= JOB_MAX_MESSAGE_BYTES);
	assert_int_equal(decode_length(parcel->body.bytes, parcel->body.length, QUEUE_IMPORT),
			 ERR_OK);
}

static void numbers_have_commas(void **state)
{
	struct text out = {0};
	(void)state;
	score_put_number(&out, 0);
	text_putc(&out, ' ');
	score_put_number(&out, 999);
	text_putc(&out, ' ');
	score_put_number(&out, 1234567);
	assert_string_equal(out.bytes, "0 999 1,234,567");
	text_fini(&out);
}

#define WINDOW_TEST(name) cmocka_unit_test_setup_teardown(name, open_window, close_window)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WINDOW_TEST(a_parcel_is_a_message_of_jobs),
		WINDOW_TEST(results_reach_the_rows_of_their_jobs),
		WINDOW_TEST(results_of_another_message_are_none),
		WINDOW_TEST(rows_that_are_all_refused_need_no_message),
		WINDOW_TEST(the_window_bounds_what_is_under_way),
		WINDOW_TEST(a_lost_connection_sends_all_again_that_is_not_answered),
		WINDOW_TEST(what_was_sent_before_an_answered_probe_is_sent_again),
		WINDOW_TEST(the_longest_rows_make_messages_that_workers_take),
		cmocka_unit_test(numbers_have_commas),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
