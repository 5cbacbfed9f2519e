/* Maps of seats: states, whose a seat is, and the messages that lead from one map to the next. */
#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "seat_map.h"

#define SCHEDULE 7
#define MANY 1001

static struct text out;

static int end(void **state)
{
	(void)state;
	text_fini(&out);
	return 0;
}

static struct snapshot *map_of(const struct snapshot_seat *seats, size_t count)
{
	struct snapshot *snapshot = snapshot_new();

	assert_non_null(snapshot);
	snapshot->seats.items = calloc(count, sizeof *seats);
	assert_non_null(snapshot->seats.items);
	memcpy(snapshot->seats.items, seats, count * sizeof *seats);
	snapshot->seats.count = snapshot->seats.capacity = count;
	snapshot_finish(snapshot);
	return snapshot;
}

#define SEAT(id_, version_, ...)                                                                   \
	{                                                                                          \
		.id = (id_), .schedule = SCHEDULE, .price = 5, .is_active = true,                  \
		.version = (version_), __VA_ARGS__                                                 \
	}
#define MAP(...)                                                                                   \
	map_of((const struct snapshot_seat[]){__VA_ARGS__},                                        \
	       sizeof((const struct snapshot_seat[]){__VA_ARGS__}) / sizeof(struct snapshot_seat))

static void a_map_has_states_and_owners_in_the_order_of_numbers(void **state)
{
	struct snapshot *map =
		MAP(SEAT(1, 1, .number = "10", .hold = SNAPSHOT_PAID, .user_number = 3),
		    SEAT(2, 1, .number = "9", .hold = SNAPSHOT_PENDING, .user_number = 4),
		    SEAT(3, 6, .number = "2", .hold = SNAPSHOT_PENDING, .user_number = 3,
			 .is_overdue = true),
		    {.id = 4, .schedule = SCHEDULE, .number = "1", .price = 5},
		    {.id = 5, .schedule = 8});

	(void)state;
	text_clear(&out);
	seat_map_write(map, SCHEDULE, 3, &out);
	assert_string_equal(
		out.bytes,
		"{\"version\":8,\"seats\":["
		"{\"id\":4,\"seatNumber\":\"1\",\"price\":5,\"state\":\"closed\",\"mine\":false},"
		"{\"id\":3,\"seatNumber\":\"2\",\"price\":5,\"state\":\"free\",\"mine\":false},"
		"{\"id\":2,\"seatNumber\":\"9\",\"price\":5,\"state\":\"held\",\"mine\":false},"
		"{\"id\":1,\"seatNumber\":\"10\",\"price\":5,\"state\":\"sold\",\"mine\":true}]}");
	assert_int_equal(seat_map_version(map, SCHEDULE), 8);
	assert_int_equal(seat_map_version(map, 9), 0);
	text_clear(&out);
	seat_map_write(map, SCHEDULE, 0, &out);
	assert_null(strstr(out.bytes, "\"mine\":true"));
	snapshot_release(map);
}

static struct snapshot *map_for_sale(void)
{
	struct snapshot *map = snapshot_new();

	assert_non_null(map);
	map->schedules.items = calloc(2, sizeof *map->schedules.items);
	map->seats.items = calloc(3, sizeof *map->seats.items);
	assert_non_null(map->schedules.items);
	assert_non_null(map->seats.items);
	map->schedules.items[0].id = SCHEDULE;
	map->schedules.items[1].id = SCHEDULE + 1;
	map->schedules.count = 2;
	map->seats.items[0] =
		(struct snapshot_seat)SEAT(1, 1, .hold = SNAPSHOT_PAID, .user_number = 3);
	map->seats.items[1] = (struct snapshot_seat)SEAT(2, 1, );
	map->seats.items[2] = (struct snapshot_seat){.id = 3, .schedule = SCHEDULE + 1};
	map->seats.count = 3;
	snapshot_finish(map);
	return map;
}

static const char *map_for(const struct snapshot *map, int64_t schedule, int64_t user_number)
{
	text_clear(&out);
	seat_map_write(map, schedule, user_number, &out);
	return out.bytes;
}

/* Whoever asks first, the owner or another one. */
static void what_is_kept_of_a_map_is_of_nobody_and_of_one_schedule(void **state)
{
	struct snapshot *map = map_for_sale();
	char *common;

	(void)state;
	assert_non_null(strstr(map_for(map, SCHEDULE, 3), "\"mine\":true"));
	assert_null(strstr(map_for(map, SCHEDULE, 4), "\"mine\":true"));
	common = strdup(out.bytes);
	assert_non_null(common);
	assert_non_null(strstr(map_for(map, SCHEDULE, 3), "\"mine\":true"));
	assert_string_equal(map_for(map, SCHEDULE, 0), common);
	assert_non_null(strstr(map_for(map, SCHEDULE + 1, 3), "\"id\":3,"));
	assert_null(strstr(out.bytes, "\"id\":1,"));
	free(common);
	snapshot_release(map);
}

