/* Lanes: gathering, packing, and who is told what. */
#include "lanes.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define BUCKETS 4096      /* a power of two, some times the requests in hand */
#define ENVELOPE_BYTES 32 /* {"v":1,"jobs":[ and ]} with room to spare */

struct lane {
	struct parcel *first, *last; /* GATHERED */
	uint64_t number;             /* of the last message */
	size_t unanswered;           /* jobs of the last message without a result */
	int64_t sent_us;             /* when it was taken */
};

struct lanes {
	int64_t coalesce_us;
	unsigned count;
	unsigned next; /* lane to look at first, so that none starves */
	struct parcel *buckets[BUCKETS];
	struct parcel_message *oldest, *newest; /* unconfirmed */
	struct errand *soonest, *latest;        /* by deadline */
	struct lane lanes[];
};

enum err lanes_new(struct lanes **lanes, unsigned count, int64_t coalesce_us)
{
	struct lanes *made = calloc(1, sizeof *made + count * sizeof made->lanes[0]);

	if (made == NULL)
		return ERR_MEMORY;
	made->coalesce_us = coalesce_us;
	made->count = count;
	*lanes = made;
	return ERR_OK;
}

void lanes_free(struct lanes *lanes)
{
	struct told nobody = {0};

	if (lanes == NULL)
		return;
	lanes_fail(lanes, &nobody);
	free(lanes);
}

struct parcel *parcel_new(const struct job *job, unsigned lane)
{
	struct parcel *parcel = malloc(sizeof *parcel);

	if (parcel == NULL)
		return NULL;
	memset(parcel, 0, offsetof(struct parcel, outcome));
	parcel->id = job->id;
	parcel->kind = job->kind;
	parcel->lane = lane;
	atomic_init(&parcel->references, 1);
	job_fingerprint(job, parcel->fingerprint);
	job_encode(&parcel->json, job);
	return parcel;
}

void parcel_release(struct parcel *parcel)
{
	if (parcel == NULL || atomic_fetch_sub(&parcel->references, 1) > 1)
		return;
	text_fini(&parcel->json);
	free(parcel);
}

/* Errands ------------------------------------------------------------------------------------ */

/* By deadline; most come in that order. */
static void deadline_add(struct lanes *lanes, struct errand *errand)
{
	struct errand *sooner = lanes->latest;

	while (sooner != NULL && sooner->deadline_us > errand->deadline_us)
		sooner = sooner->sooner;
	errand->sooner = sooner;
	errand->later = sooner != NULL ? sooner->later : lanes->soonest;
	if (errand->later != NULL)
		errand->later->sooner = errand;
	else
		lanes->latest = errand;
	if (sooner != NULL)
		sooner->later = errand;
	else
		lanes->soonest = errand;
}

static void deadline_remove(struct lanes *lanes, struct errand *errand)
{
	if (errand->sooner != NULL)
		errand->sooner->later = errand->later;
	else
		lanes->soonest = errand->later;
	if (errand->later != NULL)
		errand->later->sooner = errand->sooner;
	else
		lanes->latest = errand->sooner;
}

/* Ends the wait of the errand at this place in its parcel's list. */
static void tell(struct lanes *lanes, struct errand **at, enum err err, struct told *told)
{
	struct errand *errand = *at;

	*at = errand->next;
	deadline_remove(lanes, errand);
	errand->err = err;
	errand->next = NULL;
	if (told->last != NULL)
		told->last->next = errand;
	else
		told->first = errand;
	told->last = errand;
}

static void tell_all(struct lanes *lanes, struct parcel *parcel, enum err err, struct told *told)
{
	while (parcel->errands != NULL)
		tell(lanes, &parcel->errands, err, told);
}

static void tell_at_confirm(struct lanes *lanes, struct parcel *parcel, struct told *told)
{
	struct errand **at = &parcel->errands;

	while (*at != NULL) {
		if ((*at)->at_confirm)
			tell(lanes, at, ERR_TIMEOUT, told);
		else
			at = &(*at)->next;
	}
}

void told_tell(struct told *told)
{
	struct errand *errand = told->first;

	*told = (struct told){0};
	while (errand != NULL) {
		struct errand *next = errand->next;

		errand->done(errand);
		errand = next;
	}
}

/* Parcels ------------------------------------------------------------------------------------ */

static struct parcel **bucket_of(struct lanes *lanes, const struct id *id)
{
	return &lanes->buckets[id_hash(id) & (BUCKETS - 1)];
}

static struct parcel *find(struct lanes *lanes, const struct id *id)
{
	struct parcel *parcel = *bucket_of(lanes, id);

	while (parcel != NULL && !id_equal(&parcel->id, id))
		parcel = parcel->bucket_next;
	return parcel;
}

/* Takes it out of the table, if it is there: a later job of its id starts afresh. */
static void forget(struct lanes *lanes, const struct parcel *parcel)
{
	struct parcel **at = bucket_of(lanes, &parcel->id);

	while (*at != NULL && *at != parcel)
		at = &(*at)->bucket_next;
	if (*at != NULL)
		*at = parcel->bucket_next;
}

