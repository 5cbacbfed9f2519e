#include "moment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "draw.h"

#define ZONES "/usr/share/zoneinfo/"

/* A zone that is not known would be taken for UTC in silence. */
static bool zone_is_known(const char *zone)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		"_+-/";
	char path[sizeof ZONES + DRAW_ZONE_SIZE];
	size_t length = strlen(zone);

	if (strcmp(zone, "UTC") == 0)
		return true;
	if (length == 0 || length >= DRAW_ZONE_SIZE || zone[0] == '/' ||
	    strspn(zone, letters) != length)
		return false;
	snprintf(path, sizeof path, "%s%s", ZONES, zone);
	return access(path, R_OK) == 0 && access(path, X_OK) != 0;
}

static bool read_fields(const char *text, struct tm *fields)
{
	const char *end;

	memset(fields, 0, sizeof *fields);
	end = strptime(text, "%Y-%m-%d %H:%M:%S", fields);
	if (end == NULL || *end != '\0') {
		memset(fields, 0, sizeof *fields);
		end = strptime(text, "%Y-%m-%d %H:%M", fields);
	}
	return end != NULL && *end == '\0';
}

static bool is_same(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
	       a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

enum err moment_read(const char *text, const char *zone, int64_t *us,
		     char why[static MOMENT_WHY_SIZE])
{
	struct tm asked, made;
	time_t time;

	if (!zone_is_known(zone)) {
		snprintf(why, MOMENT_WHY_SIZE, "there is no time zone \"%.60s\" here", zone);
		return ERR_CONF;
	}
	if (!read_fields(text, &asked)) {
		snprintf(why, MOMENT_WHY_SIZE, "\"%.40s\" is no time like \"2026-12-01 20:00\"",
			 text);
		return ERR_CONF;
	}
	setenv("TZ", zone, 1);
	tzset();
	made = asked;
	made.tm_isdst = -1;
	time = mktime(&made);
	if (time == (time_t)-1 || !is_same(&asked, &made)) {
		snprintf(why, MOMENT_WHY_SIZE, "there is no %.40s in %.60s", text, zone);
		return ERR_CONF;
	}
	*us = (int64_t)time * 1000000;
	return ERR_OK;
}
