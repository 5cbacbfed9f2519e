/* The simulation: the workers as they are, against a broker and a database in memory, all from one
 * seed. Without a seed it runs one after the other and stops at the first that fails; that one is
 * shrunk and said in a form that replays it.
 *
 *     tests/sim/sim --seconds 60
 *     tests/sim/sim --seed 4711 --trace
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients.h"
#include "kernel.h"
#include "run.h"
#include "tables.h"

#define RUN_STEPS 6000
#define SHRINK_SEEDS 300
#define RUNS_SHOWING_ALL 1000
#define ALL_FAULTS ((1U << FAULT_COUNT) - 1)

static const struct option words[] = {
	{"seed", required_argument, NULL, 's'},
	{"runs", required_argument, NULL, 'r'},
	{"seconds", required_argument, NULL, 'S'},
	{"steps", required_argument, NULL, 'n'},
	{"clients", required_argument, NULL, 'c'},
	{"faults", required_argument, NULL, 'f'},
	{"calm-from", required_argument, NULL, 'C'},
	{"schema", required_argument, NULL, 'm'},
	{"trace", no_argument, NULL, 't'},
	{"no-shrink", no_argument, NULL, 'N'},
	{"ignore", required_argument, NULL, 'i'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct plan {
	struct options options;
	uint64_t runs;
	int64_t seconds; /* 0: no end but that of the runs */
	bool is_shrunk;
	const char *schema;
};

struct tally {
	uint64_t runs, steps;
	size_t happened[FAULT_COUNT];
	size_t told[ERR_COUNT];
};

static void print_help(void)
{
	puts("usage: sim [OPTION]...\n"
	     "  --seed N       the first seed (1)\n"
	     "  --runs N       so many seeds (1 with --seed)\n"
	     "  --seconds N    as many seeds as there is time for (60)\n"
	     "  --steps N      steps of a run before it comes to rest (6000)\n"
	     "  --clients N    1 to 8 (8)\n"
	     "  --faults LIST  only these, separated by commas; none: -\n"
	     "  --calm-from N  no faults from this step on\n"
	     "  --trace        what happens, step by step\n"
	     "  --no-shrink    say the first failure as it is\n"
	     "  --ignore LIST  invariants that are not looked at\n"
	     "  --schema DIR   the migrations, whose unique keys hold\n"
	     "\nFaults:");
	for (unsigned fault = 0; fault < FAULT_COUNT; fault++)
		printf("  %-9s %s\n", kernel_fault_name((enum fault)fault),
		       kernel_fault_help((enum fault)fault));
}

static bool read_number(const char *text, uint64_t *out)
{
	char *end = NULL;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || end == text || *end)
		return false;
	*out = value;
	return true;
}

static bool read_faults(const char *list, unsigned *faults)
{
	*faults = 0;
	for (const char *at = list; *at && strcmp(list, "-") != 0;) {
		size_t length = strcspn(at, ",");
		unsigned fault = 0;
		while (fault < FAULT_COUNT &&
		       (strlen(kernel_fault_name((enum fault)fault)) != length ||
			strncmp(kernel_fault_name((enum fault)fault), at, length) != 0))
			fault++;
		if (fault == FAULT_COUNT)
			return false;
		*faults |= 1U << fault;
		at += length + (at[length] == ',');
	}
	return true;
}

static bool read_option(struct plan *plan, int option, const char *value)
{
	uint64_t number = 0;
	if (strchr("srSncC", option) && !read_number(value, &number))
		return false;
	switch (option) {
	case 's':
		plan->options.seed = number;
		plan->runs = 1;
		plan->seconds = 0;
		return true;
	case 'r':
		plan->runs = number;
		plan->seconds = 0;
		return true;
	case 'S':
		plan->seconds = (int64_t)number;
		plan->runs = UINT64_MAX;
		return true;
	case 'n':
		plan->options.steps = number;
		return true;
	case 'c':
		plan->options.clients = number;
		return number >= 1 && number <= CLIENTS_MAX;
	case 'C':
		plan->options.calm = number;
		return true;
	case 'f':
		return read_faults(value, &plan->options.faults);
	case 'm':
		plan->schema = value;
		return true;
	case 'i':
		plan->options.ignored = value;
		return true;
	case 't':
		plan->options.is_traced = true;
		return true;
	case 'N':
		plan->is_shrunk = false;
		return true;
	default:
		return false;
	}
}

