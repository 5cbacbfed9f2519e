/* What may become of a ticket, by the names that the database has. */
#include "unit.h"

#include "ticket.h"

static void every_status_has_its_name(void **state)
{
	(void)state;
	for (unsigned status = TICKET_WAITING; status <= TICKET_LEFT; status++)
		assert_int_equal(ticket_status_from(ticket_status_name((enum ticket_status)status)),
				 status);
	assert_string_equal(ticket_status_name(TICKET_ACTIVE), "ACTIVE");
}

static void nobody_acts_with_a_status_that_is_not_known(void **state)
{
	(void)state;
	assert_int_equal(ticket_status_from("NEW"), TICKET_EXPIRED);
	assert_int_equal(ticket_status_from(""), TICKET_EXPIRED);
}

static void who_was_passed_by_is_in_the_line(void **state)
{
	(void)state;
	for (unsigned status = TICKET_WAITING; status <= TICKET_LEFT; status++)
		assert_int_equal(ticket_is_in_line((enum ticket_status)status),
				 status == TICKET_WAITING || status == TICKET_ASIDE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_name),
		cmocka_unit_test(nobody_acts_with_a_status_that_is_not_known),
		cmocka_unit_test(who_was_passed_by_is_in_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
