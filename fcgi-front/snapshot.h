/* Snapshots: what a front knows of the database, immutable and shared, renewed by one thread on a
 * tick, when a reply says that a seat changed, and when somebody would else be refused.
 *
 * Reads are answered from here: they cost the database nothing. When the database is away the
 * last snapshot stays; its clock goes on, so holds and admissions still end on time. */
#ifndef BOXOFFICE_SNAPSHOT_H
#define BOXOFFICE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "draw_record.h"
#include "err.h"
#include "id.h"
#include "line.h"
#include "lots.h"
#include "policy.h"
#include "text.h"

#define SNAPSHOT_NAME_SIZE (200 * 4 + 1)
#define SNAPSHOT_SEAT_NUMBER_SIZE (8 * 4 + 1)

/* Moments in *_us are microseconds since 1970 by the database's clock. */

struct snapshot_gate {
	int64_t last_ticket; /* the highest number given out */
	int64_t served;      /* the highest place admitted */
	int64_t per_minute;  /* admitted, by the last minutes */
	int64_t out_seq;     /* tickets that stopped waiting so far */
	int64_t near;        /* up to this place signs of life count */
	int64_t draws;       /* that are done */
	enum policy_state state;
	char message[POLICY_TEXT_SIZE]; /* to all in line; "": none */
};

struct snapshot_ticket { /* an ACTIVE one */
	int64_t number;
	struct id user;
	int64_t user_number; /* the database's for that user */
	int64_t expires_us;
	bool is_expected; /* it has not made its first call yet */
};

/* What is left to buy. */
struct snapshot_sale {
	enum { SALE_AVAILABLE, SALE_ALL_HELD, SALE_SOLD_OUT } state;
	int64_t held;    /* seats, when all are held or sold */
	int64_t next_us; /* when the first of these holds may end */
};

struct snapshot_concert {
	int64_t id;
	char name[SNAPSHOT_NAME_SIZE];
};

struct snapshot_schedule {
	int64_t id;
	int64_t concert;
	int64_t total_seats;
	int64_t open_us;
	int64_t close_us;
	int64_t booking_start_us;
	int64_t booking_end_us;
};

enum snapshot_hold { SNAPSHOT_FREE, SNAPSHOT_PENDING, SNAPSHOT_PAID };

struct snapshot_seat {
	int64_t id;
	int64_t schedule;
	int64_t price;
	int64_t hold_expires_us; /* of a PENDING one */
	int64_t user_number;     /* who holds or bought it, as of a ticket; 0: nobody */
	int64_t version;         /* grows with all that happens to the seat: seat_map.h */
	enum snapshot_hold hold;
	bool is_active;  /* on sale at all */
	bool is_overdue; /* PENDING, but its time was over when the seats were read */
	char number[SNAPSHOT_SEAT_NUMBER_SIZE];
};

/* Declares a growing array: items, count, capacity. */
#define SNAPSHOT_LIST(type, name)                                                                  \
	struct {                                                                                   \
		type *items;                                                                       \
		size_t count;                                                                      \
		size_t capacity;                                                                   \
	} name

struct snapshot {
	atomic_uint references;
	int64_t clock_us; /* the database's clock at the moment taken_us */
	int64_t taken_us; /* by clock_us() of clock.h, not later than the reading of clock_us */
	struct snapshot_gate gate;
	struct snapshot_sale sale;
	struct draw_record draw; /* the newest; id 0: none */
	struct line *line;       /* these two are shared with other snapshots */
	struct lots *lots;
	SNAPSHOT_LIST(struct snapshot_ticket, tickets);     /* by number */
	SNAPSHOT_LIST(struct snapshot_concert, concerts);   /* by id */
	SNAPSHOT_LIST(struct snapshot_schedule, schedules); /* by id */
	SNAPSHOT_LIST(struct snapshot_seat, seats);         /* by schedule, number, id */
	_Atomic(struct text *) *maps; /* of the schedules, once asked for: seat_map.c */
};

/* Looking into one (pure) ------------------------------------------------------------------- */

/* An empty one with one reference, owned: snapshot_release(). NULL: out of memory. */
struct snapshot *snapshot_new(void);

/* Gives a reference back. NULL is fine. */
void snapshot_release(struct snapshot *snapshot);

/* Sorts the lists and sums up what is left to buy, once they are filled and before anybody looks.
 */
void snapshot_finish(struct snapshot *snapshot);

/* The database's time now: its clock in the snapshot and what has passed since. now_us: clock_us().
 */
int64_t snapshot_time_us(const struct snapshot *snapshot, int64_t now_us);

/* The place of a ticket at time_us (of the database); 0: it is in a draw that is not drawn yet. */
int64_t snapshot_place(const struct snapshot *snapshot, int64_t ticket, int64_t time_us);

/* Each borrows from the snapshot; NULL when there is none. */
const struct snapshot_ticket *snapshot_ticket(const struct snapshot *snapshot, int64_t number);
const struct snapshot_concert *snapshot_concert(const struct snapshot *snapshot, int64_t id);
const struct snapshot_schedule *snapshot_schedule(const struct snapshot *snapshot, int64_t id);

/* The seats of a schedule: the first of count neighbours. */
const struct snapshot_seat *snapshot_seats(const struct snapshot *snapshot, int64_t schedule,
					   size_t *count);

/* True while somebody holds or owns the seat at time_us (of the database). */
bool snapshot_seat_is_taken(const struct snapshot_seat *seat, int64_t time_us);

/* Keeping the newest one -------------------------------------------------------------------- */

struct snapshots; /* opaque: the newest snapshot and the thread that renews it */

/* Starts the thread, which borrows conf. ERR_MEMORY, ERR_SYSTEM. Returns owned: snapshots_free().
 */
MUST_CHECK enum err snapshots_new(struct snapshots **snapshots, const struct conf *conf);

/* Ends the thread. NULL is fine. */
void snapshots_free(struct snapshots *snapshots);

/* The newest snapshot, with a reference for the caller: snapshot_release(). NULL before the first.
 */
struct snapshot *snapshots_hold(struct snapshots *snapshots);

/* Asks for a new one soon, without waiting. */
void snapshots_request(struct snapshots *snapshots);

/* Waits for a snapshot begun after this call, which all who wait share; false when the database
 * does not give one before deadline_us (of clock_us()), or too many threads wait already. */
bool snapshots_refresh(struct snapshots *snapshots, int64_t deadline_us);

/* True when the last renewal succeeded. */
bool snapshots_healthy(struct snapshots *snapshots);

#endif
