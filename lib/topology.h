/* Exchanges and queues: one table, from which processes declare them and the definitions file
 * for operators is written. PROTOCOL.md, "Queues".
 *
 * A hold's expire job waits in the queue of its duration and must then reach a seat queue, as a
 * rule that of its partition. A dead letter keeps its routing key, so the key has to be the
 * partition; hence each duration has a fanout exchange of its own, of the same name as its queue.
 * One exchange for all durations would, after hold_s was changed, put a copy into the old
 * duration's queue too. Publish to the exchange named by topology_hold_queue(), with the partition
 * as routing key. */
#ifndef BOXOFFICE_TOPOLOGY_H
#define BOXOFFICE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "text.h"

#define TOPOLOGY_NAME_SIZE 64
#define TOPOLOGY_ARGUMENTS_MAX 10

struct topology_exchange {
	char name[TOPOLOGY_NAME_SIZE];
	const char *type; /* direct or fanout */
};

struct topology_queue {
	char name[TOPOLOGY_NAME_SIZE];
	char exchange[TOPOLOGY_NAME_SIZE];    /* bound to */
	char routing_key[TOPOLOGY_NAME_SIZE]; /* with; "" on a fanout exchange */
	bool single_active_consumer;
	int64_t max_length;        /* messages; 0: none. Beyond it publishes are nacked */
	int64_t delivery_limit;    /* 0: none */
	int64_t message_ttl_ms;    /* 0: none */
	const char *dead_exchange; /* NULL: none */
	unsigned takes; /* what workers take from it: a bit of enum queue_set; 0: nothing */
};

/* One of a queue's arguments, as the broker wants it. */
struct topology_argument {
	const char *name;
	enum { TOPOLOGY_TEXT, TOPOLOGY_INT, TOPOLOGY_BOOL } type;
	const char *text;
	int64_t number; /* TOPOLOGY_BOOL: 0 or 1 */
};

typedef enum err topology_exchange_fn(const struct topology_exchange *exchange, void *arg);
typedef enum err topology_queue_fn(const struct topology_queue *queue, void *arg);

/* Calls each for every exchange of this installation (hold_s from conf). Stops at the first
 * error and returns it. */
MUST_CHECK enum err topology_each_exchange(const struct conf *conf, topology_exchange_fn *each,
					   void *arg);

/* Calls each for every queue of this installation (partitions and hold_s from conf); each has one
 * binding. Stops at the first error and returns it. */
MUST_CHECK enum err topology_each_queue(const struct conf *conf, topology_queue_fn *each,
					void *arg);

/* The arguments that a queue is declared with; their number. */
size_t topology_queue_arguments(const struct topology_queue *queue,
				struct topology_argument out[static TOPOLOGY_ARGUMENTS_MAX]);

/* Appends the RabbitMQ definitions of exchanges, queues and bindings (JSON) for one vhost, which
 * must exist when they are imported; or, with the accounts, is among them. */
void topology_write_definitions(const struct conf *conf, const char *vhost, bool has_accounts,
				struct text *out);

/* The part of these about accounts, without passwords, and policies (topology_accounts.c). */
void topology_write_accounts(const char *vhost, struct text *out);

/* The partition of a seat: seatId mod P. */
int64_t topology_partition(const struct conf *conf, int64_t seat);

/* The name of the queue that holds of hold_s seconds wait in, and of its exchange. */
void topology_hold_queue(const struct conf *conf, char name[static TOPOLOGY_NAME_SIZE]);

#endif
