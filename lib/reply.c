/* Results: written by workers, read by fronts and importers. */
#include "reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json_object.h>

#include "job.h"
#include "json.h"

#define REPLY_VERSION 1

/* An id of zeroes stands for one that could not be read. */
static void put_id(struct text *out, const struct id *id)
{
	static const struct id none;
	char text[ID_TEXT_SIZE];

	if (id_equal(id, &none)) {
		text_puts(out, "null");
		return;
	}
	id_format(id, text);
	text_json_string(out, text);
}

static void put_result(struct text *out, const struct result *result)
{
	const struct outcome *outcome = &result->outcome;
	enum err err = err_public(outcome->err);

	text_puts(out, "{\"id\":");
	put_id(out, &result->id);
	text_puts(out, ",\"index\":");
	text_int(out, (int64_t)result->index);
	text_puts(out, err == ERR_OK ? ",\"ok\":true" : ",\"ok\":false");
	if (err != ERR_OK) {
		/* What is said about plumbing is for the log. */
		bool exact = outcome->why[0] && err == outcome->err;

		text_puts(out, ",\"code\":");
		text_json_string(out, err_code(err));
		text_puts(out, ",\"message\":");
		text_json_string(out, exact ? outcome->why : err_message(err));
	}
	if (outcome->data[0]) {
		text_puts(out, ",\"data\":");
		text_puts(out, outcome->data);
	}
	if (outcome->replayed)
		text_puts(out, ",\"replayed\":true");
	text_putc(out, '}');
}

void reply_encode(struct text *out, const struct result *const *results, size_t count)
{
	text_puts(out, "{\"v\":");
	text_int(out, REPLY_VERSION);
	text_puts(out, ",\"results\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_putc(out, ',');
		put_result(out, results[i]);
	}
	text_puts(out, "]}");
}

/* Copies the object's text; json-c writes strings as raw UTF-8. */
static enum err read_data(const struct json_object *object, char out[static OUTCOME_MAX])
{
	struct json_object *data;
	const char *text;

	if (!json_object_object_get_ex(object, "data", &data))
		return ERR_OK;
	if (!json_object_is_type(data, json_type_object))
		return ERR_BAD_MESSAGE;
	text = json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN |
							    JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return ERR_MEMORY;
	if (strlen(text) >= OUTCOME_MAX)
		return ERR_BAD_MESSAGE;
	memcpy(out, text, strlen(text) + 1);
	return ERR_OK;
}

/* Reads code and message of a refusal. A code of a newer worker's is none that we know: what was
 * decided is then found by asking again with the same key. */
static enum err read_refusal(const struct json_object *object, struct outcome *outcome,
			     char why[static JSON_WHY_SIZE])
{
	char code[64 * 4 + 1];
	char message[sizeof(outcome->why) * 4 + 1];
	enum err err = json_get_text(object, "code", 1, 64, code, sizeof(code), why);

	if (err)
		return err;
	outcome->err = err_from_code(code);
	if (outcome->err == ERR_OK)
		return ERR_BAD_MESSAGE;
	if (outcome->err == ERR_COUNT)
		outcome->err = ERR_UNAVAILABLE;
	if (!json_has(object, "message"))
		return ERR_OK;
	err = json_get_text(object, "message", 0, sizeof(outcome->why), message, sizeof(message),
			    why);
	if (err)
		return err;
	if (strlen(message) >= sizeof(outcome->why))
		return ERR_BAD_MESSAGE;
	if (strcmp(message, err_message(outcome->err)) != 0)
		memcpy(outcome->why, message, strlen(message) + 1);
	return ERR_OK;
}

static enum err read_result(const struct json_object *object, struct result *result)
{
	char why[JSON_WHY_SIZE];
	struct outcome *outcome = &result->outcome;
	int64_t index;
	bool ok;

	if (!json_object_is_type(object, json_type_object))
		return ERR_BAD_MESSAGE;
	if (!json_has(object, "id") ||
	    (json_object_object_get(object, "id") && json_get_id(object, "id", &result->id, why)))
		return ERR_BAD_MESSAGE;
	if (json_get_int(object, "index", 0, JOB_MAX_PER_MESSAGE - 1, &index, why) ||
	    json_get_bool(object, "ok", &ok, why))
		return ERR_BAD_MESSAGE;
	result->index = (size_t)index;
	if (json_has(object, "replayed") &&
	    json_get_bool(object, "replayed", &outcome->replayed, why))
		return ERR_BAD_MESSAGE;
	if (!ok && read_refusal(object, outcome, why))
		return ERR_BAD_MESSAGE;
	return read_data(object, outcome->data);
}

static enum err read_results(const struct json_object *object, struct result **results,
			     size_t *count)
{
	const struct json_object *array = json_object_object_get(object, "results");
	char why[JSON_WHY_SIZE];
	struct result *made;
	enum err err = ERR_OK;
	int64_t version;
	size_t length;

	if (json_get_int(object, "v", REPLY_VERSION, REPLY_VERSION, &version, why) ||
	    !json_object_is_type(array, json_type_array))
		return ERR_BAD_MESSAGE;
	length = json_object_array_length(array);
	if (length == 0 || length > JOB_MAX_PER_MESSAGE)
		return ERR_BAD_MESSAGE;
	made = calloc(length, sizeof(*made));
	if (!made)
		return ERR_MEMORY;
	for (size_t i = 0; i < length && !err; i++)
		err = read_result(json_object_array_get_idx(array, i), &made[i]);
	if (err) {
		free(made);
		return err;
	}
	*results = made;
	*count = length;
	return ERR_OK;
}

enum err reply_decode(const char *body, size_t length, struct result **results, size_t *count)
{
	char why[JSON_WHY_SIZE];
	struct json_object *object;
	enum err err = json_parse_strict(body, length, &object, why);

	if (err)
		return err == ERR_MEMORY ? err : ERR_BAD_MESSAGE;
	err = read_results(object, results, count);
	json_free(object);
	return err;
}
