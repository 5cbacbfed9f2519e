/* Logging: a line is built in a buffer of PIPE_BUF bytes at most, which a pipe takes whole, so
 * that lines of several processes and threads never mix. Gathered lines are one process's own. */
#include "log.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "text.h"

#define LINE_SIZE PIPE_BUF
#define LINE_RESERVE 16 /* for a closing quote and " cut=true\n" */
#define PROCESS_SIZE 64
#define GATHER_SIZE 65536
#define GATHER_MS 100

static const char *const level_names[] = {[LOG_DEBUG] = "debug",
					  [LOG_INFO] = "info",
					  [LOG_WARN] = "warn",
					  [LOG_ERROR] = "error",
					  [LOG_NOTICE] = "notice"};

static char process_name[PROCESS_SIZE] = "boxoffice";
static enum log_level least_level = LOG_INFO;

/* Lines that wait to be written together. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t end;
	pthread_t writer;
	bool is_on;
	size_t length;
	char bytes[GATHER_SIZE];
} gathered = {.lock = PTHREAD_MUTEX_INITIALIZER, .end = PTHREAD_COND_INITIALIZER};

struct line {
	char bytes[LINE_SIZE];
	size_t length;
	bool full; /* nothing more is taken */
};

enum err log_open(const char *process, const char *level)
{
	for (size_t i = 0; i <= LOG_ERROR; i++) {
		if (strcmp(level, level_names[i]) == 0) {
			snprintf(process_name, sizeof(process_name), "%s", process);
			least_level = (enum log_level)i;
			return ERR_OK;
		}
	}
	return ERR_CONF;
}

static void put(struct line *line, const char *bytes, size_t length)
{
	if (line->full || line->length + length > LINE_SIZE - LINE_RESERVE) {
		line->full = true;
		return;
	}
	memcpy(line->bytes + line->length, bytes, length);
	line->length += length;
}

static void put_reserved(struct line *line, const char *string)
{
	size_t length = strlen(string);

	memcpy(line->bytes + line->length, string, length);
	line->length += length;
}

/* True when a value stands for itself: no quotes needed, nothing to escape. */
static bool is_bare(const char *value, size_t length)
{
	size_t chars, ascii = 0;

	while (value[ascii] > ' ' && value[ascii] < 0x7f && value[ascii] != '"' &&
	       value[ascii] != '=' && value[ascii] != '\\')
		ascii++;
	if (ascii == length)
		return length > 0;
	return strcspn(value + ascii, " \"=\\") == length - ascii &&
	       text_is_plain_utf8(value + ascii, length - ascii, &chars);
}

static void put_escape(struct line *line, unsigned char c)
{
	char escape[5];

	if (c == '"' || c == '\\')
		snprintf(escape, sizeof(escape), "\\%c", c);
	else if (c == '\n')
		snprintf(escape, sizeof(escape), "\\n");
	else
		snprintf(escape, sizeof(escape), "\\x%02x", c);
	put(line, escape, strlen(escape));
}

/* Whatever comes in stays one value on one line: a newline or quote cannot forge another. */
static void put_value(struct line *line, const char *value)
{
	size_t length = strlen(value);

	if (is_bare(value, length)) {
		put(line, value, length);
		return;
	}
	put(line, "\"", 1);
	if (line->full)
		return;
	for (size_t at = 0; at < length && !line->full;) {
		size_t step = text_plain_char(value + at, length - at);

		if (step == 0 || value[at] == '"' || value[at] == '\\') {
			put_escape(line, (unsigned char)value[at]);
			at++;
		} else {
			put(line, value + at, step);
			at += step;
		}
	}
	put_reserved(line, "\"");
}

/* With so many digits at least. */
static void put_number(struct line *line, bool is_negative, uint64_t number, int digits)
{
	char text[24];
	char *at = text + sizeof(text);

	for (; digits > 0 || number > 0; digits--, number /= 10)
		*--at = (char)('0' + number % 10);
	if (is_negative)
		*--at = '-';
	put(line, at, (size_t)(text + sizeof(text) - at));
}

static void put_field(struct line *line, const struct log_field *field)
{
	uint64_t number = field->number < 0 ? -(uint64_t)field->number : (uint64_t)field->number;
	size_t start = line->length;

	put(line, " ", 1);
	put(line, field->key, strlen(field->key));
	put(line, "=", 1);
	if (line->full) {
		line->length = start; /* half a key is none */
		return;
	}
	switch (field->type) {
	case LOG_FIELD_TEXT:
		put_value(line, field->text ? field->text : "");
		return;
	case LOG_FIELD_INT:
		put_number(line, field->number < 0, number, 1);
		return;
	case LOG_FIELD_MS:
		put_number(line, field->number < 0, number / 1000, 1);
		put(line, ".", 1);
		put_number(line, false, number % 1000, 3);
		return;
	}
}

static void write_all(const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(STDERR_FILENO, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return; /* nowhere to tell it */
		bytes += written;
		length -= (size_t)written;
	}
}

/* Called with the lock. */
static void flush(void)
{
	write_all(gathered.bytes, gathered.length);
	gathered.length = 0;
}

static void gather(const struct line *line, enum log_level level)
{
	pthread_mutex_lock(&gathered.lock);
	if (gathered.length + line->length > GATHER_SIZE)
		flush();
	memcpy(gathered.bytes + gathered.length, line->bytes, line->length);
	gathered.length += line->length;
	if (!gathered.is_on || level >= LOG_WARN)
		flush();
	pthread_mutex_unlock(&gathered.lock);
}

static void *gather_run(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&gathered.lock);
	while (gathered.is_on) {
		struct timespec until = clock_timespec(clock_us() + GATHER_MS * 1000);

		pthread_cond_clockwait(&gathered.end, &gathered.lock, CLOCK_MONOTONIC, &until);
		flush();
	}
	pthread_mutex_unlock(&gathered.lock);
	return NULL;
}

enum err log_gather(void)
{
	gathered.is_on = true;
	if (pthread_create(&gathered.writer, NULL, gather_run, NULL) == 0)
		return ERR_OK;
	gathered.is_on = false;
	return ERR_SYSTEM;
}

void log_gather_end(void)
{
	pthread_mutex_lock(&gathered.lock);
	gathered.is_on = false;
	pthread_cond_signal(&gathered.end);
	pthread_mutex_unlock(&gathered.lock);
	pthread_join(gathered.writer, NULL);
	pthread_mutex_lock(&gathered.lock);
	flush();
	pthread_mutex_unlock(&gathered.lock);
}

void log_write(enum log_level level, const char *event, const struct log_field *fields)
{
	struct line line = {.length = 0};
	struct timespec now;
	char time_text[TIME_TEXT_SIZE];

	if (level < least_level)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	time_format((int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, time_text);
	put(&line, "ts=", 3);
	put(&line, time_text, strlen(time_text));
	put_field(&line, &LOG_S("level", level_names[level]));
	put_field(&line, &LOG_S("proc", process_name));
	put_field(&line, &LOG_S("event", event));
	for (; fields->key && !line.full; fields++)
		put_field(&line, fields);
	put_reserved(&line, line.full ? " cut=true\n" : "\n");
	gather(&line, level);
}

void log_mask_user(const struct id *user, char out[static 16])
{
	char text[ID_TEXT_SIZE];

	id_format(user, text);
	memcpy(out, text, 8);
	memcpy(out + 8, "…", sizeof("…"));
}
