/* The broker's accounts: who may do what, and what bounds them. */
#include "topology.h"

#include <inttypes.h>

/* What a worker declares, consumes and publishes to; replies go through the default exchange. */
#define ALL_OF_OURS                                                                                \
	"^((seat|hold\\.expiry)(\\..+)?|gate|account|charge\\.import|dead|amq\\.default)$"

struct account_row {
	const char *name;
	const char *tags;
	const char *configure, *write, *read;
	int64_t max_connections; /* 0: no such limit */
};

/* The operator looks, gets and moves messages, and changes no account, queue or exchange, but for
 * the queue of its own replies. An importer is somebody else's program: it cannot use up the
 * broker's connections. */
static const struct account_row account_rows[] = {
	{"front", "", "^reply\\.front\\..*", "^(seat|gate|account)$", "^reply\\.front\\..*", 0},
	{"worker", "", ALL_OF_OURS, ALL_OF_OURS, ALL_OF_OURS, 0},
	{"importer", "", "^reply\\.import\\..*", "^charge\\.import$", "^reply\\.import\\..*", 200},
	{"operator", "monitoring", "^reply\\.ctl\\..*", ".*", ".*", 0},
};
#define ACCOUNTS (sizeof account_rows / sizeof *account_rows)

static void write_string(struct text *out, const char *name, const char *value)
{
	text_printf(out, ",\"%s\":", name);
	text_json_string(out, value);
}

/* An empty hash lets nobody in by password: it is set where the broker is. */
static void write_user(const struct account_row *row, struct text *out)
{
	text_puts(out, "\n    {\"name\":");
	text_json_string(out, row->name);
	write_string(out, "password_hash", "");
	write_string(out, "hashing_algorithm", "rabbit_password_hashing_sha256");
	write_string(out, "tags", row->tags);
	text_puts(out, ",\"limits\":{");
	if (row->max_connections > 0)
		text_printf(out, "\"max-connections\":%" PRId64, row->max_connections);
	text_puts(out, "}}");
}

static void write_permission(const struct account_row *row, const char *vhost, struct text *out)
{
	text_puts(out, "\n    {\"user\":");
	text_json_string(out, row->name);
	write_string(out, "vhost", vhost);
	write_string(out, "configure", row->configure);
	write_string(out, "write", row->write);
	write_string(out, "read", row->read);
	text_putc(out, '}');
}

static void write_policy(const char *name, const char *pattern, const char *definition,
			 const char *vhost, struct text *out)
{
	text_puts(out, "\n    {\"name\":");
	text_json_string(out, name);
	write_string(out, "vhost", vhost);
	write_string(out, "pattern", pattern);
	text_puts(out, ",\"apply-to\":\"queues\",\"priority\":0,\"definition\":{");
	text_puts(out, definition);
	text_puts(out, "}}");
}

void topology_write_accounts(const char *vhost, struct text *out)
{
	text_puts(out, ",\n  \"vhosts\": [\n    {\"name\":");
	text_json_string(out, vhost);
	text_puts(out, "}\n  ],\n  \"users\": [");
	for (size_t i = 0; i < ACCOUNTS; i++) {
		text_puts(out, i > 0 ? "," : "");
		write_user(&account_rows[i], out);
	}
	text_puts(out, "\n  ],\n  \"permissions\": [");
	for (size_t i = 0; i < ACCOUNTS; i++) {
		text_puts(out, i > 0 ? "," : "");
		write_permission(&account_rows[i], vhost, out);
	}
	text_puts(out, "\n  ],\n  \"policies\": [");
	/* Who looks at dead letters gives them back, however often. RabbitMQ 4 drops what was given
	 * back 20 times unless it is told otherwise; 3.10 takes no -1 for "never". */
	write_policy("dead", "^dead$", "\"delivery-limit\":1000000000", vhost, out);
	text_putc(out, ',');
	/* Who does not fetch its replies loses the oldest ones, not the broker its memory. */
	write_policy("replies", "^reply\\.", "\"max-length-bytes\":67108864", vhost, out);
	text_puts(out, "\n  ]");
}
