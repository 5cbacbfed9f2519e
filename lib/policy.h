/* The admission policy: how many are let in, how long they may stay, when an absent one loses its
 * turn. Operators change it while the service runs; its newest row in gate_policy rules. */
#ifndef BOXOFFICE_POLICY_H
#define BOXOFFICE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "db.h"
#include "err.h"

#define POLICY_TEXT_CHARS 200
#define POLICY_TEXT_SIZE (POLICY_TEXT_CHARS * 4 + 1)
#define POLICY_WHY_SIZE 160
/* Fronts pass signs of life on every few seconds. */
#define POLICY_LEAST_SHOW_UP_S 5
/* Pages ask again after 10 s at most near the head of the line, so less silence says nothing. */
#define POLICY_LEAST_QUIET_S 30

enum policy_state {
	POLICY_OPEN,
	POLICY_PAUSED, /* nobody is admitted; the line keeps, and grows */
	POLICY_CLOSED, /* nobody may join either */
};

struct policy {
	enum policy_state state;
#define POLICY(name, least, most, help) int64_t name;
#include "policy.def"
#undef POLICY
	bool counts_arrivals;           /* the window counts who came, not who was let in */
	char reason[POLICY_TEXT_SIZE];  /* why it is closed, for who asks to join */
	char message[POLICY_TEXT_SIZE]; /* for everybody in line */
};

/* The columns of gate_policy (as p) that policy_from_row() reads from column first on. */
#define POLICY_COLUMNS                                                                             \
	"p.state, p.max_active, p.window_limit, p.window_s, p.active_s, p.show_up_s, p.quiet_s, "  \
	"p.grace_s, p.counts, p.reason, p.message"

struct policy policy_from_row(const struct db_row *row, unsigned first);

/* "open", "paused", "closed". */
const char *policy_state_name(enum policy_state state);

/* CLOSED for whatever is not known: it keeps the door shut. */
enum policy_state policy_state_from(const char *name);

/* The settings as a policy, open. */
struct policy policy_from_conf(const struct conf *conf);

/* Sets one value by its name: a number of policy.def, or counts (releases, arrivals). ERR_CONF,
 * with a sentence in why, when there is no such name or the value is beyond its limits. */
MUST_CHECK enum err policy_set(struct policy *policy, const char *name, const char *value,
			       char why[static POLICY_WHY_SIZE]);

/* ERR_CONF, with a sentence in why, for a policy that makes no sense or is above the ceilings that
 * the settings gate_ceiling_active and gate_ceiling_per_minute set. Who writes a policy asks this
 * first, and the gate asks again: one that fails never rules. */
MUST_CHECK enum err policy_check(const struct policy *policy, const struct conf *conf,
				 char why[static POLICY_WHY_SIZE]);

/* Calls each for every number of the table: its name, value and help. */
typedef void policy_number_fn(void *arg, const char *name, int64_t value, const char *help);
void policy_each_number(const struct policy *policy, policy_number_fn *each, void *arg);

#endif
