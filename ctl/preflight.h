/* Preflight: what must be so before an on-sale begins. Facts are gathered first, from each source
 * that can be reached; the checks judge them, a row of the table each, without asking anybody. */
#ifndef BOXOFFICE_CTL_PREFLIGHT_H
#define BOXOFFICE_CTL_PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "draw.h"
#include "gate_numbers.h"
#include "policy.h"
#include "text.h"

#define PREFLIGHT_WHY_SIZE 256

/* Where facts come from; what a source does not tell is not known. */
enum preflight_source {
	FROM_DATABASE, /* the server: version, settings, clock */
	FROM_SCHEMA,   /* the migrations that were applied */
	FROM_AUDIT,
	FROM_GATE,
	FROM_CATALOGUE,
	FROM_DRAW,
	FROM_BROKER, /* the nodes */
	FROM_QUEUES,
	FROM_SITE,
	FROM_METRICS,
	FROM_DISK,
	FROM_HOST, /* this one */
	PREFLIGHT_SOURCES,
};

struct preflight_database {
	char version[64];
	char datadir[CONF_TEXT_MAX];
	int64_t flush_log;   /* innodb_flush_log_at_trx_commit */
	bool has_binlog;     /* and then */
	int64_t sync_binlog; /* … */
	bool is_read_only;
	int64_t servers;  /* that the settings name */
	bool does_wait;   /* at each commit, for a replica */
	int64_t replicas; /* that it could wait for */
	int64_t max_connections, max_packet;
	int64_t statement_ms; /* a statement is cut off after it; 0: never */
	int64_t ahead_us;     /* its clock, of this host's */
	int64_t unsure_us;    /* half of the time that the question took */
};

struct preflight_schema {
	int64_t wanted;       /* migrations of this program */
	struct text missing;  /* names; of these */
	struct text stranger; /* that this program does not know */
};

struct preflight_audit {
	int64_t checks, warnings;
	struct text broken; /* names */
};

struct preflight_gate {
	struct gate_numbers numbers;
	bool has_policy;
	struct policy policy;      /* the newest */
	char why[POLICY_WHY_SIZE]; /* "": it makes sense */
};

/* Schedules of shows that are not over and have free seats on sale. */
struct preflight_catalogue {
	int64_t now_us;
	int64_t schedules, seats;
	int64_t bookable;  /* schedules whose booking is not over */
	int64_t begins_us; /* the first booking of these */
};

struct preflight_draw {
	bool is_live; /* one is planned and not drawn yet */
	enum draw_state state;
	int64_t opens_us, now_us;
};

struct preflight_broker {
	char version[64];
	int64_t nodes, down;
	int64_t partitioned; /* that see another cluster than others do */
	int64_t files_left;  /* of the node that has the fewest */
	struct text alarms;
};

struct preflight_queues {
	int64_t declared;
	struct text missing, wrong; /* names */
	/* The fewest consumers of a queue of this kind; -1: not told. */
	int64_t seat_workers, gate_workers, account_workers, import_workers;
	int64_t members; /* nodes that have a copy and are there, of the queue that has the fewest
			  */
	int64_t fronts;
	int64_t dead; /* -1: not told */
	bool is_told; /* the depth of every queue of jobs */
	int64_t deepest;
	char deepest_name[64];
};

struct preflight_site {
	long status;
};

struct preflight_metrics {
	int64_t targets;
	struct text silent; /* addresses */
};

struct preflight_facts {
	const struct conf *conf;
	const char *gate;       /* the state it is to be in; NULL: open or paused */
	int64_t disk_least_gib; /* free, under the database's data */
	bool is_known[PREFLIGHT_SOURCES];
	char why[PREFLIGHT_SOURCES][PREFLIGHT_WHY_SIZE]; /* not known */
	struct preflight_database database;
	struct preflight_schema schema;
	struct preflight_audit audit;
	struct preflight_gate gate_now;
	struct preflight_catalogue catalogue;
	struct preflight_draw draw;
	struct preflight_broker broker;
	struct preflight_queues queues;
	struct preflight_site site;
	struct preflight_metrics metrics;
	int64_t disk_free_mib;
	int64_t files; /* that a process of this host may have open */
};

enum preflight_state { PREFLIGHT_PASSED, PREFLIGHT_FAILED, PREFLIGHT_UNKNOWN };

/* Says in measured what was found. */
typedef enum preflight_state preflight_judge_fn(const struct preflight_facts *facts,
						struct text *measured);

struct preflight_check {
	const char *name;
	enum preflight_source source;
	bool is_reach; /* is about reaching the source: else what is not known cannot be judged */
	const char *required;
	const char *remedy;
	preflight_judge_fn *judge;
};

/* Ended by one without a name. */
extern const struct preflight_check preflight_checks[];

/* Judges, or says why that cannot be done. */
enum preflight_state preflight_judge(const struct preflight_check *check,
				     const struct preflight_facts *facts, struct text *measured);

void preflight_facts_fini(struct preflight_facts *facts);

/* A source that does not tell. */
__attribute__((format(printf, 3, 4))) void preflight_unknown(struct preflight_facts *facts,
							     enum preflight_source source,
							     const char *format, ...);

/* Adds a name to a list of them. */
void preflight_name(struct text *names, const char *name);

/* Each fills in what its sources tell. */
void preflight_ask_database(struct preflight_facts *facts, struct db *db);
void preflight_ask_audit(struct preflight_facts *facts);
void preflight_ask_broker(struct preflight_facts *facts);
void preflight_ask_site(struct preflight_facts *facts, const char *url);
void preflight_ask_metrics(struct preflight_facts *facts, const char *file);
void preflight_ask_host(struct preflight_facts *facts);

extern const struct db_query *const preflight_queries[];

#endif
