/* The worlds of the gate: what a batch of jobs looks at, and what a tick looks at. */
#ifndef BOXOFFICE_GATE_WORLD_H
#define BOXOFFICE_GATE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "draw.h"
#include "gate_numbers.h"
#include "id.h"
#include "policy.h"
#include "ticket.h"

/* The one row of gate_state. Whoever changes the line holds its lock. */
struct gate_state {
	int64_t last_ticket; /* the highest number given out */
	int64_t served;      /* the highest place admitted */
	int64_t waiting;     /* tickets in the line */
	int64_t active;
	int64_t per_minute; /* admitted, by the last minutes */
	int64_t ticked_us;
	int64_t out_seq;   /* the number of the last ticket that stopped waiting, in that order */
	int64_t near;      /* up to this place signs of life count */
	int64_t reclaimed; /* totals: admitted and never came, */
	int64_t abandoned; /* passed by and never came back, */
	int64_t departed;  /* left by themselves */
	enum gate_stock stock;
};

/* The draw that is not drawn yet; id 0: there is none. */
struct gate_draw {
	int64_t id;
	enum draw_state state;
	int64_t opens_us; /* joining it ends */
	int64_t first;    /* its tickets; 0: nobody has joined, */
	int64_t last;     /* or joining goes on */
	bool has_roster;  /* its roster's digest is known, */
	bool has_value;   /* and the public value */
	bool is_changed;
};

/* A row of waiting_queue. Moments that are not there are 0. */
struct gate_ticket {
	int64_t id;
	int64_t user_id;
	int64_t place; /* 0: in a draw, and not drawn yet */
	enum ticket_status status;
	int64_t admitted_us;
	int64_t expires_us; /* end of the admission */
	int64_t show_up_us; /* until then an admitted one must make its first call; 0: it has */
	int64_t arrived_us;
	int64_t seen_us;  /* last sign of life */
	int64_t aside_us; /* end of the grace of one that was passed by */
	int64_t out_seq;
	int64_t hold_until_us; /* end of its last hold */
	struct id job;         /* that made it, when is_new */
	bool is_new;
	bool is_changed;
};

/* One who asks for something. */
struct queuer {
	struct id uuid;
	int64_t user_id;   /* 0: there is no such user */
	int64_t ticket_id; /* live ticket; 0: none */
};

struct gate_world {
	struct gate_state state;
	struct policy policy;
	struct gate_draw draw;
	struct queuer *queuers; /* ascending uuid, distinct */
	size_t queuer_count, queuer_capacity;
	struct gate_ticket *tickets; /* ascending id */
	size_t ticket_count, ticket_capacity;
};

void gate_world_fini(struct gate_world *world);
void gate_world_clear(struct gate_world *world);

/* Adds the users of a batch, once each. */
void gate_world_add_users(struct gate_world *world, const struct id *users, size_t count);

/* Adds a ticket, zeroed, whose id is above all others'; good until the next one is added. */
struct gate_ticket *gate_world_add_ticket(struct gate_world *world, int64_t id);

/* NULL when it is not in the world. */
struct queuer *gate_world_queuer(const struct gate_world *world, const struct id *uuid);
struct gate_ticket *gate_world_ticket(const struct gate_world *world, int64_t id);

#define GATE_TICK_MAX 1000 /* tickets of a kind that one tick looks at */

struct gate_tickets {
	struct gate_ticket items[GATE_TICK_MAX];
	size_t count;
};

/* What a tick looks at and decides. */
struct gate_tick {
	struct gate_state state;
	struct policy policy;
	struct gate_draw draw;
	int64_t near_span; /* places from the head of the line within which signs of life count */
	int64_t active;    /* ACTIVE tickets */
	int64_t recent;    /* admissions of the last GATE_RECENT_S seconds, */
	int64_t recent_since_us; /* the first of them; 0: none */
	int64_t released;        /* admitted within the policy's window, */
	int64_t arrived;         /* arrived within it, */
	int64_t expected;        /* admitted and still to arrive in time */
	int64_t judged; /* of those admitted lately, whose time to arrive is over: how many, */
	int64_t came;   /* and how many of them came */
	struct gate_tickets due;         /* ascending id, locked: their time seems over */
	struct gate_tickets line;        /* the first WAITING ones, ascending place */
	int64_t allowed;                 /* how many might be admitted, if so many wait */
	size_t admitted, expired, aside; /* decided: how many of each */
	int64_t clocks_from; /* decided: beyond it, up to state.near, the clocks of life start now
			      */
};

#endif
