/* Simulated processes: the real mains of the workers, each on a stack of its own. One runs at a
 * time, until it asks something of the database or the broker: then another one may go on, or it
 * dies there. */
#ifndef BOXOFFICE_SIM_PROCESS_H
#define BOXOFFICE_SIM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct connection;

#define PROCESSES_MAX 8
#define PROCESS_CONNECTIONS 4

/* Starts afresh with these workers. */
void processes_start(size_t accounts, size_t seats, size_t gates);

/* Ends all, without a word. */
void processes_end(void);

/* One step of some process that can go on, or of one that is to die, stop, go on or start. False:
 * all wait. */
bool processes_step(void);

/* When the next one goes on by itself; INT64_MAX: none will. */
int64_t processes_next_us(void);

/* All run, none is stopped or dead: what settling begins with. */
void processes_wake(void);

/* True when no process is at a batch. */
bool processes_are_idle(void);

/* Called by what simulates the outside, inside a process: ------------------------------------- */

/* Lets others go first. what: for the trace, static. */
void process_pause(const char *what);

/* Waits until is_ready says so, or until the time has come. */
void process_wait(bool (*is_ready)(void *arg), void *arg, int64_t until_us, const char *what);
void process_sleep(int64_t span_us);

/* Ends the process that runs; returns when none does. */
void process_leave(void);

/* Of the process that runs; outside of all "-", 0, -1. */
const char *process_name(void);
int64_t process_skew_us(void);
int process_number(void);

/* True while it is stopped. */
bool process_is_stopped(int number);

#endif
