#include "script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "id.h"
#include "mem.h"

#define KEY_PLACE "00000000-0000-0000-0000-000000000000"

enum column { KIND, METHOD, PATH, TOKEN, BODY, COLUMN_COUNT };

static bool find_kind(struct script *script, const char *name, size_t *kind)
{
	size_t found = 0;

	while (found < script->kind_count && strcmp(script->kinds[found], name) != 0)
		found++;
	if (found == SCRIPT_KINDS_MAX || strlen(name) >= SCRIPT_KIND_SIZE)
		return false;
	if (found == script->kind_count)
		snprintf(script->kinds[script->kind_count++], SCRIPT_KIND_SIZE, "%s", name);
	*kind = found;
	return true;
}

static void add_request(struct script *script, size_t kind, char *const columns[COLUMN_COUNT])
{
	struct script_request request = {.kind = kind};
	struct text text = {0};

	text_printf(&text, "%s %s HTTP/1.1\r\nHost: boxoffice\r\n", columns[METHOD], columns[PATH]);
	if (columns[TOKEN][0])
		text_printf(&text, "queue-token: %s\r\n", columns[TOKEN]);
	if (strcmp(columns[METHOD], "POST") == 0) {
		text_puts(&text, "Idempotency-Key: ");
		request.key_at = text.length;
		text_puts(&text, KEY_PLACE "\r\n");
		if (columns[BODY][0])
			text_puts(&text, "Content-Type: application/json\r\n");
		text_printf(&text, "Content-Length: %zu\r\n", strlen(columns[BODY]));
	}
	text_printf(&text, "\r\n%s", columns[BODY]);
	request.bytes = text.bytes;
	request.length = text.length;
	/* Doubled at each power of two. */
	if ((script->count & (script->count - 1)) == 0)
		script->requests =
			mem_array(script->requests, script->count ? 2 * script->count : 1,
				  sizeof *script->requests);
	script->requests[script->count++] = request;
}

static bool take_line(struct script *script, char *line)
{
	char *columns[COLUMN_COUNT];
	size_t kind;

	line[strcspn(line, "\n")] = '\0';
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		columns[i] = strsep(&line, "\t");
		if (!columns[i])
			return false;
	}
	if (line || !find_kind(script, columns[KIND], &kind))
		return false;
	add_request(script, kind, columns);
	return true;
}

enum err script_read(struct script *script, const char *path)
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t capacity = 0;
	bool is_right = true;

	if (!file) {
		perror(path);
		return ERR_CONF;
	}
	while (is_right && getline(&line, &capacity, file) > 0)
		is_right = take_line(script, line);
	free(line);
	fclose(file);
	if (is_right && script->count)
		return ERR_OK;
	fprintf(stderr, "load: %s: line %zu is no request\n", path, script->count + 1);
	return ERR_CONF;
}

void script_fini(struct script *script)
{
	for (size_t i = 0; i < script->count; i++)
		free(script->requests[i].bytes);
	free(script->requests);
	*script = (struct script){0};
}

void script_write(const struct script_request *request, struct text *out)
{
	text_clear(out);
	text_add(out, request->bytes, request->length);
	if (request->key_at) {
		const struct id key = id_ordered();
		char text[ID_TEXT_SIZE];

		id_format(&key, text);
		memcpy(out->bytes + request->key_at, text, ID_TEXT_SIZE - 1);
	}
}
