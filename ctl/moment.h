/* Moments as people name them: a local time and the name of its time zone. */
#ifndef BOXOFFICE_CTL_MOMENT_H
#define BOXOFFICE_CTL_MOMENT_H

#include <stdint.h>

#include "err.h"

#define MOMENT_WHY_SIZE 160

/* Reads "2026-12-01 20:00" or "2026-12-01 20:00:30" in a zone of the time zone database, such as
 * Asia/Seoul or UTC, as microseconds since 1970. ERR_CONF, with a sentence in why: no such time or
 * zone, or a time that a change of the clocks leaves out. Changes the process's TZ. */
MUST_CHECK enum err moment_read(const char *text, const char *zone, int64_t *us,
				char why[static MOMENT_WHY_SIZE]);

#endif
