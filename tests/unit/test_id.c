/* Ids: made, read, written, compared. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "id.h"

#define THREADS 4
#define PER_THREAD 5000

static const char sample[] = "0123abcd-4567-89ef-8001-a0b1c2d3e4f5";

/* The clock of id.c (the linker's --wrap): this time when it is set, else the real one. */
static struct timespec fake_now;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);

int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	if (fake_now.tv_sec == 0)
		return __real_clock_gettime(clock, now);
	*now = fake_now;
	return 0;
}

static void an_id_is_read_as_it_is_written(void **state)
{
	struct id id;
	struct id again;
	char text[ID_TEXT_SIZE];
	char hex[ID_HEX_SIZE];

	(void)state;
	assert_true(id_parse(sample, 36, &id));
	id_format(&id, text);
	assert_string_equal(text, sample);
	id_format_hex(&id, hex);
	assert_string_equal(hex, "0123ABCD456789EF8001A0B1C2D3E4F5");
	assert_true(id_parse_hex(hex, 32, &again));
	assert_true(id_equal(&id, &again));
}

static void either_case_is_one_id(void **state)
{
	struct id lower;
	struct id upper;

	(void)state;
	assert_true(id_parse(sample, 36, &lower));
	assert_true(id_parse("0123ABCD-4567-89EF-8001-A0B1C2D3E4F5", 36, &upper));
	assert_true(id_equal(&lower, &upper));
}

static void text_that_is_no_id_leaves_the_id_untouched(void **state)
{
	static const char *const bad[] = {
		"",
		"0123abcd-4567-89ef-8001-a0b1c2d3e4f",
		"0123abcd-4567-89ef-8001-a0b1c2d3e4f5a",
		"0123abcd_4567-89ef-8001-a0b1c2d3e4f5",
		"0123abcd4-567-89ef-8001-a0b1c2d3e4f5",
		"g123abcd-4567-89ef-8001-a0b1c2d3e4f5",
		"0123abcd-4567-89ef-8001-a0b1c2d3e4f ",
		"{123abcd-4567-89ef-8001-a0b1c2d3e4f}",
		"0123abcd-4567-89ef-8001-a0b1c2d3e4-5",
	};
	struct id id = {{7}};
	struct id before = id;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(id_parse(bad[i], strlen(bad[i]), &id));
	assert_false(id_parse_hex(sample, 36, &id));
	assert_false(id_parse_hex("0123ABCD456789EF8001A0B1C2D3E4F", 31, &id));
	assert_false(id_parse_hex("0123ABCD456789EF8001A0B1C2D3E4FX", 32, &id));
	assert_true(id_equal(&id, &before));
}

static void assert_layout(const struct id *id, int version)
{
	assert_int_equal(id->bytes[6] >> 4, version);
	assert_int_equal(id->bytes[8] >> 6, 2);
}

static void random_ids_are_version_4_and_differ(void **state)
{
	struct id a = id_random();
	struct id b = id_random();

	(void)state;
	assert_layout(&a, 4);
	assert_false(id_equal(&a, &b));
}

static void an_ordered_id_begins_with_the_time_in_milliseconds(void **state)
{
	int64_t now_ms = (int64_t)time(NULL) * 1000;
	struct id id = id_ordered();
	int64_t ms = 0;

	(void)state;
	assert_layout(&id, 7);
	for (int i = 0; i < 6; i++)
		ms = ms * 256 + id.bytes[i];
	assert_true(ms >= now_ms - 1000 && ms <= now_ms + 60000);
}

static void an_id_of_a_moment_is_told_by_the_two(void **state)
{
	const uint8_t zeroes[16] = {0}, ones[16] = {[0 ... 15] = 0xFF};
	struct id low = id_at(0x0123456789AB, zeroes), high = id_at(0x0123456789AB, ones);
	char text[ID_TEXT_SIZE];

	(void)state;
	id_format(&low, text);
	assert_string_equal(text, "01234567-89ab-7000-8000-000000000000");
	id_format(&high, text);
	assert_string_equal(text, "01234567-89ab-7fff-bfff-ffffffffffff");
}

static void ordered_ids_ascend(void **state)
{
	struct id before = id_ordered();

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct id id = id_ordered();

		assert_true(id_compare(&before, &id) < 0);
		before = id;
	}
}

