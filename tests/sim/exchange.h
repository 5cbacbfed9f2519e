/* The simulated broker's server: queues by the project's own topology, consumers, connections.
 *
 * What a process sends is under way until a step of the broker takes it: it may be lost with the
 * connection, from some point on. lib/broker.h for the processes is in connection.c. */
#ifndef BOXOFFICE_SIM_EXCHANGE_H
#define BOXOFFICE_SIM_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "conf.h"
#include "topology.h"

#define ADDRESS_SIZE 64

struct message {
	char exchange[ADDRESS_SIZE], key[ADDRESS_SIZE];
	char reply_to[ADDRESS_SIZE], correlation_id[ADDRESS_SIZE], account[ADDRESS_SIZE];
	char code[ADDRESS_SIZE]; /* of a dead letter: why */
	char *body;              /* ended by '\0' */
	size_t length;
	bool is_mandatory;
	bool is_redelivered;
	bool is_twice; /* there is another one like it */
	int64_t deliveries;
	int64_t at_us; /* under way: when it comes; in a queue with a TTL: when it ends */
	uint64_t nth;  /* in its queue */
};

struct queue {
	struct topology_queue is;
	struct message **ready;
	size_t count, capacity;
	size_t unacked;
};

struct delivered {
	struct message *message;
	struct queue *queue;
	unsigned channel;
	uint64_t tag;
	bool is_seen;  /* read from the socket */
	bool is_taken; /* by broker_take() */
};

struct frame {
	struct message *message; /* a publish; NULL: an acknowledgement */
	uint64_t sequence;
	unsigned channel;
	uint64_t tag;
	bool is_multiple;
};

struct answer {
	uint64_t sequence;
	enum err err;
};

struct connection {
	int process;
	unsigned generation; /* connections that ended in this place */
	bool is_open;
	bool confirms;
	int64_t last_us;              /* the process was heard */
	uint64_t sequence, confirmed; /* publishes sent, and answered */
	uint64_t tags;
	struct frame *frames; /* under way to the broker */
	size_t frame_count, frame_capacity;
	struct answer *answers; /* under way to the process */
	size_t answer_count, answer_capacity;
	struct delivered *delivered; /* not acknowledged */
	size_t delivered_count, delivered_capacity;
};

void exchange_start(const struct conf *conf);
void exchange_end(void);

/* One thing that the broker does; false: there is nothing to do now. */
bool exchange_step(void);

/* When there will be; INT64_MAX: never by itself. */
int64_t exchange_next_us(void);

/* Faults. */
void exchange_cut(void);     /* one connection, at random */
void exchange_restart(void); /* all of them */
void exchange_alarm(void);   /* publishers wait for some seconds */

void exchange_lose_process(int process);

/* True when all queues but `dead` are empty and nothing is under way. */
bool exchange_is_idle(void);

/* A client's message, there at at_us. Fields as of struct message; body is copied. */
void exchange_send(const struct message *message, const char *body, size_t length, int64_t at_us);

/* Takes the oldest dead letter away: owned, exchange_free(). NULL: there is none. */
struct message *exchange_take_dead(void);
void exchange_free(struct message *message);

/* For connection.c ----------------------------------------------------------------------------- */

/* NULL: nobody answers. */
struct connection *exchange_connect(int process);
void exchange_close(struct connection *connection);

/* Takes all that is under way from it. */
void exchange_flush(struct connection *connection);
void exchange_add_frame(struct connection *connection, const struct frame *frame);
struct message *exchange_new_message(const struct message *like, const char *body, size_t length);
void exchange_consume(struct connection *connection, unsigned channel, const char *queue,
		      size_t prefetch);
void exchange_cancel(struct connection *connection, unsigned channel, const char *queue,
		     size_t prefetch);

#endif
