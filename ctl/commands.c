/* All commands, in the order in which they are told. */
#include "ctl.h"

const struct ctl_command *const ctl_command_lists[] = {
	ctl_gate_commands,
	ctl_draw_commands,
	ctl_audit_commands,
	ctl_dead_commands,
	ctl_money_commands,
	ctl_job_commands,
	ctl_queue_commands,
	ctl_catalogue_commands,
	ctl_preflight_commands,
	ctl_completion_commands,
	NULL,
};
