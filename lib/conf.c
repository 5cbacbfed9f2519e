/* Settings: the table of conf.def with places in struct conf, and the ways a value comes in. */
#include "conf.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db_hosts.h"
#include "log.h"

#define ENV_PREFIX "BOXOFFICE_"
#define ENV_NAME_SIZE 64
#define WHY_SIZE 256

enum type { TYPE_INT, TYPE_TEXT, TYPE_SECRET };

static const struct setting {
	const char *name;
	enum type type;
	size_t offset;    /* in struct conf */
	const char *text; /* default of a text */
	int64_t number;   /* default of a number */
	int64_t least;
	int64_t most;
	const char *help;
} settings[] = {
#define CONF_INT(name, value, least, most, help)                                                   \
	{#name, TYPE_INT, offsetof(struct conf, name), NULL, value, least, most, help},
#define CONF_TEXT(name, value, help)                                                               \
	{#name, TYPE_TEXT, offsetof(struct conf, name), value, 0, 0, 0, help},
#define CONF_SECRET(name, value, help)                                                             \
	{#name, TYPE_SECRET, offsetof(struct conf, name), value, 0, 0, 0, help},
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
};

#define SETTING_COUNT (sizeof(settings) / sizeof(settings[0]))

static void *place(struct conf *conf, const struct setting *setting)
{
	return (char *)conf + setting->offset;
}

void conf_init(struct conf *conf)
{
	memset(conf, 0, sizeof(*conf));
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings[i];

		if (setting->type == TYPE_INT)
			*(int64_t *)place(conf, setting) = setting->number;
		else
			snprintf(place(conf, setting), CONF_TEXT_MAX, "%s", setting->text);
	}
}

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (strcmp(settings[i].name, name) == 0)
			return &settings[i];
	}
	return NULL;
}

/* Decimal digits and nothing else, no blank or plus, which strtoll() would take. */
static bool read_number(const char *text, int64_t *number)
{
	char *end;
	long long value;

	if (!isdigit((unsigned char)text[text[0] == '-']))
		return false;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end)
		return false;
	*number = value;
	return true;
}

enum err conf_set(struct conf *conf, const char *name, const char *value, char *why,
		  size_t why_size)
{
	const struct setting *setting = find_setting(name);
	int64_t number;

	if (!setting) {
		snprintf(why, why_size, "there is no setting %s", name);
		return ERR_CONF;
	}
	if (setting->type != TYPE_INT) {
		if (strlen(value) >= CONF_TEXT_MAX) {
			snprintf(why, why_size, "%s takes at most %d bytes", name,
				 CONF_TEXT_MAX - 1);
			return ERR_CONF;
		}
		snprintf(place(conf, setting), CONF_TEXT_MAX, "%s", value);
		return ERR_OK;
	}
	if (!read_number(value, &number) || number < setting->least || number > setting->most) {
		snprintf(why, why_size, "%s takes a number from %" PRId64 " to %" PRId64, name,
			 setting->least, setting->most);
		return ERR_CONF;
	}
	*(int64_t *)place(conf, setting) = number;
	return ERR_OK;
}

/* Sets from one source, and says so when that fails. Values are not shown: some are secrets. */
static enum err set_from(struct conf *conf, const char *source, const char *name, const char *value)
{
	char why[WHY_SIZE];
	enum err err = conf_set(conf, name, value, why, sizeof(why));

	if (err)
		log_error("setting-refused", LOG_S("source", source), LOG_S("why", why));
	return err;
}

