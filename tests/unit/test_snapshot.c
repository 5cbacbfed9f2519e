/* Snapshots and the queue check: what is live is judged by the database's clock going on. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "snapshot.h"

#define SECOND INT64_C(1000000)
#define CLOCK (INT64_C(1790000000) * SECOND) /* the database's, when the snapshot was taken */

static const struct id fan = {{1}};
static const struct id stranger = {{2}};

#define FILL(list, ...)                                                                            \
	do {                                                                                       \
		__typeof__(*(list).items) items_[] = {__VA_ARGS__};                                \
                                                                                                   \
		(list).items = malloc(sizeof items_);                                              \
		assert_non_null((list).items);                                                     \
		memcpy((list).items, items_, sizeof items_);                                       \
		(list).count = (list).capacity = sizeof items_ / sizeof *items_;                   \
	} while (0)

/* Ten were let in, and 13 left; 20 was the last to come. */
static struct line *new_line(void)
{
	struct line *line = line_new(20);

	assert_non_null(line);
	for (int64_t place = 11; place <= 20; place++)
		if (place != 13)
			line_wait(line, place);
	line_finish(line);
	return line;
}

static int set_up(void **state)
{
	struct snapshot *s = snapshot_new();

	assert_non_null(s);
	s->clock_us = CLOCK;
	s->taken_us = 100 * SECOND;
	s->gate = (struct snapshot_gate){.served = 10, .per_minute = 60, .near = 12};
	s->line = new_line();
	s->lots = lots_new(0);
	FILL(s->tickets, {.number = 9, .user = fan, .expires_us = CLOCK + 60 * SECOND},
	     {.number = 3, .user = fan, .expires_us = CLOCK + SECOND, .is_expected = true});
	FILL(s->concerts, {.id = 2, .name = "b"}, {.id = 1, .name = "a"});
	FILL(s->schedules, {.id = 5, .concert = 1}, {.id = 4, .concert = 2});
	FILL(s->seats, {.id = 12, .schedule = 5}, {.id = 11, .schedule = 4},
	     {.id = 10, .schedule = 5});
	snapshot_finish(s);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	snapshot_release(*state);
	return 0;
}

static enum admission judge(const struct snapshot *s, int64_t number, struct id user,
			    int64_t passed_us, struct place *place)
{
	struct queue_token token = {.user = user, .ticket = number};

	return admission_judge(s, &token, s->taken_us + passed_us, place);
}

static void its_clock_goes_on(void **state)
{
	const struct snapshot *s = *state;

	assert_int_equal(snapshot_time_us(s, s->taken_us), CLOCK);
	assert_int_equal(snapshot_time_us(s, s->taken_us + 5), CLOCK + 5);
}

static void lists_are_found_by_id(void **state)
{
	const struct snapshot *s = *state;
	size_t count;

	assert_int_equal(snapshot_ticket(s, 9)->number, 9);
	assert_null(snapshot_ticket(s, 4));
	assert_string_equal(snapshot_concert(s, 1)->name, "a");
	assert_null(snapshot_concert(s, 3));
	assert_int_equal(snapshot_schedule(s, 4)->concert, 2);
	assert_int_equal(snapshot_seats(s, 5, &count)[0].id, 10);
	assert_int_equal(count, 2);
	assert_null(snapshot_seats(s, 6, &count));
	assert_int_equal(count, 0);
}

static void an_empty_one_finds_nothing(void **state)
{
	struct snapshot *empty = snapshot_new();
	size_t count;

	(void)state;
	assert_non_null(empty);
	snapshot_finish(empty);
	assert_null(snapshot_ticket(empty, 1));
	assert_null(snapshot_seats(empty, 1, &count));
	snapshot_release(empty);
}

static void a_hold_ends_at_its_time(void **state)
{
	struct snapshot_seat seat = {.hold = SNAPSHOT_PENDING, .hold_expires_us = 50};

	(void)state;
	assert_true(snapshot_seat_is_taken(&seat, 49));
	assert_false(snapshot_seat_is_taken(&seat, 50));
	seat.hold = SNAPSHOT_PAID;
	assert_true(snapshot_seat_is_taken(&seat, 51));
	seat.hold = SNAPSHOT_FREE;
	assert_false(snapshot_seat_is_taken(&seat, 49));
}

static void an_admitted_ticket_is_active_until_its_time(void **state)
{
	struct place place = {0};

	assert_int_equal(judge(*state, 3, fan, 0, &place), ADMISSION_ACTIVE);
	assert_true(place.active);
	assert_int_equal(place.expires_us, CLOCK + SECOND);
	assert_int_equal(judge(*state, 3, fan, SECOND - 1, &place), ADMISSION_ACTIVE);
	assert_int_equal(judge(*state, 3, fan, SECOND, &place), ADMISSION_GONE);
}

static void calls_count_near_the_head_and_until_the_arrival(void **state)
{
	struct place place = {0};

	judge(*state, 3, fan, 0, &place);
	assert_true(place.sign_counts);
	judge(*state, 9, fan, 0, &place);
	assert_false(place.sign_counts); /* it has arrived */
	judge(*state, 12, fan, 0, &place);
	assert_true(place.sign_counts);
	judge(*state, 14, fan, 0, &place);
	assert_false(place.sign_counts);
}

static void a_number_beyond_the_served_waits(void **state)
{
	struct place place = {0};

	assert_int_equal(judge(*state, 12, fan, 0, &place), ADMISSION_WAITING);
	assert_int_equal(place.position, 2);
	assert_int_equal(judge(*state, 15, fan, 0, &place), ADMISSION_WAITING);
	assert_int_equal(place.position, 4); /* without the one that left */
	assert_int_equal(place.eta_s, 4);
	assert_true(place.eta_known);
	assert_int_equal(judge(*state, 21, fan, 0, &place), ADMISSION_WAITING);
	assert_int_equal(place.position, 10); /* newer than the snapshot */
}

