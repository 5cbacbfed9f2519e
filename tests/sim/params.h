/* The parameter of a statement: rows of a JSON array of flat objects, one after the other. */
#ifndef BOXOFFICE_SIM_PARAMS_H
#define BOXOFFICE_SIM_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"

#define PARAMS_MEMBERS 16

struct params {
	const char *at; /* in the text; NULL: no parameter */
	struct {
		const char *name;
		size_t name_length;
		const char *text; /* NULL: a number */
		int64_t number;
	} members[PARAMS_MEMBERS];
	size_t count;
	char texts[4096]; /* of this row's members, without escapes */
	size_t used;
};

/* json is borrowed; NULL for none. */
void params_open(struct params *params, const char *json);

/* The next row; false: there is none. */
bool params_next(struct params *params);

/* Of this row. What is not there is NULL in SQL: 0, "", a zero id. */
bool params_has(const struct params *params, const char *name);
int64_t params_int(const struct params *params, const char *name);
const char *params_text(const struct params *params, const char *name);
struct id params_id(const struct params *params, const char *name);

#endif
