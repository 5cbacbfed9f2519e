/* Faults on purpose: what happens, at which passage. Deaths are watched in a child process. */
#include "unit.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

#define SURVIVED 7

/* A child under the setting passes a point some times; its wait status, with WUNTRACED. */
static int pass(const char *setting, const char *point, int times)
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		if (fault_open(setting))
			_exit(1);
		for (int i = 0; i < times; i++)
			fault_point(point);
		_exit(SURVIVED);
	}
	assert_int_equal(waitpid(child, &status, WUNTRACED), child);
	if (WIFSTOPPED(status)) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return status;
}

static void assert_survives(int status)
{
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), SURVIVED);
}

static void assert_killed(int status)
{
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void without_a_setting_a_point_does_nothing(void **state)
{
	(void)state;
	assert_survives(pass("", "before-commit", 3));
}

static void kill_ends_the_process_at_its_point_alone(void **state)
{
	(void)state;
	assert_killed(pass("before-commit:kill", "before-commit", 1));
	assert_survives(pass("before-commit:kill", "after-commit", 3));
	assert_survives(pass("before-commit:kill", "before-commi", 3));
}

static void an_action_waits_for_its_count(void **state)
{
	(void)state;
	assert_survives(pass("p:kill:3", "p", 2));
	assert_killed(pass("p:kill:3", "p", 3));
}

static void stop_stops_the_process(void **state)
{
	int status = pass("p:stop", "p", 1);

	(void)state;
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGSTOP);
}

static void several_faults_stand_beside_each_other(void **state)
{
	(void)state;
	assert_killed(pass("a:on,poison-1:kill,b:stop:2", "poison-1", 1));
	assert_true(WIFSTOPPED(pass("a:on,poison-1:kill,b:stop:2", "b", 2)));
	assert_survives(pass("a:on,poison-1:kill,b:stop:2", "a", 5));
}

static void a_switch_is_on_when_the_setting_says_so(void **state)
{
	(void)state;
	assert_int_equal(fault_open("no-locks:on"), ERR_OK);
	assert_true(fault_is_on("no-locks"));
	assert_true(fault_is_on("no-locks"));
	assert_false(fault_is_on("no-keys"));
	assert_int_equal(fault_open("no-keys:kill"), ERR_OK);
	assert_false(fault_is_on("no-keys"));
	assert_false(fault_is_on("no-locks"));
	assert_int_equal(fault_open(""), ERR_OK);
	assert_false(fault_is_on("no-locks"));
}

static void a_switch_with_a_count_turns_on_then_and_stays(void **state)
{
	(void)state;
	assert_int_equal(fault_open("p:on:3"), ERR_OK);
	assert_false(fault_is_on("p"));
	fault_point("p");
	assert_true(fault_is_on("p"));
	assert_true(fault_is_on("p"));
	assert_int_equal(fault_open(""), ERR_OK);
}

static void a_setting_that_cannot_be_understood_is_refused(void **state)
{
	static const char long_point[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789"
		"0123456789:kill";
	static const char too_many[] =
		"a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,a:on,"
		"a:on";
	static const char *const bad[] = {
		"p",
		":kill",
		"p:",
		"p:die",
		"p:kill:",
		"p:kill:0",
		"p:kill:x",
		"p:kill:1x",
		"p:kill:-1",
		"p:kill:99999999999",
		",",
		"p:kill,",
		"p:kill,,q:kill",
		"p:kill:1:2",
		" ",
		"p:KILL",
		long_point,
		too_many,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(fault_open(bad[i]), ERR_CONF);
	assert_false(fault_is_on("a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_setting_a_point_does_nothing),
		cmocka_unit_test(kill_ends_the_process_at_its_point_alone),
		cmocka_unit_test(an_action_waits_for_its_count),
		cmocka_unit_test(stop_stops_the_process),
		cmocka_unit_test(several_faults_stand_beside_each_other),
		cmocka_unit_test(a_switch_is_on_when_the_setting_says_so),
		cmocka_unit_test(a_switch_with_a_count_turns_on_then_and_stays),
		cmocka_unit_test(a_setting_that_cannot_be_understood_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