static void a_paused_gate_knows_no_wait(void **state)
{
	struct snapshot *s = *state;
	struct place place = {0};

	s->gate.state = POLICY_PAUSED;
	strcpy(s->gate.message, "a short break");
	assert_int_equal(judge(s, 15, fan, 0, &place), ADMISSION_WAITING);
	assert_false(place.eta_known);
	assert_int_equal(place.gate, POLICY_PAUSED);
	assert_string_equal(place.message, "a short break");
}

static void a_ticket_in_a_draw_has_no_place_until_it_is_drawn(void **state)
{
	static const uint8_t seed[DRAW_DIGEST_SIZE] = {7};
	struct snapshot *s = *state;
	struct place place = {0};

	s->gate.last_ticket = 20;
	s->draw = (struct draw_record){
		.id = 1, .state = DRAW_JOINING, .first = 15, .opens_us = CLOCK + 100 * SECOND};
	assert_int_equal(judge(s, 15, fan, 0, &place), ADMISSION_WAITING);
	assert_true(place.number == 0 && place.position == 0 && !place.sign_counts);
	assert_true(place.opens_us == s->draw.opens_us);
	assert_in_range(place.poll_ms, 10000, 11250);
	judge(s, 14, fan, 0, &place);
	assert_int_equal(place.number, 14);
	/* Newer than the snapshot: by the time. */
	judge(s, 25, fan, 99 * SECOND, &place);
	assert_int_equal(place.number, 0);
	judge(s, 25, fan, 100 * SECOND, &place);
	assert_int_equal(place.number, 25);
	s->draw.state = DRAW_CLOSED;
	s->draw.last = 18;
	judge(s, 18, fan, 0, &place);
	assert_int_equal(place.number, 0);
	judge(s, 19, fan, 0, &place);
	assert_int_equal(place.number, 19);
	assert_int_equal(place.position, 8); /* behind everybody in the draw */
	s->draw.state = DRAW_DRAWN;
	assert_int_equal(lots_add(s->lots, 15, 18, seed), ERR_OK);
	for (int64_t ticket = 15, places = 0; ticket <= 18; ticket++) {
		judge(s, ticket, fan, 0, &place);
		assert_in_range(place.number, 15, 18);
		places |= 1 << place.number;
		assert_true(ticket < 18 || places == 15 << 15);
	}
	assert_int_equal(lots_add(s->lots, 18, 15, seed), ERR_DB_DATA);
	assert_int_equal(lots_add(s->lots, 0, 15, seed), ERR_DB_DATA);
}

static void sell(struct snapshot *s, size_t seat, enum snapshot_hold hold, int64_t until_us)
{
	s->seats.items[seat].hold = hold;
	s->seats.items[seat].hold_expires_us = until_us;
	snapshot_finish(s);
}

static void what_is_left_to_buy_is_summed_up(void **state)
{
	struct snapshot *s = *state;

	assert_int_equal(s->sale.state, SALE_AVAILABLE); /* none of them was ever sold */
	s->seats.items[2].is_active = true;
	sell(s, 0, SNAPSHOT_PAID, 0);
	assert_int_equal(s->sale.state, SALE_AVAILABLE);
	sell(s, 2, SNAPSHOT_PENDING, CLOCK + 2 * SECOND);
	assert_int_equal(s->sale.state, SALE_ALL_HELD); /* the other is not on sale */
	assert_int_equal(s->sale.held, 1);
	assert_true(s->sale.next_us == CLOCK + 2 * SECOND);
	sell(s, 1, SNAPSHOT_PENDING, CLOCK + SECOND);
	assert_int_equal(s->sale.held, 2);
	assert_true(s->sale.next_us == CLOCK + SECOND);
	sell(s, 2, SNAPSHOT_PENDING, CLOCK); /* over */
	assert_int_equal(s->sale.state, SALE_AVAILABLE);
	sell(s, 1, SNAPSHOT_PAID, 0);
	sell(s, 2, SNAPSHOT_PAID, 0);
	assert_int_equal(s->sale.state, SALE_SOLD_OUT);
	assert_int_equal(s->sale.held, 0);
}

static void a_number_that_waits_no_more_and_is_not_live_is_gone(void **state)
{
	struct place place = {0};

	assert_int_equal(judge(*state, 10, fan, 0, &place), ADMISSION_GONE);
	assert_int_equal(judge(*state, 13, fan, 0, &place), ADMISSION_GONE);
	assert_int_equal(judge(*state, 11, fan, 0, &place), ADMISSION_WAITING);
}

static void a_ticket_of_somebody_else_is_foreign(void **state)
{
	struct place place = {0};

	assert_int_equal(judge(*state, 9, stranger, 0, &place), ADMISSION_FOREIGN);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(its_clock_goes_on),
		TEST(lists_are_found_by_id),
		TEST(an_empty_one_finds_nothing),
		TEST(a_hold_ends_at_its_time),
		TEST(an_admitted_ticket_is_active_until_its_time),
		TEST(calls_count_near_the_head_and_until_the_arrival),
		TEST(a_number_beyond_the_served_waits),
		TEST(a_paused_gate_knows_no_wait),
		TEST(a_ticket_in_a_draw_has_no_place_until_it_is_drawn),
		TEST(what_is_left_to_buy_is_summed_up),
		TEST(a_number_that_waits_no_more_and_is_not_live_is_gone),
		TEST(a_ticket_of_somebody_else_is_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
