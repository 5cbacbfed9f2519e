/* A second look at a JSON text that json-c has taken: what its objects no longer tell. */
#ifndef BOXOFFICE_JSON_SCAN_H
#define BOXOFFICE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct json_facts {
	size_t members;      /* of all objects at any depth, repeats counted */
	bool lone_surrogate; /* an escape such as \ud800 without its other half */
	bool nul;            /* the escape \u0000, at which json-c cuts a member's name */
	bool malformed; /* no JSON, though json-c takes it: 'name', 01, 1., NaN, a raw newline */
};

/* A value and where it stands in the text; borrowed from it. */
struct json_part {
	const char *name; /* of a member, still escaped; NULL in an array */
	size_t name_length;
	const char *text;
	size_t length;
	struct json_facts facts;
};

/* Goes over the values of one object or array, without going into them. */
struct json_cursor {
	const char *at;
	const char *end;
	bool in_object;
};

/* Looks at a whole text. Never reads beyond length, whatever the text is. */
struct json_facts json_scan(const char *text, size_t length);

/* Stands before the first value of an object's or array's text. */
void json_cursor_init(struct json_cursor *cursor, const char *text, size_t length);

/* Takes the next value; false at the end. */
bool json_cursor_next(struct json_cursor *cursor, struct json_part *part);

/* Finds a member of this object's text whose name stands there before, spelled alike, among the
 * first few; false when there is none. For the sentence that names it: counting finds them all. */
bool json_find_repeat(const char *text, size_t length, struct json_part *repeat);

#endif
