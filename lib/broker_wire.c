/* The wire: opening, closing and reading.
 *
 * All frames are read one by one. amqp_consume_message() would stop at anything but a delivery,
 * and would wait for the rest of a message that has only begun. */
#include "config.h"

#include "broker_amqp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "address.h"
#include "log.h"

#define FRAME_BYTES_MAX 131072
#define CONNECT_TIMEOUT_S 3
#define RPC_TIMEOUT_S 10
#define NEXT_TIMEOUT_S 2 /* to connect, and to log in, while there are other hosts to go to */
#define CLOSE_TIMEOUT_S 1
#define REASON_SIZE 320

/* Of all connections of the process. */
static struct address_turn turn;

/* Errors ---------------------------------------------------------------------------------- */

enum err wire_end(struct wire *wire, const char *doing, const char *why)
{
	if (!wire->is_gone)
		log_warn("broker-gone", LOG_S("connection", wire->name), LOG_S("host", wire->host),
			 LOG_S("doing", doing), LOG_S("why", why));
	wire->is_gone = true;
	return ERR_BROKER_GONE;
}

enum err wire_fail(struct wire *wire, const char *doing, const char *why)
{
	address_leave(&turn, wire->step);
	return wire_end(wire, doing, why);
}

enum err wire_check_status(struct wire *wire, const char *doing, int status)
{
	if (status >= 0)
		return ERR_OK;
	return wire_fail(wire, doing, amqp_error_string2(status));
}

/* Reads what a connection.close or channel.close says. Returns its code. */
static unsigned read_close(const amqp_method_t *method, char reason[static REASON_SIZE])
{
	unsigned code = 0;
	amqp_bytes_t text = amqp_empty_bytes;

	if (method->id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *closed = method->decoded;
		code = closed->reply_code;
		text = closed->reply_text;
	} else if (method->id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *closed = method->decoded;
		code = closed->reply_code;
		text = closed->reply_text;
	}
	snprintf(reason, REASON_SIZE, "%.*s", (int)text.len,
		 text.len > 0 ? (const char *)text.bytes : "");
	return code;
}

static enum err error_of(unsigned code)
{
	switch (code) {
	case AMQP_PRECONDITION_FAILED:
		return ERR_CONF;
	case AMQP_ACCESS_REFUSED:
	case AMQP_NOT_ALLOWED: /* on this vhost, or once more */
		return ERR_BROKER_DENIED;
	default:
		return ERR_BROKER_GONE;
	}
}

/* Any exception ends the connection: a closed channel has lost its consumers and confirms. */
static enum err check_reply(struct wire *wire, const char *doing, amqp_rpc_reply_t reply)
{
	char reason[REASON_SIZE];
	unsigned code;

	switch (reply.reply_type) {
	case AMQP_RESPONSE_NORMAL:
		amqp_maybe_release_buffers(wire->connection);
		return ERR_OK;
	case AMQP_RESPONSE_SERVER_EXCEPTION:
		code = read_close(&reply.reply, reason);
		(void)wire_fail(wire, doing, reason);
		return error_of(code);
	case AMQP_RESPONSE_LIBRARY_EXCEPTION:
		return wire_fail(wire, doing, amqp_error_string2(reply.library_error));
	case AMQP_RESPONSE_NONE:
		break;
	}
	return wire_fail(wire, doing, "end of stream");
}

enum err wire_check_rpc(struct wire *wire, const char *doing)
{
	return check_reply(wire, doing, amqp_get_rpc_reply(wire->connection));
}

/* Opening and closing ----------------------------------------------------------------------- */

/* Without these capabilities the broker would say neither that a queue was deleted nor that it
 * blocks. */
