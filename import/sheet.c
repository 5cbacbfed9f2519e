#include "sheet.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csv.h>

#define BUFFER_SIZE (256 * 1024)

struct sheet {
	int fd;
	int64_t size;
	int64_t read; /* bytes of the file */
	int64_t lines, rows;
	bool has_header;  /* was read */
	bool is_ended;    /* the file, not what is in the buffer */
	bool is_skipping; /* what is left of a line that is too long */
	const char *why;
	struct csv_parser parser;
	size_t at, end; /* what is in the buffer */
	size_t stored;  /* bytes of fields */
	unsigned records;
	struct sheet_row *row;          /* being taken apart */
	char store[2 * SHEET_LINE_MAX]; /* its fields, each with its end */
	char buffer[BUFFER_SIZE];
};

static const char too_long[] = "the line is longer than 8,192 bytes";

_Static_assert(BUFFER_SIZE > 2 * SHEET_LINE_MAX, "a line must fit");
_Static_assert(SHEET_FIELDS_MAX < SHEET_LINE_MAX, "the ends of all fields must fit");

static const unsigned char parser_options = CSV_STRICT | CSV_STRICT_FINI | CSV_APPEND_NULL;

static enum err open_file(struct sheet *sheet, const char *path)
{
	struct stat about;
	sheet->fd = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (sheet->fd < 0 || fstat(sheet->fd, &about) != 0)
		return ERR_SYSTEM;
	if (S_ISDIR(about.st_mode)) {
		errno = EISDIR;
		return ERR_SYSTEM;
	}
	sheet->size = S_ISREG(about.st_mode) ? (int64_t)about.st_size : 0;
	return ERR_OK;
}

enum err sheet_open(struct sheet **sheet, const char *path)
{
	struct sheet *made = calloc(1, sizeof *made);
	if (!made)
		return ERR_MEMORY;
	if (csv_init(&made->parser, parser_options) != 0) {
		free(made);
		return ERR_MEMORY;
	}
	enum err err = open_file(made, path);
	if (err) {
		sheet_free(made);
		return err;
	}
	*sheet = made;
	return ERR_OK;
}

void sheet_free(struct sheet *sheet)
{
	if (!sheet)
		return;
	int error = errno; /* of what is told next */
	if (sheet->fd > STDIN_FILENO)
		close(sheet->fd);
	csv_free(&sheet->parser);
	free(sheet);
	errno = error;
}

const char *sheet_why(const struct sheet *sheet)
{
	return sheet->why ? sheet->why : "";
}

int sheet_fd(const struct sheet *sheet)
{
	return sheet->fd;
}

void sheet_await(const struct sheet *sheet, int timeout_ms)
{
	struct pollfd input = {.fd = sheet->fd, .events = POLLIN};
	(void)poll(&input, 1, timeout_ms);
}

int64_t sheet_size(const struct sheet *sheet)
{
	return sheet->size;
}

/* Taking a line apart ---------------------------------------------------------------------------
 */

static void on_field(void *bytes, size_t length, void *arg)
{
	struct sheet *sheet = arg;
	struct sheet_row *row = sheet->row;
	if (row->count == SHEET_FIELDS_MAX) {
		row->fault = "the line has more than 64 fields";
		return;
	}
	char *copy = sheet->store + sheet->stored;
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	row->fields[row->count++] = (struct sheet_field){copy, length};
	sheet->stored += length + 1;
}

static void on_record(int end, void *arg)
{
	struct sheet *sheet = arg;
	(void)end;
	if (++sheet->records > 1)
		sheet->row->fault = "there is a carriage return inside the line";
}

/* A parser that has failed, or that a quote has left open, starts over. */
static void parse(struct sheet *sheet, const char *raw, size_t length)
{
	struct csv_parser *parser = &sheet->parser;
	sheet->stored = 0;
	sheet->records = 0;
	if (csv_parse(parser, raw, length, on_field, on_record, sheet) == length &&
	    csv_fini(parser, on_field, on_record, sheet) == 0)
		return;
	sheet->row->fault = csv_error(parser) == CSV_EPARSE
				    ? "a quote stands where none can, or is not closed on its line"
				    : "the line does not fit into memory";
	csv_free(parser);
	if (csv_init(parser, parser_options) != 0)
		abort(); /* as mem.h; it takes no memory */
}

void sheet_split(struct sheet *sheet, const char *raw, size_t length, struct sheet_row *row)
{
	row->count = 0;
	row->fault = NULL;
	row->raw = raw;
	row->raw_length = length;
	sheet->row = row;
	parse(sheet, raw, length);
}

