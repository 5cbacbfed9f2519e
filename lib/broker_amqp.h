/* rabbitmq-c, in either of its header layouts: included by the two halves of the wire alone,
 * broker_wire.c and broker_calls.c, after config.h. */
#ifndef BOXOFFICE_BROKER_AMQP_H
#define BOXOFFICE_BROKER_AMQP_H

#ifdef HAVE_RABBITMQ_C_AMQP_H
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/framing.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include "broker_wire.h"

#define SEQUENCE_TEXT_SIZE 24

struct wire {
	amqp_connection_state_t connection;
	char name[BROKER_NAME_SIZE];
	char account[BROKER_NAME_SIZE]; /* that it logged in as */
	char host[BROKER_NAME_SIZE];    /* and port, that it is connected to */
	unsigned step;                  /* for address_leave() */
	bool is_open;                   /* logged in */
	bool is_gone;
	amqp_channel_t read; /* channel of the last frame, whose memory is still in use */
};

/* The result of the last call, logged when it failed: ERR_CONF when something exists with other
 * arguments, else ERR_BROKER_GONE. */
MUST_CHECK enum err wire_check_rpc(struct wire *wire, const char *doing);

/* The same of a status of the library. */
MUST_CHECK enum err wire_check_status(struct wire *wire, const char *doing, int status);

/* Between the queue's name and the rest of a consumer's tag; in no queue's name. */
#define WIRE_TAG_END '#'

static inline amqp_table_entry_t wire_entry_text(const char *key, const char *value)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)},
	};
}

static inline amqp_table_entry_t wire_entry_bool(const char *key, bool value)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = value},
	};
}

static inline amqp_table_entry_t wire_entry_int(const char *key, int64_t value)
{
	return (amqp_table_entry_t){
		.key = amqp_cstring_bytes(key),
		.value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = value},
	};
}

#endif
