/* The baton: one has it at a time, and it is free again however that one ends. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "baton.h"

static char place[sizeof((struct sockaddr_un *)0)->sun_path];

static struct baton *make(void)
{
	struct baton *baton = NULL;

	assert_int_equal(baton_new(&baton, place), ERR_OK);
	return baton;
}

/* Several of these programs may run at once. */
static int choose_place(void **state)
{
	(void)state;
	snprintf(place, sizeof place, "/nowhere/%ld.sock", (long)getpid());
	return 0;
}

static void one_has_it(void **state)
{
	struct baton *first = make(), *second = make();

	(void)state;
	assert_true(baton_take(first));
	assert_false(baton_take(first)); /* it is taken once */
	assert_false(baton_take(second));
	baton_drop(second); /* it is not the second's to give up */
	assert_false(baton_take(second));
	baton_drop(first);
	assert_true(baton_take(second));
	baton_free(first);
	baton_free(second);
}

static void who_is_freed_gives_it_up(void **state)
{
	struct baton *first = make(), *second = make();

	(void)state;
	assert_true(baton_take(first));
	baton_free(first);
	assert_true(baton_take(second));
	baton_free(second);
	baton_free(NULL);
}

static void a_process_that_dies_gives_it_up(void **state)
{
	struct baton *baton;
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0)
		_exit(!baton_take(make())); /* as after a SIGKILL: nothing is freed */
	baton = make();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(baton_take(baton));
	baton_free(baton);
}

static void places_do_not_meet(void **state)
{
	struct baton *first = make(), *second;

	(void)state;
	assert_true(baton_take(first));
	memset(place, 'x', sizeof place - 1); /* the longest path that a socket can have */
	second = make();
	assert_true(baton_take(second));
	baton_free(first);
	baton_free(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(one_has_it, choose_place),
		cmocka_unit_test_setup(who_is_freed_gives_it_up, choose_place),
		cmocka_unit_test_setup(a_process_that_dies_gives_it_up, choose_place),
		cmocka_unit_test_setup(places_do_not_meet, choose_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
