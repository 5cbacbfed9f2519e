/* JSON from outside: read strictly, and taken apart member by member with limits.
 *
 * json-c parses; this adds what it lets pass: members given twice (it keeps the last), unpaired
 * surrogate escapes (it makes U+FFFD of them), integers that do not fit (it makes the greatest one
 * of them), and \u0000. Each refusal leaves a sentence in why that names the member and its limit,
 * plain UTF-8 whatever was sent. */
#ifndef BOXOFFICE_JSON_H
#define BOXOFFICE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "id.h"
#include "json_scan.h"

#define JSON_WHY_SIZE 160
#define JSON_MAX_DEPTH 8

struct json_object; /* json-c's */

/* Reads a text that is one JSON object and nothing else. ERR_BAD_REQUEST when it is not that (or
 * not UTF-8, or deeper than JSON_MAX_DEPTH); ERR_BAD_FIELD when a member is given twice at any
 * depth, or a string holds \u0000 or an unpaired surrogate. Returns owned: json_free(). */
MUST_CHECK enum err json_parse_strict(const char *body, size_t length, struct json_object **object,
				      char why[static JSON_WHY_SIZE]);

/* As json_parse_strict(), but what would be ERR_BAD_FIELD passes: for a caller that looks for it
 * part by part, with json_refuse_faults(). */
MUST_CHECK enum err json_parse_loosely(const char *body, size_t length, struct json_object **object,
				       char why[static JSON_WHY_SIZE]);

/* ERR_BAD_FIELD when part, from which object was made, holds a member twice, \u0000 or an unpaired
 * surrogate. */
MUST_CHECK enum err json_refuse_faults(const struct json_part *part,
				       const struct json_object *object,
				       char why[static JSON_WHY_SIZE]);

/* NULL is fine. */
void json_free(struct json_object *object);

/* True when the object has this member, whatever its value (null too). */
bool json_has(const struct json_object *object, const char *name);

/* ERR_BAD_FIELD, naming it, when the object has a member that is not among count names. */
MUST_CHECK enum err json_refuse_others(const struct json_object *object, const char *const *names,
				       size_t count, char why[static JSON_WHY_SIZE]);

/* Each reads one member. ERR_BAD_FIELD when it is missing, null, of another type or beyond its
 * limits; the value is then untouched. For an optional member ask json_has() first. */

/* An integer without fraction or exponent, least <= it <= most; both inside INT64_MIN and
 * INT64_MAX, which json-c gives for whatever does not fit. */
MUST_CHECK enum err json_get_int(const struct json_object *object, const char *name, int64_t least,
				 int64_t most, int64_t *value, char why[static JSON_WHY_SIZE]);

/* A string of least to most characters (not bytes) without control characters; text has room
 * for size bytes, at least 4 * most + 1. */
MUST_CHECK enum err json_get_text(const struct json_object *object, const char *name, size_t least,
				  size_t most, char *text, size_t size,
				  char why[static JSON_WHY_SIZE]);

/* A string that is a UUID, either case. */
MUST_CHECK enum err json_get_id(const struct json_object *object, const char *name, struct id *id,
				char why[static JSON_WHY_SIZE]);

MUST_CHECK enum err json_get_bool(const struct json_object *object, const char *name, bool *value,
				  char why[static JSON_WHY_SIZE]);

#endif
