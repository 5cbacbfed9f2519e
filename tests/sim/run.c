#include "run.h"

#include <stdlib.h>

#include "clients.h"
#include "conf.h"
#include "exchange.h"
#include "invariants.h"
#include "process.h"
#include "session.h"

#define REST_STEPS 100000 /* within which all must come to rest */
#define STEP_MOST_US 1500
#define LEAP_MOST_S 60

/* Small numbers make things meet: few seats, short holds, little room. */
static const struct {
	const char *name, *value;
} settings[] = {
	{"BOXOFFICE_LOG_LEVEL", "error"},   {"BOXOFFICE_PARTITIONS", "2"},
	{"BOXOFFICE_HOLD_CAP_S", "50"},     {"BOXOFFICE_TAKEOVER_MS", "3000"},
	{"BOXOFFICE_SWEEP_MS", "4000"},     {"BOXOFFICE_GATE_TICK_MS", "1500"},
	{"BOXOFFICE_GATE_MAX_ACTIVE", "3"}, {"BOXOFFICE_GATE_ACTIVE_S", "60"},
	{"BOXOFFICE_GATE_SHOW_UP_S", "25"}, {"BOXOFFICE_GATE_QUIET_S", "40"},
	{"BOXOFFICE_GATE_GRACE_S", "20"},
};

static void set_up(struct conf *conf)
{
	char hold_s[8];
	for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
		setenv(settings[i].name, settings[i].value, 1);
	snprintf(hold_s, sizeof hold_s, "%d", SIM_HOLD_S);
	setenv("BOXOFFICE_HOLD_S", hold_s, 1);
	/* Some runs remember users, some have room for a job or two in a batch alone. */
	setenv("BOXOFFICE_KNOWN_USER_S", dice_one_in(&kernel.noise, 8) ? "60" : "0", 1);
	setenv("BOXOFFICE_BATCH_JOBS", dice_one_in(&kernel.noise, 4) ? "2" : "2000", 1);
	setenv("BOXOFFICE_PREFETCH", dice_one_in(&kernel.noise, 4) ? "3" : "4000", 1);
	if (conf_load(conf))
		abort();
}

static void strike(void)
{
	if (kernel_strikes(FAULT_CUT))
		exchange_cut();
	if (kernel_strikes(FAULT_BROKER))
		exchange_restart();
	if (kernel_strikes(FAULT_ALARM))
		exchange_alarm();
	if (kernel_strikes(FAULT_DATABASE))
		sessions_restart();
	if (kernel_strikes(FAULT_REFUSE))
		sessions_refuse();
	if (kernel_strikes(FAULT_LEAP))
		kernel.now_us += dice_between(&kernel.noise, 1, LEAP_MOST_S) * SECOND_US;
}

/* Nobody has anything to do: time goes on to when somebody has. */
static void wait_for_time(void)
{
	int64_t next_us = processes_next_us();
	int64_t broker_us = exchange_next_us(), database_us = sessions_next_us();
	next_us = broker_us < next_us ? broker_us : next_us;
	next_us = database_us < next_us ? database_us : next_us;
	if (next_us == INT64_MAX)
		kernel_fail("progress", "nothing will ever happen again");
	else if (next_us > kernel.now_us)
		kernel.now_us = next_us;
}

static void step(void)
{
	uint64_t dice = dice_roll(&kernel.order, 16);
	kernel.step++;
	kernel.now_us += dice_between(&kernel.order, 0, STEP_MOST_US);
	sessions_step();
	strike();
	if (dice == 0 && !kernel.is_settling)
		clients_step();
	else if (dice < 6 ? !exchange_step() && !processes_step()
			  : !processes_step() && !exchange_step())
		wait_for_time();
}

static bool is_at_rest(void)
{
	return exchange_is_idle() && sessions_are_idle() && invariants_are_at_rest();
}

static void settle(void)
{
	size_t end = kernel.step + REST_STEPS;
	kernel.is_settling = true;
	processes_wake();
	while (!kernel.failed && !is_at_rest()) {
		step();
		if (kernel.step == end)
			kernel_fail("progress", "all does not come to rest");
	}
	if (!kernel.failed)
		invariants_check_rest();
}

bool run(const struct options *options)
{
	static struct conf conf;
	kernel_start(options);
	set_up(&conf);
	sessions_start();
	exchange_start(&conf);
	invariants_start(&conf);
	clients_start(&conf, options->clients);
	processes_start(2, 2, 2);
	while (!kernel.failed && kernel.step < options->steps)
		step();
	if (!kernel.failed)
		settle();
	processes_end();
	exchange_end();
	sessions_end();
	return !kernel.failed;
}
