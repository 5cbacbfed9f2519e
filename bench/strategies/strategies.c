/* strategies ARM [--operations N] [--charges-only] [--balances B] [--threads T] …
 *
 * Applies N charges and N uses to balances by one of the strategies of concurrency control that
 * people compare, on tables of its own, and looks whether no money was lost. Prints a line of JSON.
 * Settings are a worker's, with an account that may create tables and queues. Exit status 1: the
 * money is wrong, or it could not be done. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "order.h"
#include "tables.h"

struct arm {
	const char *name;
	arm_fn *run;
	bool has_own_tables; /* the service's, and it looks at them itself */
};

static const struct arm arms[] = {
	{"simple", arm_simple, false},
	{"spin", arm_spin, false},
	{"pessimistic", arm_pessimistic, false},
	{"optimistic", arm_optimistic, false},
	{"pubsub", arm_pubsub, false},
	{"redlock", arm_redlock, false},
	{"kafka", arm_kafka, false},
	{"rabbitmq", arm_rabbitmq, false},
	{"ours", arm_ours, true},
};

enum option_key {
	OPERATIONS = 1,
	CHARGES_ONLY,
	BALANCES,
	OPENING,
	THREADS,
	RETRY_US,
	UNLOCKED,
	MOCK
};

static const struct option options[] = {
	{"operations", required_argument, NULL, OPERATIONS},
	{"charges-only", no_argument, NULL, CHARGES_ONLY},
	{"balances", required_argument, NULL, BALANCES},
	{"opening", required_argument, NULL, OPENING},
	{"threads", required_argument, NULL, THREADS},
	{"retry-us", required_argument, NULL, RETRY_US},
	{"unlocked", no_argument, NULL, UNLOCKED},
	{"mock", no_argument, NULL, MOCK},
	{0},
};

static int usage(void)
{
	fputs("usage: strategies ARM [OPTION …]\n"
	      "  --operations N  charges, and as many uses (default: 3000)\n"
	      "  --charges-only  no uses\n"
	      "  --balances N    that they go to (default: 1)\n"
	      "  --opening N     KRW that each begins with (default: covers all uses)\n"
	      "  --threads N     clients (default: 32)\n"
	      "  --retry-us N    pause of who does not get a simple lock (default: 1000)\n"
	      "  --unlocked      leave the locks out: money must get lost\n"
	      "  --mock          Kafka in memory, for tests: its speed says nothing\n"
	      "ARM:",
	      stderr);
	for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
		fprintf(stderr, " %s", arms[i].name);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
	char *rest;

	*number = strtoll(text, &rest, 10);
	return *text && !*rest && *number >= least && *number <= most;
}

static bool take_option(struct order *order, int key, const char *value)
{
	switch (key) {
	case OPERATIONS:
		return read_number(value, 1, 1000000, &order->charges);
	case CHARGES_ONLY:
		order->uses = 0;
		return true;
	case BALANCES:
		return read_number(value, 1, 100000, &order->balances);
	case OPENING:
		return read_number(value, 0, INT32_MAX, &order->opening);
	case THREADS:
		return read_number(value, 1, 200, &order->threads);
	case RETRY_US:
		return read_number(value, 1, 1000000, &order->retry_us);
	case UNLOCKED:
		order->is_unlocked = true;
		return true;
	case MOCK:
		order->is_mock = true;
		return true;
	default:
		return false;
	}
}

static bool read_order(struct order *order, int argc, char **argv)
{
	*order = (struct order){.charges = 3000,
				.uses = -1,
				.balances = 1,
				.opening = -1,
				.threads = 32,
				.retry_us = 1000};
	for (int key; (key = getopt_long(argc, argv, "", options, NULL)) != -1;)
		if (!take_option(order, key, optarg))
			return false;
	if (order->uses < 0)
		order->uses = order->charges;
	return argc == optind + 1;
}

static const struct arm *find_arm(const char *name)
{
	for (size_t i = 0; i < sizeof arms / sizeof *arms; i++)
		if (strcmp(arms[i].name, name) == 0)
			return &arms[i];
	return NULL;
}

static void print_result(const struct order *order, const struct arm *arm,
			 const struct arm_result *result, bool is_right)
{
	double seconds = (double)(result->end_us - result->begin_us) / 1e6;

	printf("{\"arm\":\"%s\",\"operations\":%" PRId64 ",\"applied\":%" PRId64
	       ",\"refused\":%" PRId64 ",\"isRight\":%s",
	       arm->name, order_total(order), result->applied, result->refused,
	       is_right ? "true" : "false");
	/* A cluster in memory says nothing of a real one. */
	if (order->is_mock)
		printf(",\"isMeasured\":false}\n");
	else
		printf(",\"isMeasured\":true,\"seconds\":%.3f,\"perSecond\":%.0f}\n", seconds,
		       (double)result->applied / seconds);
}

static enum err run_arm(const struct order *order, const struct arm *arm, struct arm_result *result,
			bool *is_right)
{
	*is_right = true;
	if (arm->has_own_tables)
		return arm->run(order, result);
	enum err err = tables_make(order);
	if (!err)
		err = arm->run(order, result);
	if (!err)
		err = tables_check(order, result, is_right);
	enum err dropped = tables_drop(&order->conf);
	return err ? err : dropped;
}

int main(int argc, char **argv)
{
	struct order order;
	struct arm_result result = {0};
	bool is_right;

	if (!read_order(&order, argc, argv))
		return usage();
	const struct arm *arm = find_arm(argv[optind]);
	if (!arm)
		return usage();
	bool must_cover = order.opening < 0;
	if (must_cover)
		order.opening = order.uses * ORDER_AMOUNT_MAX;
	order.brokers = getenv("KAFKA_BROKERS");
	if (conf_load(&order.conf) || log_open("strategies", order.conf.log_level))
		return EXIT_FAILURE;
	snprintf(order.scratch, sizeof order.scratch, "/tmp/boxoffice-strategies.XXXXXX");
	if (!mkdtemp(order.scratch))
		return EXIT_FAILURE;
	enum err err = run_arm(&order, arm, &result, &is_right);
	rmdir(order.scratch);
	if (err) {
		log_error("arm-failed", LOG_S("arm", arm->name), LOG_ERR(err));
		return EXIT_FAILURE;
	}
	is_right = is_right && result.applied + result.refused == order_total(&order) &&
		   (!must_cover || result.refused == 0);
	print_result(&order, arm, &result, is_right);
	return is_right ? EXIT_SUCCESS : EXIT_FAILURE;
}