static enum err log_in(struct wire *wire, const struct amqp_connection_info *to,
		       const struct conf *conf)
{
	amqp_table_entry_t capabilities[] = {
		wire_entry_bool("consumer_cancel_notify", true),
		wire_entry_bool("connection.blocked", true),
		wire_entry_bool("publisher_confirms", true),
		wire_entry_bool("basic.nack", true),
		wire_entry_bool("authentication_failure_close", true),
	};
	amqp_table_entry_t properties[] = {
		wire_entry_text("connection_name", wire->name),
		wire_entry_text("product", "boxoffice"),
		{.key = amqp_cstring_bytes("capabilities"),
		 .value = {.kind = AMQP_FIELD_KIND_TABLE,
			   .value.table = {sizeof(capabilities) / sizeof(*capabilities),
					   capabilities}}},
	};
	const amqp_table_t table = {sizeof(properties) / sizeof(*properties), properties};

	return check_reply(
		wire, "log in",
		amqp_login_with_properties(wire->connection, to->vhost, WIRE_CHANNELS_MAX,
					   FRAME_BYTES_MAX, (int)conf->amqp_heartbeat_s, &table,
					   AMQP_SASL_METHOD_PLAIN, to->user, to->password));
}

/* Of TLS 1.2 and newer, with the peer's certificate and name verified: without that anybody on the
 * way could read the passwords. */
static enum err new_tls_socket(struct wire *wire, const char *authorities, amqp_socket_t **out)
{
	amqp_socket_t *socket = amqp_ssl_socket_new(wire->connection);

	if (!socket)
		return ERR_MEMORY;
	amqp_ssl_socket_set_verify_peer(socket, true);
	amqp_ssl_socket_set_verify_hostname(socket, true);
	if (amqp_ssl_socket_set_ssl_versions(socket, AMQP_TLSv1_2, AMQP_TLSvLATEST) !=
		    AMQP_STATUS_OK ||
	    amqp_ssl_socket_set_cacert(socket, authorities) != AMQP_STATUS_OK) {
		log_error("broker-tls", LOG_S("why", "amqps:// takes a tls_ca that can be read"),
			  LOG_S("tls_ca", authorities));
		return ERR_CONF;
	}
	*out = socket;
	return ERR_OK;
}

static enum err new_socket(struct wire *wire, const struct amqp_connection_info *to,
			   const char *authorities, amqp_socket_t **out)
{
	if (to->ssl)
		return new_tls_socket(wire, authorities, out);
	*out = amqp_tcp_socket_new(wire->connection);
	return *out ? ERR_OK : ERR_MEMORY;
}

static enum err connect_to(struct wire *wire, const struct amqp_connection_info *to,
			   const struct conf *conf)
{
	const bool is_alone = address_count(conf->amqp_url) == 1;
	const struct timeval connect_timeout = {is_alone ? CONNECT_TIMEOUT_S : NEXT_TIMEOUT_S, 0};
	const struct timeval login_timeout = {is_alone ? RPC_TIMEOUT_S : NEXT_TIMEOUT_S, 0};
	const struct timeval rpc_timeout = {RPC_TIMEOUT_S, 0};
	/* As long as the heartbeat takes to find out that nothing comes any more. */
	const unsigned silence_ms = (unsigned)conf->amqp_heartbeat_s * 2000;
	amqp_socket_t *socket;
	enum err err = new_socket(wire, to, conf->tls_ca, &socket);

	if (err != ERR_OK)
		return err;
	err = wire_check_status(
		wire, "connect",
		amqp_socket_open_noblock(socket, to->host, to->port, &connect_timeout));
	if (err != ERR_OK)
		return err;
	/* A publish has no deadline of its own (amqp_basic_publish()): a broker that takes nothing
	 * for so long is gone (tcp(7)). */
	if (setsockopt(amqp_get_sockfd(wire->connection), IPPROTO_TCP, TCP_USER_TIMEOUT,
		       &silence_ms, sizeof(silence_ms)) != 0)
		return ERR_SYSTEM;
	if (amqp_set_handshake_timeout(wire->connection, &login_timeout) != AMQP_STATUS_OK ||
	    amqp_set_rpc_timeout(wire->connection, &rpc_timeout) != AMQP_STATUS_OK)
		return ERR_MEMORY;
	return log_in(wire, to, conf);
}

