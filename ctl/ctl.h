/* boxofficectl: the operator's command. What its parts share. */
#ifndef BOXOFFICE_CTL_H
#define BOXOFFICE_CTL_H

#include <stdbool.h>

#include "conf.h"
#include "db.h"

/* Exit codes: done; refused or not possible (the reason is on stderr); a mistake in the call. */
enum ctl_status { CTL_DONE = 0, CTL_FAILED = 1, CTL_MISUSED = 2 };

struct ctl {
	struct conf conf;
	struct db *db; /* connects when first needed */
	bool json;     /* --json: answers as one JSON object */
	bool yes;      /* --yes: nothing is asked */
	char who[101]; /* for what is recorded: --by, or the user of the operating system */
};

/* One command: "gate set". */
struct ctl_command {
	const char *group;
	const char *name;
	const char *arguments; /* for the usage: "NAME=VALUE…" */
	const char *help;
	int least, most; /* arguments it takes; most -1: any number */
	enum ctl_status (*run)(struct ctl *ctl, int argc, char **argv);
};

/* Each ended by one without a name. */
extern const struct ctl_command ctl_gate_commands[], ctl_draw_commands[];

/* Says on stderr why something did not work. Returns CTL_FAILED. */
__attribute__((format(printf, 1, 2))) enum ctl_status ctl_fail(const char *format, ...);

/* The same for what the database answered. */
enum ctl_status ctl_fail_database(enum err err);

/* Asks on the terminal; true for yes, or when --yes was given. Without a terminal: no. */
bool ctl_confirm(const struct ctl *ctl, const char *question);

#endif
