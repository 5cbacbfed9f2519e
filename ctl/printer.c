#include "printer.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

/* The keys are our own: none needs JSON's escapes. */
static void print_key(struct printer *printer, const char *key)
{
	if (printer->json)
		printf("%s\"%s\":", printer->has_members ? "," : "{", key);
	else
		printf("%-14s ", key);
	printer->has_members = true;
}

static void end_line(const struct printer *printer)
{
	if (!printer->json)
		putchar('\n');
}

void printer_int(struct printer *printer, const char *key, int64_t value)
{
	print_key(printer, key);
	printf("%" PRId64, value);
	end_line(printer);
}

void printer_text(struct printer *printer, const char *key, const char *value)
{
	struct text quoted = {0};

	print_key(printer, key);
	text_json_string(&quoted, value);
	fputs(printer->json ? quoted.bytes : value, stdout);
	text_fini(&quoted);
	end_line(printer);
}

void printer_bytes(struct printer *printer, const char *key, bool is_known, const uint8_t *bytes,
		   size_t size)
{
	const char *quote = printer->json ? "\"" : "";

	print_key(printer, key);
	fputs(quote, stdout);
	for (size_t i = 0; is_known && i < size; i++)
		printf("%02x", bytes[i]);
	fputs(quote, stdout);
	end_line(printer);
}

void printer_end(struct printer *printer)
{
	if (printer->json)
		puts("}");
}
