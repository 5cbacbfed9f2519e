/* Turns: at most so many threads of the front serve at once, about one for each core, and the
 * others stand by for those that must wait for something outside. While no thread waits, a busy
 * front changes threads for nothing; while some wait, the rest go on serving. */
#ifndef BOXOFFICE_TURN_H
#define BOXOFFICE_TURN_H

#include <stdbool.h>

/* Sets the number of turns to the processors this process may use, of threads in all. Once, before
 * the first turn. */
void turn_open(unsigned threads);

/* Waits for a turn, unless the thread has one. */
void turn_take(void);

/* Gives it up for good: the thread ends. */
void turn_leave(void);

/* A thread that serves says that it is about to wait for the database or the like: another one
 * serves meanwhile. False when three quarters of the threads wait already: then it must not. In
 * a thread without a turn it does nothing and is true. */
bool turn_yield(void);

#endif
