/* How a dead letter is told. */
#ifndef BOXOFFICE_DEAD_TEXT_H
#define BOXOFFICE_DEAD_TEXT_H

#include <stdbool.h>

#include "dead_letters.h"
#include "text.h"

/* Appends the letter as a JSON object; whole: with its headers and body (in base64 when it is no
 * text), so that it can be kept. */
void dead_text_json(struct text *out, const struct dead_letter *letter, bool whole);

/* The same for people: a line. What came from outside is shown without control characters. */
void dead_text_line(struct text *out, const struct dead_letter *letter);

#endif
