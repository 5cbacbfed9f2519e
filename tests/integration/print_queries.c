/* Prints every statement that workers and front run but INSERTs of cells, one JSON object a line:
 * its name, its text and a sample of its parameter (a text of two rows; null for a statement that
 * has none), for the test that runs EXPLAIN on each. A statement without a sample, or a sample that
 * does not give what its statement reads, is an error: whoever adds a statement adds its sample
 * here. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account_store.h"
#include "audit_checks.h"
#include "cash_store.h"
#include "catalogue_records.h"
#include "draw_records.h"
#include "gate_draw.h"
#include "gate_records.h"
#include "db_store.h"
#include "gate_state.h"
#include "gate_store.h"
#include "gate_tick_store.h"
#include "gate_tickets.h"
#include "job_records.h"
#include "lookup.h"
#include "money_records.h"
#include "preflight.h"
#include "seat_store.h"
#include "text.h"

#define ID1 "0192F0C1A2B37C4D8E5F60718293A4B5"
#define ID2 "0192F0C1A2B37C4D8E5F60718293A4B6"
#define NOW "\"now\":1795341600000000"
#define UNTIL "1795341900000000"
#define PRINT64 "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"

#define IDS "[{\"id\":1},{\"id\":2}]"
#define HEX_IDS "[{\"id\":\"" ID1 "\"},{\"id\":\"" ID2 "\"}]"
#define JOB_SLOTS "[{\"slot\":0,\"job\":\"" ID1 "\"},{\"slot\":1,\"job\":\"" ID2 "\"}]"
#define UUIDS "[{\"uuid\":\"" ID1 "\"},{\"uuid\":\"" ID2 "\"}]"

#define JOB(id)                                                                                    \
	"{\"nth\":1,\"code\":\"ok\",\"why\":\"\","                                                 \
	"\"data\":\"{\\\"balance\\\":1000}\",\"id\":\"" id "\"}"
#define SEATS                                                                                      \
	"[{\"schedule\":1,\"number\":\"1\",\"price\":1000,\"sale\":1},"                            \
	"{\"schedule\":1,\"number\":\"2\",\"price\":1000,\"sale\":1}]"
#define PAGE "[{\"user\":1,\"before\":9007199254740991}]"
#define TWO(row, first, second) "[" row(first) "," row(second) "]"

static const struct sample {
	const char *name;
	const char *json; /* NULL: the statement has no parameter */
} samples[] = {
	/* what every store shares */
	{"find-jobs", HEX_IDS},
	{"find-postings", HEX_IDS},
	{"find-reserves", HEX_IDS},
	{"update-jobs", TWO(JOB, ID1, ID2)},
	{"read-clock", NULL},
	{"prune-jobs", "[{\"days\":30}]"},
	/* cash */
	{"lock-cash", "[{\"slot\":0,\"user\":1},{\"slot\":1,\"user\":2}]"},
	{"update-cash", "[{\"user\":1,\"balance\":1000},{\"user\":2,\"balance\":0}]"},
	/* accounts */
	{"find-charges", HEX_IDS},
	{"find-users", UUIDS},
	/* seats */
	{"lock-seats", IDS},
	{"read-seats", IDS},
	{"lock-holds", IDS},
	{"lock-tickets", IDS},
	{"find-ticket-holds", IDS},
	{"find-past-holds", "[{\"seat\":1,\"user\":1},{\"seat\":2,\"user\":2}]"},
	{"find-payments", "[{\"slot\":0,\"id\":1},{\"slot\":1,\"id\":2}]"},
	{"update-holds", "[{\"id\":1,\"status\":\"EXPIRED\",\"was\":\"PENDING\"," NOW "},"
			 "{\"id\":2,\"status\":\"REFUNDED\",\"was\":\"PAID\"," NOW "}]"},
	{"find-bought", IDS},
	{"update-payments",
	 "[{\"id\":1,\"job\":\"" ID1 "\"," NOW "},{\"id\":2,\"job\":\"" ID2 "\"," NOW "}]"},
	{"find-hold-ids", JOB_SLOTS},
	{"find-payment-ids", JOB_SLOTS},
	{"update-tickets", "[{\"id\":1,\"status\":\"FINISHED\",\"expires\":" UNTIL "," NOW "},"
			   "{\"id\":2,\"status\":\"ACTIVE\",\"expires\":" UNTIL "," NOW "}]"},
	{"find-overdue", NULL},
	{"count-holds", NULL},
	/* the gate; its counters are one row */
	{"lock-state", NULL},
	{"lock-state-nowait", NULL},
	{"update-state",
	 "[{\"last\":2,\"served\":1,\"waiting\":1,\"active\":1,\"rate\":1,"
	 "\"ticked\":" UNTIL ",\"seq\":1,\"near\":2,\"reclaimed\":0,"
	 "\"abandoned\":0,\"departed\":0,\"state\":\"open\",\"message\":\"\",\"stock\":\"free\"}]"},
	{"read-policies", NULL},
	{"insert-first-policy", "[{\"active\":500,\"most\":0,\"span\":60,\"life\":600,"
				"\"late\":120,\"quiet\":60,\"grace\":300}]"},
	{"find-queuers", UUIDS},
	{"lock-gate-tickets", IDS},
	{"update-gate-tickets",
	 "[{\"id\":1,\"status\":\"ACTIVE\",\"admitted\":" UNTIL ",\"expires\":" UNTIL
	 ",\"late\":" UNTIL ",\"arrived\":" UNTIL ",\"seen\":" UNTIL ",\"aside\":" UNTIL
	 ",\"seq\":1," NOW "},{\"id\":2,\"status\":\"LEFT\",\"seq\":2," NOW "}]"},
	{"find-due", NULL},
	{"find-abandoned", NULL},
	{"count-admitted", NULL},
	{"count-released", "[{\"window\":60}]"},
	{"count-arrived", "[{\"window\":60}]"},
	{"count-expected", "[{\"span\":360}]"},
	{"read-stock", NULL},
	{"read-line", "[{\"most\":9007199254740991}]"},
	{"count-draw", NULL},
	{"lock-draw", NULL},
	{"read-draw", NULL},
	{"read-lots", NULL},
	{"update-draw", "[{\"id\":1,\"state\":\"closed\",\"low\":1,\"high\":2," NOW "}]"},
	{"update-roster", "[{\"id\":1,\"digest\":\"" PRINT64 "\"}]"},
	{"update-seed", "[{\"id\":1,\"digest\":\"" PRINT64 "\"}]"},
	{"read-roster", NULL},
	{"read-unplaced", NULL},
	{"place-tickets", "[{\"id\":1,\"place\":2},{\"id\":2,\"place\":1}]"},
	{"start-clocks", "[{\"near\":2}]"},
	{"gate-numbers", NULL},
	/* the operator */
	{"ctl-history", NULL},
	{"ctl-lock", NULL},
	{"ctl-draw", NULL},
	{"ctl-plan-draw",
	 "[{\"opens\":" UNTIL ",\"zone\":\"UTC\",\"name\":\"sample\",\"secret\":\"" PRINT64
	 "\",\"commitment\":\"" PRINT64 "\",\"who\":\"sample\"}]"},
	{"ctl-move-draw", "[{\"opens\":" UNTIL ",\"zone\":\"UTC\",\"who\":\"sample\"}]"},
	{"ctl-reveal-draw", "[{\"value\":\"sample\",\"who\":\"sample\"}]"},
	{"ctl-roster", "[{\"id\":1}]"},
	{"catalogue-lock", NULL},
	{"catalogue-concert", "[{\"name\":\"sample\"}]"},
	{"catalogue-concert-id", "[{\"id\":1}]"},
	{"catalogue-add-concert", "[{\"name\":\"sample\"}]"},
	{"catalogue-schedule", "[{\"concert\":1,\"open\":" UNTIL "}]"},
	{"catalogue-add-schedule", "[{\"concert\":1,\"open\":" UNTIL ",\"close\":" UNTIL
				   ",\"start\":" UNTIL ",\"end\":" UNTIL "}]"},
	{"catalogue-count-seats", "[{\"id\":1}]"},
	{"catalogue-different-seats", SEATS},
	{"catalogue-add-seats", SEATS},
	{"catalogue-set-seats", SEATS},
	{"catalogue-record",
	 "[{\"who\":\"sample\",\"concert\":1,\"schedule\":1,\"what\":\"sample\"}]"},
	{"catalogue-list-concerts", NULL},
	{"catalogue-list-schedules", "[{\"concert\":0}]"},
	{"catalogue-list-seats", "[{\"id\":1}]"},
	{"catalogue-list-changes", NULL},
	{"ctl-job", HEX_IDS},
	{"ctl-payment", IDS},
	{"ctl-charge", IDS},
	{"ctl-charge-of", HEX_IDS},
	{"ctl-job-attempt", HEX_IDS},
	{"preflight-migrations", NULL},
	{"preflight-sale", NULL},
	{"audit-draws", NULL},
	{"audit-draw-tickets", "[{\"id\":1}]"},
	{"ctl-insert-policy",
	 "[{\"state\":\"open\",\"max_active\":500,\"window_limit\":0,\"window_s\":60,"
	 "\"active_s\":600,\"show_up_s\":120,\"quiet_s\":60,\"grace_s\":300,"
	 "\"counts\":\"releases\",\"reason\":\"\",\"message\":\"\",\"who\":\"sample\"}]"},
	/* the front */
	{"snapshot_gate", NULL},
	{"snapshot_draw", NULL},
	{"snapshot_drawn", NULL},
	{"snapshot_places", NULL},
	{"snapshot_changes", "[{\"seq\":1}]"},
	{"snapshot_tickets", NULL},
	{"snapshot_concerts", NULL},
	{"snapshot_schedules", NULL},
	{"snapshot_seats", NULL},
	{"lookup_user", HEX_IDS},
	{"holdings_holds", PAGE},
	{"holdings_payments", PAGE},
	{"holdings_entries", PAGE},
	{"lookup_ticket", IDS},
	{"lookup_job", HEX_IDS},
};
#define SAMPLE_COUNT (sizeof samples / sizeof *samples)