#define READERS 8

static void *read_map(void *arg)
{
	struct text text = {0};

	for (int i = 0; i < 1000; i++) {
		text_clear(&text);
		seat_map_write(arg, SCHEDULE + i % 2, 0, &text);
	}
	text_fini(&text);
	return NULL;
}

static void many_may_be_the_first_to_ask(void **state)
{
	struct snapshot *map = map_for_sale();
	pthread_t threads[READERS];

	(void)state;
	for (int i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_map, map), 0);
	for (int i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	assert_non_null(strstr(map_for(map, SCHEDULE, 0), "\"version\":2,"));
	snapshot_release(map);
}

static const char *step(struct snapshot *old, struct snapshot *map)
{
	map->clock_us = 1000000;
	text_clear(&out);
	seat_map_write_step(old, map, SCHEDULE, &out);
	snapshot_release(old);
	snapshot_release(map);
	return out.bytes;
}

#define MESSAGE(from, to, changes)                                                                 \
	"{\"from\":" from ",\"version\":" to ",\"at\":\"1970-01-01T00:00:01.000000Z\","            \
	"\"changes\":[" changes "]}"

static void a_step_tells_what_changed_alone(void **state)
{
	(void)state;
	assert_string_equal(step(MAP(SEAT(1, 1), SEAT(2, 1), SEAT(3, 1)),
				 MAP(SEAT(1, 5, .hold = SNAPSHOT_PENDING), SEAT(2, 1),
				     {.id = 3, .schedule = SCHEDULE, .price = 5, .version = 2})),
			    MESSAGE("3", "8", "[1,\"held\"],[3,\"closed\"]"));
	/* Over by time, then tidied: another version and the same map. */
	assert_string_equal(step(MAP(SEAT(1, 1, .hold = SNAPSHOT_PENDING, .is_overdue = true)),
				 MAP(SEAT(1, 3))),
			    MESSAGE("1", "3", ""));
}

static void without_an_older_map_a_step_is_a_gap(void **state)
{
	(void)state;
	assert_string_equal(step(NULL, MAP(SEAT(1, 4))), MESSAGE("4", "4", ""));
}

static void the_end_of_the_booking_is_version_zero(void **state)
{
	struct snapshot *nothing = snapshot_new();

	(void)state;
	assert_non_null(nothing);
	assert_string_equal(step(MAP(SEAT(1, 4)), nothing), MESSAGE("0", "0", ""));
}

static void what_a_step_cannot_tell_is_a_gap(void **state)
{
	static struct snapshot_seat many[MANY], sold[MANY];

	(void)state;
	assert_string_equal(step(MAP(SEAT(1, 1)), MAP(SEAT(1, 1), SEAT(2, 1))),
			    MESSAGE("2", "2", ""));
	assert_string_equal(step(MAP(SEAT(1, 1)), MAP(SEAT(2, 3))), MESSAGE("3", "3", ""));
	assert_string_equal(step(MAP(SEAT(1, 1)), MAP({.id = 1,
						       .schedule = SCHEDULE,
						       .price = 6,
						       .is_active = true,
						       .version = 2})),
			    MESSAGE("2", "2", ""));
	for (int i = 0; i < MANY; i++) {
		many[i] = (struct snapshot_seat)SEAT(i + 1, 1);
		sold[i] = (struct snapshot_seat)SEAT(i + 1, 2, .hold = SNAPSHOT_PAID);
	}
	assert_string_equal(step(map_of(many, MANY), map_of(sold, MANY)),
			    MESSAGE("2002", "2002", ""));
	assert_non_null(strstr(step(map_of(many, MANY - 1), map_of(sold, MANY - 1)),
			       "{\"from\":1000,\"version\":2000,"));
	assert_true(out.length < 65536);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_has_states_and_owners_in_the_order_of_numbers),
		cmocka_unit_test(what_is_kept_of_a_map_is_of_nobody_and_of_one_schedule),
		cmocka_unit_test(many_may_be_the_first_to_ask),
		cmocka_unit_test(a_step_tells_what_changed_alone),
		cmocka_unit_test(without_an_older_map_a_step_is_a_gap),
		cmocka_unit_test(the_end_of_the_booking_is_version_zero),
		cmocka_unit_test(what_a_step_cannot_tell_is_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, end);
}
