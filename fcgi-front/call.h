/* One HTTP call: what its handler sees and fills. It lies with its connection, not on a stack: a
 * write waits for its result without a thread. */
#ifndef BOXOFFICE_CALL_H
#define BOXOFFICE_CALL_H

#include <stdbool.h>

#include "bearer.h"
#include "conf.h"
#include "courier.h"
#include "err.h"
#include "fcgi.h"
#include "http.h"
#include "id.h"
#include "job.h"
#include "json.h"
#include "lookup.h"
#include "place.h"
#include "pulse.h"
#include "signs.h"
#include "snapshot.h"
#include "token.h"
#include "token_cache.h"

/* What all calls share. */
struct front {
	const struct conf *conf;
	struct token_keys *keys;
	struct bearer *bearer; /* NULL: callers need not sign in */
	struct token_cache *tokens;
	struct snapshots *snapshots;
	struct courier *courier;
	struct signs *signs;
	struct pulse *pulse; /* NULL: no push */
	struct lookup *lookup;
};

struct route;

struct call {
	const struct front *front;
	const struct route *route; /* NULL: none fits */
	const char *rest;          /* what follows the route's path, if that is a prefix */
	struct http_request request;
	struct http_response *response;
	struct json_object *body; /* of a route that needs one */
	struct queue_token
		token;      /* of a route that needs one: signed by us and not past its life */
	enum err refusal;   /* of the queue check, when a repeat may still be answered */
	struct place place; /* what the queue check found, for OK and NOT_ADMITTED */
	struct id user;     /* whose call it is, for the log */
	bool has_user;
	struct errand errand;                /* of a write that is to be carried: it has a parcel */
	struct id job_user;                  /* whose job that is */
	enum err (*next)(struct call *call); /* with its outcome; NULL: write_answer() */
	char why[HTTP_WHY_SIZE]; /* a message more exact than the error's own; "" for none */
};

/* Answers the call, or makes its errand (write.h), or returns why neither (and perhaps sets why):
 * the caller then answers that. */
typedef enum err call_handler(struct call *call);

/* Takes a call from what came to its answer and logs it. exchange->state is room for a struct call.
 * False: its job is under way, and call_resume() will answer it (fcgi.h). */
bool call_serve(const struct front *front, struct exchange *exchange);

/* Goes on with a call whose errand is done: true when it is answered, false when it made another
 * errand, as call_serve(). */
bool call_resume(struct exchange *exchange);

/* When the wait for a reply or fresh data ends, by clock_us(). */
int64_t call_deadline_us(const struct call *call);

/* Verifies the queue-token header into token: ERR_TOKEN_MISSING, ERR_TOKEN_INVALID,
 * ERR_TOKEN_EXPIRED. Whether its ticket is live is another question. */
MUST_CHECK enum err call_check_token(struct call *call);

/* Whose call a read that takes no live ticket is: the user-id header's, the token's (signed by us,
 * its ticket live or not), or both when they agree. ERR_BAD_REQUEST when there is neither;
 * ERR_BAD_FIELD; the errors of call_check_token(), of which ERR_TOKEN_INVALID for another user's.
 */
MUST_CHECK enum err call_find_user(struct call *call, struct id *user);

/* Reads a query parameter that is an id: digits alone, 1 to JOB_MAX_ID. ERR_BAD_FIELD. Absent, it
 * is fallback, or ERR_BAD_FIELD too when that is 0. */
MUST_CHECK enum err call_param_id(struct call *call, const char *name, int64_t fallback,
				  int64_t *id);

/* Remembers whose call it is, for the log. */
void call_set_user(struct call *call, const struct id *user);

/* The same for a user whom the caller names: where callers must sign in, only as oneself.
 * ERR_BEARER_MISSING, ERR_BEARER_INVALID. */
MUST_CHECK enum err call_claim_user(struct call *call, const struct id *user);

#endif
