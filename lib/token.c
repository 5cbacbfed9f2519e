/* Tokens: what libjwt signs and verifies for us, narrowed to the one form that we issue.
 *
 * A token's header is always {"alg":"HS256","kid":…,"typ":"JWT"}, so its encoded form is the same
 * for all tokens of a key. A token is looked at only if it begins with the header of one of our
 * keys, byte for byte: other algorithms, none, and unknown kids never reach the parser, and no
 * token is parsed twice to learn its kid (8 µs for a check became 5). The signature is compared
 * by libjwt in constant time. */
#include "token.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jwt.h>

#include "log.h"
#include "text.h"

#define KEYS_MAX 8
#define KID_SIZE 33
#define KEY_LEAST 32UL /* bytes: HS256 wants the digest's size at least (RFC 7518 section 3.2) */
#define KEY_MOST 64UL
#define HEADER_SIZE 128

#define PURPOSE_QUEUE "queue"
#define PURPOSE_HANDLE "job"

struct token_key {
	char kid[KID_SIZE];
	unsigned char bytes[KEY_MOST];
	int length;
	char header[HEADER_SIZE]; /* what its tokens begin with, the dot included */
	size_t header_length;
};

struct token_keys {
	struct token_key list[KEYS_MAX]; /* the first signs */
	size_t count;
};

/* What tokens of every purpose say. */
struct claims {
	const char *purpose;
	struct id user;
	int64_t issued_s;
	int64_t expires_s;
};

static bool read_hex(const char *hex, size_t length, struct token_key *key)
{
	if (length % 2 != 0 || length < 2 * KEY_LEAST || length > 2 * KEY_MOST)
		return false;
	for (size_t i = 0; i < length; i += 2) {
		int high = text_hex_value(hex[i]);
		int low = text_hex_value(hex[i + 1]);
		if (high < 0 || low < 0)
			return false;
		key->bytes[i / 2] = (unsigned char)(high * 16 + low);
	}
	key->length = (int)(length / 2);
	return true;
}

static bool read_kid(const char *kid, size_t length, struct token_key *key)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	if (length == 0 || length >= KID_SIZE || strspn(kid, allowed) < length)
		return false;
	memcpy(key->kid, kid, length);
	key->kid[length] = '\0';
	return true;
}

static bool has_kid(const struct token_keys *keys, const char *kid)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (strcmp(keys->list[i].kid, kid) == 0)
			return true;
	}
	return false;
}

/* A new token under key, without claims; NULL when memory is short. */
static jwt_t *new_token(const struct token_key *key)
{
	jwt_t *jwt;

	if (jwt_new(&jwt) != 0)
		return NULL;
	if (jwt_set_alg(jwt, JWT_ALG_HS256, key->bytes, key->length) != 0 ||
	    jwt_add_header(jwt, "kid", key->kid) != 0) {
		jwt_free(jwt);
		return NULL;
	}
	return jwt;
}

/* Learns how the tokens of a key begin, from one. */
static bool learn_header(struct token_key *key)
{
	jwt_t *jwt = new_token(key);
	char *text = jwt ? jwt_encode_str(jwt) : NULL;
	bool learnt = false;

	if (text) {
		size_t length = strcspn(text, ".") + 1;
		if (length < HEADER_SIZE) {
			memcpy(key->header, text, length);
			key->header_length = length;
			learnt = true;
		}
	}
	free(text);
	jwt_free(jwt);
	return learnt;
}

/* Reads one kid:hex of length bytes. Returns what is wrong with it, NULL when it was added. */
static const char *add_key(struct token_keys *keys, const char *entry, size_t length)
{
	struct token_key *key = &keys->list[keys->count];
	const char *colon = memchr(entry, ':', length);

	if (keys->count == KEYS_MAX)
		return "more than 8 keys";
	if (!colon || !read_kid(entry, (size_t)(colon - entry), key))
		return "a kid takes 1 to 32 letters, digits, '.', '_', '-', and a ':' after it";
	if (!read_hex(colon + 1, length - (size_t)(colon + 1 - entry), key))
		return "a key takes 32 to 64 bytes in hexadecimal digits";
	if (has_kid(keys, key->kid))
		return "a kid is repeated";
	if (!learn_header(key))
		return "libjwt cannot sign with a key";
	keys->count++;
	return NULL;
}

