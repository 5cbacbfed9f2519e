/* Queue tokens and job handles. Input that begins with a brace is taken for the claims of a token
 * that somebody signed who has the key: no parser behind the signature may trust it either. */
#include "fuzz.h"

#include "fuzz_jwt.h"
#include "token.h"

#define KEY_HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEADER "{\"alg\":\"HS256\",\"kid\":\"a\",\"typ\":\"JWT\"}"
#define NOW_S INT64_C(1800000000)

static const uint8_t key[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
			      16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* Nobody passes who has not the key: what is taken is what the key signs, to the last character. */
static void check_signature(const char *text)
{
	FUZZ_HOLDS(strlen(text) < TOKEN_TEXT_SIZE);
	FUZZ_HOLDS(jwt_is_signed(text, key, sizeof key));
}

static void check_queue(const struct token_keys *keys, const char *text)
{
	struct queue_token token = {.ticket = -1}, again;
	char signed_text[TOKEN_TEXT_SIZE];
	enum err err = token_verify_queue(keys, text, NOW_S, &token);

	FUZZ_HOLDS(err == ERR_OK || token.ticket == -1);
	if (err == ERR_TOKEN_INVALID)
		return;
	check_signature(text);
	if (err == ERR_TOKEN_EXPIRED)
		return;
	FUZZ_HOLDS(err == ERR_OK && token.ticket >= 1 && token.ticket <= JOB_MAX_ID);
	FUZZ_HOLDS(token.expires_s > NOW_S);
	FUZZ_HOLDS(token_sign_queue(keys, &token, signed_text) == ERR_OK);
	FUZZ_HOLDS(token_verify_queue(keys, signed_text, NOW_S, &again) == ERR_OK);
	FUZZ_HOLDS(id_equal(&token.user, &again.user) && token.ticket == again.ticket &&
		   token.issued_s == again.issued_s && token.expires_s == again.expires_s);
}

static void check_handle(const struct token_keys *keys, const char *text)
{
	struct job_handle handle = {.content = -1}, again;
	char signed_text[TOKEN_TEXT_SIZE];
	enum err err = token_verify_handle(keys, text, NOW_S, &handle);

	FUZZ_HOLDS(err == ERR_OK || handle.content == -1);
	if (err == ERR_TOKEN_INVALID)
		return;
	check_signature(text);
	if (err == ERR_TOKEN_EXPIRED)
		return;
	FUZZ_HOLDS(err == ERR_OK && handle.kind < JOB_KIND_COUNT && handle.content >= 0);
	FUZZ_HOLDS(handle.expires_s > NOW_S);
	FUZZ_HOLDS(token_sign_handle(keys, &handle, signed_text) == ERR_OK);
	FUZZ_HOLDS(token_verify_handle(keys, signed_text, NOW_S, &again) == ERR_OK);
	FUZZ_HOLDS(id_equal(&handle.job, &again.job) && id_equal(&handle.user, &again.user) &&
		   handle.kind == again.kind && handle.content == again.content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_keys *keys;
	struct queue_token token;
	struct job_handle handle;
	char *text;

	if (keys == NULL)
		FUZZ_HOLDS(token_keys_new(&keys, "a:" KEY_HEX) == ERR_OK);
	text = size > 0 && data[0] == '{' ? jwt_sign(HEADER, data, size, key, sizeof key)
					  : fuzz_string(data, size);
	check_queue(keys, text);
	check_handle(keys, text);
	/* Neither passes for the other. */
	FUZZ_HOLDS(token_verify_queue(keys, text, NOW_S, &token) != ERR_OK ||
		   token_verify_handle(keys, text, NOW_S, &handle) != ERR_OK);
	free(text);
	return 0;
}