/* Cuts blanks off both ends, in place. */
static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r\n");
	length = strlen(text);
	while (length > 0 && strchr(" \t\r\n", text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Sets from name=value, which it cuts in two. */
static enum err set_pair(struct conf *conf, const char *source, char *pair)
{
	char *equals = strchr(pair, '=');

	if (!equals) {
		log_error("setting-refused", LOG_S("source", source),
			  LOG_S("why", "expected name=value"));
		return ERR_CONF;
	}
	*equals = '\0';
	return set_from(conf, source, trim(pair), trim(equals + 1));
}

static enum err load_file(struct conf *conf, const char *path)
{
	enum err err = ERR_OK;
	char *line = NULL;
	size_t size = 0;
	FILE *file = fopen(path, "re");

	if (!file) {
		log_error("settings-unreadable", LOG_S("file", path),
			  LOG_S("why", strerror(errno)));
		return ERR_CONF;
	}
	while (getline(&line, &size, file) >= 0) {
		char *text = trim(line);

		if (*text && *text != '#' && set_pair(conf, path, text))
			err = ERR_CONF;
	}
	if (ferror(file)) {
		log_error("settings-unreadable", LOG_S("file", path), LOG_S("why", "read failed"));
		err = ERR_CONF;
	}
	free(line);
	fclose(file);
	return err;
}

static enum err load_words(struct conf *conf, const char *words)
{
	enum err err = ERR_OK;
	char *rest = NULL;
	char *copy = strdup(words);

	if (!copy)
		return ERR_MEMORY;
	for (char *word = strtok_r(copy, " \t\r\n", &rest); word;
	     word = strtok_r(NULL, " \t\r\n", &rest)) {
		if (set_pair(conf, ENV_PREFIX "SET", word))
			err = ERR_CONF;
	}
	free(copy);
	return err;
}

static void env_name(const char *name, char out[static ENV_NAME_SIZE])
{
	snprintf(out, ENV_NAME_SIZE, ENV_PREFIX "%s", name);
	for (char *at = out; *at; at++)
		*at = (char)toupper((unsigned char)*at);
}

static enum err load_environment(struct conf *conf)
{
	enum err err = ERR_OK;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		char variable[ENV_NAME_SIZE];
		const char *value;

		env_name(settings[i].name, variable);
		value = getenv(variable);
		if (value && set_from(conf, variable, settings[i].name, value))
			err = ERR_CONF;
	}
	return err;
}

static bool has_socket(const struct conf *conf)
{
	struct db_hosts hosts;

	return conf->mysql_socket[0] ||
	       (db_hosts_read(&hosts, conf->mysql_host, (unsigned)conf->mysql_port) == ERR_OK &&
		db_hosts_have_socket(&hosts));
}

static enum err check_hosts(const struct conf *conf)
{
	struct db_hosts hosts;
	enum err err = db_hosts_read(&hosts, conf->mysql_host, (unsigned)conf->mysql_port);

	if (err)
		log_error("setting-refused", LOG_S("source", "mysql_host"),
			  LOG_S("why", "mysql_host takes up to 8 hosts, commas between, each "
				       "with or without a port"));
	return err;
}

/* Nobody who asks for TLS goes without it, or without knowing who the other side is. */
static enum err check_tls(const struct conf *conf)
{
	const char *why = NULL;

	if (!conf->mysql_tls && strncmp(conf->amqp_url, "amqps:", 6) != 0)
		return ERR_OK;
	if (access(conf->tls_ca, R_OK) != 0)
		why = "amqps:// and mysql_tls take a tls_ca that can be read";
	else if (conf->mysql_tls && has_socket(conf))
		why = "mysql_tls is for hosts: mysql_socket must be empty, and mysql_host have no "
		      "socket";
	if (!why)
		return ERR_OK;
	log_error("setting-refused", LOG_S("source", "tls_ca"), LOG_S("why", why));
	return ERR_CONF;
}

enum err conf_load(struct conf *conf)
{
	const char *path = getenv(ENV_PREFIX "SETTINGS");
	const char *words = getenv(ENV_PREFIX "SET");
	enum err err = ERR_OK;

	conf_init(conf);
	if (path && *path && load_file(conf, path))
		err = ERR_CONF;
	if (words && load_words(conf, words))
		err = ERR_CONF;
	if (load_environment(conf))
		err = ERR_CONF;
	if (check_hosts(conf))
		err = ERR_CONF;
	if (check_tls(conf))
		err = ERR_CONF;
	return err;
}

void conf_print_help(FILE *out)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *setting = &settings[i];
		char variable[ENV_NAME_SIZE];

		env_name(setting->name, variable);
		fprintf(out, "%-31s ", variable);
		if (setting->type == TYPE_INT)
			fprintf(out, "%" PRId64 " (%" PRId64 " to %" PRId64 ")", setting->number,
				setting->least, setting->most);
		else if (setting->type == TYPE_SECRET)
			fputs("(secret)", out);
		else
			fprintf(out, "\"%s\"", setting->text);
		fprintf(out, ": %s\n", setting->help);
	}
}
