/* The worlds of the gate: what an issue batch looks at, and what a tick looks at. */
#ifndef BOXOFFICE_GATE_WORLD_H
#define BOXOFFICE_GATE_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "id.h"
#include "seat_world.h"

enum gate_openness { GATE_OPEN, GATE_PAUSED, GATE_CLOSED };

struct gate_policy {
	enum gate_openness state;
	int64_t max_active;   /* admitted at once; 0: no such limit */
	int64_t window_limit; /* admitted in one window; 0: no such limit */
	int64_t window_s;
	int64_t active_s; /* how long an admitted ticket lives */
};

/* The one row of gate_state. */
struct gate_state {
	int64_t last_ticket; /* the highest number given out */
	int64_t served;      /* the highest number admitted */
	int64_t waiting;
	int64_t active;
	int64_t per_minute; /* admitted in the last 60 seconds */
	int64_t ticked_us;
};

/* One who asks for a ticket. */
struct queuer {
	struct id uuid;
	int64_t user_id;   /* 0: there is no such user */
	int64_t ticket_id; /* live ticket; 0: none */
	enum ticket_status status;
	int64_t expires_us;
	struct id job;    /* of a ticket issued in this batch */
	bool is_new;      /* its ticket is issued in this batch */
	int64_t released; /* a ticket whose time was over, ended in this batch; 0: none */
};

struct gate_world {
	struct gate_state state;
	struct gate_policy policy;
	struct queuer *queuers; /* ascending uuid, distinct */
	size_t count, capacity;
};

void gate_world_fini(struct gate_world *world);
void gate_world_clear(struct gate_world *world);

/* Adds the users of a batch, once each. */
void gate_world_add_users(struct gate_world *world, const struct id *users, size_t count);

/* NULL when the user is not in the world. */
struct queuer *gate_world_find(const struct gate_world *world, const struct id *uuid);

#define GATE_TICK_MAX 1000 /* tickets that one tick expires or admits at most */

/* What a tick looks at and decides. */
struct gate_tick {
	struct gate_state state;
	struct gate_policy policy;
	int64_t active;    /* ACTIVE rows */
	int64_t in_window; /* admitted within the policy's window */
	struct {
		int64_t id;
		int64_t expires_us;
		int64_t hold_until_us; /* end of its last hold; 0: none */
	} due[GATE_TICK_MAX];          /* ACTIVE tickets whose time seems over */
	size_t due_count;
	int64_t line[GATE_TICK_MAX]; /* the first WAITING tickets, ascending */
	size_t line_count;
	int64_t expired[GATE_TICK_MAX]; /* decided: these end */
	size_t expired_count;
	size_t admitted_count; /* decided: as many from the head of the line */
};

#endif
