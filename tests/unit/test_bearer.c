/* Bearer tokens: half a setting is no setting, and nothing but a bearer token is looked at. What
 * tokens pass, tests/integration/test_bearer.py tries with another library. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bearer.h"

static struct conf conf;
static char path[] = "/tmp/test-bearer-XXXXXX";

static void write_file(const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	fclose(file);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void settings(const char *secret, const char *public_key)
{
	conf_init(&conf);
	strcpy(conf.bearer_secret_file, secret);
	strcpy(conf.bearer_public_key_file, public_key);
	strcpy(conf.bearer_issuer, "login");
	strcpy(conf.bearer_audience, "boxoffice");
}

static enum err try_settings(void)
{
	struct bearer *bearer = NULL;
	enum err err = bearer_new(&bearer, &conf);

	bearer_free(bearer);
	return err;
}

static void without_a_key_nobody_is_asked(void **state)
{
	struct bearer *bearer = (struct bearer *)path;

	(void)state;
	settings("", "");
	assert_int_equal(bearer_new(&bearer, &conf), ERR_OK);
	assert_null(bearer);
}

static void half_a_setting_is_refused(void **state)
{
	(void)state;
	settings("/nowhere/at-all", "");
	assert_int_equal(try_settings(), ERR_CONF);
	settings(path, "");
	write_file("too short\n");
	assert_int_equal(try_settings(), ERR_CONF);
	write_file("");
	assert_int_equal(try_settings(), ERR_CONF);
	write_file("0123456789abcdef0123456789abcdef\n");
	assert_int_equal(try_settings(), ERR_OK);
	conf.bearer_issuer[0] = '\0';
	assert_int_equal(try_settings(), ERR_CONF);
	settings(path, "");
	conf.bearer_audience[0] = '\0';
	assert_int_equal(try_settings(), ERR_CONF);
	settings("", path);
	assert_int_equal(try_settings(), ERR_CONF); /* no PEM */
}

static void only_the_bearer_scheme_counts(void **state)
{
	struct bearer *bearer = NULL;
	struct id user;

	(void)state;
	settings(path, "");
	write_file("0123456789abcdef0123456789abcdef");
	assert_int_equal(bearer_new(&bearer, &conf), ERR_OK);
	assert_int_equal(bearer_verify(bearer, NULL, 1, &user), ERR_BEARER_MISSING);
	assert_int_equal(bearer_verify(bearer, "Basic YTpi", 1, &user), ERR_BEARER_MISSING);
	assert_int_equal(bearer_verify(bearer, "Bearer ", 1, &user), ERR_BEARER_INVALID);
	assert_int_equal(bearer_verify(bearer, "bearer a.b.c", 1, &user), ERR_BEARER_INVALID);
	bearer_free(bearer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_key_nobody_is_asked),
		cmocka_unit_test(half_a_setting_is_refused),
		cmocka_unit_test(only_the_bearer_scheme_counts),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
