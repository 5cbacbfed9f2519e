/* Dead letters, as an operator is shown them: anybody who may publish can put one there. The input
 * is headers, a line each (name=value), an empty line, and the body. */
#include "fuzz.h"

#include "dead_letters.h"
#include "dead_text.h"
#include "json.h"

/* What the broker's headers become: name and value by turns, each with its zero byte, in which a
 * zero byte is a question mark. */
static const uint8_t *read_headers(const uint8_t *data, const uint8_t *end, struct text *headers)
{
	while (data < end && *data != '\n') {
		const uint8_t *line_end = memchr(data, '\n', (size_t)(end - data));
		const uint8_t *equals;

		if (line_end == NULL)
			line_end = end;
		equals = memchr(data, '=', (size_t)(line_end - data));
		if (equals != NULL) {
			for (const uint8_t *at = data; at < line_end; at++)
				text_putc(headers, at == equals ? '\0' : *at ? (char)*at : '?');
			text_putc(headers, '\0');
		}
		data = line_end < end ? line_end + 1 : end;
	}
	return data < end ? data + 1 : end;
}

static void check_json(const struct dead_letter *letter, bool whole)
{
	struct json_object *object = NULL;
	struct text text = {0};
	char why[JSON_WHY_SIZE];

	dead_text_json(&text, letter, whole);
	/* A header may come twice. */
	FUZZ_HOLDS(json_parse_loosely(text.bytes, text.length, &object, why) == ERR_OK);
	FUZZ_HOLDS(memchr(text.bytes, '\n', text.length) == NULL);
	json_free(object);
	text_fini(&text);
}

/* Control characters would be the terminal's. */
static void check_line(const struct dead_letter *letter)
{
	struct text text = {0};
	size_t chars = 0;

	dead_text_line(&text, letter);
	FUZZ_HOLDS(text_is_plain_utf8(text.bytes, text.length, &chars));
	text_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct conf conf;
	struct broker_delivery delivery = {0};
	struct text headers = {0}, body = {0};
	struct dead_letter letter;
	const uint8_t *rest = read_headers(data, data + size, &headers);
	const char *reply_to;

	conf_init(&conf);
	text_add(&body, (const char *)rest, (size_t)(data + size - rest));
	text_putc(&body, '\0');
	delivery.headers = headers.bytes;
	delivery.headers_length = headers.length;
	delivery.body = body.bytes;
	delivery.length = body.length - 1;
	/* These come with the message too. */
	reply_to = broker_delivery_header(&delivery, "reply-to");
	snprintf(delivery.reply_to, sizeof delivery.reply_to, "%s", reply_to ? reply_to : "");
	memcpy(delivery.correlation_id, delivery.reply_to, sizeof delivery.correlation_id);
	dead_letter_read(&letter, &delivery);
	FUZZ_HOLDS(letter.jobs <= JOB_MAX_PER_MESSAGE && (!letter.has_job || letter.jobs == 1));
	check_json(&letter, false);
	check_json(&letter, true);
	check_line(&letter);
	/* It may go back to a queue of the table alone. */
	if (dead_letter_why_not(&letter, &conf) == NULL)
		FUZZ_HOLDS(letter.queue[0] != '\0' && strcmp(letter.queue, "dead") != 0);
	text_fini(&headers);
	text_fini(&body);
	return 0;
}
