/* The commands of the catalogue: concerts, schedules and seats, each change recorded with who made
 * it. What contradicts itself, or what is there already, is refused before anything is written. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalogue_records.h"
#include "ctl.h"
#include "listing.h"
#include "mem.h"
#include "moment.h"
#include "printer.h"
#include "text.h"

#define FILE_MOST (64u << 20)

static bool read_count(const char *text, int64_t most, int64_t *number)
{
	char *end;
	long long value = strtoll(text, &end, 10);

	if (end == text || *end != '\0' || value < 1 || value > most)
		return false;
	*number = value;
	return true;
}

/* Changing ---------------------------------------------------------------------------------- */

static enum ctl_status apply(struct ctl *ctl, const struct catalogue *catalogue)
{
	struct printer printer = {.json = ctl->json};
	struct catalogue_done done;
	char why[CATALOGUE_WHY_SIZE] = "";
	enum err err = catalogue_records_apply(ctl->db, catalogue, ctl->who, &done, why);

	if (err == ERR_CONF)
		return ctl_fail("refused: %s", why);
	if (err == ERR_TIMEOUT)
		return ctl_fail("somebody else is changing the catalogue: try again");
	if (err != ERR_OK)
		return ctl_fail_database(err);
	printer_int(&printer, "concerts", done.concerts);
	printer_int(&printer, "schedules", done.schedules);
	printer_int(&printer, "seats", done.seats);
	printer_int(&printer, "concert", done.concert_id);
	printer_int(&printer, "schedule", done.schedule_id);
	printer_end(&printer);
	return CTL_DONE;
}

static enum ctl_status concert_add(struct ctl *ctl, int argc, char **argv)
{
	struct catalogue catalogue = {0};
	enum ctl_status status;

	(void)argc;
	if (!catalogue_is_name(argv[0]))
		return ctl_fail("refused: a concert's name has 1 to %d characters",
				CATALOGUE_NAME_CHARS);
	snprintf(catalogue_add_concert(&catalogue)->name, CATALOGUE_NAME_SIZE, "%s", argv[0]);
	status = apply(ctl, &catalogue);
	catalogue_fini(&catalogue);
	return status;
}

/* The arguments of "schedule add", but for the concert. */
static enum err read_schedule(struct catalogue_schedule *schedule, int argc, char **argv,
			      char why[static CATALOGUE_WHY_SIZE])
{
	const char *zone = argc > 6 ? argv[6] : "UTC";
	int64_t *const times[] = {&schedule->open_us, &schedule->close_us,
				  &schedule->booking_start_us, &schedule->booking_end_us};
	int64_t seats = 0, price = 0;
	char numbers[32];
	enum err err = ERR_OK;

	for (size_t i = 0; i < 4 && err == ERR_OK; i++)
		err = moment_read(argv[i], zone, times[i], why);
	if (err == ERR_OK)
		err = catalogue_check_times(schedule, why);
	if (err != ERR_OK)
		return err;
	if (!read_count(argv[4], CATALOGUE_NUMBER_MOST, &seats)) {
		snprintf(why, CATALOGUE_WHY_SIZE, "a schedule has 1 to %d seats",
			 CATALOGUE_NUMBER_MOST);
		return ERR_CONF;
	}
	if (!read_count(argv[5], CATALOGUE_PRICE_MOST, &price)) {
		snprintf(why, CATALOGUE_WHY_SIZE, "a price is from 1 to %d", CATALOGUE_PRICE_MOST);
		return ERR_CONF;
	}
	snprintf(numbers, sizeof numbers, "1-%" PRId64, seats);
	return catalogue_add_seats(schedule, numbers, price, true, why);
}

static enum ctl_status schedule_add(struct ctl *ctl, int argc, char **argv)
{
	struct catalogue catalogue = {0};
	struct catalogue_concert *concert = catalogue_add_concert(&catalogue);
	char why[CATALOGUE_WHY_SIZE] = "the concert is named by its number: \"concert list\"";
	enum ctl_status status;
	enum err err = read_count(argv[0], INT64_MAX, &concert->id) ? ERR_OK : ERR_CONF;

	if (err == ERR_OK)
		err = read_schedule(catalogue_add_schedule(concert), argc - 1, argv + 1, why);
	status = err == ERR_OK ? apply(ctl, &catalogue) : ctl_fail("refused: %s", why);
	catalogue_fini(&catalogue);
	return status;
}

