/* Spans of time on this machine: the monotonic clock. Never compared with the database's. */
#ifndef BOXOFFICE_MOMENT_H
#define BOXOFFICE_MOMENT_H

#include <stdint.h>
#include <time.h>

static inline int64_t moment_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000000) + now.tv_nsec / 1000;
}

static inline int64_t moment_ms(void)
{
	return moment_us() / 1000;
}

#endif
