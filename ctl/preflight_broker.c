/* What the broker's management API tells: its nodes, and the queues of the topology. */
#include "preflight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "management.h"
#include "topology.h"

/* The value of a member of an object's text, as it stands there. */
static bool find_member(const struct json_part *object, const char *name, struct json_part *value)
{
	struct json_cursor cursor;

	json_cursor_init(&cursor, object->text, object->length);
	while (json_cursor_next(&cursor, value))
		if (value->name != NULL && value->name_length == strlen(name) &&
		    memcmp(value->name, name, value->name_length) == 0)
			return true;
	return false;
}

static int64_t read_number(const struct json_object *object, const char *name, int64_t otherwise)
{
	char why[JSON_WHY_SIZE];
	int64_t number;

	return json_get_int(object, name, 0, INT64_MAX - 1, &number, why) == ERR_OK ? number
										    : otherwise;
}

static bool read_bool(const struct json_object *object, const char *name)
{
	char why[JSON_WHY_SIZE];
	bool value = false;

	return json_get_bool(object, name, &value, why) == ERR_OK && value;
}

/* The nodes --------------------------------------------------------------------------------- */

static void add_node(struct preflight_broker *broker, const struct json_object *node)
{
	char name[64 * 4 + 1] = "", why[JSON_WHY_SIZE];
	int64_t left;

	if (json_get_text(node, "name", 1, 64, name, sizeof name, why) != ERR_OK)
		snprintf(name, sizeof name, "a node");
	broker->nodes++;
	if (!read_bool(node, "running")) {
		broker->down++; /* and tells nothing else */
		return;
	}
	if (read_bool(node, "mem_alarm"))
		text_printf(&broker->alarms, "%smemory of %s",
			    broker->alarms.length > 0 ? ", " : "", name);
	if (read_bool(node, "disk_free_alarm"))
		text_printf(&broker->alarms, "%sdisk of %s", broker->alarms.length > 0 ? ", " : "",
			    name);
	left = read_number(node, "fd_total", 0) - read_number(node, "fd_used", 0);
	if (broker->files_left < 0 || left < broker->files_left)
		broker->files_left = left;
}

static enum err read_nodes(struct preflight_broker *broker, const struct text *json)
{
	struct json_cursor cursor;
	struct json_part part, others;
	char why[JSON_WHY_SIZE];

	broker->files_left = -1;
	json_cursor_init(&cursor, json->bytes, json->length);
	while (json_cursor_next(&cursor, &part)) {
		struct json_object *node = NULL;

		if (json_parse_loosely(part.text, part.length, &node, why) != ERR_OK)
			return ERR_BROKER_GONE;
		add_node(broker, node);
		if (find_member(&part, "partitions", &others) && others.length > strlen("[]"))
			broker->partitioned++;
		json_free(node);
	}
	return ERR_OK;
}

static enum err read_version(struct preflight_broker *broker, const struct text *json)
{
	const struct json_part whole = {.text = json->bytes, .length = json->length};
	struct json_part value;

	if (!find_member(&whole, "rabbitmq_version", &value) || value.length < 2)
		return ERR_BROKER_GONE;
	snprintf(broker->version, sizeof broker->version, "%.*s", (int)(value.length - 2),
		 value.text + 1); /* without the quotes */
	return ERR_OK;
}

static enum err ask_nodes(struct preflight_facts *facts)
{
	struct text overview = {0}, nodes = {0};
	enum err err = management_get(facts->conf, "/api/overview", &overview);

	if (err == ERR_OK)
		err = management_get(facts->conf,
				     "/api/nodes?columns=name,running,partitions,mem_alarm,"
				     "disk_free_alarm,fd_used,fd_total",
				     &nodes);
	if (err == ERR_OK)
		err = read_version(&facts->broker, &overview);
	if (err == ERR_OK)
		err = read_nodes(&facts->broker, &nodes);
	text_fini(&overview);
	text_fini(&nodes);
	return err;
}

/* The queues -------------------------------------------------------------------------------- */

struct comparing {
	struct preflight_queues *queues;
	const struct text *json; /* the broker's queues */
};

static bool find_queue(const struct text *json, const char *name, struct json_part *queue)
{
	struct json_cursor cursor;
	struct json_part value;

	json_cursor_init(&cursor, json->bytes, json->length);
	while (json_cursor_next(&cursor, queue))
		if (find_member(queue, "name", &value) && value.length == strlen(name) + 2 &&
		    memcmp(value.text + 1, name, strlen(name)) == 0)
			return true;
	return false;
}

static bool has_argument(const struct json_part *arguments,
			 const struct topology_argument *argument)
{
	struct text wanted = {0};
	struct json_part value;
	bool is_so;

	if (!find_member(arguments, argument->name, &value))
		return false;
	if (argument->type == TOPOLOGY_TEXT)
		text_json_string(&wanted, argument->text);
	else if (argument->type == TOPOLOGY_INT)
		text_int(&wanted, argument->number);
	else
		text_puts(&wanted, argument->number ? "true" : "false");
	is_so = value.length == wanted.length &&
		memcmp(value.text, wanted.bytes, wanted.length) == 0;
	text_fini(&wanted);
	return is_so;
}