/* What "seat set" changes. */
struct seat_change {
	int64_t price; /* 0: stays */
	int sale;      /* -1: stays */
};

static bool read_change(struct seat_change *change, const char *word)
{
	if (strncmp(word, "price=", 6) == 0)
		return read_count(word + 6, CATALOGUE_PRICE_MOST, &change->price);
	if (strcmp(word, "on-sale=yes") == 0)
		change->sale = 1;
	else if (strcmp(word, "on-sale=no") == 0)
		change->sale = 0;
	else
		return false;
	return true;
}

static enum ctl_status seat_set(struct ctl *ctl, int argc, char **argv)
{
	struct seat_change change = {.sale = -1};
	struct printer printer = {.json = ctl->json};
	char why[CATALOGUE_WHY_SIZE] = "";
	int64_t schedule = 0, *numbers = NULL;
	size_t count = 0;
	enum err err;

	for (int i = 2; i < argc; i++)
		if (!read_change(&change, argv[i]))
			return ctl_fail("refused: \"%s\" is neither price=1…%d nor on-sale=yes|no",
					argv[i], CATALOGUE_PRICE_MOST);
	if (!read_count(argv[0], INT64_MAX, &schedule))
		return ctl_fail("refused: \"%s\" is no number of a schedule", argv[0]);
	if (catalogue_read_numbers(argv[1], &numbers, &count, why) != ERR_OK)
		return ctl_fail("refused: %s", why);
	err = catalogue_records_set(ctl->db, schedule, numbers, count, change.price, change.sale,
				    ctl->who);
	free(numbers);
	if (err == ERR_NOT_FOUND)
		return ctl_fail("refused: there is no such schedule, or it lacks one of the seats");
	if (err != ERR_OK)
		return ctl_fail_database(err);
	printer_int(&printer, "schedule", schedule);
	printer_int(&printer, "seats", (int64_t)count);
	printer_end(&printer);
	return CTL_DONE;
}

/* "-" is what is piped in. */
static char *read_file(const char *path, size_t *length)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	struct text text = {0};
	char bytes[65536];
	size_t got;

	if (file == NULL)
		return NULL;
	while (text.length <= FILE_MOST && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
		text_add(&text, bytes, got);
	if (ferror(file) || text.length > FILE_MOST || text.length == 0)
		text_fini(&text);
	if (file != stdin)
		fclose(file);
	*length = text.length;
	return text.bytes;
}

static enum ctl_status import(struct ctl *ctl, int argc, char **argv)
{
	struct catalogue catalogue = {0};
	char why[CATALOGUE_WHY_SIZE] = "";
	enum ctl_status status;
	size_t length = 0;
	char *json = read_file(argv[0], &length);

	(void)argc;
	if (json == NULL)
		return ctl_fail("\"%s\" cannot be read, is empty, or larger than 64 MiB", argv[0]);
	if (catalogue_read(json, length, &catalogue, why) == ERR_OK)
		status = apply(ctl, &catalogue);
	else
		status = ctl_fail("refused: %s", why);
	catalogue_fini(&catalogue);
	free(json);
	return status;
}

/* Looking ----------------------------------------------------------------------------------- */

static enum err print_concert(void *arg, const struct db_row *row)
{
	char name[CATALOGUE_NAME_SIZE];

	db_row_text(row, 1, name, sizeof name);
	listing_int(arg, "id", 8, db_row_int(row, 0));
	listing_int(arg, "schedules", 9, db_row_int(row, 2));
	listing_text(arg, "name", 1, name);
	listing_end_row(arg);
	return ERR_OK;
}

static enum err print_schedule(void *arg, const struct db_row *row)
{
	listing_int(arg, "id", 8, db_row_int(row, 0));
	listing_int(arg, "concert", 8, db_row_int(row, 1));
	listing_time(arg, "open_at", db_row_int(row, 2));
	listing_time(arg, "close_at", db_row_int(row, 3));
	listing_time(arg, "booking_start_at", db_row_int(row, 4));
	listing_time(arg, "booking_end_at", db_row_int(row, 5));
	listing_int(arg, "seats", 6, db_row_int(row, 6));
	listing_int(arg, "held", 6, db_row_int(row, 7));
	listing_int(arg, "sold", 6, db_row_int(row, 8));
	listing_end_row(arg);
	return ERR_OK;
}

static enum err print_seat(void *arg, const struct db_row *row)
{
	char number[40], status[16];