static void print_replay(const struct options *options)
{
	printf("seed %" PRIu64 " step %zu; again: sim --seed %" PRIu64 " --steps %zu --clients %zu",
	       options->seed, kernel.step, options->seed, options->steps, options->clients);
	if (options->calm < options->steps)
		printf(" --calm-from %zu", options->calm);
	if (options->faults != ALL_FAULTS) {
		const char *separator = " --faults ";
		for (unsigned fault = 0; fault < FAULT_COUNT; fault++)
			if (options->faults & 1U << fault) {
				printf("%s%s", separator, kernel_fault_name((enum fault)fault));
				separator = ",";
			}
		if (!options->faults)
			printf(" --faults -");
	}
	puts(" --trace");
}

/* Shrinking: what is left out while the same invariant still fails. -----------------------------
 */

static bool fails_alike(const struct options *options, const char *invariant)
{
	return !run(options) && strcmp(kernel.failed, invariant) == 0;
}

static void try_instead(struct options *best, const struct options *other, const char *invariant)
{
	if (fails_alike(other, invariant))
		*best = *other;
}

static void leave_faults_out(struct options *best, const char *invariant)
{
	for (unsigned fault = 0; fault < FAULT_COUNT; fault++) {
		struct options other = *best;
		other.faults &= ~(1U << fault);
		if (other.faults != best->faults)
			try_instead(best, &other, invariant);
	}
}

/* Steps are halved, then cut finely: where new work ends, and where faults do. */
static void cut_short(struct options *best, size_t *number, const struct options *options,
		      size_t from, const char *invariant)
{
	*number = from < *number ? from : *number;
	for (size_t part = *number / 2; part; part /= 2) {
		while (*number > part) {
			*number -= part;
			if (!fails_alike(options, invariant)) {
				*number += part;
				break;
			}
			*best = *options;
		}
	}
}

/* Another seed may come to the same sooner. */
static void try_seeds(struct options *best, const char *invariant)
{
	for (uint64_t seed = best->seed + 1, last = best->seed + SHRINK_SEEDS; seed <= last;
	     seed++) {
		struct options other = *best;
		other.seed = seed;
		if (fails_alike(&other, invariant) && kernel.step < best->steps) {
			other.steps = kernel.step;
			*best = other;
		}
	}
}

/* The smallest run that fails as the last one did. */
static struct options shrink(const struct options *failing)
{
	const char *invariant = kernel.failed;
	struct options best = *failing, other;
	size_t step = kernel.step;
	best.is_traced = false;
	leave_faults_out(&best, invariant);
	for (size_t clients = 1; clients < best.clients; clients++) {
		other = best;
		other.clients = clients;
		try_instead(&best, &other, invariant);
	}
	other = best;
	cut_short(&best, &other.steps, &other, step, invariant);
	try_seeds(&best, invariant);
	other = best;
	cut_short(&best, &other.steps, &other, best.steps, invariant);
	other = best;
	cut_short(&best, &other.calm, &other, best.steps, invariant);
	leave_faults_out(&best, invariant);
	(void)run(&best);
	return best;
}

static int64_t seconds_now(void)
{
	struct timespec now;
	timespec_get(&now, TIME_UTC); /* the true time: clock_gettime() is the simulation's */
	return now.tv_sec;
}

static void print_summary(const struct tally *tally, uint64_t last_seed)
{
	printf("%" PRIu64 " runs, %" PRIu64 " steps, seeds up to %" PRIu64 "\n", tally->runs,
	       tally->steps, last_seed);
	for (unsigned fault = 0; fault < FAULT_COUNT; fault++)
		printf("%s %zu%s", kernel_fault_name((enum fault)fault), tally->happened[fault],
		       fault + 1 < FAULT_COUNT ? ", " : "\n");
}

static void count_run(struct tally *tally)
{
	tally->runs++;
	tally->steps += kernel.step;
	for (size_t fault = 0; fault < FAULT_COUNT; fault++)
		tally->happened[fault] += kernel.happened[fault];
	for (size_t err = 0; err < ERR_COUNT; err++)
		tally->told[err] += kernel.told[err];
}

