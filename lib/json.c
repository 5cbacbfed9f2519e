/* JSON from outside, read strictly. */
#include "json.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>
#include <json-c/linkhash.h>

#include "text.h"

#define SHOWN_NAME_BYTES 64

/* Writes 'member "name" …' when the name can be shown, else 'a member …': it came from outside. */
static enum err refuse_member(char why[static JSON_WHY_SIZE], const char *name, size_t length,
			      const char *what)
{
	if (length <= SHOWN_NAME_BYTES && text_is_plain_utf8(name, length, &(size_t){0}))
		snprintf(why, JSON_WHY_SIZE, "member \"%.*s\" %s", (int)length, name, what);
	else
		snprintf(why, JSON_WHY_SIZE, "a member %s", what);
	return ERR_BAD_FIELD;
}

/* Members of all objects inside; a name given twice is here but once. */
static size_t count_members(const struct json_object *value)
{
	size_t count = 0;

	if (json_object_is_type(value, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			count += count_members(json_object_array_get_idx(value, i));
	} else if (json_object_is_type(value, json_type_object)) {
		json_object_object_foreach(value, name, member)
		{
			(void)name;
			count += 1 + count_members(member);
		}
	}
	return count;
}

enum err json_refuse_faults(const struct json_part *part, const struct json_object *object,
			    char why[static JSON_WHY_SIZE])
{
	struct json_part repeat;

	if (part->facts.lone_surrogate) {
		snprintf(why, JSON_WHY_SIZE, "a string holds an unpaired surrogate escape");
		return ERR_BAD_FIELD;
	}
	if (part->facts.nul) {
		snprintf(why, JSON_WHY_SIZE, "a string or name holds \\u0000");
		return ERR_BAD_FIELD;
	}
	if (part->facts.members == count_members(object))
		return ERR_OK;
	if (json_find_repeat(part->text, part->length, &repeat))
		return refuse_member(why, repeat.name, repeat.name_length, "is given twice");
	return refuse_member(why, NULL, SIZE_MAX, "is given twice");
}

static enum err refuse_syntax(enum json_tokener_error error, size_t at,
			      char why[static JSON_WHY_SIZE])
{
	switch (error) {
	case json_tokener_continue:
		snprintf(why, JSON_WHY_SIZE, "the JSON ends too soon");
		break;
	case json_tokener_error_depth:
		snprintf(why, JSON_WHY_SIZE, "the JSON is nested deeper than %d levels",
			 JSON_MAX_DEPTH);
		break;
	case json_tokener_error_parse_utf8_string:
		snprintf(why, JSON_WHY_SIZE, "byte %zu is not UTF-8", at);
		break;
	default:
		snprintf(why, JSON_WHY_SIZE, "not JSON at byte %zu: %s", at,
			 json_tokener_error_desc(error));
	}
	return ERR_BAD_REQUEST;
}

/* Runs json-c's parser over a text without a NUL, where it would stop. */
static enum err parse(struct json_tokener *tokener, const char *body, size_t length,
		      struct json_object **value, char why[static JSON_WHY_SIZE])
{
	if (length > INT_MAX || memchr(body, '\0', length)) {
		snprintf(why, JSON_WHY_SIZE, "the body holds a NUL byte or is far too long");
		return ERR_BAD_REQUEST;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*value = json_tokener_parse_ex(tokener, body, (int)length);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return refuse_syntax(json_tokener_get_error(tokener),
				     json_tokener_get_parse_end(tokener), why);
	if (!json_object_is_type(*value, json_type_object)) {
		snprintf(why, JSON_WHY_SIZE, "the body must be one JSON object");
		return ERR_BAD_REQUEST;
	}
	return ERR_OK;
}

static enum err parse_object(const char *body, size_t length, struct json_object **object,
			     struct json_part *part, char why[static JSON_WHY_SIZE])
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH);
	struct json_object *value = NULL;
	enum err err;

	why[0] = '\0';
	if (!tokener)
		return ERR_MEMORY;
	err = parse(tokener, body, length, &value, why);
	if (err)
		goto out;
	*part = (struct json_part){.text = body, .length = length};
	part->facts = json_scan(body, length);
	if (part->facts.malformed) {
		snprintf(why, JSON_WHY_SIZE, "the body is not strictly JSON (RFC 8259)");
		err = ERR_BAD_REQUEST;
		goto out;
	}
	*object = value;
	value = NULL;
out:
	json_object_put(value);
	json_tokener_free(tokener);
	return err;
}