/* Reading ---------------------------------------------------------------------------------------
 */

/* Reads once, if that does not wait. */
static enum sheet_state fill(struct sheet *sheet)
{
	struct pollfd input = {.fd = sheet->fd, .events = POLLIN};
	memmove(sheet->buffer, sheet->buffer + sheet->at, sheet->end - sheet->at);
	sheet->end -= sheet->at;
	sheet->at = 0;
	if (!sheet->size && poll(&input, 1, 0) == 0)
		return SHEET_AGAIN;
	ssize_t got = read(sheet->fd, sheet->buffer + sheet->end, BUFFER_SIZE - sheet->end);
	if (got < 0) {
		if (errno == EINTR || errno == EAGAIN)
			return SHEET_AGAIN;
		sheet->why = strerror(errno);
		return SHEET_BROKEN;
	}
	sheet->is_ended = got == 0;
	sheet->end += (size_t)got;
	return SHEET_ROW;
}

static bool is_blank(const char *raw, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (raw[i] != ' ' && raw[i] != '\t')
			return false;
	return true;
}

/* Excel writes one in front of UTF-8. */
static void skip_byte_order_mark(struct sheet *sheet, const char **raw, size_t *length)
{
	if (sheet->lines != 1)
		return;
	if (*length >= 3 && memcmp(*raw, "\xEF\xBB\xBF", 3) == 0) {
		*raw += 3;
		*length -= 3;
	} else if (*length >= 2 &&
		   (memcmp(*raw, "\xFF\xFE", 2) == 0 || memcmp(*raw, "\xFE\xFF", 2) == 0)) {
		sheet->why = "it is UTF-16: save it as CSV in UTF-8";
	}
}

/* Takes length bytes, the end of the line among them unless the file ends without. False: blank. */
static bool take_line(struct sheet *sheet, size_t length, struct sheet_row *row)
{
	const char *raw = sheet->buffer + sheet->at;
	bool is_long = sheet->is_skipping || length > SHEET_LINE_MAX;
	sheet->at += length;
	sheet->read += (int64_t)length;
	sheet->is_skipping = false;
	sheet->lines++;
	if (length > SHEET_LINE_MAX)
		length = SHEET_LINE_MAX;
	while (length && (raw[length - 1] == '\n' || raw[length - 1] == '\r'))
		length--;
	skip_byte_order_mark(sheet, &raw, &length);
	if (is_blank(raw, length) && !is_long)
		return false;
	row->number = sheet->has_header ? ++sheet->rows : 0;
	sheet->has_header = true;
	row->line = sheet->lines;
	row->end = sheet->read;
	if (!is_long) {
		sheet_split(sheet, raw, length, row);
		return true;
	}
	row->count = 0;
	row->raw = raw;
	row->raw_length = length;
	row->fault = too_long;
	return true;
}

/* The length of the line in the buffer; 0 when its end is not there. */
static size_t find_line(struct sheet *sheet)
{
	const char *start = sheet->buffer + sheet->at;
	const char *end = memchr(start, '\n', sheet->end - sheet->at);
	if (end)
		return (size_t)(end - start) + 1;
	return sheet->is_ended ? sheet->end - sheet->at : 0;
}

/* Lets go of what a line has beyond the bound, so that memory stays bounded whatever comes. */
static void skip(struct sheet *sheet)
{
	size_t excess = sheet->end - sheet->at;
	if (excess <= SHEET_LINE_MAX + 1)
		return;
	excess -= SHEET_LINE_MAX + 1;
	sheet->at += excess;
	sheet->read += (int64_t)excess;
	sheet->is_skipping = true;
}

enum sheet_state sheet_next(struct sheet *sheet, struct sheet_row *row)
{
	while (!sheet->why) {
		size_t length = find_line(sheet);
		if (length) {
			if (take_line(sheet, length, row) && !sheet->why)
				return SHEET_ROW;
			continue;
		}
		if (sheet->is_ended)
			return SHEET_END;
		skip(sheet);
		enum sheet_state state = fill(sheet);
		if (state != SHEET_ROW)
			return state;
	}
	return SHEET_BROKEN;
}

void sheet_put_field(struct text *out, const char *field, size_t length)
{
	char quoted[2 * SHEET_LINE_MAX + 2];
	if (length > SHEET_LINE_MAX)
		length = SHEET_LINE_MAX;
	text_add(out, quoted, csv_write(quoted, sizeof quoted, field, length));
}
