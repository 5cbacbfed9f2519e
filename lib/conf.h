/* Settings: one table (conf.def), read once at start from the environment and a settings file. */
#ifndef BOXOFFICE_CONF_H
#define BOXOFFICE_CONF_H

#include <stdint.h>
#include <stdio.h>

#include "err.h"

#define CONF_TEXT_MAX 512

struct conf {
#define CONF_INT(name, value, least, most, help) int64_t name;
#define CONF_TEXT(name, value, help) char name[CONF_TEXT_MAX];
#define CONF_SECRET(name, value, help) char name[CONF_TEXT_MAX];
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
};

/* Fills conf with the defaults. */
void conf_init(struct conf *conf);

/* Sets one value by its name. ERR_CONF (with the reason in why, a static or caller-visible text
 * of at most why_size bytes) when the name is unknown or the value out of its limits; conf is
 * then unchanged. */
MUST_CHECK enum err conf_set(struct conf *conf, const char *name, const char *value, char *why,
			     size_t why_size);

/* Defaults, then the file named by BOXOFFICE_SETTINGS (name=value lines, # comments), then
 * BOXOFFICE_SET (name=value words), then BOXOFFICE_<NAME>; TLS needs tls_ca. Reports every fault on
 * stderr; ERR_CONF when there was one. */
MUST_CHECK enum err conf_load(struct conf *conf);

/* Prints the table, a setting a line: variable, default, limits, help (for --help and README). */
void conf_print_help(FILE *out);

#endif
