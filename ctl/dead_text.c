#include "dead_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "mem.h"

#define WHITE_SPACE "\t\n\r" /* that a text may have */

/* Appends what came from outside with a '?' for each byte that is neither text nor one of besides:
 * it would be no JSON, or the terminal would obey it. */
static void add_shown(struct text *out, const char *value, const char *besides)
{
	size_t length = strlen(value);

	for (size_t i = 0; i < length;) {
		size_t size = text_plain_char(value + i, length - i);

		if (size == 0 && strchr(besides, value[i]) != NULL)
			size = 1;
		text_add(out, size > 0 ? value + i : "?", size > 0 ? size : 1);
		i += size > 0 ? size : 1;
	}
}

static void put_value(struct text *out, const char *value)
{
	struct text shown = {0};

	add_shown(&shown, value, WHITE_SPACE);
	text_json_string(out, shown.length > 0 ? shown.bytes : "");
	text_fini(&shown);
}

static void put_string(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	put_value(out, value);
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

		if (size == 0 && strchr(WHITE_SPACE, bytes[i]) != NULL && bytes[i] != '\0')
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
	put_value(out, name);
	text_putc(out, ':');
	put_value(out, value);
}

void dead_text_json(struct text *out, const struct dead_letter *letter, bool whole)
{
	text_puts(out, "{\"code\":");
	put_value(out, letter->code);
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

/* Appends a column, padded to a width in bytes; "-" when there is nothing in it. */
static void put_column(struct text *out, const char *value, int width)
{
	struct text shown = {0};

	add_shown(&shown, value[0] != '\0' ? value : "-", "");
	text_printf(out, "%-*s  ", width, shown.bytes);
	text_fini(&shown);
}

void dead_text_line(struct text *out, const struct dead_letter *letter)
{
	char died[TIME_TEXT_SIZE], id[ID_TEXT_SIZE];

	time_format(letter->died_us, died);
	id_format(&letter->id, id);
	put_column(out, letter->died_us ? died : "", 27);
	put_column(out, letter->code, 20);
	put_column(out, letter->queue, 13);
	put_column(out, letter->kind, 8);
	put_column(out, letter->has_id ? id : "", 36);
	add_shown(out, letter->reason, "");
}
