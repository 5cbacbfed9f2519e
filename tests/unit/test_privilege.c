/* Privileges: whoever starts a process, afterwards it can do no more than read files, and cannot
 * get any. */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privilege.h"

/* A line of /proc/self/status as a number in this base. */
static unsigned long status_of(const char *name, int base)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long value = 77;

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (strncmp(line, name, strlen(name)) == 0)
			value = strtoul(line + strlen(name), NULL, base);
	if (file != NULL)
		fclose(file);
	return value;
}

#define READ_SEARCH (1UL << 2)

static bool has_nothing_left(void)
{
	unsigned long left = status_of("CapEff:", 16) & READ_SEARCH;

	return privilege_drop() == ERR_OK && status_of("CapEff:", 16) == left &&
	       status_of("CapPrm:", 16) == left && status_of("CapInh:", 16) == 0 &&
	       status_of("NoNewPrivs:", 10) == 1 && privilege_drop() == ERR_OK;
}

/* In a process of its own: it cannot be undone. */
static void nothing_but_reading_is_left_and_doing_it_again_is_harmless(void **state)
{
	pid_t child = fork();
	int status = 0;

	(void)state;
	if (child == 0)
		_exit(has_nothing_left() ? 0 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_reading_is_left_and_doing_it_again_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
