/* The wire: what is said to the broker. */
#include "config.h"

#include "broker_amqp.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum err wire_open_channel(struct wire *wire, unsigned channel)
{
	assert(channel >= 1 && channel <= WIRE_CHANNELS_MAX);
	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_channel_open(wire->connection, (amqp_channel_t)channel);
	return wire_check_rpc(wire, "open a channel");
}

/* Declaring --------------------------------------------------------------------------------- */

enum err wire_declare_exchange(struct wire *wire, unsigned channel,
			       const struct topology_exchange *exchange)
{
	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_exchange_declare(
		wire->connection, (amqp_channel_t)channel, amqp_cstring_bytes(exchange->name),
		amqp_cstring_bytes(exchange->type), false, true, false, false, amqp_empty_table);
	return wire_check_rpc(wire, exchange->name);
}

static amqp_table_entry_t entry_of(const struct topology_argument *argument)
{
	switch (argument->type) {
	case TOPOLOGY_TEXT:
		return wire_entry_text(argument->name, argument->text);
	case TOPOLOGY_INT:
		return wire_entry_int(argument->name, argument->number);
	case TOPOLOGY_BOOL:
		break;
	}
	return wire_entry_bool(argument->name, argument->number != 0);
}

enum err wire_declare_queue(struct wire *wire, unsigned channel, const struct topology_queue *queue)
{
	struct topology_argument arguments[TOPOLOGY_ARGUMENTS_MAX];
	amqp_table_entry_t entries[TOPOLOGY_ARGUMENTS_MAX];
	size_t count = topology_queue_arguments(queue, arguments);
	const amqp_bytes_t name = amqp_cstring_bytes(queue->name);
	enum err err;

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	for (size_t i = 0; i < count; i++)
		entries[i] = entry_of(&arguments[i]);
	amqp_queue_declare(wire->connection, (amqp_channel_t)channel, name, false, true, false,
			   false, (amqp_table_t){(int)count, entries});
	err = wire_check_rpc(wire, queue->name);
	if (err != ERR_OK)
		return err;
	amqp_queue_bind(wire->connection, (amqp_channel_t)channel, name,
			amqp_cstring_bytes(queue->exchange), amqp_cstring_bytes(queue->routing_key),
			amqp_empty_table);
	return wire_check_rpc(wire, queue->name);
}

enum err wire_declare_reply_queue(struct wire *wire, unsigned channel, const char *name)
{
	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_queue_declare(wire->connection, (amqp_channel_t)channel, amqp_cstring_bytes(name),
			   false, false, true, true, amqp_empty_table);
	return wire_check_rpc(wire, name);
}

enum err wire_count_ready(struct wire *wire, unsigned channel, const char *queue, uint64_t *ready)
{
	const amqp_queue_declare_ok_t *declared;
	uint64_t count;
	enum err err;

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	declared = amqp_queue_declare(wire->connection, (amqp_channel_t)channel,
				      amqp_cstring_bytes(queue), true, false, false, false,
				      amqp_empty_table);
	count = declared ? declared->message_count : 0;
	err = wire_check_rpc(wire, queue);
	if (err == ERR_OK)
		*ready = count;
	return err;
}

/* Publishing -------------------------------------------------------------------------------- */

enum err wire_confirm_select(struct wire *wire, unsigned channel)
{
	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_confirm_select(wire->connection, (amqp_channel_t)channel);
	return wire_check_rpc(wire, "turn confirms on");
}

/* A short string of the protocol: longer ones would be written as a broken frame. */
static amqp_bytes_t short_bytes(const char *text)
{
	amqp_bytes_t bytes = amqp_cstring_bytes(text);

	assert(bytes.len <= WIRE_SHORT_MAX);
	return bytes;
}

static void set_optional(amqp_basic_properties_t *properties, const char *text, amqp_flags_t flag,
			 amqp_bytes_t *field)
{
	if (!text)
		return;
	*field = short_bytes(text);
	properties->_flags |= flag;
}

