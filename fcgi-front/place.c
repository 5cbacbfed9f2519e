/* Places in line. */
#include "place.h"

#include <string.h>

#define POLL_PER_PLACE_MS 20

/* A tenth of the wait that is left or, without a rate, more the further back; but all together ask
 * no more than so often. Up to an eighth is added at random. */
static int64_t poll_after(const struct place_facts *facts, const struct place *place)
{
	int64_t most = PLACE_POLL_NEAR_MS;
	int64_t ms = PLACE_POLL_MOST_MS;

	if (!facts->is_near && facts->waiting > most * PLACE_POLLS_PER_S / 1000)
		most = facts->waiting * 1000 / PLACE_POLLS_PER_S;
	if (most > PLACE_POLL_MOST_MS)
		most = PLACE_POLL_MOST_MS;
	if (place->eta_known && place->eta_s < PLACE_POLL_MOST_MS / 100)
		ms = place->eta_s * 100;
	else if (!place->eta_known && place->position < PLACE_POLL_MOST_MS / POLL_PER_PLACE_MS)
		ms = PLACE_POLL_LEAST_MS + place->position * POLL_PER_PLACE_MS;
	if (ms > most - most / 8)
		ms = most - most / 8;
	if (ms < PLACE_POLL_LEAST_MS)
		ms = PLACE_POLL_LEAST_MS;
	return ms + (int64_t)(facts->jitter % 1024) * ms / 8192;
}

struct place place_waiting(const struct place_facts *facts)
{
	struct place place = {.number = facts->number,
			      .position = facts->ahead + 1,
			      .sign_counts = facts->is_near};
	int64_t rate = facts->per_minute;

	place.eta_known = rate > 0;
	if (place.eta_known)
		place.eta_s =
			place.position / rate * 60 + (place.position % rate * 60 + rate - 1) / rate;
	place.poll_ms = poll_after(facts, &place);
	return place;
}

/* A tenth of the time that is left, as for a place whose wait is known. */
struct place place_in_draw(int64_t wait_us, uint32_t jitter)
{
	int64_t ms = wait_us / 10000;

	if (ms > PLACE_POLL_MOST_MS - PLACE_POLL_MOST_MS / 8)
		ms = PLACE_POLL_MOST_MS - PLACE_POLL_MOST_MS / 8;
	if (ms < 2 * PLACE_POLL_LEAST_MS)
		ms = 2 * PLACE_POLL_LEAST_MS;
	return (struct place){.poll_ms = ms + (int64_t)(jitter % 1024) * ms / 8192};
}

struct place place_active(int64_t number, int64_t expires_us)
{
	return (struct place){.active = true,
			      .number = number,
			      .eta_known = true,
			      .poll_ms = PLACE_POLL_NEAR_MS,
			      .expires_us = expires_us};
}

void place_tell(struct place *place, const struct snapshot *snapshot)
{
	place->gate = snapshot->gate.state;
	place->sale = snapshot->sale;
	memcpy(place->message, snapshot->gate.message, strlen(snapshot->gate.message) + 1);
}

int place_retry_after_s(const struct place *place)
{
	return (int)((place->poll_ms + 999) / 1000);
}

static void write_moment(int64_t time_us, struct text *out)
{
	char time[TIME_TEXT_SIZE];

	if (time_us == 0) {
		text_puts(out, "null");
		return;
	}
	time_format(time_us, time);
	text_putc(out, '"');
	text_puts(out, time);
	text_putc(out, '"');
}

static void write_count(bool is_known, int64_t count, struct text *out)
{
	if (is_known)
		text_int(out, count);
	else
		text_puts(out, "null");
}

static void write_sale(const struct snapshot_sale *sale, struct text *out)
{
	static const char *const names[] = {"available", "all-held", "sold-out"};

	text_puts(out, "{\"state\":\"");
	text_puts(out, names[sale->state]);
	text_putc(out, '"');
	if (sale->state == SALE_ALL_HELD) {
		text_puts(out, ",\"held\":");
		text_int(out, sale->held);
		text_puts(out, ",\"nextAt\":");
		write_moment(sale->next_us, out);
	}
	text_putc(out, '}');
}

void place_write_news(enum policy_state gate, const struct snapshot_sale *sale, const char *message,
		      struct text *out)
{
	text_puts(out, ",\"gate\":\"");
	text_puts(out, policy_state_name(gate));
	text_puts(out, "\",\"sale\":");
	write_sale(sale, out);
	text_puts(out, ",\"message\":");
	if (message[0] != '\0')
		text_json_string(out, message);
	else
		text_puts(out, "null");
}

void place_write(const struct place *place, struct text *out)
{
	bool is_placed = place->active || place->position > 0;

	text_puts(out, place->active ? "\"status\":\"ACTIVE\",\"number\":"
				     : "\"status\":\"WAITING\",\"number\":");
	write_count(is_placed, place->number, out);
	text_puts(out, ",\"position\":");
	write_count(is_placed, place->position, out);
	text_puts(out, ",\"ahead\":");
	write_count(is_placed, place->position > 0 ? place->position - 1 : 0, out);
	text_puts(out, ",\"etaSeconds\":");
	write_count(place->eta_known, place->eta_s, out);
	text_puts(out, place->eta_known ? ",\"etaKnown\":true,\"pollAfterMs\":"
					: ",\"etaKnown\":false,\"pollAfterMs\":");
	text_int(out, place->poll_ms);
	text_puts(out, ",\"expiresAt\":");
	write_moment(place->expires_us, out);
	text_puts(out, ",\"opensAt\":");
	write_moment(place->opens_us, out);
	place_write_news(place->gate, &place->sale, place->message, out);
}
