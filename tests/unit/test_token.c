/* Tokens: what is ours is taken, and nothing else. Forged tokens are made with libjwt itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>

#include "token.h"

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffeeddccbbaa99887766554433221100FFEEDDCCBBAA99887766554433221100"
#define USER "8c0d0b2e-1f0a-4b8e-9f57-3a2b1c0d9e8f"
#define NOW 1700000000

static struct id id_of(const char *text)
{
	struct id id;

	assert_true(id_parse(text, strlen(text), &id));
	return id;
}

static struct token_keys *keys_of(const char *setting)
{
	struct token_keys *keys = NULL;

	assert_int_equal(token_keys_new(&keys, setting), ERR_OK);
	return keys;
}

static struct queue_token a_token(void)
{
	return (struct queue_token){id_of(USER), 42, NOW, NOW + 60};
}

static void sign(const char *setting, char text[static TOKEN_TEXT_SIZE])
{
	struct token_keys *keys = keys_of(setting);
	const struct queue_token token = a_token();

	assert_int_equal(token_sign_queue(keys, &token, text), ERR_OK);
	token_keys_free(keys);
}

static enum err verify(const char *setting, const char *text, int64_t now_s)
{
	struct token_keys *keys = keys_of(setting);
	struct queue_token token;
	enum err err = token_verify_queue(keys, text, now_s, &token);

	token_keys_free(keys);
	return err;
}

static void a_queue_token_says_what_was_signed(void **state)
{
	struct token_keys *keys = keys_of("a:" HEX_A);
	struct queue_token token = a_token();
	struct queue_token read;
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	token.ticket = JOB_MAX_ID;
	assert_int_equal(token_sign_queue(keys, &token, text), ERR_OK);
	assert_int_equal(token_verify_queue(keys, text, NOW, &read), ERR_OK);
	assert_true(id_equal(&read.user, &token.user));
	assert_int_equal(read.ticket, JOB_MAX_ID);
	assert_int_equal(read.issued_s, NOW);
	assert_int_equal(read.expires_s, NOW + 60);
	token_keys_free(keys);
}

static void a_handle_of_every_kind_says_what_was_signed(void **state)
{
	struct token_keys *keys = keys_of("0123456789abcdef0123456789ABCDEF:" HEX_A);

	(void)state;
	for (int kind = 0; kind < JOB_KIND_COUNT; kind++) {
		const struct job_handle handle = {id_random(),
						  id_random(),
						  (enum job_kind)kind,
						  kind * INT64_C(0x123456789abc) / JOB_KIND_COUNT,
						  NOW,
						  NOW + 60};
		struct job_handle read;
		char text[TOKEN_TEXT_SIZE];
		assert_int_equal(token_sign_handle(keys, &handle, text), ERR_OK);
		assert_int_equal(token_verify_handle(keys, text, NOW, &read), ERR_OK);
		assert_true(id_equal(&read.job, &handle.job));
		assert_true(id_equal(&read.user, &handle.user));
		assert_int_equal(read.kind, kind);
		assert_int_equal(read.content, handle.content);
		assert_int_equal(read.issued_s, NOW);
		assert_int_equal(read.expires_s, NOW + 60);
	}
	token_keys_free(keys);
}

static void a_token_of_one_purpose_does_not_serve_the_other(void **state)
{
	struct token_keys *keys = keys_of("a:" HEX_A);
	const struct job_handle handle = {id_random(), id_random(), JOB_PAY, 7, NOW, NOW + 60};
	const struct queue_token token = a_token();
	struct job_handle read_handle;
	struct queue_token read_token;
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	assert_int_equal(token_sign_handle(keys, &handle, text), ERR_OK);
	assert_int_equal(token_verify_queue(keys, text, NOW, &read_token), ERR_TOKEN_INVALID);
	assert_int_equal(token_sign_queue(keys, &token, text), ERR_OK);
	assert_int_equal(token_verify_handle(keys, text, NOW, &read_handle), ERR_TOKEN_INVALID);
	token_keys_free(keys);
}

static void a_token_ends_at_its_second(void **state)
{
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	sign("a:" HEX_A, text);
	assert_int_equal(verify("a:" HEX_A, text, NOW + 59), ERR_OK);
	assert_int_equal(verify("a:" HEX_A, text, NOW + 60), ERR_TOKEN_EXPIRED);
	assert_int_equal(verify("a:" HEX_A, text, INT64_MAX), ERR_TOKEN_EXPIRED);
}

static void every_altered_character_is_refused(void **state)
{
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	sign("a:" HEX_A, text);
	for (size_t i = 0; i < strlen(text); i++) {
		char was = text[i];
		text[i] = was == 'A' ? 'B' : 'A';
		assert_int_equal(verify("a:" HEX_A, text, NOW), ERR_TOKEN_INVALID);
		text[i] = was;
	}
	assert_int_equal(verify("a:" HEX_A, text, NOW), ERR_OK);
}

static void every_truncated_or_lengthened_token_is_refused(void **state)
{
	char text[TOKEN_TEXT_SIZE];
	char other[TOKEN_TEXT_SIZE + 8];

	(void)state;
	sign("a:" HEX_A, text);
	for (size_t length = 0; length < strlen(text); length++) {
		snprintf(other, sizeof(other), "%.*s", (int)length, text);
		assert_int_equal(verify("a:" HEX_A, other, NOW), ERR_TOKEN_INVALID);
	}
	static const char *const tails[] = {"A", "=", ".", " ", ".A"};
	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++) {
		snprintf(other, sizeof(other), "%s%s", text, tails[i]);
		assert_int_equal(verify("a:" HEX_A, other, NOW), ERR_TOKEN_INVALID);
	}
}

static void what_is_no_token_is_refused(void **state)
{
	char endless[TOKEN_TEXT_SIZE * 4];

	(void)state;
	memset(endless, 'A', sizeof(endless));
	endless[sizeof(endless) - 1] = '\0';
	assert_int_equal(verify("a:" HEX_A, "", NOW), ERR_TOKEN_INVALID);
	assert_int_equal(verify("a:" HEX_A, ".", NOW), ERR_TOKEN_INVALID);
	assert_int_equal(verify("a:" HEX_A, "..", NOW), ERR_TOKEN_INVALID);
	assert_int_equal(verify("a:" HEX_A, "\xff\xfe", NOW), ERR_TOKEN_INVALID);
	assert_int_equal(verify("a:" HEX_A, endless, NOW), ERR_TOKEN_INVALID);
}

/* Signs any claims, with any algorithm and kid, under key A. */
static char *forge(jwt_alg_t alg, const char *kid, const char *claims)
{
	unsigned char key[32];
	jwt_t *jwt;
	char *text;

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	assert_int_equal(jwt_new(&jwt), 0);
	if (alg == JWT_ALG_NONE)
		assert_int_equal(jwt_set_alg(jwt, alg, NULL, 0), 0);
	else
		assert_int_equal(jwt_set_alg(jwt, alg, key, sizeof(key)), 0);
	if (kid)
		assert_int_equal(jwt_add_header(jwt, "kid", kid), 0);
	assert_int_equal(jwt_add_grants_json(jwt, claims), 0);
	text = jwt_encode_str(jwt);
	assert_non_null(text);
	jwt_free(jwt);
	return text;
}

