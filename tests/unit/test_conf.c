/* Settings: defaults, limits, and where values come from. */
#include "unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture.h"
#include "conf.h"

#define WHY_SIZE 256

static struct conf conf;
static char why[WHY_SIZE];
static const char template[] = "settings-test-XXXXXX";
static char path[sizeof(template)];

static int begin(void **state)
{
	(void)state;
	unsetenv("BOXOFFICE_SET");
	unsetenv("BOXOFFICE_SETTINGS");
	unsetenv("BOXOFFICE_PARTITIONS");
	unsetenv("BOXOFFICE_MYSQL_PASSWORD");
	conf_init(&conf);
	why[0] = '\0';
	return 0;
}

static void every_setting_starts_at_its_default(void **state)
{
	(void)state;
	memset(&conf, 0x55, sizeof(conf));
	conf_init(&conf);
#define CONF_INT(name, value, least, most, help) assert_int_equal(conf.name, value);
#define CONF_TEXT(name, value, help) assert_string_equal(conf.name, value);
#define CONF_SECRET(name, value, help) assert_string_equal(conf.name, value);
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
}

static void assert_taken(const char *name, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	assert_int_equal(conf_set(&conf, name, text, why, sizeof(why)), ERR_OK);
}

static void assert_refused(const char *name, const char *value)
{
	struct conf before = conf;

	why[0] = '\0';
	assert_int_equal(conf_set(&conf, name, value, why, sizeof(why)), ERR_CONF);
	assert_non_null(strstr(why, name));
	assert_memory_equal(&conf, &before, sizeof(conf));
}

static void assert_number_refused(const char *name, int64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, number);
	assert_refused(name, text);
}

