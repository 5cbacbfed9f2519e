/* A row of gate_draw, as fronts and operators may see it. */
#ifndef BOXOFFICE_DRAW_RECORD_H
#define BOXOFFICE_DRAW_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "db.h"
#include "draw.h"
#include "sql.h"

struct draw_record {
	int64_t id; /* 0: there is none */
	enum draw_state state;
	int64_t opens_us;
	int64_t first, last; /* its tickets; 0 while nobody joined, or joining goes on */
	char zone[DRAW_ZONE_SIZE];
	char public_name[DRAW_VALUE_SIZE];
	char public_value[DRAW_VALUE_SIZE];
	uint8_t commitment[DRAW_DIGEST_SIZE];
	bool has_roster, has_seed;
	uint8_t roster[DRAW_DIGEST_SIZE];
	uint8_t seed[DRAW_DIGEST_SIZE];
	uint8_t secret[DRAW_DIGEST_SIZE]; /* with the seed */
};

/* What draw_record_read() reads, of gate_draw named d. */
#define DRAW_COLUMNS                                                                               \
	"d.id, d.state, " SQL_US("d.opens_at") ", d.first_ticket, d.last_ticket, d.zone,"          \
					       " d.public_name, d.public_value, d.commitment, "    \
					       "d.roster, d.seed, d.revealed"

/* Reads a row that begins with DRAW_COLUMNS. */
void draw_record_read(const struct db_row *row, struct draw_record *draw);

#endif
