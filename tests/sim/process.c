#include "process.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "exchange.h"
#include "heap.h"
#include "kernel.h"
#include "privilege.h"
#include "session.h"
#include "stop.h"

#define STACK_SIZE ((size_t)1024 * 1024)
#define SKEW_MOST_S 30
#define STOP_MOST_S 40
#define START_MOST_MS 8000

int account_worker_main(void);
int seat_worker_main(void);
int gate_worker_main(void);

enum life { DEAD, GOING, WAITING };

static struct process {
	char name[24];
	const char *kind;
	int (*run)(void);
	size_t index, count; /* among those of its kind */
	enum life life;
	bool is_stopped;
	bool is_told_to_stop;
	int64_t start_us; /* when it starts again, DEAD */
	int64_t stopped_until_us;
	ucontext_t context;
	void *stack;
	struct heap heap;
	int64_t skew_us;             /* of its host's wall clock */
	bool (*is_ready)(void *arg); /* WAITING */
	void *arg;
	int64_t until_us;
	const char *what; /* it is about to do */
} processes[PROCESSES_MAX];

static size_t count;
static struct process *current; /* NULL: the scheduler runs */
static ucontext_t scheduler;
static bool is_over; /* its main returned */

static void add(const char *kind, int (*run)(void), size_t index, size_t of)
{
	struct process *process = &processes[count++];
	void *stack = process->stack;
	if (!stack)
		stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stack == MAP_FAILED)
		abort();
	*process = (struct process){.kind = kind,
				    .run = run,
				    .index = index,
				    .count = of,
				    .stack = stack,
				    .start_us = kernel.now_us};
	process->skew_us = dice_between(&kernel.noise, -SKEW_MOST_S, SKEW_MOST_S) * SECOND_US;
	snprintf(process->name, sizeof process->name, "%s-%zu", kind, index);
}

void processes_start(size_t accounts, size_t seats, size_t gates)
{
	count = 0;
	for (size_t i = 0; i < accounts; i++)
		add("account", account_worker_main, i, accounts);
	for (size_t i = 0; i < seats; i++)
		add("seat", seat_worker_main, i, seats);
	for (size_t i = 0; i < gates; i++)
		add("gate", gate_worker_main, i, gates);
}

void processes_end(void)
{
	for (size_t i = 0; i < count; i++)
		heap_drop(&processes[i].heap);
	count = 0;
}

static int number_of(const struct process *process)
{
	return (int)(process - processes);
}

/* What it had in memory is gone; what it had outside is ended by those who notice. */
static void bury(struct process *process)
{
	session_lose_process(number_of(process));
	exchange_lose_process(number_of(process));
	heap_drop(&process->heap);
	process->life = DEAD;
	process->is_stopped = process->is_told_to_stop = false;
	process->start_us =
		kernel.now_us + dice_between(&kernel.noise, 0, START_MOST_MS) * SECOND_US / 1000;
}

static void enter(void)
{
	current->run();
	is_over = true;
	swapcontext(&current->context, &scheduler);
}

static void set_number(const char *name, size_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%zu", value);
	setenv(name, text, 1);
}

static void start(struct process *process)
{
	setenv("BOXOFFICE_NAME", process->name, 1);
	set_number("BOXOFFICE_WORKER_INDEX", process->index);
	set_number("BOXOFFICE_WORKER_COUNT", process->count);
	getcontext(&process->context);
	process->context.uc_stack.ss_sp = process->stack;
	process->context.uc_stack.ss_size = STACK_SIZE;
	process->context.uc_link = NULL;
	makecontext(&process->context, enter, 0);
	process->life = GOING;
	process->what = "start";
}

static void resume(struct process *process)
{
	process->life = GOING;
	current = process;
	kernel_trace("%s", process->what);
	heap_use(&process->heap);
	swapcontext(&scheduler, &process->context);
	heap_use(NULL);
	current = NULL;
	if (!is_over)
		return;
	is_over = false;
	kernel_trace("%s ended", process->name);
	bury(process);
}

