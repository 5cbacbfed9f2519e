/* Places in line. */
#include "place.h"

#define POLL_PER_PLACE_MS 20

/* One poll a second at the head of the line, one in ten seconds from 450 places back. Up to an
 * eighth is taken off at random. */
static int64_t poll_after(int64_t position, uint32_t jitter)
{
	int64_t most = (PLACE_POLL_MOST_MS - PLACE_POLL_LEAST_MS) / POLL_PER_PLACE_MS;
	int64_t ms = PLACE_POLL_MOST_MS;

	if (position < most)
		ms = PLACE_POLL_LEAST_MS + position * POLL_PER_PLACE_MS;
	ms -= (int64_t)(jitter % 1024) * ms / 8192;
	return ms < PLACE_POLL_LEAST_MS ? PLACE_POLL_LEAST_MS : ms;
}

struct place place_waiting(int64_t number, int64_t served, int64_t per_minute, uint32_t jitter)
{
	struct place place = {.position = number > served ? number - served : 1};

	place.eta_known = per_minute > 0;
	if (place.eta_known) {
		int64_t whole = place.position / per_minute * 60;
		int64_t rest = place.position % per_minute * 60;

		place.eta_s = whole + (rest + per_minute - 1) / per_minute;
	}
	place.poll_ms = poll_after(place.position, jitter);
	return place;
}

struct place place_active(int64_t expires_us)
{
	return (struct place){.active = true,
			      .eta_known = true,
			      .poll_ms = PLACE_POLL_MOST_MS,
			      .expires_us = expires_us};
}

void place_write(const struct place *place, struct text *out)
{
	char time[TIME_TEXT_SIZE];

	text_printf(out, "\"status\":\"%s\",\"position\":", place->active ? "ACTIVE" : "WAITING");
	text_int(out, place->position);
	text_puts(out, ",\"ahead\":");
	text_int(out, place->position > 0 ? place->position - 1 : 0);
	text_puts(out, ",\"etaSeconds\":");
	if (place->eta_known)
		text_int(out, place->eta_s);
	else
		text_puts(out, "null");
	text_printf(out, ",\"etaKnown\":%s,\"pollAfterMs\":", place->eta_known ? "true" : "false");
	text_int(out, place->poll_ms);
	text_puts(out, ",\"expiresAt\":");
	if (place->expires_us == 0) {
		text_puts(out, "null");
		return;
	}
	time_format(place->expires_us, time);
	text_printf(out, "\"%s\"", time);
}