enum err json_parse_loosely(const char *body, size_t length, struct json_object **object,
			    char why[static JSON_WHY_SIZE])
{
	struct json_part part;

	return parse_object(body, length, object, &part, why);
}

enum err json_parse_strict(const char *body, size_t length, struct json_object **object,
			   char why[static JSON_WHY_SIZE])
{
	struct json_object *parsed;
	struct json_part part;
	enum err err = parse_object(body, length, &parsed, &part, why);

	if (err)
		return err;
	err = json_refuse_faults(&part, parsed, why);
	if (err)
		json_free(parsed);
	else
		*object = parsed;
	return err;
}

void json_free(struct json_object *object)
{
	json_object_put(object);
}

bool json_has(const struct json_object *object, const char *name)
{
	return json_object_object_get_ex(object, name, NULL);
}

enum err json_refuse_others(const struct json_object *object, const char *const *names,
			    size_t count, char why[static JSON_WHY_SIZE])
{
	json_object_object_foreach(object, name, member)
	{
		size_t i = 0;

		(void)member;
		while (i < count && strcmp(names[i], name) != 0)
			i++;
		if (i == count)
			return refuse_member(why, name, strlen(name), "is not known here");
	}
	return ERR_OK;
}

/* Finds a member of one type, or says what is wrong with it. */
static enum err find(const struct json_object *object, const char *name, enum json_type type,
		     const char *what, struct json_object **member, char why[static JSON_WHY_SIZE])
{
	struct json_object *found;

	if (!json_object_object_get_ex(object, name, &found)) {
		snprintf(why, JSON_WHY_SIZE, "%s is missing", name);
		return ERR_BAD_FIELD;
	}
	if (!json_object_is_type(found, type)) {
		snprintf(why, JSON_WHY_SIZE, "%s must be %s", name, what);
		return ERR_BAD_FIELD;
	}
	*member = found;
	return ERR_OK;
}

enum err json_get_int(const struct json_object *object, const char *name, int64_t least,
		      int64_t most, int64_t *value, char why[static JSON_WHY_SIZE])
{
	struct json_object *member;
	int64_t number;
	enum err err = find(object, name, json_type_int, "an integer", &member, why);

	assert(least > INT64_MIN && most < INT64_MAX);
	if (err)
		return err;
	number = json_object_get_int64(member);
	if (number < least || number > most) {
		snprintf(why, JSON_WHY_SIZE, "%s must be %" PRId64 " to %" PRId64, name, least,
			 most);
		return ERR_BAD_FIELD;
	}
	*value = number;
	return ERR_OK;
}

enum err json_get_text(const struct json_object *object, const char *name, size_t least,
		       size_t most, char *text, size_t size, char why[static JSON_WHY_SIZE])
{
	struct json_object *member;
	size_t length;
	size_t chars;
	enum err err = find(object, name, json_type_string, "a string", &member, why);

	assert(size > 4 * most);
	if (err)
		return err;
	length = (size_t)json_object_get_string_len(member);
	/* The length keeps a \u0000 inside, which the check then refuses as a control character. */
	if (!text_is_plain_utf8(json_object_get_string(member), length, &chars)) {
		snprintf(why, JSON_WHY_SIZE, "%s must be UTF-8 without control characters", name);
		return ERR_BAD_FIELD;
	}
	if (chars < least || chars > most) {
		snprintf(why, JSON_WHY_SIZE, "%s must have %zu to %zu characters", name, least,
			 most);
		return ERR_BAD_FIELD;
	}
	memcpy(text, json_object_get_string(member), length);
	text[length] = '\0';
	return ERR_OK;
}

enum err json_get_id(const struct json_object *object, const char *name, struct id *id,
		     char why[static JSON_WHY_SIZE])
{
	struct json_object *member;
	enum err err = find(object, name, json_type_string, "a UUID", &member, why);

	if (err)
		return err;
	if (!id_parse(json_object_get_string(member), (size_t)json_object_get_string_len(member),
		      id)) {
		snprintf(why, JSON_WHY_SIZE, "%s must be a UUID", name);
		return ERR_BAD_FIELD;
	}
	return ERR_OK;
}

enum err json_get_bool(const struct json_object *object, const char *name, bool *value,
		       char why[static JSON_WHY_SIZE])
{
	struct json_object *member;
	enum err err = find(object, name, json_type_boolean, "true or false", &member, why);

	if (err)
		return err;
	*value = json_object_get_boolean(member);
	return ERR_OK;
}
