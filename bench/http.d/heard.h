/* What a server sent, as far as it came: one HTTP/1.1 answer. */
#ifndef BOXOFFICE_BENCH_HEARD_H
#define BOXOFFICE_BENCH_HEARD_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

struct heard {
	unsigned status; /* 100 to 599 */
	bool closes;     /* the server closes the connection after it */
};

enum heard_state { HEARD_PART, HEARD_ALL, HEARD_NONSENSE };

/* Looks at bytes that end in '\0' at length. HEARD_ALL fills in heard, and appends the answer's
 * body to body unless that is NULL. Bytes after the answer are nonsense: nobody asked for them. */
enum heard_state heard_read(const char *bytes, size_t length, struct heard *heard,
			    struct text *body);

#endif
