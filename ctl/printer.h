/* What a command tells: lines of a key and its value for people, one JSON object for programs. */
#ifndef BOXOFFICE_CTL_PRINTER_H
#define BOXOFFICE_CTL_PRINTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct printer { /* set json, zero the rest */
	bool json;
	bool has_members;
};

void printer_int(struct printer *printer, const char *key, int64_t value);
void printer_text(struct printer *printer, const char *key, const char *value);

/* In hexadecimal; "" when it is not known. */
void printer_bytes(struct printer *printer, const char *key, bool is_known, const uint8_t *bytes,
		   size_t size);

/* Ends the object. */
void printer_end(struct printer *printer);

#endif
