/* Charge files: lines taken apart, their header, and rows made jobs. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "charge_row.h"

static struct sheet *open_sheet(const void *bytes, size_t length)
{
	struct sheet *sheet = NULL;
	char path[64];
	int fd = memfd_create("sheet", 0);

	FUZZ_HOLDS(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	FUZZ_HOLDS(sheet_open(&sheet, path) == ERR_OK);
	close(fd);
	return sheet;
}

/* A line that was given is taken apart again as it was then, and so is one written of its fields.
 */
static void check_split(const struct sheet_row *row)
{
	struct sheet *sheet = open_sheet("", 0);
	struct text quoted = {0};
	struct sheet_row again;

	sheet_split(sheet, row->raw, row->raw_length, &again);
	FUZZ_HOLDS(again.fault == NULL && again.count == row->count);
	for (size_t i = 0; i < row->count; i++) {
		const struct sheet_field *field = &row->fields[i];

		FUZZ_HOLDS(field->text[field->length] == '\0');
		FUZZ_HOLDS(again.fields[i].length == field->length);
		FUZZ_HOLDS(memcmp(again.fields[i].text, field->text, field->length) == 0);
		if (i > 0)
			text_putc(&quoted, ',');
		sheet_put_field(&quoted, field->text, field->length);
	}
	if (quoted.length > 0 && quoted.length < SHEET_LINE_MAX) {
		sheet_split(sheet, quoted.bytes, quoted.length, &again);
		FUZZ_HOLDS(again.fault == NULL && again.count == row->count);
		for (size_t i = 0; i < row->count; i++) {
			FUZZ_HOLDS(again.fields[i].length == row->fields[i].length);
			FUZZ_HOLDS(memcmp(again.fields[i].text, row->fields[i].text,
					  again.fields[i].length) == 0);
		}
	}
	text_fini(&quoted);
	sheet_free(sheet);
}

/* A job that an import makes is one that the workers take, and its content survives the way. */
static void check_job(const struct job *job)
{
	struct text written = {0}, rewritten = {0};
	struct job_entry *entries = NULL;
	char why[JOB_WHY_SIZE];
	size_t count = 0;

	job_encode_envelope(&written, (const struct job *const[]){job}, 1);
	FUZZ_HOLDS(job_decode(written.bytes, written.length, QUEUE_IMPORT, &entries, &count, why) ==
		   ERR_OK);
	FUZZ_HOLDS(count == 1 && entries[0].err == ERR_OK);
	job_encode_envelope(&rewritten, (const struct job *const[]){&entries[0].job}, 1);
	FUZZ_HOLDS(fuzz_same_text(&written, &rewritten));
	free(entries);
	text_fini(&written);
	text_fini(&rewritten);
}

static void check_row(const struct charge_file *file, const struct sheet_row *row)
{
	struct job job = {0};
	char why[JOB_WHY_SIZE];
	int64_t number = -1;
	enum err err = charge_row_number(file, row, &number, why);

	FUZZ_HOLDS(number >= 0);
	if (err == ERR_OK)
		err = charge_row_read(file, row, number, &job, why);
	if (err == ERR_OK) {
		check_job(&job);
		return;
	}
	FUZZ_HOLDS(err == ERR_BAD_FIELD);
	fuzz_check_reason(why);
}

static void check_rows(struct sheet *sheet, size_t size)
{
	struct charge_file file = {.attempt = 1};
	struct sheet_row row = {0};
	char why[COLUMNS_WHY_SIZE];
	int64_t rows = 0, end = 0, line = 0;
	enum sheet_state state;
	bool has_header = false;

	while ((state = sheet_next(sheet, &row)) == SHEET_ROW) {
		FUZZ_HOLDS(row.number == rows++);
		FUZZ_HOLDS(row.line > line && row.end > end && row.end <= (int64_t)size);
		line = row.line;
		end = row.end;
		FUZZ_HOLDS(row.raw_length <= SHEET_LINE_MAX && row.count <= SHEET_FIELDS_MAX);
		if (row.fault == NULL)
			check_split(&row);
		else
			fuzz_check_reason(row.fault);
		if (row.number > 0 && has_header) {
			check_row(&file, &row);
			continue;
		}
		if (row.number > 0)
			continue;
		has_header = columns_read(&file.columns, &row, why) == ERR_OK;
		if (!has_header)
			fuzz_check_reason(why);
		charge_source_init(&file.source,
				   has_header && columns_has(&file.columns, COLUMN_REFERENCE)
					   ? CHARGE_BY_REFERENCE
					   : CHARGE_BY_ROW,
				   "payroll");
	}
	FUZZ_HOLDS(state == SHEET_END || (state == SHEET_BROKEN && sheet_why(sheet)[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sheet *sheet = open_sheet(data, size);

	check_rows(sheet, size);
	sheet_free(sheet);
	return 0;
}