/* Connects to the host whose turn it is. */
static enum err open_next(struct wire *wire, const struct conf *conf)
{
	struct amqp_connection_info to;
	char url[CONF_TEXT_MAX]; /* amqp_parse_url() writes into it and points into it */
	unsigned host = address_now(&turn, (unsigned)conf->amqp_first,
				    address_count(conf->amqp_url), &wire->step);

	amqp_default_connection_info(&to);
	if (address_pick(conf->amqp_url, host, url, CONF_TEXT_MAX) != ERR_OK ||
	    amqp_parse_url(url, &to) != AMQP_STATUS_OK) {
		log_error("broker-url",
			  LOG_S("why", "not amqp(s)://user:password@host:port,…/vhost"));
		return ERR_CONF;
	}
	wire->connection = amqp_new_connection();
	if (!wire->connection)
		return ERR_MEMORY;
	snprintf(wire->host, sizeof(wire->host), "%s:%d", to.host, to.port);
	snprintf(wire->account, sizeof(wire->account), "%s", to.user);
	return connect_to(wire, &to, conf);
}

static enum err open_one(struct wire **wire, const struct conf *conf, const char *name)
{
	struct wire *made = calloc(1, sizeof(*made));
	enum err err;

	if (!made)
		return ERR_MEMORY;
	snprintf(made->name, sizeof(made->name), "%s", name);
	err = open_next(made, conf);
	made->is_open = err == ERR_OK;
	if (err == ERR_OK)
		*wire = made;
	else
		wire_free(made);
	return err;
}

/* A round of all hosts. One may refuse an account that others know: it may be about to start. */
enum err wire_open(struct wire **wire, const struct conf *conf, const char *name)
{
	unsigned count = address_count(conf->amqp_url);
	enum err err = ERR_BROKER_GONE;

	for (unsigned i = 0; i < count; i++) {
		enum err one = open_one(wire, conf, name);
		if (one != ERR_BROKER_GONE && one != ERR_BROKER_DENIED)
			return one;
		if (one == ERR_BROKER_DENIED)
			err = one;
	}
	return err;
}

void wire_free(struct wire *wire)
{
	const struct timeval timeout = {CLOSE_TIMEOUT_S, 0};

	if (!wire)
		return;
	if (wire->is_open && !wire->is_gone &&
	    amqp_set_rpc_timeout(wire->connection, &timeout) == AMQP_STATUS_OK)
		(void)amqp_connection_close(wire->connection, AMQP_REPLY_SUCCESS);
	if (wire->connection)
		(void)amqp_destroy_connection(wire->connection);
	free(wire);
}

bool wire_is_gone(const struct wire *wire)
{
	return wire->is_gone;
}

/* Reading ----------------------------------------------------------------------------------- */

static struct wire_bytes bytes_of(amqp_bytes_t from)
{
	return (struct wire_bytes){from.bytes, from.len};
}

/* A header of this name and of 64 bits; 0: there is none. */
static int64_t read_number(const amqp_table_t *headers, const char *name)
{
	for (int i = 0; i < headers->num_entries; i++) {
		const amqp_table_entry_t *entry = &headers->entries[i];
		if (entry->value.kind == AMQP_FIELD_KIND_I64 && entry->key.len == strlen(name) &&
		    memcmp(entry->key.bytes, name, strlen(name)) == 0)
			return entry->value.value.i64;
	}
	return 0;
}

#define HEADER_DEPTH 4

static void write_value(struct text *out, const char *name, size_t name_length,
			const amqp_field_value_t *value, unsigned depth);

