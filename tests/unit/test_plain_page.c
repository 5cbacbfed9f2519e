/* Plain pages: the language is the one liked best, and nothing from outside becomes markup. */
#include "unit.h"

#include <string.h>

#include "plain_page.h"

static void the_language_liked_best_is_spoken(void **state)
{
	static const struct {
		const char *accept;
		enum plain_language language;
	} cases[] = {
		{NULL, PLAIN_ENGLISH},
		{"", PLAIN_ENGLISH},
		{"ko", PLAIN_KOREAN},
		{"KO-kr", PLAIN_KOREAN},
		{"ko-KR,ko;q=0.9,en;q=0.8", PLAIN_KOREAN},
		{"en;q=0.5, ko;q=0.75", PLAIN_KOREAN},
		{"ko;q=0.5,en", PLAIN_ENGLISH},
		{"fr,de;q=0.9", PLAIN_ENGLISH},
		{"ko;q=0", PLAIN_ENGLISH},
		{"kok", PLAIN_ENGLISH},
		{"fr, ko ; q=0.1", PLAIN_KOREAN},
		{"ko;q=9,en;q=0.1", PLAIN_ENGLISH},
		{",,,;;=,ko", PLAIN_KOREAN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(plain_page_language(cases[i].accept), cases[i].language);
}

static void markup_is_escaped(void **state)
{
	struct text out = {0};

	(void)state;
	plain_page_escape("<a href=\"x\" b='y'>&", &out);
	assert_string_equal(out.bytes, "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
	text_fini(&out);
}

static void a_waiting_page_tells_place_and_wait_and_no_token(void **state)
{
	struct place place = {.position = 42, .eta_known = true, .eta_s = 61, .poll_ms = 2100};
	struct text out = {0};

	(void)state;
	strcpy(place.message, "<b>late</b>");
	plain_page_place(PLAIN_ENGLISH, &place, "secret", &out);
	assert_non_null(strstr(out.bytes, "content=\"3\""));
	assert_non_null(strstr(out.bytes, "<dd>42</dd>"));
	assert_non_null(strstr(out.bytes, "<dd>41</dd>"));
	assert_non_null(strstr(out.bytes, "<dd>2 min.</dd>"));
	assert_non_null(strstr(out.bytes, "&lt;b&gt;late&lt;/b&gt;"));
	assert_null(strstr(out.bytes, "secret"));
	text_fini(&out);
}

static void an_admitted_page_tells_the_token_and_its_end(void **state)
{
	struct place place = {.active = true, .poll_ms = 10000, .expires_us = 2000000};
	struct text out = {0};

	(void)state;
	plain_page_place(PLAIN_KOREAN, &place, "secret", &out);
	assert_non_null(strstr(out.bytes, "lang=\"ko\""));
	assert_non_null(strstr(out.bytes, "<dd>1970-01-01 00:00:02 UTC</dd>"));
	assert_non_null(strstr(out.bytes, "<code id=\"token\">secret</code>"));
	text_fini(&out);
}

static void a_busy_page_sends_the_same_join_again(void **state)
{
	const struct plain_form form = {.name = "\"<me>", .key = "k"};
	struct text out = {0};

	(void)state;
	plain_page_failure(PLAIN_ENGLISH, ERR_UNAVAILABLE, &form, &out);
	assert_non_null(strstr(out.bytes, "name=\"name\" value=\"&quot;&lt;me&gt;\""));
	assert_non_null(strstr(out.bytes, "name=\"key\" value=\"k\""));
	assert_null(strstr(out.bytes, "http-equiv"));
	text_clear(&out);
	plain_page_failure(PLAIN_ENGLISH, ERR_UNAVAILABLE, &(struct plain_form){0}, &out);
	assert_non_null(strstr(out.bytes, "http-equiv=\"refresh\""));
	text_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_language_liked_best_is_spoken),
		cmocka_unit_test(markup_is_escaped),
		cmocka_unit_test(a_waiting_page_tells_place_and_wait_and_no_token),
		cmocka_unit_test(an_admitted_page_tells_the_token_and_its_end),
		cmocka_unit_test(a_busy_page_sends_the_same_join_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
