/* Logging: logfmt lines on stderr, one event a line. */
#ifndef BOXOFFICE_LOG_H
#define BOXOFFICE_LOG_H

#include <stdint.h>

#include "err.h"
#include "id.h"

/* LOG_NOTICE is for a process's life (start, ready, stop): written whatever the least level is, and
 * no least level itself. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_NOTICE };

struct log_field {
	const char *key; /* NULL ends a list */
	enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_MS } type;
	const char *text;
	int64_t number;
};

#define LOG_S(key, value) ((struct log_field){(key), LOG_FIELD_TEXT, (value), 0})
#define LOG_I(key, value) ((struct log_field){(key), LOG_FIELD_INT, NULL, (int64_t)(value)})
/* A span given in microseconds, printed in milliseconds: reply_ms=2.413 */
#define LOG_US(key, value) ((struct log_field){(key), LOG_FIELD_MS, NULL, (int64_t)(value)})
#define LOG_ERR(value) LOG_S("err", err_code(value))

/* Each takes an event name and one field or more. */
#define log_at(level, event, ...)                                                                  \
	log_write((level), (event), (const struct log_field[]){__VA_ARGS__, {0}})
#define log_debug(event, ...) log_at(LOG_DEBUG, event, __VA_ARGS__)
#define log_info(event, ...) log_at(LOG_INFO, event, __VA_ARGS__)
#define log_warn(event, ...) log_at(LOG_WARN, event, __VA_ARGS__)
#define log_error(event, ...) log_at(LOG_ERROR, event, __VA_ARGS__)
#define log_notice(event, ...) log_at(LOG_NOTICE, event, __VA_ARGS__)

/* Sets the process's name and least level. ERR_CONF for an unknown level. */
MUST_CHECK enum err log_open(const char *process, const char *level);

/* Writes one line, in one write(2) unless it is gathered: ts=… level=… proc=… event=… and the
 * fields, quoted where needed. Thread-safe. */
void log_write(enum log_level level, const char *event, const struct log_field *fields);

/* From here on lines below warn are gathered and written together, every 100 ms or 64 KiB; a line
 * of warn or above takes all before it along at once. For a process that logs thousands of requests
 * a second: a write for each costs it a tenth of its time. What SIGKILL leaves unwritten is lost.
 * ERR_SYSTEM when the thread that writes cannot be started. */
MUST_CHECK enum err log_gather(void);

/* Writes what is gathered; from here on each line is written at once again. */
void log_gather_end(void);

/* The first eight digits of a user id and an ellipsis: user ids are capabilities, never logged. */
void log_mask_user(const struct id *user, char out[static 16]);

#endif