static void lane_add(struct lane *lane, struct parcel *parcel)
{
	parcel->lane_previous = lane->last;
	if (lane->last != NULL)
		lane->last->lane_next = parcel;
	else
		lane->first = parcel;
	lane->last = parcel;
}

static void lane_remove(struct lane *lane, struct parcel *parcel)
{
	if (parcel->lane_previous != NULL)
		parcel->lane_previous->lane_next = parcel->lane_next;
	else
		lane->first = parcel->lane_next;
	if (parcel->lane_next != NULL)
		parcel->lane_next->lane_previous = parcel->lane_previous;
	else
		lane->last = parcel->lane_previous;
	parcel->lane_previous = parcel->lane_next = NULL;
}

/* Moves it to a state that ends the wait of all. */
static void finish(struct lanes *lanes, struct parcel *parcel, enum parcel_state state,
		   struct told *told)
{
	if (parcel->state == PARCEL_GATHERED)
		lane_remove(&lanes->lanes[parcel->lane], parcel);
	forget(lanes, parcel);
	parcel->state = state;
	tell_all(lanes, parcel, state == PARCEL_ANSWERED ? ERR_OK : ERR_UNAVAILABLE, told);
}

enum err lanes_enter(struct lanes *lanes, struct errand *errand)
{
	struct parcel *fresh = errand->parcel;
	struct parcel *parcel = find(lanes, &fresh->id);
	struct parcel **bucket = bucket_of(lanes, &fresh->id);

	errand->is_repeat = parcel != NULL;
	if (parcel == NULL) {
		parcel = fresh;
		parcel->bucket_next = *bucket;
		*bucket = parcel;
		lane_add(&lanes->lanes[parcel->lane], parcel);
	} else if (memcmp(parcel->fingerprint, fresh->fingerprint, FINGERPRINT_SIZE) != 0) {
		return ERR_KEY_REUSED;
	} else {
		atomic_fetch_add(&parcel->references, 1);
		parcel_release(fresh);
		errand->parcel = parcel;
	}
	errand->next = parcel->errands;
	parcel->errands = errand;
	deadline_add(lanes, errand);
	return ERR_OK;
}

static void abandon(struct lanes *lanes, struct parcel *parcel)
{
	if (parcel->state == PARCEL_GATHERED)
		lane_remove(&lanes->lanes[parcel->lane], parcel);
	forget(lanes, parcel);
}

void lanes_overdue(struct lanes *lanes, int64_t now_us, struct told *told)
{
	while (lanes->soonest != NULL && lanes->soonest->deadline_us <= now_us) {
		struct errand *errand = lanes->soonest;
		struct parcel *parcel = errand->parcel;
		struct errand **at = &parcel->errands;

		while (*at != errand)
			at = &(*at)->next;
		tell(lanes, at, parcel->state == PARCEL_CONFIRMED ? ERR_TIMEOUT : ERR_UNAVAILABLE,
		     told);
		if (parcel->errands == NULL)
			abandon(lanes, parcel);
	}
}

int64_t lanes_deadline_us(const struct lanes *lanes)
{
	return lanes->soonest != NULL ? lanes->soonest->deadline_us : INT64_MAX;
}

static bool lane_may_send(const struct lanes *lanes, const struct lane *lane, int64_t now_us)
{
	return lane->first != NULL &&
	       (lane->unanswered == 0 || now_us - lane->sent_us >= lanes->coalesce_us);
}

/* How many of those gathered fit into one message. */
static size_t lane_fitting(const struct lane *lane)
{
	size_t bytes = ENVELOPE_BYTES;
	size_t count = 0;

	for (const struct parcel *p = lane->first; p != NULL; p = p->lane_next) {
		bytes += p->json.length + 1;
		if (count == JOB_MAX_PER_MESSAGE || (count > 0 && bytes > JOB_MAX_MESSAGE_BYTES))
			break;
		count++;
	}
	return count;
}

static struct parcel_message *lane_pack(struct lane *lane, int64_t now_us)
{
	struct parcel_message *message = mem_array(NULL, 1, sizeof *message);

	*message = (struct parcel_message){.lane = lane->first->lane,
					   .number = ++lane->number,
					   .sent_us = now_us,
					   .count = lane_fitting(lane)};
	message->parcels = mem_array(NULL, message->count, sizeof *message->parcels);
	for (size_t i = 0; i < message->count; i++) {
		struct parcel *parcel = lane->first;

		lane_remove(lane, parcel);
		atomic_fetch_add(&parcel->references, 1);
		parcel->message = message->number;
		parcel->sent_us = now_us;
		parcel->state = PARCEL_SENT;
		message->parcels[i] = parcel;
	}
	return message;
}

struct parcel_message *lanes_take(struct lanes *lanes, int64_t now_us)
{
	struct parcel_message *message;
	struct lane *lane = NULL;

