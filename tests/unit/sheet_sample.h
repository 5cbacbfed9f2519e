/* A sheet on a text, for the tests of sheets and rows. */
#ifndef BOXOFFICE_TEST_SHEET_SAMPLE_H
#define BOXOFFICE_TEST_SHEET_SAMPLE_H

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sheet.h"

static struct sheet *sheet;
static struct sheet_row row;

/* Opens a sheet of these bytes. */
static inline void open_bytes(const char *bytes, size_t length)
{
	char path[64];
	int fd = memfd_create("sheet", 0);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, length), (ssize_t)length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	sheet_free(sheet);
	sheet = NULL;
	assert_int_equal(sheet_open(&sheet, path), ERR_OK);
	close(fd);
}

static inline void open_text(const char *text)
{
	open_bytes(text, strlen(text));
}

/* The next row is there, whole, and has these fields. */
static inline void assert_fields(const char *const *fields, size_t count)
{
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	assert_null(row.fault);
	assert_int_equal(row.count, count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(row.fields[i].text, fields[i]);
}

#define ASSERT_FIELDS(...)                                                                         \
	assert_fields((const char *const[]){__VA_ARGS__},                                          \
		      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static inline void assert_fault(const char *part)
{
	assert_int_equal(sheet_next(sheet, &row), SHEET_ROW);
	assert_non_null(row.fault);
	assert_non_null(strstr(row.fault, part));
}

static inline int close_sheet(void **state)
{
	(void)state;
	sheet_free(sheet);
	sheet = NULL;
	return 0;
}

#endif