/* Whatever can be told to a client must have been told, and every fault have happened, in a number
 * of runs: else the simulation shows less than it seems to. */
static bool has_shown_all(const struct tally *tally)
{
	static const enum err all[] = {ERR_OK,
				       ERR_TOKEN_INVALID,
				       ERR_TOKEN_EXPIRED,
				       ERR_TOKEN_FINISHED,
				       ERR_TOKEN_LEFT,
				       ERR_NOT_ADMITTED,
				       ERR_KEY_REUSED,
				       ERR_UNKNOWN_USER,
				       ERR_ALREADY_ISSUED,
				       ERR_SEAT_HELD,
				       ERR_SEAT_SOLD,
				       ERR_ALREADY_HOLDING,
				       ERR_NOT_HELD,
				       ERR_HOLD_EXPIRED,
				       ERR_UNKNOWN_PAYMENT,
				       ERR_INSUFFICIENT_BALANCE,
				       ERR_UNKNOWN_CHARGE,
				       ERR_BALANCE_SPENT,
				       ERR_ALREADY_REFUNDED,
				       ERR_ALREADY_REVERSED,
				       ERR_USER_EXISTS,
				       ERR_BAD_MESSAGE,
				       ERR_BAD_VERSION,
				       ERR_NOT_OPERATOR};
	bool has_all = true;
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!tally->told[all[i]]) {
			printf("FAILED coverage: nobody was ever told %s\n", err_code(all[i]));
			has_all = false;
		}
	for (unsigned fault = 0; fault < FAULT_COUNT; fault++)
		if (!tally->happened[fault]) {
			printf("FAILED coverage: %s never happened\n",
			       kernel_fault_name((enum fault)fault));
			has_all = false;
		}
	return has_all;
}

static void report_failure(const struct plan *plan, const struct tally *tally)
{
	printf("FAILED %s: %s\nafter %" PRIu64 " steps in all\n", kernel.failed, kernel.failure,
	       tally->steps);
	print_replay(&plan->options);
	fflush(stdout);
	if (!plan->is_shrunk || plan->options.is_traced)
		return;
	const struct options shrunk = shrink(&plan->options);
	printf("shrunk: %s: %s\n", kernel.failed, kernel.failure);
	print_replay(&shrunk);
}

static int run_all(struct plan *plan)
{
	struct tally tally = {0};
	int64_t began_s = seconds_now();
	for (; tally.runs < plan->runs; plan->options.seed++) {
		if (plan->seconds && seconds_now() - began_s >= plan->seconds)
			break;
		bool is_good = run(&plan->options);
		count_run(&tally);
		if (!is_good) {
			report_failure(plan, &tally);
			return EXIT_FAILURE;
		}
	}
	print_summary(&tally, plan->options.seed - 1);
	bool is_long = tally.runs >= RUNS_SHOWING_ALL && plan->options.faults == ALL_FAULTS;
	return is_long && !has_shown_all(&tally) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct plan plan = {.options = {.seed = 1,
					.steps = RUN_STEPS,
					.clients = CLIENTS_MAX,
					.calm = SIZE_MAX,
					.faults = ALL_FAULTS},
			    .runs = UINT64_MAX,
			    .seconds = 60,
			    .is_shrunk = true,
			    .schema = SIM_MIGRATIONS};
	int option;
	while ((option = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (option == 'h') {
			print_help();
			return EXIT_SUCCESS;
		}
		if (option == '?' || !read_option(&plan, option, optarg)) {
			fputs("sim: see --help\n", stderr);
			return 2;
		}
	}
	if (!tables_read_keys(plan.schema)) {
		fprintf(stderr, "sim: %s: no migrations that can be read\n", plan.schema);
		return 2;
	}
	/* Unless these are another's migrations: then a key may be missing on purpose. */
	if (strcmp(plan.schema, SIM_MIGRATIONS) == 0 && tables_missing_key()) {
		fprintf(stderr, "sim: not in the migrations: %s\n", tables_missing_key());
		return 2;
	}
	/* What workers log of all this is of interest in a trace alone. */
	if (!plan.options.is_traced && !freopen("/dev/null", "w", stderr))
		return 2;
	return run_all(&plan);
}
