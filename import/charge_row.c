#include "charge_row.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_BYTES 40
#define ROW_DIGITS 10

/* What people write into an amount, and what to tell them. */
static const struct {
	const char *chars;
	const char *what;
} amount_faults[] = {
	{",' _", "write it without thousands separators"},
	{".", "write it without decimals: KRW has none"},
	{"+-()", "write it without a sign"},
};

/* "column amount is "1,000": …", the value only if it can be shown. */
static enum err refuse(char why[static JOB_WHY_SIZE], enum column column,
		       const struct sheet_field *field, const char *what)
{
	size_t chars;
	if (field->length <= SHOWN_BYTES && text_is_plain_utf8(field->text, field->length, &chars))
		snprintf(why, JOB_WHY_SIZE, "column %s is \"%s\": %s", column_name(column),
			 field->text, what);
	else
		snprintf(why, JOB_WHY_SIZE, "column %s: %s", column_name(column), what);
	return ERR_BAD_FIELD;
}

static const char *amount_fault(const char *text)
{
	const char *at = text + strspn(text, "0123456789");
	for (size_t i = 0; i < sizeof amount_faults / sizeof *amount_faults; i++)
		if (*at && strchr(amount_faults[i].chars, *at))
			return amount_faults[i].what;
	return "write digits alone, without a currency";
}

/* Digits alone, without leading zeroes, at most so many of them. */
static bool read_digits(const struct sheet_field *field, size_t most, int64_t *number)
{
	int64_t value = 0;
	if (!field->length || field->length > most || field->text[0] == '0')
		return false;
	for (size_t i = 0; i < field->length; i++) {
		if (field->text[i] < '0' || field->text[i] > '9')
			return false;
		value = value * 10 + (field->text[i] - '0');
	}
	*number = value;
	return true;
}

static enum err read_amount(const struct sheet_field *field, int64_t *amount,
			    char why[static JOB_WHY_SIZE])
{
	if (!field->length)
		return refuse(why, COLUMN_AMOUNT, field, "it is missing");
	if (strspn(field->text, "0123456789") != field->length)
		return refuse(why, COLUMN_AMOUNT, field, amount_fault(field->text));
	if (field->text[0] == '0' && field->length > 1)
		return refuse(why, COLUMN_AMOUNT, field, "write it without leading zeroes");
	if (!read_digits(field, 9, amount) || *amount > JOB_MAX_AMOUNT)
		return refuse(why, COLUMN_AMOUNT, field, "it takes 1 to 100,000,000");
	return ERR_OK;
}

static enum err read_user(const struct sheet_field *field, struct id *user,
			  char why[static JOB_WHY_SIZE])
{
	/* A user's id is a capability: it is not shown. */
	if (id_parse(field->text, field->length, user))
		return ERR_OK;
	snprintf(why, JOB_WHY_SIZE, "column userId: it %s",
		 field->length ? "is not a UUID" : "is missing");
	return ERR_BAD_FIELD;
}

static enum err check_text(const struct sheet_field *field, enum column column, size_t least,
			   size_t most, char why[static JOB_WHY_SIZE])
{
	char what[64];
	size_t chars;
	if (!text_is_plain_utf8(field->text, field->length, &chars))
		return refuse(why, column, field, "it takes UTF-8 without control characters");
	if (chars >= least && chars <= most)
		return ERR_OK;
	snprintf(what, sizeof what, "it takes %zu to %zu characters", least, most);
	return refuse(why, column, field, what);
}

/* The number that a rejects file gives; 0: there is none that can be read. Of a line that cannot be
 * taken apart only the first field is sure to be in its place. */
static int64_t stated_number(const struct charge_file *file, const struct sheet_row *row)
{
	int64_t number = 0;
	bool is_whole = !row->fault && row->count == file->columns.count;
	bool is_there = is_whole || (row->count && columns_at(&file->columns, 0) == COLUMN_ROW);
	if (!is_there ||
	    !read_digits(columns_field(&file->columns, row, COLUMN_ROW), ROW_DIGITS, &number))
		return 0;
	return number;
}

enum err charge_row_number(const struct charge_file *file, const struct sheet_row *row,
			   int64_t *number, char why[static JOB_WHY_SIZE])
{
	bool is_stated = columns_has(&file->columns, COLUMN_ROW);
	*number = is_stated ? stated_number(file, row) : row->number;
	if (row->fault) {
		snprintf(why, JOB_WHY_SIZE, "%s", row->fault);
		return ERR_BAD_FIELD;
	}
	if (row->count != file->columns.count) {
		snprintf(why, JOB_WHY_SIZE,
			 "the line has %zu fields, the header %zu: is there a comma inside one?",
			 row->count, file->columns.count);
		return ERR_BAD_FIELD;
	}
	if (*number)
		return ERR_OK;
	return refuse(why, COLUMN_ROW, columns_field(&file->columns, row, COLUMN_ROW),
		      "it takes the number that the row has in the first file, from 1");
}

/* Without a text of its own the history names the row by what its source calls it. */
static void write_memo(const struct charge_file *file, const char *name, char *memo, size_t size)
{
	snprintf(memo, size, "%s %s", file->source.text, name);
}

static enum err read_memo(const struct charge_file *file, const struct sheet_row *row,
			  const char *name, struct job *job, char why[static JOB_WHY_SIZE])
{
	if (!columns_has(&file->columns, COLUMN_MEMO)) {
		write_memo(file, name, job->memo, sizeof job->memo);
		return ERR_OK;
	}
	const struct sheet_field *memo = columns_field(&file->columns, row, COLUMN_MEMO);
	enum err err = check_text(memo, COLUMN_MEMO, 0, JOB_MEMO_CHARS, why);
	if (!err)
		memcpy(job->memo, memo->text, memo->length + 1);
	return err;
}

enum err charge_row_read(const struct charge_file *file, const struct sheet_row *row,
			 int64_t number, struct job *job, char why[static JOB_WHY_SIZE])
{
	const struct columns *columns = &file->columns;
	char digits[24];
	struct sheet_field name = {digits, 0};
	job->kind = JOB_CHARGE;
	job->attempt = file->attempt;
	job->request_id[0] = '\0';
	enum err err = read_user(columns_field(columns, row, COLUMN_USER), &job->user, why);
	if (!err)
		err = read_amount(columns_field(columns, row, COLUMN_AMOUNT), &job->amount, why);
	if (err)
		return err;
	if (file->source.naming == CHARGE_BY_REFERENCE) {
		name = *columns_field(columns, row, COLUMN_REFERENCE);
		err = check_text(&name, COLUMN_REFERENCE, 1, CHARGE_REFERENCE_CHARS, why);
		if (err)
			return err;
	} else {
		name.length = (size_t)snprintf(digits, sizeof digits, "%" PRId64, number);
	}
	job->id = charge_id(&file->source, name.text, name.length);
	return read_memo(file, row, name.text, job, why);
}
