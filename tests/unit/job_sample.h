/* Jobs as text and what decodes them, for the tests of jobs. Each test runs between begin and end.
 */
#ifndef BOXOFFICE_TEST_JOB_SAMPLE_H
#define BOXOFFICE_TEST_JOB_SAMPLE_H

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "job.h"

#define ID "0123abcd-4567-89ef-8001-a0b1c2d3e4f5"
#define USER "11111111-2222-4333-8444-555555555555"
#define HEAD "{\"id\":\"" ID "\",\"kind\":"
#define CHARGE HEAD "\"charge\",\"userId\":\"" USER "\",\"amount\":"
#define GOOD CHARGE "1000}"
#define QUEUE_ANY (QUEUE_SEAT | QUEUE_GATE | QUEUE_ACCOUNT | QUEUE_IMPORT)

static struct job_entry *entries;
static size_t count;
static char why[JOB_WHY_SIZE];

static inline int begin(void **state)
{
	(void)state;
	entries = NULL;
	count = 0;
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	free(entries);
	return 0;
}

static inline enum err decode_length(const char *body, size_t length, unsigned queue)
{
	enum err err;

	free(entries);
	entries = NULL;
	count = 0;
	err = job_decode(body, length, queue, &entries, &count, why);
	if (err) {
		assert_null(entries);
		assert_true(strlen(why) > 0);
	}
	return err;
}

static inline enum err decode(const char *body)
{
	return decode_length(body, strlen(body), QUEUE_ANY);
}

/* The error of a single job. */
static inline enum err decode_one(const char *body)
{
	assert_int_equal(decode(body), ERR_OK);
	assert_int_equal(count, 1);
	if (entries[0].err)
		assert_true(strlen(entries[0].why) > 0);
	return entries[0].err;
}

static inline void assert_id(const struct id *id, const char *expected)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	assert_string_equal(text, expected);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

#endif
