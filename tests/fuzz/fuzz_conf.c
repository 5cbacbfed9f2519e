/* Settings files. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "conf.h"
#include "log.h"

static enum err load(struct conf *conf, const void *bytes, size_t length)
{
	char path[64];
	int fd = memfd_create("settings", 0);
	enum err err;

	FUZZ_HOLDS(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FUZZ_HOLDS(setenv("BOXOFFICE_SETTINGS", path, 1) == 0);
	err = conf_load(conf);
	close(fd);
	return err;
}

static void check_limits(const struct conf *conf)
{
#define CONF_INT(name, value, least, most, help)                                                   \
	FUZZ_HOLDS(conf->name >= (least) && conf->name <= (most));
#define CONF_TEXT(name, value, help) FUZZ_HOLDS(strlen(conf->name) < CONF_TEXT_MAX);
#define CONF_SECRET(name, value, help) CONF_TEXT(name, value, help)
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
}

/* All settings as a file of them. */
static void write_file(const struct conf *conf, struct text *out)
{
#define CONF_INT(name, value, least, most, help)                                                   \
	text_printf(out, "%s=%lld\n", #name, (long long)conf->name);
#define CONF_TEXT(name, value, help) text_printf(out, "%s=%s\n", #name, conf->name);
#define CONF_SECRET(name, value, help) CONF_TEXT(name, value, help)
#include "conf.def"
#undef CONF_INT
#undef CONF_TEXT
#undef CONF_SECRET
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text file = {0}, rewritten = {0};
	struct conf conf, again;
	enum err err = load(&conf, data, size);

	FUZZ_HOLDS(err == ERR_OK || err == ERR_CONF);
	/* What was refused has left its setting alone. */
	check_limits(&conf);
	write_file(&conf, &file);
	FUZZ_HOLDS(load(&again, file.bytes, file.length) == ERR_OK || err == ERR_CONF);
	write_file(&again, &rewritten);
	FUZZ_HOLDS(fuzz_same_text(&file, &rewritten));
	text_fini(&file);
	text_fini(&rewritten);
	return 0;
}