enum err token_keys_new(struct token_keys **keys, const char *setting)
{
	struct token_keys *made = calloc(1, sizeof(*made));
	const char *why = NULL;

	if (!made)
		return ERR_MEMORY;
	for (const char *entry = setting; !why; entry++) {
		size_t length = strcspn(entry, ",");
		why = add_key(made, entry, length);
		entry += length;
		if (*entry == '\0')
			break;
	}
	if (why) {
		log_error("token-keys", LOG_S("why", why));
		token_keys_free(made);
		return ERR_CONF;
	}
	*keys = made;
	return ERR_OK;
}

void token_keys_free(struct token_keys *keys)
{
	if (!keys)
		return;
	explicit_bzero(keys, sizeof(*keys));
	free(keys);
}

/* Starts a token with what all purposes share. NULL when memory is short. */
static jwt_t *start(const struct token_keys *keys, const struct claims *claims)
{
	char user[ID_TEXT_SIZE];
	jwt_t *jwt = new_token(&keys->list[0]);

	id_format(&claims->user, user);
	if (jwt && (jwt_add_grant(jwt, "aud", claims->purpose) != 0 ||
		    jwt_add_grant(jwt, "sub", user) != 0 ||
		    jwt_add_grant_int(jwt, "iat", claims->issued_s) != 0 ||
		    jwt_add_grant_int(jwt, "exp", claims->expires_s) != 0)) {
		jwt_free(jwt);
		jwt = NULL;
	}
	return jwt;
}

/* Signs and writes. The longest kid and claims stay far below TOKEN_TEXT_SIZE. */
static enum err finish(jwt_t *jwt, char text[static TOKEN_TEXT_SIZE])
{
	char *encoded = jwt_encode_str(jwt);
	size_t length = encoded ? strlen(encoded) : TOKEN_TEXT_SIZE;
	enum err err = ERR_MEMORY;

	if (length < TOKEN_TEXT_SIZE) {
		memcpy(text, encoded, length + 1);
		err = ERR_OK;
	}
	free(encoded);
	return err;
}

enum err token_sign_queue(const struct token_keys *keys, const struct queue_token *token,
			  char text[static TOKEN_TEXT_SIZE])
{
	const struct claims claims = {PURPOSE_QUEUE, token->user, token->issued_s,
				      token->expires_s};
	jwt_t *jwt = start(keys, &claims);
	enum err err = ERR_MEMORY;

	if (jwt && jwt_add_grant_int(jwt, "tkt", token->ticket) == 0)
		err = finish(jwt, text);
	jwt_free(jwt);
	return err;
}

enum err token_sign_handle(const struct token_keys *keys, const struct job_handle *handle,
			   char text[static TOKEN_TEXT_SIZE])
{
	const struct claims claims = {PURPOSE_HANDLE, handle->user, handle->issued_s,
				      handle->expires_s};
	char job[ID_TEXT_SIZE];
	jwt_t *jwt = start(keys, &claims);
	enum err err = ERR_MEMORY;

	id_format(&handle->job, job);
	if (jwt && jwt_add_grant(jwt, "job", job) == 0 &&
	    jwt_add_grant(jwt, "kind", job_kind_name(handle->kind)) == 0 &&
	    jwt_add_grant_int(jwt, "fp", handle->content) == 0)
		err = finish(jwt, text);
	jwt_free(jwt);
	return err;
}

/* The key whose tokens begin as text does; NULL for none. */
static const struct token_key *key_of(const struct token_keys *keys, const char *text)
{
	for (size_t i = 0; i < keys->count; i++) {
		const struct token_key *key = &keys->list[i];
		if (strncmp(text, key->header, key->header_length) == 0)
			return key;
	}
	return NULL;
}

