/* The audit of draws: what everybody can work out from what is published, worked out again. */
#include "audit_checks.h"

#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "mem.h"
#include "sql.h"

/* clang-format off */
/* A row for each draw whose roster is closed. */
static const struct db_query select_draws = {
	"audit-draws",
	"SELECT d.id, d.first_ticket, d.last_ticket, d.commitment, d.roster, d.seed,"
	" d.revealed, COALESCE(d.public_value, '') FROM gate_draw d"
	" WHERE d.roster IS NOT NULL ORDER BY d.id"};

/* The tickets of one, with their users and places, all by primary key. */
static const struct db_query select_tickets = {
	"audit-draw-tickets",
	"SELECT w.id, u.uuid, w.place FROM gate_draw d FORCE INDEX (PRIMARY)"
	" STRAIGHT_JOIN waiting_queue w FORCE INDEX (PRIMARY)"
	" ON w.id BETWEEN d.first_ticket AND d.last_ticket"
	" STRAIGHT_JOIN user u ON u.id = w.user_id"
	" WHERE d.id = " SQL_NUMBER("id") " ORDER BY w.id"};
/* clang-format on */

const struct db_query *const audit_draws_queries[] = {&select_draws, &select_tickets, NULL};

struct held_draw {
	int64_t id, first, last;
	uint8_t commitment[DRAW_DIGEST_SIZE];
	uint8_t roster[DRAW_DIGEST_SIZE];
	bool has_seed;
	uint8_t seed[DRAW_DIGEST_SIZE];
	uint8_t secret[DRAW_DIGEST_SIZE];
	char public_value[DRAW_VALUE_SIZE];
};

struct held_draws {
	struct held_draw *items;
	size_t count;
};

static enum err take_draw(void *arg, const struct db_row *row)
{
	struct held_draws *draws = arg;
	struct held_draw *draw;

	draws->items = mem_array(draws->items, draws->count + 1, sizeof *draws->items);
	draw = &draws->items[draws->count++];
	*draw = (struct held_draw){.id = db_row_int(row, 0),
				   .first = db_row_int(row, 1),
				   .last = db_row_int(row, 2),
				   .has_seed = !db_row_is_null(row, 5)};
	db_row_bytes(row, 3, draw->commitment, sizeof draw->commitment);
	db_row_bytes(row, 4, draw->roster, sizeof draw->roster);
	db_row_bytes(row, 5, draw->seed, sizeof draw->seed);
	db_row_bytes(row, 6, draw->secret, sizeof draw->secret);
	db_row_text(row, 7, draw->public_value, sizeof draw->public_value);
	return ERR_OK;
}

/* One draw as it is gone over. */
struct look {
	struct audit_findings *findings;
	const struct held_draw *draw;
	struct draw_roster *roster;
	const int64_t *places; /* by the seed; NULL: not drawn */
};

static enum err take_ticket(void *arg, const struct db_row *row)
{
	struct look *look = arg;
	const struct held_draw *draw = look->draw;
	int64_t ticket = db_row_int(row, 0);
	struct id user = db_row_id(row, 1);

	draw_roster_add(look->roster, ticket, &user);
	/* While it is being drawn some have no place yet. */
	if (look->places != NULL && !db_row_is_null(row, 2) &&
	    db_row_int(row, 2) != look->places[ticket - draw->first])
		audit_findings_add(look->findings, (const int64_t[]){draw->id, ticket});
	return ERR_OK;
}

static bool is_as_published(const struct held_draw *draw, struct draw_roster *roster)
{
	uint8_t digest[DRAW_DIGEST_SIZE];
	bool is_right;

	draw_roster_end(roster, digest);
	is_right = memcmp(digest, draw->roster, sizeof digest) == 0;
	if (!draw->has_seed)
		return is_right;
	draw_commit(draw->secret, digest);
	is_right = is_right && memcmp(digest, draw->commitment, sizeof digest) == 0;
	draw_seed(draw->secret, draw->roster, draw->public_value, digest);
	return is_right && memcmp(digest, draw->seed, sizeof digest) == 0;
}

static enum err look_at(struct audit *audit, const struct held_draw *draw)
{
	size_t count = (size_t)(draw->last - draw->first + 1);
	struct look look = {
		.findings = &audit->findings, .draw = draw, .roster = draw_roster_begin()};
	int64_t *places = NULL;
	char json[40];
	enum err err = look.roster != NULL ? ERR_OK : ERR_MEMORY;

	if (err == ERR_OK && draw->has_seed) {
		places = mem_array(NULL, count, sizeof *places);
		err = draw_order(draw->seed, draw->first, count, places);
		look.places = places;
	}
	snprintf(json, sizeof json, "[{\"id\":%lld}]", (long long)draw->id);
	if (err == ERR_OK)
		err = db_select(audit->db, &select_tickets, json, strlen(json), take_ticket, &look);
	free(places);
	if (look.roster != NULL && !is_as_published(draw, look.roster) && err == ERR_OK)
		audit_findings_add(&audit->findings, (const int64_t[]){draw->id, 0});
	return err;
}

enum err audit_draws(struct audit *audit)
{
	struct held_draws draws = {0};
	enum err err = db_select(audit->db, &select_draws, NULL, 0, take_draw, &draws);

	for (size_t i = 0; i < draws.count && err == ERR_OK; i++)
		err = look_at(audit, &draws.items[i]);
	free(draws.items);
	return err;
}
