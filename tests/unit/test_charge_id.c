/* Ids of imported charges: the values are those of PROTOCOL.md's Python. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "charge_id.h"

static struct id id_of(enum charge_naming naming, const char *source, const char *name)
{
	struct charge_source made;
	charge_source_init(&made, naming, source);
	return charge_id(&made, name, strlen(name));
}

static void an_id_is_what_the_protocol_says(void **state)
{
	static const struct {
		enum charge_naming naming;
		const char *source, *name, *id;
	} known[] = {
		{CHARGE_BY_REFERENCE, "payroll", "A-000123",
		 "b49d0300-0000-81ec-983a-0c19fded351c"},
		{CHARGE_BY_REFERENCE, "payroll", "A-000124",
		 "b49d0300-0000-81f0-b8ff-9ee038aa559d"},
		{CHARGE_BY_REFERENCE, "payroll", "none", "b49d03ab-3388-823f-8f52-a6683c116313"},
		{CHARGE_BY_REFERENCE, "payroll", "99999999999999",
		 "b49d0395-02f8-8fff-9255-44f43eee2ef3"},
		{CHARGE_BY_ROW, "may-2026", "1", "45c47100-0000-8005-b8da-499aee158a44"},
		{CHARGE_BY_ROW, "payroll", "7", "0bcccd00-0000-801d-b317-21ed14f26a3b"},
		{CHARGE_BY_REFERENCE, "payroll", "7", "b49d0300-0000-801f-aba8-36a1593ee111"},
		{CHARGE_BY_REFERENCE, "급여", "참조 12", "47705900-0000-8031-979b-f881438d1996"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		char text[ID_TEXT_SIZE];
		struct id id = id_of(known[i].naming, known[i].source, known[i].name);
		id_format(&id, text);
		assert_string_equal(text, known[i].id);
	}
}

static void ids_ascend_with_the_number_at_the_end(void **state)
{
	struct id last = id_of(CHARGE_BY_REFERENCE, "s", "INV-000000");
	char name[32];
	(void)state;
	for (int i = 1; i < 5000; i++) {
		snprintf(name, sizeof name, "INV-%06d", i);
		struct id id = id_of(CHARGE_BY_REFERENCE, "s", name);
		assert_true(id_compare(&last, &id) < 0);
		last = id;
	}
}

static void names_that_end_in_the_same_number_have_ids_of_their_own(void **state)
{
	struct id one = id_of(CHARGE_BY_REFERENCE, "s", "A7");
	struct id other = id_of(CHARGE_BY_REFERENCE, "s", "B7");
	struct id padded = id_of(CHARGE_BY_REFERENCE, "s", "A07");
	(void)state;
	assert_false(id_equal(&one, &other));
	assert_false(id_equal(&one, &padded));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_what_the_protocol_says),
		cmocka_unit_test(ids_ascend_with_the_number_at_the_end),
		cmocka_unit_test(names_that_end_in_the_same_number_have_ids_of_their_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