/* Copies the pointer past an interface that lacks const, though the library only reads. */
static amqp_bytes_t body_bytes(const struct broker_message *message)
{
	amqp_bytes_t bytes = {.len = message->length};

	memcpy(&bytes.bytes, &message->body, sizeof(bytes.bytes));
	return bytes;
}

enum err wire_publish(struct wire *wire, unsigned channel, const struct broker_message *message,
		      uint64_t sequence)
{
	amqp_table_entry_t headers[WIRE_HEADERS_MAX + 1];
	int header_count = 0;
	char id[SEQUENCE_TEXT_SIZE];
	amqp_basic_properties_t properties = {
		._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG,
		.content_type = amqp_cstring_bytes("application/json"),
		.delivery_mode = message->persistent ? AMQP_DELIVERY_PERSISTENT
						     : AMQP_DELIVERY_NONPERSISTENT,
	};

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	snprintf(id, sizeof(id), "%" PRIu64, sequence);
	set_optional(&properties, message->type, AMQP_BASIC_TYPE_FLAG, &properties.type);
	set_optional(&properties, message->reply_to, AMQP_BASIC_REPLY_TO_FLAG,
		     &properties.reply_to);
	set_optional(&properties, message->correlation_id, AMQP_BASIC_CORRELATION_ID_FLAG,
		     &properties.correlation_id);
	set_optional(&properties, sequence > 0 ? id : NULL, AMQP_BASIC_MESSAGE_ID_FLAG,
		     &properties.message_id);
	set_optional(&properties, message->tells_account ? wire->account : NULL,
		     AMQP_BASIC_USER_ID_FLAG, &properties.user_id);
	assert(message->header_count <= WIRE_HEADERS_MAX);
	for (size_t i = 0; i < message->header_count; i++)
		headers[header_count++] =
			wire_entry_text(message->headers[i].name, message->headers[i].value);
	if (message->sent_ms != 0)
		headers[header_count++] = wire_entry_int(BROKER_SENT_HEADER, message->sent_ms);
	if (header_count > 0) {
		properties._flags |= AMQP_BASIC_HEADERS_FLAG;
		properties.headers = (amqp_table_t){header_count, headers};
	}
	return wire_check_status(wire, "publish",
				 amqp_basic_publish(wire->connection, (amqp_channel_t)channel,
						    short_bytes(message->exchange),
						    short_bytes(message->routing_key),
						    message->mandatory, false, &properties,
						    body_bytes(message)));
}

/* Consuming --------------------------------------------------------------------------------- */

static amqp_bytes_t consumer_tag(const char *queue, uint16_t prefetch,
				 char tag[static BROKER_NAME_SIZE])
{
	snprintf(tag, BROKER_NAME_SIZE, "%s%c%u", queue, WIRE_TAG_END, prefetch);
	return short_bytes(tag);
}

enum err wire_consume(struct wire *wire, unsigned channel, const char *queue, uint16_t prefetch)
{
	char tag[BROKER_NAME_SIZE];
	enum err err;

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_basic_qos(wire->connection, (amqp_channel_t)channel, 0, prefetch, false);
	err = wire_check_rpc(wire, "set the prefetch");
	if (err != ERR_OK)
		return err;
	amqp_basic_consume(wire->connection, (amqp_channel_t)channel, short_bytes(queue),
			   consumer_tag(queue, prefetch, tag), false,
			   prefetch == BROKER_UNACKNOWLEDGED, false, amqp_empty_table);
	return wire_check_rpc(wire, queue);
}

enum err wire_cancel(struct wire *wire, unsigned channel, const char *queue, uint16_t prefetch)
{
	char tag[BROKER_NAME_SIZE];

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	amqp_basic_cancel(wire->connection, (amqp_channel_t)channel,
			  consumer_tag(queue, prefetch, tag));
	return wire_check_rpc(wire, "cancel");
}

enum err wire_ack(struct wire *wire, unsigned channel, uint64_t tag, bool multiple)
{
	if (wire->is_gone)
		return ERR_BROKER_GONE;
	return wire_check_status(
		wire, "acknowledge",
		amqp_basic_ack(wire->connection, (amqp_channel_t)channel, tag, multiple));
}