static void every_number_is_taken_up_to_its_limits_and_refused_beyond(void **state)
{
	(void)state;
#define CONF_INT(name, value, least, most, help)                                                   \
	assert_true((value) >= (least) && (value) <= (most));                                      \
	assert_taken(#name, least);                                                                \
	assert_int_equal(conf.name, least);                                                        \
	assert_taken(#name, most);                                                                 \
	assert_int_equal(conf.name, most);                                                         \
	assert_number_refused(#name, (int64_t)(least)-1);                                          \
	assert_number_refused(#name, (int64_t)(most) + 1);
#define CONF_TEXT(name, value, help)
#define CONF_SECRET(name, value, help)
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
}

static void every_text_is_taken_up_to_its_size_and_refused_beyond(void **state)
{
	char text[CONF_TEXT_MAX + 1];

	(void)state;
	memset(text, 'x', sizeof(text));
#define CONF_INT(name, value, least, most, help)
#define CONF_TEXT(name, value, help)                                                               \
	text[CONF_TEXT_MAX - 1] = '\0';                                                            \
	assert_int_equal(conf_set(&conf, #name, text, why, sizeof(why)), ERR_OK);                  \
	assert_string_equal(conf.name, text);                                                      \
	text[CONF_TEXT_MAX - 1] = 'x';                                                             \
	text[CONF_TEXT_MAX] = '\0';                                                                \
	assert_refused(#name, text);
#define CONF_SECRET(name, value, help) CONF_TEXT(name, value, help)
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
}

static void only_plain_decimal_is_a_number(void **state)
{
	static const char *const bad[] = {"",
					  "-",
					  "+5",
					  " 5",
					  "5 ",
					  "0x10",
					  "5.0",
					  "5s",
					  "five",
					  "1e2",
					  "--5",
					  "5,0",
					  "\t5",
					  "99999999999999999999",
					  "-99999999999999999999"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused("partitions", bad[i]);
}

static void an_unknown_name_is_refused(void **state)
{
	(void)state;
	assert_refused("partition", "5");
	assert_refused("", "5");
	assert_refused("PARTITIONS", "5");
	/* The launcher's own words must not reach a program. */
	assert_refused("fronts", "1");
}

static enum err load(char *log, size_t size)
{
	struct capture capture;
	enum err err;

	capture_begin(&capture);
	err = conf_load(&conf);
	capture_next(&capture, log, size);
	capture_end(&capture);
	return err;
}

static void write_settings(const char *text)
{
	FILE *file;
	int fd;

	memcpy(path, template, sizeof(path));
	fd = mkstemp(path);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	fputs(text, file);
	fclose(file);
	setenv("BOXOFFICE_SETTINGS", path, 1);
}

static void values_come_from_file_then_words_then_environment(void **state)
{
	char log[1024];

	(void)state;
	write_settings("# a comment\n\n  hold_s = 1 \r\npartitions=2\nhold_cap_s=3\n"
		       "mysql_password=a#b=c d");
	setenv("BOXOFFICE_SET", "partitions=4  hold_cap_s=5\n", 1);
	setenv("BOXOFFICE_PARTITIONS", "6", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_OK);
	unlink(path);
	assert_string_equal(log, "");
	assert_int_equal(conf.hold_s, 1);
	assert_int_equal(conf.hold_cap_s, 5);
	assert_int_equal(conf.partitions, 6);
	assert_string_equal(conf.mysql_password, "a#b=c d");
	assert_int_equal(conf.mysql_port, 3306);
}

static void a_fault_in_any_source_is_reported_and_fails_the_load(void **state)
{
	char log[1024];

	(void)state;
	setenv("BOXOFFICE_SET", "partitions=0", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "partitions takes a number from 1 to 1024"));
	setenv("BOXOFFICE_SET", "partitions", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "name=value"));
	setenv("BOXOFFICE_SET", "no_such=1 hold_s=9", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "no_such"));
	assert_int_equal(conf.hold_s, 9);
	unsetenv("BOXOFFICE_SET");

	setenv("BOXOFFICE_PARTITIONS", "many", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "BOXOFFICE_PARTITIONS"));
	unsetenv("BOXOFFICE_PARTITIONS");

	write_settings("hold_s=9\nno_such=1\n");
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	unlink(path);
	assert_non_null(strstr(log, path));
}

static void a_settings_file_that_cannot_be_read_fails_the_load(void **state)
{
	char log[1024];

	(void)state;
	setenv("BOXOFFICE_SETTINGS", "no-such-folder/settings", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "no-such-folder/settings"));
	setenv("BOXOFFICE_SETTINGS", ".", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
}

static void tls_is_whole_or_refused(void **state)
{
	static const char *const bad[] = {
		"mysql_tls=1",
		"mysql_tls=1 tls_ca=/nowhere",
		"mysql_tls=1 tls_ca=/dev/null mysql_socket=/x",
		"mysql_tls=1 tls_ca=/dev/null mysql_host=db1,/x",
		"amqp_url=amqps://a:b@c/d",
	};
	char log[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		setenv("BOXOFFICE_SET", bad[i], 1);
		assert_int_equal(load(log, sizeof(log)), ERR_CONF);
		assert_non_null(strstr(log, "tls"));
	}
	setenv("BOXOFFICE_SET", "mysql_tls=1 amqp_url=amqps://a:b@c/d tls_ca=/dev/null", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_OK);
	setenv("BOXOFFICE_SET", "mysql_socket=/x", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_OK);
}

static void a_list_of_hosts_that_cannot_be_read_fails_the_load(void **state)
{
	char log[1024];

	(void)state;
	setenv("BOXOFFICE_SET", "mysql_host=db1,db2:3307", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_OK);
	setenv("BOXOFFICE_SET", "mysql_host=db1,,db2", 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "mysql_host"));
}

static void a_secret_never_shows_in_a_report(void **state)
{
	char log[1024];
	char secret[CONF_TEXT_MAX + 8];

	(void)state;
	memset(secret, 'S', sizeof(secret));
	secret[sizeof(secret) - 1] = '\0';
	setenv("BOXOFFICE_MYSQL_PASSWORD", secret, 1);
	assert_int_equal(load(log, sizeof(log)), ERR_CONF);
	assert_non_null(strstr(log, "mysql_password"));
	assert_null(strstr(log, "SSS"));
}

static void the_help_names_every_setting_and_no_secret(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	conf_print_help(out);
	fclose(out);
#define CONF_INT(name, value, least, most, help)                                                   \
	assert_non_null(strstr(text, ": " help "\n"));                                             \
	assert_non_null(strstr(text, #value " (" #least " to " #most ")"));
#define CONF_TEXT(name, value, help) assert_non_null(strstr(text, "\"" value "\": " help "\n"));
#define CONF_SECRET(name, value, help) assert_non_null(strstr(text, "(secret): " help "\n"));
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
	assert_non_null(strstr(text, "BOXOFFICE_MYSQL_PASSWORD "));
	assert_null(strstr(text, "guest:guest"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_setting_starts_at_its_default),
		TEST(every_number_is_taken_up_to_its_limits_and_refused_beyond),
		TEST(every_text_is_taken_up_to_its_size_and_refused_beyond),
		TEST(only_plain_decimal_is_a_number),
		TEST(an_unknown_name_is_refused),
		TEST(values_come_from_file_then_words_then_environment),
		TEST(a_fault_in_any_source_is_reported_and_fails_the_load),
		TEST(a_settings_file_that_cannot_be_read_fails_the_load),
		TEST(tls_is_whole_or_refused),
		TEST(a_list_of_hosts_that_cannot_be_read_fails_the_load),
		TEST(a_secret_never_shows_in_a_report),
		TEST(the_help_names_every_setting_and_no_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
