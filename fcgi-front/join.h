/* The way without JavaScript: a form joins the line (POST /join), a page that renews itself tells
 * the place (GET /line). The queue token lives in a cookie that scripts cannot read. The handlers
 * are in routes.h. */
#ifndef BOXOFFICE_JOIN_H
#define BOXOFFICE_JOIN_H

#include "call.h"
#include "err.h"

/* Answers with the page that says what went wrong, with the error's status. */
void join_answer_failure(struct call *call, enum err err);

#endif
