/* Bearer tokens, with libjwt. It checks with whatever key it is given by the algorithm that the
 * token names: so the key is chosen here, by kind. A public key taken for a shared secret would let
 * anybody sign. */
#include "bearer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <jwt.h>

#include "log.h"

#define KEY_FILE_MAX 16384
#define SECRET_LEAST 32 /* bytes, as long as the digest (RFC 7518 section 3.2) */

struct key {
	unsigned char *bytes; /* NULL: none */
	int length;
};

struct bearer {
	struct key secret;
	struct key public_key;
	const char *issuer;
	const char *audience;
};

/* Setting up ---------------------------------------------------------------------------------- */

/* Reads a file without the line ends after it. Returns what is wrong, NULL when it was read. */
static const char *read_key(const char *path, struct key *key)
{
	FILE *file = fopen(path, "re");
	size_t length;

	if (file == NULL)
		return "a key file cannot be read";
	key->bytes = calloc(1, KEY_FILE_MAX);
	length = key->bytes != NULL ? fread(key->bytes, 1, KEY_FILE_MAX, file) : 0;
	fclose(file);
	while (length > 0 && (key->bytes[length - 1] == '\n' || key->bytes[length - 1] == '\r'))
		length--;
	key->length = (int)length;
	return length > 0 && length < KEY_FILE_MAX ? NULL : "a key file is empty or too large";
}

static const char *read_keys(struct bearer *bearer, const struct conf *conf)
{
	static const char pem[] = "-----BEGIN PUBLIC KEY-----";
	const char *why = NULL;

	if (conf->bearer_secret_file[0] != '\0')
		why = read_key(conf->bearer_secret_file, &bearer->secret);
	if (why == NULL && bearer->secret.bytes != NULL && bearer->secret.length < SECRET_LEAST)
		why = "a secret takes 32 bytes or more";
	if (why == NULL && conf->bearer_public_key_file[0] != '\0')
		why = read_key(conf->bearer_public_key_file, &bearer->public_key);
	if (why == NULL && bearer->public_key.bytes != NULL &&
	    strncmp((const char *)bearer->public_key.bytes, pem, sizeof pem - 1) != 0)
		why = "the public key is no PEM";
	/* Without them a token made for another service would pass. */
	if (why == NULL && (conf->bearer_issuer[0] == '\0' || conf->bearer_audience[0] == '\0'))
		why = "a key without bearer_issuer and bearer_audience";
	return why;
}

enum err bearer_new(struct bearer **bearer, const struct conf *conf)
{
	struct bearer *made;
	const char *why;

	*bearer = NULL;
	if (conf->bearer_secret_file[0] == '\0' && conf->bearer_public_key_file[0] == '\0')
		return ERR_OK;
	made = calloc(1, sizeof *made);
	if (made == NULL)
		return ERR_MEMORY;
	made->issuer = conf->bearer_issuer;
	made->audience = conf->bearer_audience;
	why = read_keys(made, conf);
	if (why != NULL) {
		log_error("bearer-keys", LOG_S("why", why));
		bearer_free(made);
		return ERR_CONF;
	}
	*bearer = made;
	return ERR_OK;
}

void bearer_free(struct bearer *bearer)
{
	if (bearer == NULL)
		return;
	if (bearer->secret.bytes != NULL)
		explicit_bzero(bearer->secret.bytes, KEY_FILE_MAX);
	free(bearer->secret.bytes);
	free(bearer->public_key.bytes);
	free(bearer);
}

/* A token ------------------------------------------------------------------------------------- */

/* The key for what the token says of itself, unverified; NULL when we take no such token. */
static const struct key *key_for(const struct bearer *bearer, jwt_alg_t algorithm)
{
	switch (algorithm) {
	case JWT_ALG_HS256:
		return bearer->secret.bytes != NULL ? &bearer->secret : NULL;
	case JWT_ALG_RS256:
	case JWT_ALG_ES256:
		return bearer->public_key.bytes != NULL ? &bearer->public_key : NULL;
	default:
		return NULL;
	}
}

