/* The feed of seats. */
#include "seat_feed.h"

#include <stdio.h>
#include <stdlib.h>

#include "metrics.h"
#include "seat_map.h"

/* A round of messages for schedules in which nothing happens begins so often, and has so many at
 * most each time we look: that bounds what they cost. Ten looks a second give 2,000 schedules one
 * each ten seconds. */
#define ROUND_US INT64_C(5000000)
#define QUIET_MOST 20
#define CHANNEL_SIZE 32

struct seat_feed {
	struct channels *channels;
	struct snapshot *told; /* NULL: nothing yet */
	int64_t round_us;      /* when the round began */
	int64_t after;         /* the last schedule in it so far; INT64_MAX: it is over */
};

enum err seat_feed_new(struct seat_feed **feed, struct channels *channels)
{
	struct seat_feed *made = calloc(1, sizeof *made);

	if (made == NULL)
		return ERR_MEMORY;
	made->channels = channels;
	*feed = made;
	return ERR_OK;
}

void seat_feed_free(struct seat_feed *feed)
{
	if (feed == NULL)
		return;
	snapshot_release(feed->told);
	free(feed);
}

void seat_feed_stop(struct seat_feed *feed)
{
	snapshot_release(feed->told);
	feed->told = NULL;
}

static bool publish(struct seat_feed *feed, const struct snapshot *old,
		    const struct snapshot *snapshot, int64_t schedule)
{
	char channel[CHANNEL_SIZE], id[CHANNELS_ID_SIZE];
	struct text body = {0};
	bool is_done;

	snprintf(channel, sizeof channel, "/seats/%lld", (long long)schedule);
	seat_map_write_step(old, snapshot, schedule, &body);
	is_done = channels_publish(feed->channels, channel, &body, id);
	text_fini(&body);
	metrics_count(METRIC_SEAT_EVENTS, is_done ? DONE_OK : DONE_FAILED, 0);
	return is_done;
}

static bool has_changed(const struct snapshot *old, const struct snapshot *snapshot,
			int64_t schedule)
{
	return seat_map_version(old, schedule) != seat_map_version(snapshot, schedule);
}

/* One message for each schedule in which something happened. */
static bool tell_changes(struct seat_feed *feed, const struct snapshot *snapshot)
{
	bool is_done = true;

	for (size_t i = 0; is_done && i < snapshot->schedules.count; i++) {
		int64_t schedule = snapshot->schedules.items[i].id;

		if (has_changed(feed->told, snapshot, schedule))
			is_done = publish(feed, feed->told, snapshot, schedule);
	}
	return is_done;
}

/* Goes on with the round, if one is under way: each of these messages says "as before", and shows
 * by its version whoever missed something. A schedule without seats to be booked has nothing to
 * say. */
static bool tell_quiet(struct seat_feed *feed, const struct snapshot *snapshot)
{
	bool is_done = true;
	int told = 0;

	for (size_t i = 0; is_done && i < snapshot->schedules.count; i++) {
		int64_t schedule = snapshot->schedules.items[i].id;

		if (schedule <= feed->after || seat_map_version(snapshot, schedule) == 0)
			continue;
		if (told++ == QUIET_MOST)
			return true;
		is_done = publish(feed, NULL, snapshot, schedule);
		feed->after = schedule;
	}
	feed->after = INT64_MAX;
	return is_done;
}

bool seat_feed_tell(struct seat_feed *feed, struct snapshot *snapshot, int64_t now_us)
{
	bool is_done = true;

	if (feed->told == NULL ||
	    (feed->after == INT64_MAX && now_us - feed->round_us >= ROUND_US)) {
		feed->round_us = now_us;
		feed->after = 0;
	}
	if (feed->told != NULL && feed->told != snapshot)
		is_done = tell_changes(feed, snapshot);
	is_done = is_done && tell_quiet(feed, snapshot);
	seat_feed_stop(feed);
	if (is_done) {
		atomic_fetch_add(&snapshot->references, 1);
		feed->told = snapshot;
	}
	return is_done;
}
