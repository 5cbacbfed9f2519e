/* What a run is asked for, the operations that every arm applies, and what it reports. */
#ifndef BOXOFFICE_BENCH_ORDER_H
#define BOXOFFICE_BENCH_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "id.h"

#define ORDER_AMOUNT_MAX 7 /* KRW of one operation */

struct order {
	struct conf
		conf; /* an account that may do everything: tables and queues are the run's own */
	int64_t charges;     /* and as many uses, */
	int64_t uses;        /* or none */
	int64_t balances;    /* 1 to charges */
	int64_t opening;     /* KRW that each balance begins with */
	int64_t threads;     /* clients */
	int64_t retry_us;    /* pause after a simple lock that was not to be had */
	bool is_unlocked;    /* the locks are left out: money must get lost */
	bool is_mock;        /* Kafka: the client library's own cluster in memory */
	const char *brokers; /* Kafka's; NULL: none */
	char scratch[64];    /* a folder of the run's own, for sockets */
};

struct operation {
	int64_t balance; /* its row, 1 and up */
	int64_t amount;  /* signed, never 0 */
	struct id id;
};

struct arm_result {
	int64_t applied, refused;
	int64_t begin_us, end_us; /* clock_us(): the first attempt or publish, the last commit */
};

/* Charges and uses in all. */
int64_t order_total(const struct order *order);

/* The operation of a number from 0: charges and uses by turns, balances in an order that has
 * nothing to do with that. Its id is a fresh one. */
struct operation order_operation(const struct order *order, int64_t number);

/* An arm: applies all operations, each once. result is untouched on an error, which was logged. */
typedef enum err arm_fn(const struct order *order, struct arm_result *result);

arm_fn arm_simple, arm_spin, arm_pessimistic, arm_optimistic, arm_pubsub, arm_redlock, arm_kafka,
	arm_rabbitmq, arm_ours;

#endif
