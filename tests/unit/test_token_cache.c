/* The cache of verified tokens: what was put there is found, and nothing else. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "token_cache.h"

static struct token_cache *cache;

static int begin(void **state)
{
	(void)state;
	return token_cache_new(&cache, 100) == ERR_OK ? 0 : 1;
}

static int end(void **state)
{
	(void)state;
	token_cache_free(cache);
	return 0;
}

static void what_was_put_there_is_found(void **state)
{
	const struct queue_token put = {.ticket = 42, .issued_s = 1, .expires_s = 2};
	struct queue_token found = {0};

	(void)state;
	assert_false(token_cache_find(cache, "a.b.c", &found));
	token_cache_put(cache, "a.b.c", &put);
	assert_true(token_cache_find(cache, "a.b.c", &found));
	assert_int_equal(found.ticket, 42);
	assert_int_equal(found.expires_s, 2);
}

/* The same signature under another head or body is another token. */
static void every_byte_counts(void **state)
{
	const char text[] = "header.body.0123456789012345678901234567890123456789";
	const struct queue_token put = {.ticket = 42};
	struct queue_token found = {0};
	char altered[sizeof text];

	(void)state;
	token_cache_put(cache, text, &put);
	for (size_t i = 0; i + 1 < sizeof text; i++) {
		memcpy(altered, text, sizeof text);
		altered[i] ^= 1;
		assert_false(token_cache_find(cache, altered, &found));
	}
	assert_false(token_cache_find(cache, text + 1, &found));
	assert_false(token_cache_find(cache, "", &found));
	assert_int_equal(found.ticket, 0);
}

static void many_push_out_the_old_and_are_never_mixed_up(void **state)
{
	struct queue_token token;
	char text[64];
	unsigned kept = 0;

	(void)state;
	for (int64_t i = 1; i <= 5000; i++) {
		snprintf(text, sizeof text, "head.body.%lld", (long long)i * 7919);
		token_cache_put(cache, text, &(struct queue_token){.ticket = i});
	}
	for (int64_t i = 1; i <= 5000; i++) {
		snprintf(text, sizeof text, "head.body.%lld", (long long)i * 7919);
		if (!token_cache_find(cache, text, &token))
			continue;
		assert_int_equal(token.ticket, i);
		kept++;
	}
	assert_in_range(kept, 64, 128);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_there_is_found),
		TEST(every_byte_counts),
		TEST(many_push_out_the_old_and_are_never_mixed_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
