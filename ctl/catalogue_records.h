/* The catalogue in the database: what is there, and changes, each recorded with who made it. */
#ifndef BOXOFFICE_CTL_CATALOGUE_RECORDS_H
#define BOXOFFICE_CTL_CATALOGUE_RECORDS_H

#include "catalogue.h"
#include "db.h"

/* What a change did; ids are those of the last concert and schedule. */
struct catalogue_done {
	int64_t concerts, schedules, seats; /* that were made, or changed */
	int64_t concert_id, schedule_id;
};

/* Adds what is not there, in one transaction: concerts are known by their name, schedules by
 * concert and opening, seats by their number. What is there stays; ERR_CONF, with a sentence in why
 * and nothing done, when it differs from what is described. */
MUST_CHECK enum err catalogue_records_apply(struct db *db, const struct catalogue *catalogue,
					    const char *by, struct catalogue_done *done,
					    char why[static CATALOGUE_WHY_SIZE]);

/* Changes seats of a schedule: price 0 and sale -1 leave that as it is. ERR_NOT_FOUND: there is no
 * such schedule, or it lacks one of the seats; nothing is done. */
MUST_CHECK enum err catalogue_records_set(struct db *db, int64_t schedule, const int64_t *numbers,
					  size_t count, int64_t price, int sale, const char *by);

/* Each hands rows to fn, by its columns. */

/* id, name, schedules */
MUST_CHECK enum err catalogue_records_concerts(struct db *db, db_row_fn *fn, void *arg);

/* id, concert, four times (open, close, booking start and end), seats, held, sold. Concert 0: of
 * all. */
MUST_CHECK enum err catalogue_records_schedules(struct db *db, int64_t concert, db_row_fn *fn,
						void *arg);

/* id, number, price, on sale, status of its live reservation (NULL: none) */
MUST_CHECK enum err catalogue_records_seats(struct db *db, int64_t schedule, db_row_fn *fn,
					    void *arg);

/* at, by, concert, schedule, what: the newest 100 */
MUST_CHECK enum err catalogue_records_changes(struct db *db, db_row_fn *fn, void *arg);

extern const struct db_query *const catalogue_records_queries[];

#endif
