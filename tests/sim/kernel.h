/* The kernel of the simulation: its time, its dice, and what is said when something is wrong.
 *
 * Everything that happens follows from the seed and the options. The kernel's time is the true one,
 * in microseconds since 1970; the database's clock and those of processes differ from it. */
#ifndef BOXOFFICE_SIM_KERNEL_H
#define BOXOFFICE_SIM_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dice.h"

#define SECOND_US INT64_C(1000000)

enum fault {
#define FAULT(name, chances, help) FAULT_##name,
#include "faults.def"
#undef FAULT
	FAULT_COUNT
};

/* What a run is made of. */
struct options {
	uint64_t seed;
	size_t steps;    /* with new work and faults; then all comes to rest */
	size_t clients;  /* 1 to CLIENTS_MAX */
	size_t calm;     /* no faults from this step on */
	unsigned faults; /* bits of enum fault that may happen */
	bool is_traced;
};

struct kernel {
	struct options options;
	int64_t now_us;
	size_t step;
	bool is_settling;   /* no new work, no faults */
	struct dice order;  /* who goes next */
	struct dice chance; /* what goes wrong */
	struct dice will;   /* what clients do */
	struct dice noise;  /* what the system gives as random */
	const char *failed; /* the invariant that does not hold; NULL: all hold */
	char failure[512];  /* in words */
	size_t happened[FAULT_COUNT];
};

extern struct kernel kernel;

void kernel_start(const struct options *options);

/* Does this fault happen now? Asking is a chance. */
bool kernel_strikes(enum fault fault);

/* An invariant does not hold: the run ends with the first one. Does not return inside a process. */
__attribute__((format(printf, 2, 3))) void kernel_fail(const char *invariant, const char *format,
						       ...);

/* A line of the trace. */
__attribute__((format(printf, 1, 2))) void kernel_trace(const char *format, ...);

const char *kernel_fault_name(enum fault fault);
const char *kernel_fault_help(enum fault fault);

/* The database's clock. */
int64_t kernel_database_us(void);

#endif
