/* Pages for browsers without JavaScript, in English and Korean: a place in line, or why there is
 * none. Pure; whatever came from outside is escaped. */
#ifndef BOXOFFICE_PLAIN_PAGE_H
#define BOXOFFICE_PLAIN_PAGE_H

#include "err.h"
#include "place.h"
#include "text.h"

enum plain_language { PLAIN_ENGLISH, PLAIN_KOREAN, PLAIN_LANGUAGES };

/* What an Accept-Language header (NULL: none) likes best; English when it likes neither. */
enum plain_language plain_page_language(const char *accept);

/* Appends the page of a place. It asks again by itself when place says so. token: how an admitted
 * fan goes on; not shown to one who waits. */
void plain_page_place(enum plain_language language, const struct place *place, const char *token,
		      struct text *out);

/* What a page without a place offers to send again. NULL or "" for what is not known. */
struct plain_form {
	const char *name;
	const char *key; /* under which a join may have happened already */
};

/* Appends the page that says what went wrong, with a way on. */
void plain_page_failure(enum plain_language language, enum err err, const struct plain_form *form,
			struct text *out);

/* Appends text for an element or a quoted attribute. */
void plain_page_escape(const char *text, struct text *out);

#endif