/* Ours and no others. */
static bool has_arguments(const struct topology_queue *queue, const struct json_part *told)
{
	struct topology_argument wanted[TOPOLOGY_ARGUMENTS_MAX];
	size_t count = topology_queue_arguments(queue, wanted), others = 0;
	struct json_part arguments, each;
	struct json_cursor cursor;

	if (!find_member(told, "arguments", &arguments))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!has_argument(&arguments, &wanted[i]))
			return false;
	json_cursor_init(&cursor, arguments.text, arguments.length);
	while (json_cursor_next(&cursor, &each))
		others++;
	return others == count;
}

static int64_t count_members(const struct json_part *told)
{
	struct json_part online, each;
	struct json_cursor cursor;
	int64_t count = 0;

	if (!find_member(told, "online", &online))
		return 0;
	json_cursor_init(&cursor, online.text, online.length);
	while (json_cursor_next(&cursor, &each))
		count++;
	return count;
}

static void take_fewest(int64_t *fewest, int64_t count)
{
	if (count < *fewest)
		*fewest = count;
}

/* Queues of holds wait for their time, and dead ones for an operator: no backlog. */
static void add_depth(struct preflight_queues *queues, const char *name, int64_t depth)
{
	if (depth < 0)
		queues->is_told = false;
	if (depth > queues->deepest) {
		queues->deepest = depth;
		snprintf(queues->deepest_name, sizeof queues->deepest_name, "%s", name);
	}
}

static void add_queue(struct preflight_queues *queues, const char *name, int64_t ready,
		      int64_t consumers)
{
	if (strcmp(name, "dead") == 0) {
		queues->dead = ready;
		return;
	}
	if (strncmp(name, "hold.expiry.", 12) == 0)
		return;
	add_depth(queues, name, ready);
	if (strcmp(name, "gate") == 0)
		take_fewest(&queues->gate_workers, consumers);
	else if (strcmp(name, "account") == 0)
		take_fewest(&queues->account_workers, consumers);
	else if (strcmp(name, "charge.import") == 0)
		take_fewest(&queues->import_workers, consumers);
	else
		take_fewest(&queues->seat_workers, consumers);
}

static enum err compare(const struct topology_queue *queue, void *arg)
{
	struct comparing *comparing = arg;
	struct preflight_queues *queues = comparing->queues;
	struct json_object *object = NULL;
	struct json_part told;
	char why[JSON_WHY_SIZE];

	queues->declared++;
	if (!find_queue(comparing->json, queue->name, &told)) {
		preflight_name(&queues->missing, queue->name);
		add_queue(queues, queue->name, 0, 0);
		return ERR_OK;
	}
	take_fewest(&queues->members, count_members(&told));
	if (!has_arguments(queue, &told))
		preflight_name(&queues->wrong, queue->name);
	if (json_parse_loosely(told.text, told.length, &object, why) != ERR_OK)
		return ERR_BROKER_GONE;
	add_queue(queues, queue->name, read_number(object, "messages_ready", -1),
		  read_number(object, "consumers", -1));
	json_free(object);
	return ERR_OK;
}

static void count_fronts(struct preflight_queues *queues, const struct text *json)
{
	static const char begin[] = "\"reply.front.";
	struct json_cursor cursor;
	struct json_part queue, name;

	json_cursor_init(&cursor, json->bytes, json->length);
	while (json_cursor_next(&cursor, &queue))
		if (find_member(&queue, "name", &name) && name.length > strlen(begin) &&
		    memcmp(name.text, begin, strlen(begin)) == 0)
			queues->fronts++;
}

static enum err ask_queues(struct preflight_facts *facts)
{
	struct text json = {0};
	struct comparing comparing = {.queues = &facts->queues, .json = &json};
	enum err err = management_queues(facts->conf, &json);

	facts->queues = (struct preflight_queues){.seat_workers = INT64_MAX,
						  .gate_workers = INT64_MAX,
						  .account_workers = INT64_MAX,
						  .import_workers = INT64_MAX,
						  .members = INT64_MAX,
						  .is_told = true};
	if (err == ERR_OK)
		err = topology_each_queue(facts->conf, compare, &comparing);
	if (err == ERR_OK)
		count_fronts(&facts->queues, &json);
	text_fini(&json);
	return err;
}

void preflight_ask_broker(struct preflight_facts *facts)
{
	static const struct {
		enum preflight_source source;
		enum err (*ask)(struct preflight_facts *facts);
	} questions[] = {{FROM_BROKER, ask_nodes}, {FROM_QUEUES, ask_queues}};

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		enum err err = questions[i].ask(facts);

		facts->is_known[questions[i].source] = err == ERR_OK;
		if (err != ERR_OK)
			preflight_unknown(facts, questions[i].source,
					  "the management API at %s did not tell: %s",
					  facts->conf->management_url, err_message(err));
	}
}
