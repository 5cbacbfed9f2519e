/* Results, as a front or an importer gets them from whoever may publish to its queue. */
#include "fuzz.h"

#include "job.h"
#include "json.h"
#include "reply.h"

static void check_result(const struct result *result)
{
	const struct outcome *outcome = &result->outcome;
	struct json_object *object = NULL;
	char why[JSON_WHY_SIZE];
	size_t chars = 0;

	FUZZ_HOLDS(result->index < JOB_MAX_PER_MESSAGE);
	FUZZ_HOLDS(outcome->err < ERR_COUNT);
	FUZZ_HOLDS(strlen(outcome->data) < OUTCOME_MAX);
	FUZZ_HOLDS(text_is_plain_utf8(outcome->why, strlen(outcome->why), &chars));
	if (outcome->data[0] == '\0')
		return;
	FUZZ_HOLDS(json_parse_strict(outcome->data, strlen(outcome->data), &object, why) == ERR_OK);
	json_free(object);
}

static void write_all(struct text *out, const struct result *results, size_t count)
{
	const struct result *list[JOB_MAX_PER_MESSAGE];

	for (size_t i = 0; i < count; i++)
		list[i] = &results[i];
	reply_encode(out, list, count);
}

/* What was read is written so that it reads the same. */
static void check_round_trip(const struct result *results, size_t count)
{
	struct text written = {0}, rewritten = {0};
	struct result *again = NULL;
	size_t found = 0;

	write_all(&written, results, count);
	FUZZ_HOLDS(reply_decode(written.bytes, written.length, &again, &found) == ERR_OK);
	FUZZ_HOLDS(found == count);
	write_all(&rewritten, again, found);
	FUZZ_HOLDS(fuzz_same_text(&written, &rewritten));
	free(again);
	text_fini(&written);
	text_fini(&rewritten);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result *results = NULL;
	size_t count = 0;
	enum err err = reply_decode((const char *)data, size, &results, &count);

	if (err != ERR_OK) {
		FUZZ_HOLDS(err == ERR_BAD_MESSAGE && results == NULL && count == 0);
		return 0;
	}
	FUZZ_HOLDS(count >= 1 && count <= JOB_MAX_PER_MESSAGE);
	for (size_t i = 0; i < count; i++)
		check_result(&results[i]);
	check_round_trip(results, count);
	free(results);
	return 0;
}
