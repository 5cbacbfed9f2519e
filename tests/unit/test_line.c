/* The line of a front, beside a plain array that says the same. */
#include "worker_sample.h"

#include <stdbool.h>

#include "line.h"

#define PLACES 3000

static bool waits[PLACES + 1];

static void check(const struct line *line, int64_t last)
{
	int64_t ahead = 0;

	for (int64_t place = 1; place <= last; place++) {
		assert_int_equal(line_has(line, place), waits[place]);
		assert_int_equal(line_ahead(line, place), ahead);
		if (!waits[place])
			continue;
		assert_int_equal(line_place(line, ahead), place);
		ahead++;
	}
	assert_int_equal(line_count(line), ahead);
	assert_int_equal(line_place(line, ahead), 0);
	assert_int_equal(line_place(line, -1), 0);
	assert_int_equal(line_last(line), last);
	/* What is newer than the line stands behind it. */
	assert_true(line_has(line, last + 1));
	assert_int_equal(line_ahead(line, last + 1), ahead);
	assert_int_equal(line_ahead(line, last + 5), ahead + 4);
}

static void an_empty_line(void **state)
{
	struct line *line = line_new(0);

	(void)state;
	line_finish(line);
	check(line, 0);
	line_release(line);
	line_release(NULL);
}

static void a_line_that_nobody_waits_in(void **state)
{
	struct line *line = line_new(1000);

	(void)state;
	memset(waits, 0, sizeof waits);
	line_finish(line);
	check(line, 1000);
	line_release(line);
}

static void it_begins_with_the_first_that_waits(void **state)
{
	static const int64_t places[] = {700, 703, 767, 768, 769, 1001};
	struct line *line = line_new(1000);

	(void)state;
	memset(waits, 0, sizeof waits);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		line_wait(line, places[i]);
		waits[places[i]] = true;
	}
	line_finish(line);
	check(line, 1001); /* one came after the last was read */
	line_release(line);
}

static void a_renewed_line_leaves_the_old_one_as_it_was(void **state)
{
	struct line *old = line_new(0), *fresh;

	(void)state;
	memset(waits, 0, sizeof waits);
	line_take_out(old, 3); /* 1 and 2 wait */
	line_set_seq(old, 7);
	line_finish(old);
	waits[1] = waits[2] = true;
	check(old, 3);
	fresh = line_renew(old, 200);
	assert_int_equal(line_seq(fresh), 7);
	line_take_out(fresh, 1);
	line_finish(fresh);
	check(old, 3);
	memset(waits + 4, true, 197);
	waits[1] = false;
	check(fresh, 200);
	line_release(old);
	line_release(fresh);
}

static void it_is_shared(void **state)
{
	struct line *line = line_new(5);

	(void)state;
	line_finish(line);
	assert_ptr_equal(line_hold(line), line);
	line_release(line);
	assert_int_equal(line_last(line), 5);
	line_release(line);
}

static void any_day_of_a_line(void **state)
{
	uint64_t seed = 12345;

	(void)state;
	for (int day = 0; day < 20; day++) {
		struct line *line = line_new(0);
		int64_t last = 0;

		memset(waits, 0, sizeof waits);
		line_finish(line);
		while (last < PLACES - 300) {
			int64_t next = last + (int64_t)chance(&seed, 250);
			struct line *fresh = line_renew(line, next);

			for (int64_t place = last + 1; place <= next; place++)
				waits[place] = true;
			last = next;
			/* Most go from the head, some from anywhere. */
			for (int i = 0; i < 150 && last > 0; i++) {
				int64_t head = line_count(line) ? line_place(line, 0) : 1;
				int64_t place =
					chance(&seed, 4)
						? head + (int64_t)chance(&seed, 120)
						: 1 + (int64_t)chance(&seed, (uint64_t)last);

				if (place > last)
					continue;
				line_take_out(fresh, place);
				waits[place] = false;
			}
			line_finish(fresh);
			line_release(line);
			line = fresh;
			check(line, last);
		}
		line_release(line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_line),
		cmocka_unit_test(a_line_that_nobody_waits_in),
		cmocka_unit_test(it_begins_with_the_first_that_waits),
		cmocka_unit_test(a_renewed_line_leaves_the_old_one_as_it_was),
		cmocka_unit_test(it_is_shared),
		cmocka_unit_test(any_day_of_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
