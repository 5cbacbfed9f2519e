#include "catalogue.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "json.h"
#include "mem.h"
#include "moment.h"
#include "text.h"

#define TIME_CHARS 40
#define NUMBERS_CHARS 1000

void catalogue_fini(struct catalogue *catalogue)
{
	for (size_t i = 0; i < catalogue->concert_count; i++) {
		struct catalogue_concert *concert = &catalogue->concerts[i];

		for (size_t s = 0; s < concert->schedule_count; s++)
			free(concert->schedules[s].seats);
		free(concert->schedules);
	}
	free(catalogue->concerts);
	*catalogue = (struct catalogue){0};
}

struct catalogue_concert *catalogue_add_concert(struct catalogue *catalogue)
{
	catalogue->concerts = mem_array(catalogue->concerts, catalogue->concert_count + 1,
					sizeof *catalogue->concerts);
	catalogue->concerts[catalogue->concert_count] = (struct catalogue_concert){0};
	return &catalogue->concerts[catalogue->concert_count++];
}

struct catalogue_schedule *catalogue_add_schedule(struct catalogue_concert *concert)
{
	concert->schedules = mem_array(concert->schedules, concert->schedule_count + 1,
				       sizeof *concert->schedules);
	concert->schedules[concert->schedule_count] = (struct catalogue_schedule){0};
	return &concert->schedules[concert->schedule_count++];
}

bool catalogue_is_name(const char *name)
{
	size_t chars = 0;

	return text_is_plain_utf8(name, strlen(name), &chars) && chars >= 1 &&
	       chars <= CATALOGUE_NAME_CHARS;
}

/* Seats ------------------------------------------------------------------------------------- */

static enum err refuse(char why[static CATALOGUE_WHY_SIZE], const char *what, const char *about)
{
	snprintf(why, CATALOGUE_WHY_SIZE, "%s: \"%.100s\"", what, about);
	return ERR_CONF;
}

/* One number at *at, which is moved behind it. */
static bool read_number(const char **at, int64_t *number)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	*number = strtoll(*at, &end, 10);
	*at = end;
	return *number >= 1 && *number <= CATALOGUE_NUMBER_MOST;
}

enum err catalogue_read_numbers(const char *text, int64_t **numbers, size_t *count,
				char why[static CATALOGUE_WHY_SIZE])
{
	bool *is_named = calloc(CATALOGUE_NUMBER_MOST + 1, sizeof *is_named);
	const char *at = text;
	bool is_right = is_named != NULL;
	size_t found = 0;

	while (is_right) {
		int64_t from = 0, to = 0;

		is_right = read_number(&at, &from);
		to = from;
		if (is_right && *at == '-') {
			at++;
			is_right = read_number(&at, &to) && from <= to;
		}
		for (int64_t i = from; is_right && i <= to; i++)
			is_named[i] = true;
		if (*at == '\0')
			break;
		is_right = is_right && *at++ == ',';
	}
	if (!is_right) {
		free(is_named);
		return refuse(why, "seat numbers are from 1 to 10000, like 1-10,15", text);
	}
	*numbers = mem_array(NULL, CATALOGUE_NUMBER_MOST, sizeof **numbers);
	for (int64_t i = 1; i <= CATALOGUE_NUMBER_MOST; i++)
		if (is_named[i])
			(*numbers)[found++] = i;
	*count = found;
	free(is_named);
	return ERR_OK;
}

static int by_number(const void *a, const void *b)
{
	int64_t left = ((const struct catalogue_seat *)a)->number;
	int64_t right = ((const struct catalogue_seat *)b)->number;

	return (left > right) - (left < right);
}

