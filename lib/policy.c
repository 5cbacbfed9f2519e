/* Admission policies: the table of policy.def with places in struct policy, and what makes sense.
 */
#include "policy.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_names[] = {"open", "paused", "closed"};

static const struct number {
	const char *name;
	size_t offset; /* in struct policy */
	int64_t least;
	int64_t most;
	const char *help;
} numbers[] = {
#define POLICY(name, least, most, help) {#name, offsetof(struct policy, name), least, most, help},
#include "policy.def"
#undef POLICY
};

#define NUMBER_COUNT (sizeof numbers / sizeof *numbers)

const char *policy_state_name(enum policy_state state)
{
	return state_names[state];
}

enum policy_state policy_state_from(const char *name)
{
	unsigned state = POLICY_OPEN;

	while (state < POLICY_CLOSED && strcmp(state_names[state], name) != 0)
		state++;
	return (enum policy_state)state;
}

struct policy policy_from_row(const struct db_row *row, unsigned first)
{
	struct policy policy = {0};
	char word[16];
	unsigned column = first;

	db_row_text(row, column++, word, sizeof word);
	policy.state = policy_state_from(word);
#define POLICY(name, least, most, help) policy.name = db_row_int(row, column++);
#include "policy.def"
#undef POLICY
	db_row_text(row, column++, word, sizeof word);
	policy.counts_arrivals = strcmp(word, "arrivals") == 0;
	db_row_text(row, column++, policy.reason, sizeof policy.reason);
	db_row_text(row, column, policy.message, sizeof policy.message);
	return policy;
}

struct policy policy_from_conf(const struct conf *conf)
{
	return (struct policy){
#define POLICY(name, least, most, help) .name = conf->gate_##name,
#include "policy.def"
#undef POLICY
	};
}

static enum err set_counts(struct policy *policy, const char *value,
			   char why[static POLICY_WHY_SIZE])
{
	policy->counts_arrivals = strcmp(value, "arrivals") == 0;
	if (policy->counts_arrivals || strcmp(value, "releases") == 0)
		return ERR_OK;
	snprintf(why, POLICY_WHY_SIZE, "counts is releases or arrivals");
	return ERR_CONF;
}

enum err policy_set(struct policy *policy, const char *name, const char *value,
		    char why[static POLICY_WHY_SIZE])
{
	size_t i = 0;
	char *end;
	long long number;

	if (strcmp(name, "counts") == 0)
		return set_counts(policy, value, why);
	while (i < NUMBER_COUNT && strcmp(numbers[i].name, name) != 0)
		i++;
	if (i == NUMBER_COUNT) {
		snprintf(why, POLICY_WHY_SIZE, "a policy has no %.40s", name);
		return ERR_CONF;
	}
	errno = 0;
	number = strtoll(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 ||
	    number < numbers[i].least || number > numbers[i].most) {
		snprintf(why, POLICY_WHY_SIZE, "%s takes a number from %" PRId64 " to %" PRId64,
			 name, numbers[i].least, numbers[i].most);
		return ERR_CONF;
	}
	*(int64_t *)((char *)policy + numbers[i].offset) = number;
	return ERR_OK;
}

static enum err check_limits(const struct policy *policy, char why[static POLICY_WHY_SIZE])
{
	for (size_t i = 0; i < NUMBER_COUNT; i++) {
		int64_t value = *(const int64_t *)((const char *)policy + numbers[i].offset);

		if (value >= numbers[i].least && value <= numbers[i].most)
			continue;
		snprintf(why, POLICY_WHY_SIZE, "%s takes a number from %" PRId64 " to %" PRId64,
			 numbers[i].name, numbers[i].least, numbers[i].most);
		return ERR_CONF;
	}
	return ERR_OK;
}

static enum err check_ceilings(const struct policy *policy, const struct conf *conf,
			       char why[static POLICY_WHY_SIZE])
{
	int64_t active = conf->gate_ceiling_active, rate = conf->gate_ceiling_per_minute;

	if (active > 0 && (policy->max_active == 0 || policy->max_active > active)) {
		snprintf(why, POLICY_WHY_SIZE,
			 "max_active is above what this deployment allows: at most %" PRId64,
			 active);
		return ERR_CONF;
	}
	/* Counting arrivals may release twice the limit. */
	if (rate > 0 &&
	    (policy->window_limit == 0 ||
	     policy->window_limit * 60 * (1 + policy->counts_arrivals) > rate * policy->window_s)) {
		snprintf(why, POLICY_WHY_SIZE,
			 "window_limit is above what this deployment allows: at most %" PRId64
			 " a minute",
			 rate);
		return ERR_CONF;
	}
	return ERR_OK;
}

enum err policy_check(const struct policy *policy, const struct conf *conf,
		      char why[static POLICY_WHY_SIZE])
{
	const struct {
		bool is_wrong;
		const char *why;
	} rules[] = {
		{policy->max_active == 0 && policy->window_limit == 0,
		 "max_active and window_limit are both 0: everybody would be let in at once"},
		{policy->show_up_s > policy->active_s,
		 "show_up_s is longer than active_s: nobody would ever be late"},
		{policy->show_up_s > 0 && policy->show_up_s < POLICY_LEAST_SHOW_UP_S,
		 "show_up_s is less than 5: the first call is known to the gate after some "
		 "seconds"},
		{policy->quiet_s > 0 && policy->quiet_s < POLICY_LEAST_QUIET_S,
		 "quiet_s is less than 30: who waits is not even asked to call so often"},
		{policy->counts_arrivals && policy->window_limit == 0,
		 "counts=arrivals counts towards window_limit, which is 0"},
		{policy->counts_arrivals && policy->show_up_s == 0,
		 "counts=arrivals needs show_up_s: without it nobody is ever late"},
	};
	enum err err = check_limits(policy, why);

	for (size_t i = 0; err == ERR_OK && i < sizeof rules / sizeof *rules; i++) {
		if (!rules[i].is_wrong)
			continue;
		snprintf(why, POLICY_WHY_SIZE, "%s", rules[i].why);
		err = ERR_CONF;
	}
	return err == ERR_OK ? check_ceilings(policy, conf, why) : err;
}

void policy_each_number(const struct policy *policy, policy_number_fn *each, void *arg)
{
	for (size_t i = 0; i < NUMBER_COUNT; i++)
		each(arg, numbers[i].name,
		     *(const int64_t *)((const char *)policy + numbers[i].offset), numbers[i].help);
}
