/* What the tests of the broker share. Each helper fails the test when it cannot do its work. */
#ifndef BOXOFFICE_BROKER_FIXTURE_H
#define BOXOFFICE_BROKER_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "broker.h"
#include "conf.h"

#define DEADLINE_MS 15000
#define QUIET_MS 300 /* nothing came for so long: nothing will */
#define HOLD_S 1

extern const char *url;
extern struct conf conf;

/* What the confirms said. */
struct answers {
	unsigned confirmed;
	unsigned nacked;
	unsigned returned;
	uint64_t last_returned;
};

int64_t now_ms(void);
struct broker *open_broker(void);

/* A connection whose confirms are counted in answers, from zero. */
struct broker *open_publisher(struct answers *answers);
struct broker_message a_message(const char *exchange, const char *routing_key);

/* Pumps until at most so many publishes are open. */
void settle(struct broker *broker, size_t open);
void publish_many(struct broker *broker, const struct broker_message *message, unsigned count,
		  size_t window);
void await_deliveries(struct broker *broker, unsigned channel, size_t count);

/* Takes all waiting deliveries of a channel. Returns the last tag, 0 for none. */
uint64_t drop_waiting(struct broker *broker, unsigned channel);

/* Empties a queue. Returns how many were in it. */
size_t drain(const char *queue);

/* The tests of test_broker_consume.c. */
void a_hold_comes_to_its_partition_when_it_ends(void **state);
void headers_are_kept_for_who_asks(void **state);
void a_queue_that_is_not_there_cannot_be_counted(void **state);
void a_pump_reads_a_bounded_number_of_bytes(void **state);
void prefetch_bounds_what_is_unacknowledged(void **state);
void the_time_of_sending_arrives_with_the_message(void **state);
void what_was_not_acknowledged_comes_again_with_its_count(void **state);
void a_second_consumer_takes_over_when_the_first_ends(void **state);
void a_cancelled_consumer_keeps_what_it_was_given(void **state);
void replies_reach_their_queue_alone(void **state);
void a_deleted_queue_is_told(void **state);

#endif
