#include "queue.h"

#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker_amqp.h"

static enum err delete_both(struct wire *wire)
{
	const amqp_bytes_t name = amqp_cstring_bytes(QUEUE_NAME);

	amqp_queue_delete(wire->connection, 1, name, false, false);
	enum err err = wire_check_rpc(wire, QUEUE_NAME);
	if (err)
		return err;
	amqp_exchange_delete(wire->connection, 1, name, false);
	return wire_check_rpc(wire, QUEUE_NAME);
}

static enum err declare_both(struct wire *wire)
{
	static const struct topology_exchange exchange = {.name = QUEUE_NAME, .type = "fanout"};
	static const struct topology_queue queue = {.name = QUEUE_NAME, .exchange = QUEUE_NAME};
	enum err err = wire_declare_exchange(wire, 1, &exchange);

	return err ? err : wire_declare_queue(wire, 1, &queue);
}

static enum err connect_broker(const struct conf *conf, struct wire **wire)
{
	struct wire *made;
	enum err err = wire_open(&made, conf, "strategies queue");

	if (err)
		return err;
	err = wire_open_channel(made, 1);
	if (err)
		wire_free(made);
	else
		*wire = made;
	return err;
}

enum err queue_delete(const struct conf *conf)
{
	struct wire *wire;
	enum err err = connect_broker(conf, &wire);

	if (err)
		return err;
	err = delete_both(wire);
	wire_free(wire);
	return err;
}

/* Deleting what is not there is no error: what an earlier run left goes first. */
enum err queue_make(const struct conf *conf)
{
	struct wire *wire;
	enum err err = connect_broker(conf, &wire);

	if (err)
		return err;
	err = delete_both(wire);
	if (!err)
		err = declare_both(wire);
	wire_free(wire);
	return err;
}

void queue_write(const struct operation *operation, char body[static QUEUE_MESSAGE_SIZE])
{
	char id[ID_HEX_SIZE];

	id_format_hex(&operation->id, id);
	snprintf(body, QUEUE_MESSAGE_SIZE, "%" PRId64 " %" PRId64 " %s", operation->balance,
		 operation->amount, id);
}

enum err queue_read(const char *body, size_t length, struct operation *operation)
{
	char text[QUEUE_MESSAGE_SIZE];
	char *rest;

	if (length >= sizeof text)
		return ERR_BAD_MESSAGE;
	memcpy(text, body, length);
	text[length] = '\0';
	operation->balance = strtoll(text, &rest, 10);
	operation->amount = strtoll(rest, &rest, 10);
	if (*rest != ' ' || !id_parse_hex(rest + 1, strlen(rest + 1), &operation->id))
		return ERR_BAD_MESSAGE;
	return ERR_OK;
}