static bool claim_int(jwt_t *jwt, const char *name, int64_t least, int64_t *value)
{
	errno = 0;
	int64_t found = jwt_get_grant_int(jwt, name);
	if (errno != 0 || found < least || found > JOB_MAX_ID)
		return false;
	*value = found;
	return true;
}

static bool claim_id(jwt_t *jwt, const char *name, struct id *id)
{
	const char *found = jwt_get_grant(jwt, name);

	return found && id_parse(found, strlen(found), id);
}

/* Reads the shared claims; purpose is given, and life is judged last so that only a token of
 * ours is ever called expired. */
static enum err read_claims(jwt_t *jwt, int64_t now_s, struct claims *claims)
{
	const char *purpose = jwt_get_grant(jwt, "aud");

	if (!purpose || strcmp(purpose, claims->purpose) != 0)
		return ERR_TOKEN_INVALID;
	if (!claim_id(jwt, "sub", &claims->user) || !claim_int(jwt, "iat", 1, &claims->issued_s) ||
	    !claim_int(jwt, "exp", 1, &claims->expires_s))
		return ERR_TOKEN_INVALID;
	return now_s < claims->expires_s ? ERR_OK : ERR_TOKEN_EXPIRED;
}

/* Checks header and signature. On OK jwt is owned by the caller. */
static enum err open_token(const struct token_keys *keys, const char *text, jwt_t **jwt)
{
	const struct token_key *key;
	jwt_t *opened;

	if (strnlen(text, TOKEN_TEXT_SIZE) == TOKEN_TEXT_SIZE)
		return ERR_TOKEN_INVALID;
	key = key_of(keys, text);
	if (!key || jwt_decode(&opened, text, key->bytes, key->length) != 0)
		return ERR_TOKEN_INVALID;
	if (jwt_get_alg(opened) != JWT_ALG_HS256) {
		jwt_free(opened);
		return ERR_TOKEN_INVALID;
	}
	*jwt = opened;
	return ERR_OK;
}

enum err token_verify_queue(const struct token_keys *keys, const char *text, int64_t now_s,
			    struct queue_token *token)
{
	struct claims claims = {.purpose = PURPOSE_QUEUE};
	int64_t ticket = 0;
	jwt_t *jwt;
	enum err err = open_token(keys, text, &jwt);

	if (err != ERR_OK)
		return err;
	if (claim_int(jwt, "tkt", 1, &ticket))
		err = read_claims(jwt, now_s, &claims);
	else
		err = ERR_TOKEN_INVALID;
	jwt_free(jwt);
	if (err == ERR_OK)
		*token = (struct queue_token){claims.user, ticket, claims.issued_s,
					      claims.expires_s};
	return err;
}

static bool claim_kind(jwt_t *jwt, enum job_kind *kind)
{
	const char *name = jwt_get_grant(jwt, "kind");

	for (int k = 0; name && k < JOB_KIND_COUNT; k++) {
		if (strcmp(job_kind_name((enum job_kind)k), name) == 0) {
			*kind = (enum job_kind)k;
			return true;
		}
	}
	return false;
}

enum err token_verify_handle(const struct token_keys *keys, const char *text, int64_t now_s,
			     struct job_handle *handle)
{
	struct claims claims = {.purpose = PURPOSE_HANDLE};
	struct job_handle read = {0};
	jwt_t *jwt;
	enum err err = open_token(keys, text, &jwt);

	if (err != ERR_OK)
		return err;
	if (claim_id(jwt, "job", &read.job) && claim_kind(jwt, &read.kind) &&
	    claim_int(jwt, "fp", 0, &read.content))
		err = read_claims(jwt, now_s, &claims);
	else
		err = ERR_TOKEN_INVALID;
	jwt_free(jwt);
	if (err != ERR_OK)
		return err;
	read.user = claims.user;
	read.issued_s = claims.issued_s;
	read.expires_s = claims.expires_s;
	*handle = read;
	return ERR_OK;
}