enum err catalogue_add_seats(struct catalogue_schedule *schedule, const char *numbers,
			     int64_t price, bool on_sale, char why[static CATALOGUE_WHY_SIZE])
{
	int64_t *list = NULL;
	size_t count = 0;
	enum err err = catalogue_read_numbers(numbers, &list, &count, why);

	if (err != ERR_OK)
		return err;
	schedule->seats =
		mem_array(schedule->seats, schedule->seat_count + count, sizeof *schedule->seats);
	for (size_t i = 0; i < count; i++)
		schedule->seats[schedule->seat_count++] = (struct catalogue_seat){
			.number = list[i], .price = price, .on_sale = on_sale};
	free(list);
	qsort(schedule->seats, schedule->seat_count, sizeof *schedule->seats, by_number);
	for (size_t i = 1; i < schedule->seat_count; i++)
		if (schedule->seats[i].number == schedule->seats[i - 1].number)
			return refuse(why, "a seat is named twice", numbers);
	return ERR_OK;
}

enum err catalogue_check_times(const struct catalogue_schedule *schedule,
			       char why[static CATALOGUE_WHY_SIZE])
{
	if (schedule->open_us > schedule->close_us)
		snprintf(why, CATALOGUE_WHY_SIZE, "the show closes before it opens");
	else if (schedule->booking_start_us >= schedule->booking_end_us)
		snprintf(why, CATALOGUE_WHY_SIZE, "booking ends before it starts");
	else if (schedule->booking_start_us > schedule->close_us)
		snprintf(why, CATALOGUE_WHY_SIZE, "booking starts after the show");
	else
		return ERR_OK;
	return ERR_CONF;
}

/* The file ---------------------------------------------------------------------------------- */

/* The text of a member that is an array; false when it is not there or none. */
static bool find_array(const char *text, size_t length, const char *name, struct json_part *array)
{
	struct json_cursor cursor;

	json_cursor_init(&cursor, text, length);
	while (json_cursor_next(&cursor, array))
		if (array->name_length == strlen(name) &&
		    memcmp(array->name, name, array->name_length) == 0)
			return array->length > 0 && array->text[0] == '[';
	return false;
}

/* Reads each object of an array. */
typedef enum err read_part_fn(void *arg, const struct json_part *part,
			      char why[static CATALOGUE_WHY_SIZE]);

static enum err read_each(const struct json_part *parent, const char *name, read_part_fn *read,
			  void *arg, char why[static CATALOGUE_WHY_SIZE])
{
	struct json_part array, part;
	struct json_cursor cursor;
	enum err err = ERR_OK;
	size_t count = 0;

	if (!find_array(parent->text, parent->length, name, &array)) {
		snprintf(why, CATALOGUE_WHY_SIZE, "\"%s\" is missing, or no array", name);
		return ERR_CONF;
	}
	json_cursor_init(&cursor, array.text, array.length);
	while (err == ERR_OK && json_cursor_next(&cursor, &part)) {
		char inner[CATALOGUE_WHY_SIZE] = "";

		count++;
		err = read(arg, &part, inner);
		if (err != ERR_OK)
			snprintf(why, CATALOGUE_WHY_SIZE, "%s %zu: %.250s", name, count, inner);
	}
	return err;
}

/* Parses a part that must be an object with these members and no others. */
static enum err open_part(const struct json_part *part, const char *const *names, size_t count,
			  struct json_object **object, char why[static CATALOGUE_WHY_SIZE])
{
	enum err err = json_parse_strict(part->text, part->length, object, why);

	if (err != ERR_OK)
		return ERR_CONF;
	if (json_refuse_others(*object, names, count, why) == ERR_OK)
		return ERR_OK;
	json_free(*object);
	return ERR_CONF;
}

static enum err read_seats(void *arg, const struct json_part *part,
			   char why[static CATALOGUE_WHY_SIZE])
{
	static const char *const names[] = {"numbers", "price", "onSale"};
	struct json_object *object = NULL;
	char numbers[NUMBERS_CHARS * 4 + 1];
	int64_t price = 0;
	bool on_sale = true;
	enum err err = open_part(part, names, 3, &object, why);

	if (err != ERR_OK)
		return err;
	err = json_get_text(object, "numbers", 1, NUMBERS_CHARS, numbers, sizeof numbers, why);
	if (err == ERR_OK)
		err = json_get_int(object, "price", 1, CATALOGUE_PRICE_MOST, &price, why);
	if (err == ERR_OK && json_has(object, "onSale"))
		err = json_get_bool(object, "onSale", &on_sale, why);
	json_free(object);
	return err == ERR_OK ? catalogue_add_seats(arg, numbers, price, on_sale, why) : ERR_CONF;
}

