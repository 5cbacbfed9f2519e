/* JSON from outside. json-c parses it and json_scan.c looks at the text again: the two must agree,
 * whatever the text is. */
#include "fuzz.h"

#include <json-c/json_object.h>

#include "json.h"

static size_t count_parts(const char *text, size_t length)
{
	struct json_cursor cursor;
	struct json_part part;
	size_t count = 0;

	json_cursor_init(&cursor, text, length);
	while (json_cursor_next(&cursor, &part)) {
		FUZZ_HOLDS(part.text > text && part.text + part.length < text + length);
		FUZZ_HOLDS(part.name != NULL && part.name > text);
		FUZZ_HOLDS(part.name + part.name_length < part.text);
		count++;
	}
	return count;
}

/* Written by json-c and read again, it is the same. */
static void check_round_trip(struct json_object *object)
{
	const char *written = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN);
	struct json_object *again = NULL;
	char why[JSON_WHY_SIZE];

	FUZZ_HOLDS(json_parse_strict(written, strlen(written), &again, why) == ERR_OK);
	FUZZ_HOLDS(json_object_equal(object, again));
	json_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json_object *loose = NULL, *strict = NULL;
	char why[JSON_WHY_SIZE];
	enum err loosely = json_parse_loosely(text, size, &loose, why);
	enum err strictly;

	/* Whatever the text is, looking at it ends, inside it. */
	(void)json_scan(text, size);
	if (loosely != ERR_OK) {
		FUZZ_HOLDS(loosely == ERR_BAD_REQUEST && loose == NULL);
		fuzz_check_reason(why);
	}
	strictly = json_parse_strict(text, size, &strict, why);
	if (strictly != ERR_OK) {
		FUZZ_HOLDS(strictly == ERR_BAD_FIELD || strictly == loosely);
		FUZZ_HOLDS(strict == NULL);
		fuzz_check_reason(why);
	} else {
		FUZZ_HOLDS(loosely == ERR_OK && json_object_equal(strict, loose));
		FUZZ_HOLDS(count_parts(text, size) == (size_t)json_object_object_length(strict));
		check_round_trip(strict);
	}
	json_free(loose);
	json_free(strict);
	return 0;
}
