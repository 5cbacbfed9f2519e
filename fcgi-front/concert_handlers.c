/* Concerts: what can be booked, and which seats are free. From the snapshot alone. */
#include <stdio.h>

#include "answer.h"
#include "clock.h"
#include "routes.h"
#include "seat_map.h"

static void write_time(struct text *out, const char *name, int64_t time_us)
{
	char time[TIME_TEXT_SIZE];

	time_format(time_us, time);
	text_printf(out, ",\"%s\":\"%s\"", name, time);
}

static size_t count_taken(const struct snapshot *snapshot, int64_t schedule, int64_t time_us)
{
	size_t count = 0;
	size_t taken = 0;
	const struct snapshot_seat *seats = snapshot_seats(snapshot, schedule, &count);

	for (size_t i = 0; i < count; i++)
		taken += snapshot_seat_is_taken(&seats[i], time_us);
	return taken;
}

static void write_schedule(struct text *out, const struct snapshot *snapshot,
			   const struct snapshot_concert *concert,
			   const struct snapshot_schedule *schedule, int64_t time_us)
{
	text_printf(out,
		    "{\"id\":%lld,\"concertId\":%lld,\"concertName\":", (long long)schedule->id,
		    (long long)schedule->concert);
	text_json_string(out, concert->name);
	text_printf(out, ",\"totalSeats\":%lld,\"reservedSeats\":%zu",
		    (long long)schedule->total_seats, count_taken(snapshot, schedule->id, time_us));
	write_time(out, "open_at", schedule->open_us);
	write_time(out, "close_at", schedule->close_us);
	write_time(out, "booking_start_at", schedule->booking_start_us);
	write_time(out, "booking_end_at", schedule->booking_end_us);
	text_putc(out, '}');
}

/* Lists what is or will be on sale; wanted 0: of all concerts. */
static void write_dates(struct text *out, const struct snapshot *snapshot, int64_t wanted)
{
	int64_t time_us = snapshot_time_us(snapshot, clock_us());
	const char *separator = "";

	text_putc(out, '[');
	for (size_t i = 0; i < snapshot->schedules.count; i++) {
		const struct snapshot_schedule *schedule = &snapshot->schedules.items[i];
		const struct snapshot_concert *concert =
			snapshot_concert(snapshot, schedule->concert);

		if (concert == NULL || schedule->booking_end_us <= time_us ||
		    (wanted != 0 && wanted != schedule->concert))
			continue;
		text_puts(out, separator);
		write_schedule(out, snapshot, concert, schedule, time_us);
		separator = ",";
	}
	text_putc(out, ']');
}

enum err handle_dates(struct call *call)
{
	struct snapshot *snapshot = NULL;
	int64_t wanted = 0;
	enum err err = ERR_OK;

	if (http_param(&call->request, "concertId") != NULL)
		err = call_param_id(call, "concertId", 0, &wanted);
	if (err != ERR_OK)
		return err;
	snapshot = snapshots_hold(call->front->snapshots);
	if (snapshot == NULL)
		return ERR_UNAVAILABLE;
	if (wanted != 0 && snapshot_concert(snapshot, wanted) == NULL) {
		err = ERR_UNKNOWN_CONCERT;
	} else {
		write_dates(answer_open(call), snapshot, wanted);
		answer_close(call);
	}
	snapshot_release(snapshot);
	return err;
}

static void write_seats(struct text *out, const struct snapshot *snapshot, int64_t schedule)
{
	int64_t time_us = snapshot_time_us(snapshot, clock_us());
	const char *separator = "";
	size_t count = 0;
	const struct snapshot_seat *seats = snapshot_seats(snapshot, schedule, &count);

	text_putc(out, '[');
	for (size_t i = 0; i < count; i++) {
		if (!seats[i].is_active || snapshot_seat_is_taken(&seats[i], time_us))
			continue;
		text_printf(out, "%s{\"id\":%lld,\"seatNumber\":", separator,
			    (long long)seats[i].id);
		text_json_string(out, seats[i].number);
		text_printf(out, ",\"price\":%lld}", (long long)seats[i].price);
		separator = ",";
	}
	text_putc(out, ']');
}

/* Answers from the snapshot with what write says of the schedule in the query. */
static enum err answer_schedule(struct call *call,
				void (*write)(struct call *call, const struct snapshot *snapshot,
					      int64_t schedule))
{
	struct snapshot *snapshot = NULL;
	int64_t schedule;
	enum err err = call_param_id(call, "concertScheduleId", 0, &schedule);

	if (err != ERR_OK)
		return err;
	snapshot = snapshots_hold(call->front->snapshots);
	if (snapshot == NULL)
		return ERR_UNAVAILABLE;
	if (snapshot_schedule(snapshot, schedule) == NULL) {
		err = ERR_UNKNOWN_SCHEDULE;
	} else {
		answer_open(call);
		write(call, snapshot, schedule);
		answer_close(call);
	}
	snapshot_release(snapshot);
	return err;
}

static void write_free_seats(struct call *call, const struct snapshot *snapshot, int64_t schedule)
{
	write_seats(&call->response->body, snapshot, schedule);
}

enum err handle_seats(struct call *call)
{
	return answer_schedule(call, write_free_seats);
}

/* A ticket so new that this snapshot lacks it has taken no seat in it either. */
static void write_map(struct call *call, const struct snapshot *snapshot, int64_t schedule)
{
	const struct snapshot_ticket *ticket = snapshot_ticket(snapshot, call->token.ticket);

	seat_map_write(snapshot, schedule, ticket != NULL ? ticket->user_number : 0,
		       &call->response->body);
}

enum err handle_seat_map(struct call *call)
{
	return answer_schedule(call, write_map);
}

/* nginx streams the messages of the schedule's channel (seat_feed.c) when we say so. */
static void write_stream(struct call *call, const struct snapshot *snapshot, int64_t schedule)
{
	struct http_response *response = call->response;

	(void)snapshot;
	snprintf(response->stream, sizeof response->stream, "/.seats/%lld", (long long)schedule);
	text_puts(&response->body, "{}");
}

enum err handle_seat_events(struct call *call)
{
	return answer_schedule(call, write_stream);
}
