#include "dead_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "mem.h"

static void put_string(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	text_json_string(out, value);
}

static void put_time(struct text *out, const char *name, int64_t us)
{
	char time[TIME_TEXT_SIZE];

	time_format(us, time);
	if (us != 0)
		put_string(out, name, time);
	else
		text_printf(out, ",\"%s\":null", name);
}

static void put_id(struct text *out, const struct dead_letter *letter)
{
	char id[ID_TEXT_SIZE];

	id_format(&letter->id, id);
	if (letter->has_id)
		put_string(out, "id", id);
	else
		text_puts(out, ",\"id\":null");
}

/* JSON carries text, and JSON's own white space within it. */
static bool is_text(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t size = text_plain_char(bytes + i, length - i);

		if (size == 0 && strchr("\t\n\r", bytes[i]) != NULL && bytes[i] != '\0')
			size = 1;
		if (size == 0)
			return false;
		i += size;
	}
	return true;
}

static void put_body(struct text *out, const struct broker_delivery *delivery)
{
	char *encoded;

	if (is_text(delivery->body, delivery->length)) {
		put_string(out, "body", delivery->body);
		return;
	}
	encoded = mem_array(NULL, (delivery->length + 2) / 3 * 4 + 1, 1);
	EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)delivery->body,
			(int)delivery->length);
	put_string(out, "bodyBase64", encoded);
	free(encoded);
}

static void put_header(void *arg, const char *name, const char *value)
{
	struct text *out = arg;

	text_puts(out, out->bytes[out->length - 1] == '{' ? "" : ",");
	text_json_string(out, is_text(name, strlen(name)) ? name : "?");
	text_putc(out, ':');
	text_json_string(out, is_text(value, strlen(value)) ? value : "?");
}

void dead_text_json(struct text *out, const struct dead_letter *letter, bool whole)
{
	text_puts(out, "{\"code\":");
	text_json_string(out, letter->code);
	put_string(out, "reason", letter->reason);
	put_string(out, "queue", letter->queue);
	put_time(out, "died", letter->died_us);
	put_time(out, "published", letter->published_us);
	text_printf(out, ",\"deliveries\":%" PRId64 ",\"jobs\":%zu", letter->deliveries,
		    letter->jobs);
	put_id(out, letter);
	put_string(out, "kind", letter->kind);
	if (whole) {
		put_string(out, "replyTo", letter->delivery->reply_to);
		put_string(out, "correlationId", letter->delivery->correlation_id);
		text_puts(out, ",\"headers\":{");
		broker_delivery_each_header(letter->delivery, put_header, out);
		text_putc(out, '}');
		put_body(out, letter->delivery);
	}
	text_putc(out, '}');
}

void dead_text_line(struct text *out, const struct dead_letter *letter)
{
	char died[TIME_TEXT_SIZE], id[ID_TEXT_SIZE];
	size_t chars = 0;

	time_format(letter->died_us, died);
	id_format(&letter->id, id);
	text_printf(out, "%-27s  %-20s  %-13s  %-8s  %-36s  %s", letter->died_us ? died : "-",
		    letter->code[0] ? letter->code : "-", letter->queue[0] ? letter->queue : "-",
		    letter->kind[0] ? letter->kind : "-", letter->has_id ? id : "-",
		    text_is_plain_utf8(letter->reason, strlen(letter->reason), &chars)
			    ? letter->reason
			    : "-");
}