/* The token with its signature checked; NULL when it is none of theirs. */
static jwt_t *open_token(const struct bearer *bearer, const char *text)
{
	const struct key *key;
	jwt_alg_t algorithm;
	jwt_t *jwt;

	if (jwt_decode(&jwt, text, NULL, 0) != 0)
		return NULL;
	/* Unverified, jwt_get_alg() says none whatever the header names. */
	algorithm = jwt_str_alg(jwt_get_header(jwt, "alg"));
	jwt_free(jwt);
	key = key_for(bearer, algorithm);
	if (key == NULL || jwt_decode(&jwt, text, key->bytes, key->length) != 0)
		return NULL;
	if (jwt_get_alg(jwt) == algorithm)
		return jwt;
	jwt_free(jwt);
	return NULL;
}

static bool claim_is(jwt_t *jwt, const char *name, const char *wanted)
{
	const char *found = jwt_get_grant(jwt, name);

	return found != NULL && strcmp(found, wanted) == 0;
}

static bool has_text(const struct json_object *list, const char *wanted)
{
	bool found = false;

	if (!json_object_is_type(list, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(list) && !found; i++) {
		struct json_object *element = json_object_array_get_idx(list, i);

		found = json_object_is_type(element, json_type_string) &&
			strcmp(json_object_get_string(element), wanted) == 0;
	}
	return found;
}

/* aud is a text or a list of texts (RFC 7519 section 4.1.3). What stands deeper in it names nobody.
 */
static bool is_for(jwt_t *jwt, const char *audience)
{
	struct json_object *list;
	char *text;
	bool found;

	if (claim_is(jwt, "aud", audience))
		return true;
	text = jwt_get_grants_json(jwt, "aud");
	list = text != NULL ? json_tokener_parse(text) : NULL;
	found = has_text(list, audience);
	json_object_put(list);
	free(text);
	return found;
}

enum said { SAID, NOT_SAID, NO_MOMENT };

/* A moment in seconds since 1970, with a fraction perhaps. Not by jwt_get_grant_int(), for which
 * whatever is no integer is 0: a token would be taken long before its nbf. */
static enum said read_moment(jwt_t *jwt, const char *name, double *moment_s)
{
	char *text = jwt_get_grants_json(jwt, name);
	char *end;
	bool is_number;

	if (text == NULL)
		return NOT_SAID;
	*moment_s = strtod(text, &end);
	is_number = end != text && *end == '\0'; /* JSON has no word for what is not finite */
	free(text);
	return is_number ? SAID : NO_MOMENT;
}

static bool is_in_life(jwt_t *jwt, int64_t now_s)
{
	double until_s, from_s = 0;

	return read_moment(jwt, "exp", &until_s) == SAID && (double)now_s < until_s &&
	       read_moment(jwt, "nbf", &from_s) != NO_MOMENT && (double)now_s >= from_s;
}

/* A header's crit lists what the receiver must understand, and we know nothing that could be in it
 * (RFC 7515 section 4.1.11). */
static bool has_conditions(jwt_t *jwt)
{
	char *list = jwt_get_headers_json(jwt, "crit");
	bool is_there = list != NULL;

	free(list);
	return is_there;
}

enum err bearer_verify(const struct bearer *bearer, const char *authorization, int64_t now_s,
		       struct id *user)
{
	static const char scheme[] = "Bearer ";
	const char *subject;
	enum err err = ERR_BEARER_INVALID;
	jwt_t *jwt;

	if (authorization == NULL || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
		return ERR_BEARER_MISSING;
	jwt = open_token(bearer, authorization + sizeof scheme - 1);
	if (jwt == NULL)
		return ERR_BEARER_INVALID;
	subject = jwt_get_grant(jwt, "sub");
	if (!has_conditions(jwt) && claim_is(jwt, "iss", bearer->issuer) &&
	    is_for(jwt, bearer->audience) && is_in_life(jwt, now_s) && subject != NULL &&
	    id_parse(subject, strlen(subject), user))
		err = ERR_OK;
	jwt_free(jwt);
	return err;
}
