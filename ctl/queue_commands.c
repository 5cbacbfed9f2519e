/* The queues command: what waits where. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "dead_letters.h"
#include "job.h"
#include "json.h"
#include "listing.h"
#include "management.h"
#include "mem.h"
#include "topology.h"

/* One queue, as the broker tells it; numbers -1: not known. */
struct queue_row {
	char name[BROKER_NAME_SIZE];
	int64_t ready, unacked, consumers;
	bool is_told;
};

struct queue_rows {
	struct queue_row *items;
	size_t count;
};

static void read_number(const struct json_object *object, const char *name, int64_t *number)
{
	char why[JSON_WHY_SIZE];

	*number = -1;
	if (json_has(object, name) &&
	    json_get_int(object, name, 0, INT64_MAX - 1, number, why) != ERR_OK)
		*number = -1;
}

static enum err read_rows(const struct text *json, struct queue_rows *rows)
{
	struct json_cursor cursor;
	struct json_part part;
	char why[JSON_WHY_SIZE];
	enum err err = ERR_OK;

	json_cursor_init(&cursor, json->bytes, json->length);
	while (err == ERR_OK && json_cursor_next(&cursor, &part)) {
		struct json_object *object = NULL;
		struct queue_row row = {0};

		err = json_parse_strict(part.text, part.length, &object, why);
		if (err == ERR_OK)
			err = json_get_text(object, "name", 1, 63, row.name, sizeof row.name, why);
		if (err == ERR_OK) {
			read_number(object, "messages_ready", &row.ready);
			read_number(object, "messages_unacknowledged", &row.unacked);
			read_number(object, "consumers", &row.consumers);
			rows->items = mem_array(rows->items, rows->count + 1, sizeof *rows->items);
			rows->items[rows->count++] = row;
		} else if (object != NULL) {
			err = ERR_OK; /* a longer name: none of ours */
		}
		json_free(object);
	}
	return err;
}

/* The kinds of job that a queue takes, or what else is in it. */
static void write_content(const char *queue, struct text *out)
{
	static const struct {
		const char *queue;
		unsigned set;
	} sets[] = {{"seat.", QUEUE_SEAT},
		    {"gate", QUEUE_GATE},
		    {"account", QUEUE_ACCOUNT},
		    {"charge.import", QUEUE_IMPORT}};

	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		for (unsigned kind = 0; kind < JOB_KIND_COUNT; kind++)
			if (strncmp(sets[i].queue, queue, strlen(sets[i].queue)) == 0 &&
			    (job_kind_queues((enum job_kind)kind) & sets[i].set))
				text_printf(out, "%s%s", out->length > 0 ? ", " : "",
					    job_kind_name((enum job_kind)kind));
	if (strncmp(queue, "hold.expiry.", 12) == 0)
		text_puts(out, "the expires of holds, a batch's in one message, until they end");
	if (strcmp(queue, "dead") == 0)
		text_puts(out, "dead letters");
	if (out->length == 0)
		text_puts(out, "none of ours");
}

struct printing {
	struct listing listing;
	struct queue_rows rows;
	int64_t oldest_dead_us;
};

static void print_number(struct printing *printing, const char *key, int64_t number)
{
	if (number >= 0)
		listing_int(&printing->listing, key, 9, number);
	else
		listing_null(&printing->listing, key, 9);
}

/* row NULL: a queue of ours that is not there. */
static void print_row(struct printing *printing, const char *name, const struct queue_row *row)
{
	struct text content = {0};

	write_content(name, &content);
	listing_text(&printing->listing, "name", 18, name);
	print_number(printing, "ready", row != NULL ? row->ready : -1);
	print_number(printing, "unacked", row != NULL ? row->unacked : -1);
	print_number(printing, "consumers", row != NULL ? row->consumers : -1);
	listing_time(&printing->listing, "oldest",
		     strcmp(name, "dead") == 0 ? printing->oldest_dead_us : 0);
	listing_text(&printing->listing, "holds", 1, row != NULL ? content.bytes : "MISSING");
	listing_end_row(&printing->listing);
	text_fini(&content);
}

static enum err print_ours(const struct topology_queue *queue, void *arg)
{
	struct printing *printing = arg;
	struct queue_row *found = NULL;

	for (size_t i = 0; i < printing->rows.count; i++)
		if (strcmp(printing->rows.items[i].name, queue->name) == 0)
			found = &printing->rows.items[i];
	if (found != NULL)
		found->is_told = true;
	print_row(printing, queue->name, found);
	return ERR_OK;
}

/* Queues of holds of another length, and whatever somebody made; reply queues come and go. */
static void print_others(struct printing *printing)
{
	for (size_t i = 0; i < printing->rows.count; i++) {
		const struct queue_row *row = &printing->rows.items[i];

		if (!row->is_told && strncmp(row->name, "reply.", 6) != 0)
			print_row(printing, row->name, row);
	}
}

static enum dead_fate note_oldest(void *arg, struct broker *broker,
				  const struct dead_letter *letter)
{
	(void)broker;
	*(int64_t *)arg = letter->died_us;
	return DEAD_STAYS;
}

static enum ctl_status queues(struct ctl *ctl, int argc, char **argv)
{
	struct printing printing = {0};
	const struct dead_filter first = {.limit = 1};
	struct dead_pass peek = {
		.filter = &first, .take = note_oldest, .arg = &printing.oldest_dead_us};
	struct text json = {0};
	enum err err = management_queues(&ctl->conf, &json);

	(void)argc;
	(void)argv;
	if (err == ERR_OK)
		err = read_rows(&json, &printing.rows);
	if (err == ERR_OK)
		err = dead_pass_run(&peek, &ctl->conf);
	if (err == ERR_OK) {
		listing_begin(&printing.listing, ctl->json, "queues");
		err = topology_each_queue(&ctl->conf, print_ours, &printing);
		print_others(&printing);
		listing_end(&printing.listing);
	}
	text_fini(&json);
	free(printing.rows.items);
	return err == ERR_OK ? CTL_DONE
			     : ctl_fail("the broker does not tell: %s", err_message(err));
}

const struct ctl_command ctl_queue_commands[] = {
	{"queues", "", "", "what waits in each queue, as of some seconds ago", 0, 0, queues, NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
