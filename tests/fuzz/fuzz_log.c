/* Log lines of texts from outside: fields with a unit separator (0x1f) between them. */
#include "fuzz.h"

#include <unistd.h>

#include "log.h"

#define FIELDS 4

static struct text written;
static bool is_listening;

ssize_t __real_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length);
ssize_t __wrap_write(int fd, const void *bytes, size_t length)
{
	if (!is_listening || fd != STDERR_FILENO)
		return __real_write(fd, bytes, length);
	text_add(&written, bytes, length);
	return (ssize_t)length;
}

/* One value, quoted or bare; returns what follows it. */
static const char *skip_value(const char *at)
{
	if (*at != '"')
		return at + strcspn(at, " \n");
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		FUZZ_HOLDS(*at != '\0' && *at != '\n');
	}
	return at + 1;
}

/* One line, of which nobody can make two, or another field. */
static void check_line(size_t fields)
{
	const char *at = written.bytes;
	size_t chars = 0, found = 0;
	bool is_cut = false;

	FUZZ_HOLDS(written.length > 0 && written.bytes[written.length - 1] == '\n');
	FUZZ_HOLDS(text_is_plain_utf8(written.bytes, written.length - 1, &chars));
	while (*at != '\n') {
		is_cut = strncmp(at, "cut=true\n", 9) == 0;
		at += strcspn(at, "=");
		FUZZ_HOLDS(*at == '=');
		at = skip_value(at + 1);
		FUZZ_HOLDS(*at == ' ' || *at == '\n');
		at += *at == ' ';
		found++;
	}
	/* ts, level, proc and event stand before the fields. */
	FUZZ_HOLDS(is_cut || found == 4 + fields);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct log_field fields[FIELDS + 1] = {0};
	char *text = fuzz_string(data, size);
	char *rest = text;
	size_t count = 0;

	/* Between the fields stands a unit separator: line ends are for the values. */
	while (count < FIELDS && rest != NULL)
		fields[count++] = LOG_S("value", strsep(&rest, "\x1f"));
	text_clear(&written);
	is_listening = true;
	log_write(LOG_ERROR, "fuzzed", fields);
	is_listening = false;
	check_line(count);
	free(text);
	return 0;
}