static bool is_used[SAMPLE_COUNT];

static const struct sample *sample_of(const struct db_query *query)
{
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		if (strcmp(samples[i].name, query->name) != 0)
			continue;
		is_used[i] = true;
		return &samples[i];
	}
	return NULL;
}

/* Every member that the statement reads ('$.seat') must be in the sample ("seat":). */
static bool gives_all_members(const struct db_query *query, const char *json)
{
	for (const char *path = query->text; (path = strstr(path, "'$.")) != NULL;) {
		char member[64];
		path += strlen("'$.");
		snprintf(member, sizeof member, "\"%.*s\":", (int)strcspn(path, "'"), path);
		if (!strstr(json, member))
			return false;
	}
	return true;
}

static bool fits(const struct db_query *query, const struct sample *sample)
{
	bool has_parameter = strchr(query->text, '?') != NULL;
	if (!sample)
		fprintf(stderr, "%s: no sample\n", query->name);
	else if (has_parameter != (sample->json != NULL))
		fprintf(stderr, "%s: parameter or none?\n", query->name);
	else if (has_parameter && !gives_all_members(query, sample->json))
		fprintf(stderr, "%s: the sample lacks a member\n", query->name);
	else
		return true;
	return false;
}

/* An INSERT of cells reads nothing. */
static bool takes_cells(const struct db_query *query)
{
	return strstr(query->text, " VALUES (") != NULL;
}

