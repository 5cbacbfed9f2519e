/* A catalogue as somebody describes it: concerts, their schedules, their seats. Read whole and
 * checked before anything is written. */
#ifndef BOXOFFICE_CTL_CATALOGUE_H
#define BOXOFFICE_CTL_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define CATALOGUE_NAME_CHARS 200
#define CATALOGUE_NAME_SIZE (CATALOGUE_NAME_CHARS * 4 + 1)
#define CATALOGUE_PRICE_MOST 100000000
#define CATALOGUE_NUMBER_MOST 10000 /* of a seat, and seats of a schedule */
#define CATALOGUE_WHY_SIZE 300

struct catalogue_seat {
	int64_t number; /* 1 and up */
	int64_t price;
	bool on_sale;
};

struct catalogue_schedule {
	int64_t open_us, close_us, booking_start_us, booking_end_us;
	struct catalogue_seat *seats; /* each number once, ascending */
	size_t seat_count;
};

struct catalogue_concert {
	int64_t id; /* of one that is there; 0: found by its name, or made */
	char name[CATALOGUE_NAME_SIZE];
	struct catalogue_schedule *schedules;
	size_t schedule_count;
};

struct catalogue { /* zero-initialise */
	struct catalogue_concert *concerts;
	size_t concert_count;
};

void catalogue_fini(struct catalogue *catalogue);

/* Each adds one, zeroed, good until the next of its sort is added. */
struct catalogue_concert *catalogue_add_concert(struct catalogue *catalogue);
struct catalogue_schedule *catalogue_add_schedule(struct catalogue_concert *concert);

/* Reads "1-10,15" as ascending numbers, each once; *numbers is owned by the caller (free()).
 * ERR_CONF, with a sentence in why. */
MUST_CHECK enum err catalogue_read_numbers(const char *text, int64_t **numbers, size_t *count,
					   char why[static CATALOGUE_WHY_SIZE]);

/* Adds seats to a schedule. ERR_CONF when one is there already. */
MUST_CHECK enum err catalogue_add_seats(struct catalogue_schedule *schedule, const char *numbers,
					int64_t price, bool on_sale,
					char why[static CATALOGUE_WHY_SIZE]);

/* ERR_CONF for times that contradict each other. */
MUST_CHECK enum err catalogue_check_times(const struct catalogue_schedule *schedule,
					  char why[static CATALOGUE_WHY_SIZE]);

/* True for a name that a concert can have. */
bool catalogue_is_name(const char *name);

/* Reads the JSON of an import (README, "The catalogue"). ERR_CONF, with a sentence that says what
 * is wrong and where. */
MUST_CHECK enum err catalogue_read(const char *json, size_t length, struct catalogue *catalogue,
				   char why[static CATALOGUE_WHY_SIZE]);

#endif
