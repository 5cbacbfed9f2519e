/* The draw: its arithmetic against frozen values, and that it favours no place. */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define SEEDS 20000
#define TICKETS 12

static const uint8_t secret[DRAW_DIGEST_SIZE] = {1, 2, 3};

static void assert_hex(const uint8_t bytes[static DRAW_DIGEST_SIZE], const char *digits)
{
	char text[2 * DRAW_DIGEST_SIZE + 1];

	for (size_t i = 0; i < DRAW_DIGEST_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	assert_string_equal(text, digits);
}

/* Made with Python's hashlib: whatever changes here makes published draws wrong. */
static void it_is_what_it_was_published_to_be(void **state)
{
	uint8_t commitment[DRAW_DIGEST_SIZE], digest[DRAW_DIGEST_SIZE], seed[DRAW_DIGEST_SIZE];
	const struct id users[] = {{{0xAA, 1}}, {{0xAA, 2}}, {{0xAA, 3}}};
	struct draw_roster *roster = draw_roster_begin();
	int64_t places[5];

	(void)state;
	assert_non_null(roster);
	draw_commit(secret, commitment);
	assert_hex(commitment, "1ac2f192702849e03dfe5c31ec66a4f6408b5eb16cc02f1583ce713b22be92ed");
	for (int64_t i = 0; i < 3; i++)
		draw_roster_add(roster, 41 + i, &users[i]);
	draw_roster_end(roster, digest);
	assert_hex(digest, "d2fd2e823e7ca89b28001984853822a49e1e4f4b189ee90edaf56e379d4ea1d0");
	draw_seed(secret, digest, "drand 한 42", seed);
	assert_hex(seed, "8d844968a2ecef7776d6d7e5d4dad1a53a6ecbc80fbdf987648b3e97a2bbb4a3");
	assert_int_equal(draw_order(seed, 41, 5, places), ERR_OK);
	static const int64_t expected[] = {41, 44, 42, 45, 43};
	assert_memory_equal(places, expected, sizeof places);
}

static void everybody_gets_one_place(void **state)
{
	static int64_t places[100000];
	static bool is_taken[100000];

	(void)state;
	assert_int_equal(draw_order(secret, 1001, 100000, places), ERR_OK);
	for (size_t i = 0; i < 100000; i++) {
		assert_in_range(places[i], 1001, 101000);
		assert_false(is_taken[places[i] - 1001]);
		is_taken[places[i] - 1001] = true;
	}
	assert_int_equal(draw_order(secret, 1, 0, places), ERR_OK);
}

static void another_value_is_another_order(void **state)
{
	uint8_t one[DRAW_DIGEST_SIZE], other[DRAW_DIGEST_SIZE];

	(void)state;
	draw_seed(secret, secret, "1", one);
	draw_seed(secret, secret, "2", other);
	assert_memory_not_equal(one, other, sizeof one);
}

/* Chi-square over how often each ticket got each place: each of the 144 counts is expected to be
 * 20,000 / 12. With (12 - 1) x (12 - 1) degrees of freedom the sum is above 179 once in a thousand.
 */
static void no_place_is_favoured(void **state)
{
	static unsigned counts[TICKETS][TICKETS];
	const double expected = (double)SEEDS / TICKETS;
	double sum = 0;

	(void)state;
	for (unsigned i = 0; i < SEEDS; i++) {
		uint8_t seed[DRAW_DIGEST_SIZE];
		int64_t places[TICKETS];
		char value[16];

		snprintf(value, sizeof value, "%u", i);
		draw_seed(secret, secret, value, seed);
		assert_int_equal(draw_order(seed, 1, TICKETS, places), ERR_OK);
		for (size_t ticket = 0; ticket < TICKETS; ticket++)
			counts[ticket][places[ticket] - 1]++;
	}
	for (size_t ticket = 0; ticket < TICKETS; ticket++)
		for (size_t place = 0; place < TICKETS; place++) {
			double off = counts[ticket][place] - expected;

			sum += off * off / expected;
		}
	printf("# chi-square %.1f with 121 degrees of freedom\n", sum);
	assert_true(sum < 179 && sum > 75);
}

static void states_have_names(void **state)
{
	(void)state;
	for (unsigned each = DRAW_JOINING; each <= DRAW_DRAWN; each++)
		assert_int_equal(draw_state_from(draw_state_name((enum draw_state)each)), each);
	assert_int_equal(draw_state_from("lost"), DRAW_DRAWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_it_was_published_to_be),
		cmocka_unit_test(everybody_gets_one_place),
		cmocka_unit_test(another_value_is_another_order),
		cmocka_unit_test(no_place_is_favoured),
		cmocka_unit_test(states_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
