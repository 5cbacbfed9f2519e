/* What the draw commands read and write. */
#ifndef BOXOFFICE_CTL_DRAW_RECORDS_H
#define BOXOFFICE_CTL_DRAW_RECORDS_H

#include <stdbool.h>

#include "db.h"
#include "draw_record.h"

/* The newest draw; id 0: there never was one. */
struct draw_now {
	struct draw_record record;
	int64_t now_us;
	int64_t joined; /* tickets so far */
};

MUST_CHECK enum err draw_records_newest(struct db *db, struct draw_now *draw);

/* Each is done only when it still can be, by the database's clock and the draw's state; is_done
 * says whether it was. ERR_DB_DUPLICATE: another draw is not drawn yet. */
MUST_CHECK enum err draw_records_plan(struct db *db, int64_t opens_us, const char *zone,
				      const char *public_name,
				      const uint8_t secret[static DRAW_DIGEST_SIZE], const char *by,
				      bool *is_done);
MUST_CHECK enum err draw_records_move(struct db *db, int64_t opens_us, const char *zone,
				      const char *by, bool *is_done);
MUST_CHECK enum err draw_records_reveal(struct db *db, const char *public_value, const char *by,
					bool *is_done);

/* Hands each ticket of a draw and its user's mask to fn. */
typedef void draw_entry_fn(void *arg, int64_t ticket, const uint8_t mask[static DRAW_DIGEST_SIZE]);
MUST_CHECK enum err draw_records_roster(struct db *db, int64_t id, draw_entry_fn *fn, void *arg);

extern const struct db_query *const draw_records_queries[];

#endif