static enum err read_time(const struct json_object *object, const char *name, const char *zone,
			  int64_t *us, char why[static CATALOGUE_WHY_SIZE])
{
	char text[TIME_CHARS * 4 + 1];

	if (json_get_text(object, name, 1, TIME_CHARS, text, sizeof text, why) != ERR_OK)
		return ERR_CONF;
	return moment_read(text, zone, us, why);
}

static enum err read_times(const struct json_object *object, struct catalogue_schedule *schedule,
			   char why[static CATALOGUE_WHY_SIZE])
{
	char zone[DRAW_ZONE_SIZE * 4] = "UTC";
	enum err err = ERR_OK;

	if (json_has(object, "zone"))
		err = json_get_text(object, "zone", 1, DRAW_ZONE_SIZE - 1, zone, sizeof zone, why);
	if (err == ERR_OK)
		err = read_time(object, "open", zone, &schedule->open_us, why);
	if (err == ERR_OK)
		err = read_time(object, "close", zone, &schedule->close_us, why);
	if (err == ERR_OK)
		err = read_time(object, "bookingStart", zone, &schedule->booking_start_us, why);
	if (err == ERR_OK)
		err = read_time(object, "bookingEnd", zone, &schedule->booking_end_us, why);
	return err == ERR_OK ? catalogue_check_times(schedule, why) : ERR_CONF;
}

static enum err read_schedule(void *arg, const struct json_part *part,
			      char why[static CATALOGUE_WHY_SIZE])
{
	static const char *const names[] = {"open",       "close", "bookingStart",
					    "bookingEnd", "zone",  "seats"};
	struct catalogue_concert *concert = arg;
	struct catalogue_schedule *schedule = catalogue_add_schedule(concert);
	struct json_object *object = NULL;
	enum err err = open_part(part, names, 6, &object, why);

	if (err != ERR_OK)
		return err;
	err = read_times(object, schedule, why);
	json_free(object);
	for (size_t i = 0; err == ERR_OK && i + 1 < concert->schedule_count; i++)
		if (concert->schedules[i].open_us == schedule->open_us)
			err = refuse(why, "two schedules open at once", concert->name);
	return err == ERR_OK ? read_each(part, "seats", read_seats, schedule, why) : err;
}

static enum err read_concert(void *arg, const struct json_part *part,
			     char why[static CATALOGUE_WHY_SIZE])
{
	static const char *const names[] = {"name", "schedules"};
	struct catalogue *catalogue = arg;
	struct catalogue_concert *concert = catalogue_add_concert(catalogue);
	struct json_object *object = NULL;
	enum err err = open_part(part, names, 2, &object, why);

	if (err != ERR_OK)
		return err;
	err = json_get_text(object, "name", 1, CATALOGUE_NAME_CHARS, concert->name,
			    sizeof concert->name, why);
	json_free(object);
	if (err != ERR_OK)
		return ERR_CONF;
	for (size_t i = 0; i + 1 < catalogue->concert_count; i++)
		if (strcmp(catalogue->concerts[i].name, concert->name) == 0)
			return refuse(why, "a concert is named twice", concert->name);
	return read_each(part, "schedules", read_schedule, concert, why);
}

enum err catalogue_read(const char *json, size_t length, struct catalogue *catalogue,
			char why[static CATALOGUE_WHY_SIZE])
{
	static const char *const names[] = {"concerts"};
	const struct json_part whole = {.text = json, .length = length};
	struct json_object *object = NULL;
	enum err err = open_part(&whole, names, 1, &object, why);

	if (err != ERR_OK)
		return err;
	json_free(object);
	return read_each(&whole, "concerts", read_concert, catalogue, why);
}
