#include "columns.h"

#include <ctype.h>
#include <string.h>

#define SPELLINGS_MAX 8

static const struct {
	const char *name;
	bool is_needed;
	const char *spellings[SPELLINGS_MAX]; /* NULL after the last */
} known[COLUMN_COUNT] = {
#define COLUMN(symbol, name, is_needed, ...) [COLUMN_##symbol] = {name, is_needed, {__VA_ARGS__}},
#include "columns.def"
#undef COLUMN
};

const char *column_name(enum column column)
{
	return known[column].name;
}

/* True when a header's name is this spelling. */
static bool is_spelled(const struct sheet_field *field, const char *spelling)
{
	for (const char *at = field->text; *at; at++) {
		if (*at == ' ' || *at == '-' || *at == '_')
			continue;
		if (tolower((unsigned char)*at) != *spelling && *at != *spelling)
			return false;
		spelling++;
	}
	return *spelling == '\0';
}

static enum column find(const struct sheet_field *field)
{
	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		for (size_t j = 0; j < SPELLINGS_MAX && known[i].spellings[j]; j++)
			if (is_spelled(field, known[i].spellings[j]))
				return (enum column)i;
	return COLUMN_COUNT;
}

static enum err check_needed(const struct columns *columns, const struct sheet_row *header,
			     char why[static COLUMNS_WHY_SIZE])
{
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		if (!known[i].is_needed || columns->place[i] >= 0)
			continue;
		const char *hint = "";
		if (header->count == 1 && strpbrk(header->fields[0].text, ";\t|"))
			hint = ": are commas between the fields?";
		snprintf(why, COLUMNS_WHY_SIZE, "the header has no column \"%s\"%s", known[i].name,
			 hint);
		return ERR_BAD_FIELD;
	}
	return ERR_OK;
}

enum err columns_read(struct columns *columns, const struct sheet_row *header,
		      char why[static COLUMNS_WHY_SIZE])
{
	if (header->fault) {
		snprintf(why, COLUMNS_WHY_SIZE, "the header: %s", header->fault);
		return ERR_BAD_FIELD;
	}
	*columns = (struct columns){.count = header->count};
	for (unsigned i = 0; i < COLUMN_COUNT; i++)
		columns->place[i] = -1;
	for (size_t i = 0; i < header->count; i++) {
		const struct sheet_field *field = &header->fields[i];
		size_t chars;
		if (!text_is_plain_utf8(field->text, field->length, &chars)) {
			snprintf(why, COLUMNS_WHY_SIZE,
				 "the header's column %zu is not UTF-8 text: save the file as CSV "
				 "in UTF-8",
				 i + 1);
			return ERR_BAD_FIELD;
		}
		enum column column = find(field);
		if (column == COLUMN_COUNT)
			continue;
		if (columns->place[column] >= 0) {
			snprintf(why, COLUMNS_WHY_SIZE,
				 "the header has two columns for \"%s\": %d and %zu",
				 known[column].name, columns->place[column] + 1, i + 1);
			return ERR_BAD_FIELD;
		}
		columns->place[column] = (int)i;
	}
	return check_needed(columns, header, why);
}

bool columns_has(const struct columns *columns, enum column column)
{
	return columns->place[column] >= 0;
}

enum column columns_at(const struct columns *columns, size_t field)
{
	unsigned i = 0;
	while (i < COLUMN_COUNT && columns->place[i] != (int)field)
		i++;
	return (enum column)i;
}

const struct sheet_field *columns_field(const struct columns *columns, const struct sheet_row *row,
					enum column column)
{
	return &row->fields[columns->place[column]];
}

void columns_print_help(FILE *out)
{
	for (unsigned i = 0; i < COLUMN_COUNT; i++) {
		fprintf(out, "  %-10s", known[i].name);
		for (size_t j = 0; j < SPELLINGS_MAX && known[i].spellings[j]; j++)
			fprintf(out, "%s %s", j ? "," : "", known[i].spellings[j]);
		fputc('\n', out);
	}
}
