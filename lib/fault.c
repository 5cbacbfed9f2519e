/* Faults on purpose. The setting is read before any thread starts and never changes after. */
#include "fault.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULTS_MAX 16
#define POINT_SIZE 80 /* a request id is a point too */
#define COUNT_MAX 1000000

enum action { ACTION_KILL, ACTION_STOP, ACTION_ON };

static struct fault {
	char point[POINT_SIZE];
	enum action action;
	unsigned count; /* the passage at which it happens */
	atomic_uint passages;
} faults[FAULTS_MAX];
static size_t fault_count;

static bool read_action(const char *name, size_t length, enum action *action)
{
	static const char *const names[] = {"kill", "stop", "on"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == length && memcmp(names[i], name, length) == 0) {
			*action = (enum action)i;
			return true;
		}
	}
	return false;
}

static bool read_count(const char *digits, size_t length, unsigned *count)
{
	unsigned value = 0;

	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9' || value > COUNT_MAX)
			return false;
		value = value * 10 + (unsigned)(digits[i] - '0');
	}
	*count = value;
	return value >= 1 && value <= COUNT_MAX;
}

/* Reads point:action[:count], length bytes of it. */
static bool read_fault(const char *text, size_t length, struct fault *fault)
{
	const char *end = text + length;
	const char *action = memchr(text, ':', length);
	const char *count;
	size_t point_length;

	if (!action)
		return false;
	point_length = (size_t)(action - text);
	if (point_length == 0 || point_length >= POINT_SIZE)
		return false;
	memcpy(fault->point, text, point_length);
	fault->point[point_length] = '\0';
	action++;
	count = memchr(action, ':', (size_t)(end - action));
	fault->count = 1;
	atomic_store(&fault->passages, 0);
	if (count && !read_count(count + 1, (size_t)(end - count - 1), &fault->count))
		return false;
	return read_action(action, (size_t)((count ? count : end) - action), &fault->action);
}

enum err fault_open(const char *setting)
{
	size_t count = 0;

	fault_count = 0;
	while (*setting) {
		size_t length = strcspn(setting, ",");

		if (count == FAULTS_MAX || !read_fault(setting, length, &faults[count]))
			return ERR_CONF;
		count++;
		setting += length;
		if (*setting == ',' && *++setting == '\0')
			return ERR_CONF;
	}
	fault_count = count;
	return ERR_OK;
}

static void act(const struct fault *fault)
{
	if (fault->action == ACTION_KILL)
		kill(getpid(), SIGKILL);
	else if (fault->action == ACTION_STOP)
		kill(getpid(), SIGSTOP);
}

void fault_point(const char *point)
{
	for (size_t i = 0; i < fault_count; i++) {
		if (strcmp(faults[i].point, point) == 0 &&
		    atomic_fetch_add(&faults[i].passages, 1) + 1 == faults[i].count)
			act(&faults[i]);
	}
}

bool fault_is_on(const char *point)
{
	bool on = false;

	for (size_t i = 0; i < fault_count; i++) {
		if (faults[i].action != ACTION_ON || strcmp(faults[i].point, point) != 0)
			continue;
		on = on || atomic_fetch_add(&faults[i].passages, 1) + 1 >= faults[i].count;
	}
	return on;
}