#define GOOD                                                                                       \
	"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1700000000,\"exp\":1700000060}"

static void expect_forged(enum err expected, jwt_alg_t alg, const char *kid, const char *claims)
{
	char *text = forge(alg, kid, claims);

	assert_int_equal(verify("a:" HEX_A, text, NOW), expected);
	free(text);
}

static void other_algorithms_and_kids_are_refused(void **state)
{
	(void)state;
	expect_forged(ERR_OK, JWT_ALG_HS256, "a", GOOD); /* the forger's tools do work */
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_NONE, "a", GOOD);
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS384, "a", GOOD);
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS512, "a", GOOD);
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS256, "b", GOOD);
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS256, "", GOOD);
	expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS256, NULL, GOOD);
}

static void an_unsigned_token_under_our_header_is_refused(void **state)
{
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	sign("a:" HEX_A, text);
	strrchr(text, '.')[1] = '\0';
	assert_int_equal(verify("a:" HEX_A, text, NOW), ERR_TOKEN_INVALID);
}

static void missing_claims_and_wrong_types_are_refused(void **state)
{
	static const char *const claims[] = {
		"{}",
		"{\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1}",
		"{\"aud\":1,\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":[\"queue\"],\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":7,\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"x\",\"tkt\":1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER
		"\",\"tkt\":\"1\",\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1.5,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":0,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":-1,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER
		"\",\"tkt\":9007199254740992,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER
		"\",\"tkt\":null,\"iat\":1,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER
		"\",\"tkt\":1,\"iat\":true,\"exp\":1700000060}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1,\"exp\":\"9\"}",
		"{\"aud\":\"queue\",\"sub\":\"" USER "\",\"tkt\":1,\"iat\":1,\"exp\":1e300}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(claims) / sizeof(*claims); i++)
		expect_forged(ERR_TOKEN_INVALID, JWT_ALG_HS256, "a", claims[i]);
}

static void a_handle_of_an_unknown_kind_is_refused(void **state)
{
	char *text = forge(JWT_ALG_HS256, "a",
			   "{\"aud\":\"job\",\"sub\":\"" USER "\",\"job\":\"" USER
			   "\",\"kind\":\"steal\",\"fp\":7,\"iat\":1700000000,\"exp\":1700000060}");
	struct token_keys *keys = keys_of("a:" HEX_A);
	struct job_handle read;

	(void)state;
	assert_int_equal(token_verify_handle(keys, text, NOW, &read), ERR_TOKEN_INVALID);
	token_keys_free(keys);
	free(text);
}

static void a_refused_token_leaves_the_result_untouched(void **state)
{
	struct token_keys *keys = keys_of("a:" HEX_A);
	struct queue_token token = a_token();
	const struct queue_token before = token;
	char text[TOKEN_TEXT_SIZE];

	(void)state;
	sign("a:" HEX_A, text);
	assert_int_equal(token_verify_queue(keys, text, NOW + 60, &token), ERR_TOKEN_EXPIRED);
	assert_int_equal(token_verify_queue(keys, "x", NOW, &token), ERR_TOKEN_INVALID);
	assert_memory_equal(&token, &before, sizeof(token));
	token_keys_free(keys);
}

/* Another program, in another language, says the same of them: tests/integration/test_tokens.py. */
static void the_frozen_tokens_are_read_as_ever(void **state)
{
	FILE *file = fopen(TOP_SRCDIR "/tests/vectors/tokens", "r");
	struct token_keys *keys = keys_of("a:" HEX_A ",b:" HEX_B);
	char line[1024];
	unsigned count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		struct queue_token token;
		char *text = strchr(line, ' ');

		if (line[0] == '#' || text == NULL)
			continue;
		*text++ = '\0';
		text[strcspn(text, "\n")] = '\0';
		assert_string_equal(err_code(token_verify_queue(keys, text, NOW, &token)), line);
		count++;
	}
	assert_true(count >= 12);
	token_keys_free(keys);
	fclose(file);
}

static void keys_rotate_without_losing_anybody(void **state)
{
	char old[TOKEN_TEXT_SIZE];
	char fresh[TOKEN_TEXT_SIZE];

	(void)state;
	sign("a:" HEX_A, old);
	sign("b:" HEX_B ",a:" HEX_A, fresh);
	assert_int_equal(verify("b:" HEX_B ",a:" HEX_A, old, NOW), ERR_OK);
	assert_int_equal(verify("b:" HEX_B ",a:" HEX_A, fresh, NOW), ERR_OK);
	/* The first key signed it, so it outlives the old one. */
	assert_int_equal(verify("b:" HEX_B, fresh, NOW), ERR_OK);
	assert_int_equal(verify("b:" HEX_B, old, NOW), ERR_TOKEN_INVALID);
	/* A kid that names other bytes. */
	assert_int_equal(verify("a:" HEX_B, old, NOW), ERR_TOKEN_INVALID);
}

static void malformed_keys_are_refused(void **state)
{
	static const char *const settings[] = {
		"",
		",",
		"a",
		"a:",
		":" HEX_A,
		HEX_A,
		"a:" HEX_A ",",
		"," HEX_A,
		"a:" HEX_A ",a:" HEX_B,
		"a:0" HEX_A,
		"a:" HEX_A "zz",
		"a:" HEX_A " ",
		"a b:" HEX_A,
		"a:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
		"a:" HEX_A HEX_A "00",
		"123456789012345678901234567890123:" HEX_A,
		"1:" HEX_A ",2:" HEX_A ",3:" HEX_A ",4:" HEX_A ",5:" HEX_A ",6:" HEX_A ",7:" HEX_A
		",8:" HEX_A ",9:" HEX_A,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		struct token_keys *keys = NULL;
		assert_int_equal(token_keys_new(&keys, settings[i]), ERR_CONF);
		assert_null(keys);
	}
	token_keys_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_queue_token_says_what_was_signed),
		cmocka_unit_test(a_handle_of_every_kind_says_what_was_signed),
		cmocka_unit_test(a_token_of_one_purpose_does_not_serve_the_other),
		cmocka_unit_test(a_token_ends_at_its_second),
		cmocka_unit_test(every_altered_character_is_refused),
		cmocka_unit_test(every_truncated_or_lengthened_token_is_refused),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(other_algorithms_and_kids_are_refused),
		cmocka_unit_test(an_unsigned_token_under_our_header_is_refused),
		cmocka_unit_test(missing_claims_and_wrong_types_are_refused),
		cmocka_unit_test(a_handle_of_an_unknown_kind_is_refused),
		cmocka_unit_test(a_refused_token_leaves_the_result_untouched),
		cmocka_unit_test(the_frozen_tokens_are_read_as_ever),
		cmocka_unit_test(keys_rotate_without_losing_anybody),
		cmocka_unit_test(malformed_keys_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
