/* Bearer tokens of a login service. Input that begins with a brace is taken for claims that the
 * login service signed, other input for what follows "Bearer ". */
#include "fuzz.h"

#include <unistd.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "bearer.h"
#include "fuzz_jwt.h"

#define SECRET "0123456789abcdef0123456789abcdef"
#define HEADER "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define ISSUER "login"
#define AUDIENCE "boxoffice"
#define NOW_S INT64_C(1800000000)

static struct bearer *open_bearer(void)
{
	static struct conf conf;
	struct bearer *bearer = NULL;
	char path[] = "/tmp/fuzz-bearer-XXXXXX";
	int fd = mkstemp(path);

	FUZZ_HOLDS(fd >= 0 && write(fd, SECRET, sizeof SECRET - 1) == sizeof SECRET - 1);
	close(fd);
	conf_init(&conf);
	strcpy(conf.bearer_secret_file, path);
	strcpy(conf.bearer_issuer, ISSUER);
	strcpy(conf.bearer_audience, AUDIENCE);
	FUZZ_HOLDS(bearer_new(&bearer, &conf) == ERR_OK && bearer != NULL);
	unlink(path);
	return bearer;
}

static bool is_text(struct json_object *value, const char *wanted)
{
	return json_object_is_type(value, json_type_string) &&
	       strcmp(json_object_get_string(value), wanted) == 0;
}

/* aud is one text, or a list of texts (RFC 7519 section 4.1.3). */
static bool is_for_us(struct json_object *audience)
{
	if (!json_object_is_type(audience, json_type_array))
		return is_text(audience, AUDIENCE);
	for (size_t i = 0; i < json_object_array_length(audience); i++)
		if (is_text(json_object_array_get_idx(audience, i), AUDIENCE))
			return true;
	return false;
}

/* Another reader of JSON finds in the claims what let the token pass. */
static void check_claims(const uint8_t *data, size_t size, const struct id *user)
{
	char *text = fuzz_string(data, size);
	struct json_object *claims = json_tokener_parse(text);
	const char *subject;
	struct id named;

	FUZZ_HOLDS(claims != NULL);
	FUZZ_HOLDS(is_text(json_object_object_get(claims, "iss"), ISSUER));
	FUZZ_HOLDS(is_for_us(json_object_object_get(claims, "aud")));
	FUZZ_HOLDS(json_object_get_int64(json_object_object_get(claims, "exp")) > NOW_S);
	FUZZ_HOLDS(json_object_get_int64(json_object_object_get(claims, "nbf")) <= NOW_S);
	subject = json_object_get_string(json_object_object_get(claims, "sub"));
	FUZZ_HOLDS(subject != NULL && id_parse(subject, strlen(subject), &named));
	FUZZ_HOLDS(id_equal(&named, user));
	json_object_put(claims);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bearer *bearer;
	static const uint8_t key[] = SECRET;
	bool is_claims = size > 0 && data[0] == '{';
	struct text header = {0};
	struct id user = {{0}};
	enum err err;
	char *token;

	if (bearer == NULL)
		bearer = open_bearer();
	token = is_claims ? jwt_sign(HEADER, data, size, key, sizeof key - 1)
			  : fuzz_string(data, size);
	text_puts(&header, "Bearer ");
	text_puts(&header, token);
	err = bearer_verify(bearer, header.bytes, NOW_S, &user);
	FUZZ_HOLDS(err == ERR_OK || err == ERR_BEARER_INVALID);
	if (err == ERR_OK)
		FUZZ_HOLDS(jwt_is_signed(token, key, sizeof key - 1));
	if (err == ERR_OK && is_claims)
		check_claims(data, size, &user);
	FUZZ_HOLDS(bearer_verify(bearer, token, NOW_S, &user) != ERR_OK ||
		   strncasecmp(token, "bearer ", 7) == 0);
	free(token);
	text_fini(&header);
	return 0;
}
