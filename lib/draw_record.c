#include "draw_record.h"

void draw_record_read(const struct db_row *row, struct draw_record *draw)
{
	char state[16];

	draw->id = db_row_int(row, 0);
	db_row_text(row, 1, state, sizeof state);
	draw->state = draw_state_from(state);
	draw->opens_us = db_row_int(row, 2);
	draw->first = db_row_int(row, 3);
	draw->last = db_row_int(row, 4);
	db_row_text(row, 5, draw->zone, sizeof draw->zone);
	db_row_text(row, 6, draw->public_name, sizeof draw->public_name);
	db_row_text(row, 7, draw->public_value, sizeof draw->public_value);
	db_row_bytes(row, 8, draw->commitment, sizeof draw->commitment);
	draw->has_roster = !db_row_is_null(row, 9);
	db_row_bytes(row, 9, draw->roster, sizeof draw->roster);
	draw->has_seed = !db_row_is_null(row, 10);
	db_row_bytes(row, 10, draw->seed, sizeof draw->seed);
	db_row_bytes(row, 11, draw->secret, sizeof draw->secret);
}