static void print_query(const struct db_query *query, const struct sample *sample)
{
	struct text line = {0};
	text_puts(&line, "{\"name\":");
	text_json_string(&line, query->name);
	text_puts(&line, ",\"sql\":");
	text_json_string(&line, query->text);
	text_puts(&line, ",\"sample\":");
	if (sample->json)
		text_json_string(&line, sample->json);
	else
		text_puts(&line, "null");
	text_putc(&line, '}');
	puts(line.bytes);
	text_fini(&line);
}

int main(void)
{
	const struct db_query *const *const lists[] = {
		db_store_queries,
		cash_store_queries,
		account_store_queries,
		seat_store_queries,
		seat_load_queries,
		seat_write_queries,
		gate_store_queries,
		gate_state_queries,
		gate_tickets_queries,
		gate_tick_queries,
		front_queries,
		gate_draw_queries,
		gate_records_queries,
		draw_records_queries,
		audit_draws_queries,
		money_records_queries,
		catalogue_records_queries,
		job_records_queries,
		gate_numbers_queries,
		preflight_queries,
	};
	bool is_fine = true;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		for (const struct db_query *const *query = lists[i]; *query; query++) {
			if (takes_cells(*query))
				continue;
			const struct sample *sample = sample_of(*query);
			if (fits(*query, sample))
				print_query(*query, sample);
			else
				is_fine = false;
		}
	}
	for (size_t i = 0; i < SAMPLE_COUNT; i++) {
		if (is_used[i])
			continue;
		fprintf(stderr, "%s: there is no such statement\n", samples[i].name);
		is_fine = false;
	}
	return is_fine && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