static void ordered_ids_ascend_though_the_clock_stands_still_or_steps_back(void **state)
{
	struct id before = id_ordered();

	(void)state;
	clock_gettime(CLOCK_REALTIME, &fake_now);
	for (int i = 0; i < 1000; i++) {
		struct id id = id_ordered();

		assert_true(id_compare(&before, &id) < 0);
		before = id;
		if (i == 500)
			fake_now.tv_sec -= 3600;
	}
	fake_now.tv_sec = 0;
}

static void *make_ids(void *arg)
{
	struct id *ids = arg;

	for (int i = 0; i < PER_THREAD; i++)
		ids[i] = id_ordered();
	return NULL;
}

static int compare_ids(const void *a, const void *b)
{
	return id_compare(a, b);
}

static void ordered_ids_of_many_threads_ascend_in_each_and_never_meet(void **state)
{
	static struct id ids[THREADS * PER_THREAD];
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, make_ids, &ids[i * PER_THREAD]),
				 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 1; i < THREADS * PER_THREAD; i++) {
		if (i % PER_THREAD != 0)
			assert_true(id_compare(&ids[i - 1], &ids[i]) < 0);
	}
	/* The first eight bytes, time and counter, are unique by themselves. */
	qsort(ids, THREADS * PER_THREAD, sizeof(ids[0]), compare_ids);
	for (int i = 1; i < THREADS * PER_THREAD; i++)
		assert_true(memcmp(ids[i - 1].bytes, ids[i].bytes, 8) < 0);
}

static void the_same_parts_make_the_same_id(void **state)
{
	static const char *const parts[] = {"user", "call", "key"};
	struct id a = id_from_parts(parts, 3);
	struct id b = id_from_parts(parts, 3);
	char text[ID_TEXT_SIZE];

	(void)state;
	assert_layout(&a, 5);
	assert_true(id_equal(&a, &b));
	/* Stored ids are compared with this: it must never change. */
	id_format(&a, text);
	assert_string_equal(text, "0b58b31b-5426-5d17-9cca-d1ab22876bfd");
}

static void parts_cut_elsewhere_make_another_id(void **state)
{
	static const char *const a[] = {"ab", "c"};
	static const char *const b[] = {"a", "bc"};
	static const char *const c[] = {"ab", "c", ""};
	static const char *const d[] = {"2:ab1:c"};
	struct id ids[] = {id_from_parts(a, 2), id_from_parts(b, 2), id_from_parts(c, 3),
			   id_from_parts(d, 1), id_from_parts(NULL, 0)};

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		for (size_t j = i + 1; j < 5; j++)
			assert_false(id_equal(&ids[i], &ids[j]));
	}
}

static void ids_compare_byte_by_byte_from_the_left(void **state)
{
	struct id low = {{0, 0xff}};
	struct id high = {{1}};

	(void)state;
	assert_true(id_compare(&low, &high) < 0);
	assert_true(id_compare(&high, &low) > 0);
	assert_int_equal(id_compare(&low, &low), 0);
}

static void neighbouring_ids_spread_over_a_small_table(void **state)
{
	unsigned used[64] = {0};
	unsigned empty = 0;

	(void)state;
	for (unsigned i = 0; i < 1024; i++) {
		struct id id = {{0}};

		id.bytes[15] = (uint8_t)i;
		id.bytes[14] = (uint8_t)(i >> 8);
		used[id_hash(&id) % 64]++;
	}
	for (unsigned i = 0; i < 64; i++)
		empty += used[i] == 0 || used[i] > 48;
	assert_int_equal(empty, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_read_as_it_is_written),
		cmocka_unit_test(either_case_is_one_id),
		cmocka_unit_test(text_that_is_no_id_leaves_the_id_untouched),
		cmocka_unit_test(random_ids_are_version_4_and_differ),
		cmocka_unit_test(an_ordered_id_begins_with_the_time_in_milliseconds),
		cmocka_unit_test(an_id_of_a_moment_is_told_by_the_two),
		cmocka_unit_test(ordered_ids_ascend),
		cmocka_unit_test(ordered_ids_ascend_though_the_clock_stands_still_or_steps_back),
		cmocka_unit_test(ordered_ids_of_many_threads_ascend_in_each_and_never_meet),
		cmocka_unit_test(the_same_parts_make_the_same_id),
		cmocka_unit_test(parts_cut_elsewhere_make_another_id),
		cmocka_unit_test(ids_compare_byte_by_byte_from_the_left),
		cmocka_unit_test(neighbouring_ids_spread_over_a_small_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
