#include "rejects.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "id.h"

static const char own_header[] = "row,code,reason,";

/* The columns that a rejects file has of its own: those of an earlier one are replaced. */
static bool is_own(const struct columns *columns, size_t field)
{
	enum column column = columns_at(columns, field);
	return column == COLUMN_ROW || column == COLUMN_CODE || column == COLUMN_REASON;
}

static void put_fields(struct rejects *rejects, struct text *out, const struct sheet_row *row)
{
	for (size_t i = 0; i < row->count; i++) {
		if (is_own(rejects->columns, i))
			continue;
		text_putc(out, ',');
		sheet_put_field(out, row->fields[i].text, row->fields[i].length);
	}
	text_putc(out, '\n');
}

bool rejects_may_take(const char *path)
{
	char start[sizeof own_header] = "";
	struct stat about;
	if (stat(path, &about) != 0)
		return errno == ENOENT;
	FILE *file = S_ISREG(about.st_mode) ? fopen(path, "re") : NULL;
	if (!file)
		return false;
	size_t length = fread(start, 1, sizeof own_header - 1, file);
	fclose(file);
	return length == sizeof own_header - 1 && memcmp(start, own_header, length) == 0;
}

void rejects_init(struct rejects *rejects, const char *path, struct sheet *sheet,
		  const struct columns *columns, const struct sheet_row *header)
{
	char id[ID_TEXT_SIZE];
	const struct id fresh = id_random(); /* no other run's */
	rejects->path = path;
	rejects->sheet = sheet;
	rejects->columns = columns;
	id_format(&fresh, id);
	text_printf(&rejects->part, "%s.%s.part", path, id);
	text_add(&rejects->header, own_header, strlen(own_header) - 1);
	put_fields(rejects, &rejects->header, header);
}

/* Lets go of what will not be put in place. */
static void discard(struct rejects *rejects)
{
	if (!rejects->file)
		return;
	fclose(rejects->file);
	unlink(rejects->part.bytes);
	rejects->file = NULL;
}

void rejects_fini(struct rejects *rejects)
{
	discard(rejects);
	text_fini(&rejects->part);
	text_fini(&rejects->header);
	text_fini(&rejects->line);
}

static bool write_text(struct rejects *rejects, const struct text *text)
{
	return fwrite(text->bytes, 1, text->length, rejects->file) == text->length;
}

static bool open_part(struct rejects *rejects)
{
	if (rejects->file)
		return true;
	rejects->file = fopen(rejects->part.bytes, "wxe");
	return rejects->file && write_text(rejects, &rejects->header);
}

/* The fields of a line that can be taken apart, else all of it as one field; bytes that are no
 * UTF-8 stay what they are. */
static void put_line(struct rejects *rejects, const struct parcel *parcel,
		     const struct parcel_row *row)
{
	struct sheet_row split;
	const char *raw = parcel->texts.bytes + row->raw;
	sheet_split(rejects->sheet, raw, row->raw_length, &split);
	if (split.fault || row->raw_length >= SHEET_LINE_MAX - 1) {
		text_putc(&rejects->line, ',');
		sheet_put_field(&rejects->line, raw, row->raw_length);
		text_putc(&rejects->line, '\n');
	} else {
		put_fields(rejects, &rejects->line, &split);
	}
}

void rejects_add(struct rejects *rejects, const struct parcel *parcel, const struct parcel_row *row)
{
	const char *why = parcel_why(parcel, row);
	if (rejects->has_failed)
		return;
	text_clear(&rejects->line);
	if (row->number)
		text_int(&rejects->line, row->number);
	text_printf(&rejects->line, ",%s,", err_code(row->err));
	sheet_put_field(&rejects->line, why, strlen(why));
	put_line(rejects, parcel, row);
	rejects->has_failed = !open_part(rejects) || !write_text(rejects, &rejects->line);
}

static enum err put_in_place(struct rejects *rejects)
{
	/* Somebody may have put a file there meanwhile. */
	if (!rejects_may_take(rejects->path)) {
		errno = EEXIST;
		return ERR_SYSTEM;
	}
	bool is_whole = fflush(rejects->file) == 0 && fsync(fileno(rejects->file)) == 0;
	if (!is_whole || rename(rejects->part.bytes, rejects->path) != 0)
		return ERR_SYSTEM;
	FILE *file = rejects->file;
	rejects->file = NULL;
	return fclose(file) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err rejects_end(struct rejects *rejects, bool removes)
{
	if (rejects->has_failed)
		return ERR_SYSTEM;
	if (rejects->file)
		return put_in_place(rejects);
	if (removes && rejects_may_take(rejects->path) && unlink(rejects->path) != 0 &&
	    errno != ENOENT)
		return ERR_SYSTEM;
	return ERR_OK;
}