static bool can_go(const struct process *process)
{
	switch (process->life) {
	case DEAD:
		return process->start_us <= kernel.now_us;
	case GOING:
		return !process->is_stopped;
	case WAITING:
		break;
	}
	return !process->is_stopped && (process->until_us <= kernel.now_us ||
					(process->is_ready && process->is_ready(process->arg)));
}

static void let_go_on(void)
{
	for (size_t i = 0; i < count; i++)
		if (processes[i].is_stopped && processes[i].stopped_until_us <= kernel.now_us) {
			processes[i].is_stopped = false;
			kernel_trace("%s goes on", processes[i].name);
		}
}

static bool is_struck(struct process *process)
{
	if (kernel_strikes(FAULT_CRASH)) {
		kernel_trace("%s dies at: %s", process->name, process->what);
		bury(process);
		return true;
	}
	if (kernel_strikes(FAULT_STOP)) {
		kernel_trace("%s stops at: %s", process->name, process->what);
		process->is_stopped = true;
		process->stopped_until_us =
			kernel.now_us + dice_between(&kernel.noise, 1, STOP_MOST_S) * SECOND_US;
		return true;
	}
	if (kernel_strikes(FAULT_TERM)) {
		kernel_trace("%s is told to end", process->name);
		process->is_told_to_stop = true;
	}
	return false;
}

bool processes_step(void)
{
	struct process *able[PROCESSES_MAX];
	size_t able_count = 0;
	let_go_on();
	for (size_t i = 0; i < count; i++)
		if (can_go(&processes[i]))
			able[able_count++] = &processes[i];
	if (!able_count)
		return false;
	struct process *process = able[dice_roll(&kernel.order, able_count)];
	if (process->life == DEAD)
		start(process);
	if (!is_struck(process))
		resume(process);
	return true;
}

int64_t processes_next_us(void)
{
	int64_t next_us = INT64_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct process *process = &processes[i];
		int64_t at_us = process->is_stopped        ? process->stopped_until_us
				: process->life == WAITING ? process->until_us
				: process->life == DEAD    ? process->start_us
							   : kernel.now_us;
		if (at_us < next_us)
			next_us = at_us;
	}
	return next_us;
}

void processes_wake(void)
{
	for (size_t i = 0; i < count; i++) {
		processes[i].is_stopped = false;
		if (processes[i].life == DEAD)
			processes[i].start_us = kernel.now_us;
	}
}

/* Inside a process ----------------------------------------------------------------------------- */

static void leave_to_scheduler(void)
{
	struct process *self = current;
	swapcontext(&self->context, &scheduler);
}

void process_pause(const char *what)
{
	if (!current)
		return;
	current->what = what;
	leave_to_scheduler();
}

void process_wait(bool (*is_ready)(void *arg), void *arg, int64_t until_us, const char *what)
{
	current->life = WAITING;
	current->is_ready = is_ready;
	current->arg = arg;
	current->until_us = until_us;
	current->what = what;
	leave_to_scheduler();
}

void process_sleep(int64_t span_us)
{
	process_wait(NULL, NULL, kernel.now_us + span_us, "sleep");
}

void process_leave(void)
{
	while (current)
		leave_to_scheduler();
}

const char *process_name(void)
{
	return current ? current->name : "-";
}

int64_t process_skew_us(void)
{
	return current ? current->skew_us : 0;
}

int process_number(void)
{
	return current ? number_of(current) : -1;
}

bool process_is_stopped(int number)
{
	return processes[number].is_stopped;
}

/* In the place of lib/privilege.c: a simulated process has none to give up. */

enum err privilege_drop(void)
{
	return ERR_OK;
}

/* TERM, in the place of workers/stop.c. */

void stop_install(void)
{
	current->is_told_to_stop = false;
}

bool stop_is_wanted(void)
{
	return current->is_told_to_stop;
}
