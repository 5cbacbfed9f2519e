/* The newest draw, for everybody: all that is needed to check it, as soon as it is known. */
#include "answer.h"
#include "routes.h"

static void put_digest(struct text *out, const char *name, bool is_known,
		       const uint8_t bytes[static DRAW_DIGEST_SIZE])
{
	text_printf(out, ",\"%s\":", name);
	if (!is_known) {
		text_puts(out, "null");
		return;
	}
	text_putc(out, '"');
	for (size_t i = 0; i < DRAW_DIGEST_SIZE; i++)
		text_printf(out, "%02x", bytes[i]);
	text_putc(out, '"');
}

static void put_text(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	if (value[0] != '\0')
		text_json_string(out, value);
	else
		text_puts(out, "null");
}

static void put_count(struct text *out, const char *name, int64_t value)
{
	text_printf(out, ",\"%s\":", name);
	if (value != 0)
		text_int(out, value);
	else
		text_puts(out, "null");
}

enum err handle_draw(struct call *call)
{
	struct snapshot *snapshot = snapshots_hold(call->front->snapshots);
	const struct draw_record *draw;
	char opens[TIME_TEXT_SIZE];
	struct text *out;

	if (snapshot == NULL)
		return ERR_UNAVAILABLE;
	draw = &snapshot->draw;
	out = answer_open(call);
	if (draw->id == 0) {
		text_puts(out, "null");
	} else {
		time_format(draw->opens_us, opens);
		text_printf(out, "{\"state\":\"%s\",\"opensAt\":\"%s\"",
			    draw_state_name(draw->state), opens);
		put_text(out, "zone", draw->zone);
		put_digest(out, "commitment", true, draw->commitment);
		put_text(out, "publicName", draw->public_name);
		put_text(out, "publicValue", draw->public_value);
		put_count(out, "firstTicket", draw->last != 0 ? draw->first : 0);
		put_count(out, "lastTicket", draw->last);
		put_digest(out, "roster", draw->has_roster, draw->roster);
		put_digest(out, "secret", draw->has_seed, draw->secret);
		put_digest(out, "seed", draw->has_seed, draw->seed);
		text_putc(out, '}');
	}
	answer_close(call);
	snapshot_release(snapshot);
	return ERR_OK;
}
