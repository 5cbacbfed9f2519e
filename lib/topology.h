/* Exchanges and queues: one table, from which processes declare them and the definitions file
 * for operators is written. PROTOCOL.md, "Queues". */
#ifndef BOXOFFICE_TOPOLOGY_H
#define BOXOFFICE_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "err.h"
#include "text.h"

#define TOPOLOGY_NAME_SIZE 64

struct topology_exchange {
	const char *name;
	const char *type; /* direct or fanout */
};

struct topology_queue {
	char name[TOPOLOGY_NAME_SIZE];
	const char *exchange;                 /* bound to */
	char routing_key[TOPOLOGY_NAME_SIZE]; /* with */
	bool single_active_consumer;
	int64_t max_length;          /* messages; 0: none. Beyond it publishes are nacked */
	int64_t delivery_limit;      /* 0: none */
	int64_t message_ttl_ms;      /* 0: none */
	const char *dead_exchange;   /* NULL: none */
};

/* The exchanges; count is set. Static storage. */
const struct topology_exchange *topology_exchanges(size_t *count);

/* Calls each for every queue of this installation (partitions and hold_s from conf), and for each
 * binding implied: hold.expiry has as many bindings as seat has keys, so its queue is listed once
 * with routing key "" and topology_bindings() gives its keys. Stops at the first error. */
MUST_CHECK enum err topology_each_queue(const struct conf *conf,
                                        enum err (*each)(const struct topology_queue *queue, void *arg),
                                        void *arg);

/* Writes the RabbitMQ definitions of exchanges, queues and bindings (JSON) for one vhost. */
void topology_write_definitions(const struct conf *conf, const char *vhost, struct text *out);

/* The partition of a seat: seatId mod P. */
int64_t topology_partition(const struct conf *conf, int64_t seat);

#endif