	db_row_text(row, 1, number, sizeof number);
	db_row_text(row, 4, status, sizeof status);
	listing_int(arg, "id", 8, db_row_int(row, 0));
	listing_text(arg, "number", 8, number);
	listing_int(arg, "price", 9, db_row_int(row, 2));
	listing_bool(arg, "on_sale", 7, db_row_int(row, 3) != 0);
	listing_text(arg, "state", 5,
		     strcmp(status, "PAID") == 0      ? "sold"
		     : strcmp(status, "PENDING") == 0 ? "held"
						      : "free");
	listing_end_row(arg);
	return ERR_OK;
}

static enum err print_change(void *arg, const struct db_row *row)
{
	char by[101 * 4], what[501 * 4];

	db_row_text(row, 1, by, sizeof by);
	db_row_text(row, 4, what, sizeof what);
	listing_time(arg, "at", db_row_int(row, 0));
	listing_text(arg, "by", 12, by);
	if (db_row_is_null(row, 2))
		listing_null(arg, "concert", 8);
	else
		listing_int(arg, "concert", 8, db_row_int(row, 2));
	if (db_row_is_null(row, 3))
		listing_null(arg, "schedule", 8);
	else
		listing_int(arg, "schedule", 8, db_row_int(row, 3));
	listing_text(arg, "what", 1, what);
	listing_end_row(arg);
	return ERR_OK;
}

static enum ctl_status end(struct listing *listing, enum err err)
{
	listing_end(listing);
	return err == ERR_OK ? CTL_DONE : ctl_fail_database(err);
}

static enum ctl_status concert_list(struct ctl *ctl, int argc, char **argv)
{
	struct listing listing;

	(void)argc;
	(void)argv;
	listing_begin(&listing, ctl->json, "concerts");
	return end(&listing, catalogue_records_concerts(ctl->db, print_concert, &listing));
}

static enum ctl_status concert_history(struct ctl *ctl, int argc, char **argv)
{
	struct listing listing;

	(void)argc;
	(void)argv;
	listing_begin(&listing, ctl->json, "changes");
	return end(&listing, catalogue_records_changes(ctl->db, print_change, &listing));
}

static enum ctl_status schedule_list(struct ctl *ctl, int argc, char **argv)
{
	struct listing listing;
	int64_t concert = 0;

	if (argc > 0 && !read_count(argv[0], INT64_MAX, &concert))
		return ctl_fail("\"%s\" is no number of a concert", argv[0]);
	listing_begin(&listing, ctl->json, "schedules");
	return end(&listing,
		   catalogue_records_schedules(ctl->db, concert, print_schedule, &listing));
}

static enum ctl_status seat_list(struct ctl *ctl, int argc, char **argv)
{
	struct listing listing;
	int64_t schedule = 0;

	(void)argc;
	if (!read_count(argv[0], INT64_MAX, &schedule))
		return ctl_fail("\"%s\" is no number of a schedule", argv[0]);
	listing_begin(&listing, ctl->json, "seats");
	return end(&listing, catalogue_records_seats(ctl->db, schedule, print_seat, &listing));
}

const struct ctl_command ctl_catalogue_commands[] = {
	{"concert", "add", "NAME", "a concert; one of this name is left as it is", 1, 1,
	 concert_add, NULL},
	{"concert", "list", "", "all concerts", 0, 0, concert_list, NULL},
	{"concert", "history", "", "who changed what in the catalogue, the newest first", 0, 0,
	 concert_history, NULL},
	{"schedule", "add", "CONCERT OPEN CLOSE BOOKING-START BOOKING-END SEATS PRICE [ZONE]",
	 "a schedule with seats 1 to SEATS; times like \"2026-12-01 20:00\" in ZONE, or else UTC",
	 7, 8, schedule_add, NULL},
	{"schedule", "list", "[CONCERT]", "schedules, with seats held and sold", 0, 1,
	 schedule_list, NULL},
	{"seat", "set", "SCHEDULE NUMBERS price=N|on-sale=yes|no…",
	 "another price, or on sale or not; NUMBERS like 1-10,15; holds keep their price", 3, 4,
	 seat_set, NULL},
	{"seat", "list", "SCHEDULE", "the seats of a schedule", 1, 1, seat_list, NULL},
	{"import", "", "FILE", "concerts, schedules and seats from a JSON file: all or nothing", 1,
	 1, import, NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