	for (unsigned i = 0; lane == NULL && i < lanes->count; i++) {
		unsigned index = (lanes->next + i) % lanes->count;

		if (lane_may_send(lanes, &lanes->lanes[index], now_us)) {
			lane = &lanes->lanes[index];
			lanes->next = index + 1;
		}
	}
	if (lane == NULL)
		return NULL;
	message = lane_pack(lane, now_us);
	lane->unanswered = message->count;
	lane->sent_us = now_us;
	if (lanes->newest != NULL)
		lanes->newest->next = message;
	else
		lanes->oldest = message;
	lanes->newest = message;
	return message;
}

void parcel_message_write(const struct parcel_message *message, struct text *out)
{
	text_printf(out, "{\"v\":%d,\"jobs\":[", JOB_ENVELOPE_VERSION);
	for (size_t i = 0; i < message->count; i++) {
		if (i > 0)
			text_putc(out, ',');
		text_add(out, message->parcels[i]->json.bytes, message->parcels[i]->json.length);
	}
	text_puts(out, "]}");
}

void lanes_sent(struct parcel_message *message, uint64_t sequence)
{
	message->sequence = sequence;
}

/* Tells the parcels of a message, which is not in the list any more, and frees it. */
static void message_end(struct lanes *lanes, struct parcel_message *message, enum err err,
			struct told *told)
{
	for (size_t i = 0; i < message->count; i++) {
		struct parcel *parcel = message->parcels[i];
		/* The answer may have come before the confirm. */
		bool is_sent = parcel->state == PARCEL_SENT;

		if (is_sent && err == ERR_OK) {
			parcel->state = PARCEL_CONFIRMED;
			tell_at_confirm(lanes, parcel, told);
			if (parcel->errands == NULL)
				forget(lanes, parcel); /* the table holds no reference */
		} else if (is_sent) {
			finish(lanes, parcel, PARCEL_FAILED, told);
		}
		parcel_release(parcel);
	}
	/* A message that was not taken will not be answered. */
	if (err != ERR_OK && lanes->lanes[message->lane].number == message->number)
		lanes->lanes[message->lane].unanswered = 0;
	free(message->parcels);
	free(message);
}

int64_t lanes_confirm(struct lanes *lanes, uint64_t sequence, enum err err, struct told *told)
{
	struct parcel_message *previous = NULL;
	struct parcel_message *message = lanes->oldest;
	int64_t sent_us;

	while (message != NULL && message->sequence != sequence) {
		previous = message;
		message = message->next;
	}
	if (message == NULL)
		return 0;
	sent_us = message->sent_us;
	if (previous != NULL)
		previous->next = message->next;
	else
		lanes->oldest = message->next;
	if (lanes->newest == message)
		lanes->newest = previous;
	message_end(lanes, message, err, told);
	return sent_us;
}

void lanes_fail(struct lanes *lanes, struct told *told)
{
	while (lanes->oldest != NULL) {
		struct parcel_message *message = lanes->oldest;

		lanes->oldest = message->next;
		message_end(lanes, message, ERR_BROKER_GONE, told);
	}
	lanes->newest = NULL;
	for (unsigned i = 0; i < lanes->count; i++) {
		while (lanes->lanes[i].first != NULL)
			finish(lanes, lanes->lanes[i].first, PARCEL_FAILED, told);
		lanes->lanes[i].unanswered = 0;
	}
}

int64_t lanes_settle(struct lanes *lanes, unsigned lane, uint64_t number, const struct id *id,
		     const struct outcome *outcome, struct told *told)
{
	struct parcel *parcel = find(lanes, id);
	int64_t sent_us;

	if (parcel == NULL || parcel->lane != lane || parcel->message != number)
		return 0;
	sent_us = parcel->sent_us; /* whoever is told may free it */
	parcel->outcome = *outcome;
	finish(lanes, parcel, PARCEL_ANSWERED, told);
	return sent_us;
}

int64_t lanes_sent_us(const struct lanes *lanes, unsigned lane, uint64_t number)
{
	if (lane >= lanes->count || lanes->lanes[lane].number != number)
		return 0;
	return lanes->lanes[lane].sent_us;
}

bool lanes_answered(struct lanes *lanes, unsigned lane, uint64_t number, size_t count)
{
	struct lane *answered;

	if (lane >= lanes->count)
		return false;
	answered = &lanes->lanes[lane];
	if (answered->number != number)
		return false;
	answered->unanswered -= count < answered->unanswered ? count : answered->unanswered;
	return answered->unanswered == 0 && answered->first != NULL;
}

bool lanes_is_first(const struct lanes *lanes, const struct parcel *parcel)
{
	const struct lane *lane = &lanes->lanes[parcel->lane];

	return lane->first == parcel && lane->last == parcel;
}

int64_t lanes_due_us(const struct lanes *lanes)
{
	int64_t due_us = INT64_MAX;

	for (unsigned i = 0; i < lanes->count; i++) {
		const struct lane *lane = &lanes->lanes[i];
		int64_t at_us = lane->sent_us + (lane->unanswered > 0 ? lanes->coalesce_us : 0);

		if (lane->first != NULL && at_us < due_us)
			due_us = at_us;
	}
	return due_us;
}
