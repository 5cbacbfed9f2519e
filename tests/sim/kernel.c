#include "kernel.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include "process.h"

#define BEGIN_US (INT64_C(1800000000) * SECOND_US)
#define DATABASE_AHEAD_US (3 * SECOND_US)
#define BOOTED_US (BEGIN_US - 5000 * SECOND_US) /* the monotonic clock's zero */

struct kernel kernel;

static const struct {
	const char *name;
	uint64_t chances;
	const char *help;
} faults[FAULT_COUNT] = {
#define FAULT(name, chances, help) [FAULT_##name] = {#name, chances, help},
#include "faults.def"
#undef FAULT
};

void kernel_start(const struct options *options)
{
	struct dice seeds = {options->seed};
	kernel = (struct kernel){.options = *options, .now_us = BEGIN_US};
	kernel.order.state = dice_next(&seeds);
	kernel.chance.state = dice_next(&seeds);
	kernel.will.state = dice_next(&seeds);
	kernel.noise.state = dice_next(&seeds);
}

/* The dice are rolled for a fault that is switched off, too: all else stays as it was. */
bool kernel_strikes(enum fault fault)
{
	bool strikes = dice_one_in(&kernel.chance, faults[fault].chances);
	if (!strikes || kernel.is_settling || kernel.step >= kernel.options.calm ||
	    !(kernel.options.faults & 1U << fault))
		return false;
	kernel.happened[fault]++;
	kernel_trace("fault %s", faults[fault].name);
	return true;
}

void kernel_fail(const char *invariant, const char *format, ...)
{
	va_list arguments;
	if (!kernel.failed) {
		kernel.failed = invariant;
		va_start(arguments, format);
		vsnprintf(kernel.failure, sizeof kernel.failure, format, arguments);
		va_end(arguments);
		kernel_trace("FAILED %s: %s", invariant, kernel.failure);
	}
	process_leave();
}

void kernel_trace(const char *format, ...)
{
	va_list arguments;
	if (!kernel.options.is_traced)
		return;
	printf("%6zu %10.3f %-10s ", kernel.step,
	       (double)(kernel.now_us - BEGIN_US) / (double)SECOND_US, process_name());
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}

const char *kernel_fault_name(enum fault fault)
{
	return faults[fault].name;
}

const char *kernel_fault_help(enum fault fault)
{
	return faults[fault].help;
}

int64_t kernel_database_us(void)
{
	return kernel.now_us + DATABASE_AHEAD_US;
}

/* What product code asks the system for: the linker sends it here (--wrap). */

int __wrap_clock_gettime(clockid_t clock, struct timespec *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t us = clock == CLOCK_MONOTONIC ? kernel.now_us - BOOTED_US
					      : kernel.now_us + process_skew_us();
	*out = (struct timespec){.tv_sec = us / SECOND_US, .tv_nsec = us % SECOND_US * 1000};
	return 0;
}

time_t __wrap_time(time_t *out);
time_t __wrap_time(time_t *out)
{
	time_t now = (time_t)((kernel.now_us + process_skew_us()) / SECOND_US);
	if (out)
		*out = now;
	return now;
}

ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *bytes, size_t size, unsigned flags)
{
	uint8_t *out = bytes;
	(void)flags;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)dice_next(&kernel.noise);
	return (ssize_t)size;
}

int __wrap_nanosleep(const struct timespec *span, struct timespec *left);
int __wrap_nanosleep(const struct timespec *span, struct timespec *left)
{
	(void)left;
	process_sleep(span->tv_sec * SECOND_US + span->tv_nsec / 1000);
	return 0;
}
