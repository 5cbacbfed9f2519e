/* The clocks of a process. Moments of the database come from snapshots, never from here. */
#ifndef BOXOFFICE_CLOCK_H
#define BOXOFFICE_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Monotonic microseconds: for deadlines and spans. */
static inline int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static inline int64_t clock_ms(void)
{
	return clock_us() / 1000;
}

/* Seconds since 1970: for the life of signed tokens. */
static inline int64_t clock_wall_s(void)
{
	return (int64_t)time(NULL);
}

/* Milliseconds since 1970: for the time that a message was sent at, which another host reads. */
static inline int64_t clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A moment of clock_us() for pthread_cond_clockwait() and the like. */
static inline struct timespec clock_timespec(int64_t at_us)
{
	return (struct timespec){.tv_sec = at_us / 1000000,
				 .tv_nsec = (long)(at_us % 1000000) * 1000};
}

#endif