/* The members of a table, each under the table's own name. */
static void write_members(struct text *out, const char *prefix, size_t prefix_length,
			  const amqp_table_t *table, unsigned depth)
{
	struct text name = {0};

	for (int i = 0; i < table->num_entries; i++) {
		const amqp_table_entry_t *entry = &table->entries[i];
		text_clear(&name);
		if (prefix_length > 0) {
			text_add(&name, prefix, prefix_length);
			text_putc(&name, '.');
		}
		text_add(&name, entry->key.bytes, entry->key.len);
		write_value(out, name.bytes, name.length, &entry->value, depth);
	}
	text_fini(&name);
}

/* A zero byte would end a text early: it becomes a '?'. */
static void write_piece(struct text *out, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		text_putc(out, bytes[i] ? bytes[i] : '?');
}

static bool scalar_of(const amqp_field_value_t *value, int64_t *number)
{
	switch (value->kind) {
	case AMQP_FIELD_KIND_BOOLEAN:
		*number = value->value.boolean;
		return true;
	case AMQP_FIELD_KIND_I16:
		*number = value->value.i16;
		return true;
	case AMQP_FIELD_KIND_I32:
		*number = value->value.i32;
		return true;
	case AMQP_FIELD_KIND_I64:
		*number = value->value.i64;
		return true;
	case AMQP_FIELD_KIND_TIMESTAMP:
		*number = (int64_t)value->value.u64;
		return true;
	default:
		return false;
	}
}

static void write_value(struct text *out, const char *name, size_t name_length,
			const amqp_field_value_t *value, unsigned depth)
{
	int64_t number = 0;

	if (value->kind == AMQP_FIELD_KIND_TABLE && depth < HEADER_DEPTH) {
		write_members(out, name, name_length, &value->value.table, depth + 1);
	} else if (value->kind == AMQP_FIELD_KIND_ARRAY && depth < HEADER_DEPTH &&
		   value->value.array.num_entries > 0) {
		write_value(out, name, name_length, &value->value.array.entries[0], depth + 1);
	} else if (value->kind == AMQP_FIELD_KIND_UTF8 || value->kind == AMQP_FIELD_KIND_BYTES) {
		write_piece(out, name, name_length);
		text_putc(out, '\0');
		write_piece(out, value->value.bytes.bytes, value->value.bytes.len);
		text_putc(out, '\0');
	} else if (scalar_of(value, &number)) {
		write_piece(out, name, name_length);
		text_putc(out, '\0');
		text_int(out, number);
		text_putc(out, '\0');
	}
}

void wire_write_headers(const void *headers, struct text *out)
{
	write_members(out, "", 0, headers, 0);
}

/* A quorum queue counts in its header how often it has delivered a message before. */
static void read_header(const amqp_frame_t *frame, struct wire_event *event)
{
	const amqp_basic_properties_t *properties = frame->payload.properties.decoded;
	char id[SEQUENCE_TEXT_SIZE] = "";

	event->type = WIRE_HEADER;
	event->size = frame->payload.properties.body_size;
	if (properties->_flags & AMQP_BASIC_HEADERS_FLAG) {
		event->delivery_count = read_number(&properties->headers, "x-delivery-count");
		event->sent_ms = read_number(&properties->headers, BROKER_SENT_HEADER);
		event->headers = &properties->headers;
	}
	if (properties->_flags & AMQP_BASIC_REPLY_TO_FLAG)
		event->reply_to = bytes_of(properties->reply_to);
	if (properties->_flags & AMQP_BASIC_CORRELATION_ID_FLAG)
		event->correlation_id = bytes_of(properties->correlation_id);
	if (properties->_flags & AMQP_BASIC_USER_ID_FLAG)
		event->account = bytes_of(properties->user_id);
	if ((properties->_flags & AMQP_BASIC_MESSAGE_ID_FLAG) &&
	    properties->message_id.len < sizeof(id)) {
		memcpy(id, properties->message_id.bytes, properties->message_id.len);
		event->number = strtoull(id, NULL, 10);
	}
}

