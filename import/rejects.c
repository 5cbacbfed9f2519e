#include "rejects.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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

void rejects_init(struct rejects *rejects, const char *path, struct sheet *sheet,
		  const struct columns *columns, const struct sheet_row *header)
{
	rejects->path = path;
	rejects->sheet = sheet;
	rejects->columns = columns;
	text_printf(&rejects->part, "%s.part", path);
	text_puts(&rejects->header, "row,code,reason");
	put_fields(rejects, &rejects->header, header);
}

void rejects_fini(struct rejects *rejects)
{
	if (rejects->file)
		fclose(rejects->file);
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
	rejects->file = fopen(rejects->part.bytes, "we");
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
	FILE *file = rejects->file;
	rejects->file = NULL;
	bool is_whole = fflush(file) == 0 && fsync(fileno(file)) == 0;
	if (fclose(file) != 0 || !is_whole)
		return ERR_SYSTEM;
	return rename(rejects->part.bytes, rejects->path) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err rejects_end(struct rejects *rejects, bool is_done)
{
	if (rejects->has_failed)
		return ERR_SYSTEM;
	if (rejects->file)
		return put_in_place(rejects);
	if (is_done && unlink(rejects->path) != 0 && errno != ENOENT)
		return ERR_SYSTEM;
	return ERR_OK;
}