/* The queue that a consumer's tag begins with: broker_calls.c made it. */
static struct wire_bytes queue_of(amqp_bytes_t tag)
{
	struct wire_bytes queue = bytes_of(tag);

	while (queue.length > 0 && queue.bytes[--queue.length] != WIRE_TAG_END)
		;
	return queue;
}

static void read_deliver(const amqp_basic_deliver_t *deliver, struct wire_event *event)
{
	event->type = WIRE_DELIVER;
	event->number = deliver->delivery_tag;
	event->flag = deliver->redelivered;
	event->text = queue_of(deliver->consumer_tag);
}

static enum err read_method(struct wire *wire, const amqp_method_t *method,
			    struct wire_event *event)
{
	char reason[REASON_SIZE];
	unsigned code;

	switch (method->id) {
	case AMQP_BASIC_DELIVER_METHOD:
		read_deliver(method->decoded, event);
		break;
	case AMQP_BASIC_RETURN_METHOD:
		event->type = WIRE_RETURN;
		break;
	case AMQP_BASIC_ACK_METHOD:
		event->type = WIRE_ACK;
		event->number = ((const amqp_basic_ack_t *)method->decoded)->delivery_tag;
		event->flag = ((const amqp_basic_ack_t *)method->decoded)->multiple;
		break;
	case AMQP_BASIC_NACK_METHOD:
		event->type = WIRE_NACK;
		event->number = ((const amqp_basic_nack_t *)method->decoded)->delivery_tag;
		event->flag = ((const amqp_basic_nack_t *)method->decoded)->multiple;
		break;
	case AMQP_BASIC_CANCEL_METHOD:
		event->type = WIRE_CANCEL;
		event->text =
			queue_of(((const amqp_basic_cancel_t *)method->decoded)->consumer_tag);
		break;
	case AMQP_CONNECTION_BLOCKED_METHOD:
		event->type = WIRE_BLOCKED;
		event->text =
			bytes_of(((const amqp_connection_blocked_t *)method->decoded)->reason);
		break;
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		event->type = WIRE_UNBLOCKED;
		break;
	case AMQP_CHANNEL_CLOSE_METHOD:
	case AMQP_CONNECTION_CLOSE_METHOD:
		code = read_close(method, reason);
		(void)wire_fail(wire, "read", reason);
		return code == AMQP_ACCESS_REFUSED ? ERR_BROKER_DENIED : ERR_BROKER_GONE;
	default:
		break;
	}
	return ERR_OK;
}

enum err wire_next(struct wire *wire, int timeout_ms, struct wire_event *event)
{
	const struct timeval timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};
	amqp_frame_t frame;
	int status;

	if (wire->is_gone)
		return ERR_BROKER_GONE;
	/* Without this the memory of a channel only grows. It stays when frames of it are queued
	 * inside the library. */
	amqp_maybe_release_buffers_on_channel(wire->connection, wire->read);
	status = amqp_simple_wait_frame_noblock(wire->connection, &frame, &timeout);
	if (status == AMQP_STATUS_TIMEOUT)
		return ERR_TIMEOUT;
	if (status != AMQP_STATUS_OK)
		return wire_fail(wire, "read", amqp_error_string2(status));
	wire->read = frame.channel;
	*event = (struct wire_event){.type = WIRE_OTHER, .channel = frame.channel};
	if (frame.frame_type == AMQP_FRAME_METHOD)
		return read_method(wire, &frame.payload.method, event);
	if (frame.frame_type == AMQP_FRAME_HEADER)
		read_header(&frame, event);
	if (frame.frame_type == AMQP_FRAME_BODY) {
		event->type = WIRE_BODY;
		event->text = bytes_of(frame.payload.body_fragment);
	}
	return ERR_OK;
}

int wire_fd(const struct wire *wire)
{
	return amqp_get_sockfd(wire->connection);
}

bool wire_has_input(const struct wire *wire)
{
	return amqp_frames_enqueued(wire->connection) || amqp_data_in_buffer(wire->connection);
}
