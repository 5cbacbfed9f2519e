/* Dead letters: whose word counts, and where a letter may go. */
#include "unit.h"

#include <string.h>

#include "dead_letters.h"

#define ID "\"id\":\"0192f0c1-a2b3-7c4d-8e5f-60718293a4b5\""
#define USER "\"userId\":\"0192f0c1-a2b3-7c4d-8e5f-60718293a4b6\""
#define CHARGE "{" ID ",\"kind\":\"charge\"," USER ",\"amount\":5}"
#define REFUND "{" ID ",\"kind\":\"refund\",\"seatId\":1,\"payment\":1}"
#define EXPIRE                                                                                     \
	"{" ID ",\"kind\":\"expire\",\"seatId\":1,\"hold\":\"0192f0c1-a2b3-7c4d-8e5f-"             \
	"60718293a4b7\"}"

/* Headers are name and value by turns, as a literal whose last zero byte is its own. */
#define HEADERS(text) .headers = (char[]){text}, .headers_length = sizeof(text)
#define BODY(text) .body = (char[]){text}, .length = sizeof(text) - 1

#define DEATH(reason, queue) "x-death.reason\0" reason "\0x-death.queue\0" queue
#define FORGED(queue)                                                                              \
	"boxoffice-code\0db-data\0boxoffice-queue\0" queue                                         \
	"\0boxoffice-reason\0trust me\0boxoffice-time\0"                                           \
	"2026-12-01T20:00:00Z\0boxoffice-deliveries\0"                                             \
	"3"

static struct dead_letter read_letter(const struct broker_delivery *delivery)
{
	struct dead_letter letter;

	dead_letter_read(&letter, delivery);
	return letter;
}

static const char *why_not(const struct broker_delivery *delivery)
{
	struct dead_letter letter = read_letter(delivery);
	struct conf conf;

	conf_init(&conf);
	return dead_letter_why_not(&letter, &conf);
}

static void a_workers_letter_is_told_by_its_headers(void **state)
{
	const struct broker_delivery delivery = {HEADERS(FORGED("account")), BODY(CHARGE)};
	struct dead_letter letter = read_letter(&delivery);

	(void)state;
	assert_string_equal(letter.code, "db-data");
	assert_string_equal(letter.queue, "account");
	assert_string_equal(letter.reason, "trust me");
	assert_true(letter.died_us > 0);
	assert_int_equal(letter.deliveries, 3);
	assert_null(why_not(&delivery));
}

static void what_the_broker_moved_is_told_by_the_broker_alone(void **state)
{
	const struct broker_delivery delivery = {
		HEADERS(FORGED("seat.0") "\0" DEATH("expired", "charge.import")), BODY(CHARGE)};
	struct dead_letter letter = read_letter(&delivery);

	(void)state;
	assert_string_equal(letter.code, "expired");
	assert_string_equal(letter.queue, "charge.import");
	assert_string_equal(letter.reason, "the broker moved it here");
	assert_true(letter.died_us == 0);
	assert_int_equal(letter.deliveries, 0);
	assert_null(why_not(&delivery));
}

static void a_header_that_is_called_like_a_death_is_not_believed(void **state)
{
	const struct broker_delivery before = {
		HEADERS("x-death.queue\0seat.0\0" DEATH("expired", "charge.import")), BODY(REFUND)};
	const struct broker_delivery behind = {
		HEADERS(DEATH("expired", "charge.import") "\0x-death.queue\0seat.0"), BODY(REFUND)};

	(void)state;
	assert_string_equal(read_letter(&before).queue, "");
	assert_string_equal(read_letter(&behind).queue, "");
	assert_string_equal(why_not(&before), "it does not say where it came from");
	assert_string_equal(why_not(&behind), "it does not say where it came from");
}

/* It died of its time to live first: that is how it came to its seat's queue. */
static void an_expire_beyond_the_limit_came_from_its_seats_queue(void **state)
{
	const struct broker_delivery delivery = {
		HEADERS("x-first-death-reason\0expired\0x-first-death-queue\0hold.expiry.300s\0"
			"x-first-death-exchange\0hold.expiry.300s\0" DEATH("delivery_limit",
									   "seat.1")),
		BODY(EXPIRE)};
	struct dead_letter letter = read_letter(&delivery);

	(void)state;
	assert_string_equal(letter.code, "delivery-limit");
	assert_string_equal(letter.queue, "seat.1");
	assert_null(why_not(&delivery));
}

static void only_queues_of_jobs_get_letters_back(void **state)
{
#define FROM(queue)                                                                                \
	{                                                                                          \
		HEADERS(DEATH("expired", queue)), BODY("{}")                                       \
	}
	const struct broker_delivery good[] = {FROM("seat.0"), FROM("seat.7"), FROM("gate"),
					       FROM("account"), FROM("charge.import")};
	const struct broker_delivery bad[] = {
		FROM("seat"), FROM("seat.8"),  FROM("hold.expiry.300s"), FROM("hold.expiry.7s"),
		FROM("dead"), FROM("reply.x"), FROM("seat.1x"),          FROM("nowhere")};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(why_not(&good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(why_not(&bad[i]), "where it came from is no queue of jobs");
}

static void every_job_must_be_of_a_kind_that_the_queue_takes(void **state)
{
#define OF(body)                                                                                   \
	{                                                                                          \
		HEADERS(DEATH("delivery_limit", "charge.import")), BODY(body)                      \
	}
	const struct broker_delivery good[] = {
		OF(CHARGE), OF("{\"v\":1,\"jobs\":[" CHARGE "," CHARGE "]}"), OF("?"),
		OF("{" ID ",\"kind\":\"charge\"," USER ",\"amount\":0}")};
	const struct broker_delivery bad[] = {
		OF(REFUND), OF("{\"v\":1,\"jobs\":[" CHARGE "," REFUND "]}"),
		OF("{\"v\":1,\"jobs\":[" CHARGE ",{" ID ",\"kind\":\"dance\"}]}")};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_null(why_not(&good[i]));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_string_equal(why_not(&bad[i]), "the queue it came from takes no such job");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_workers_letter_is_told_by_its_headers),
		cmocka_unit_test(what_the_broker_moved_is_told_by_the_broker_alone),
		cmocka_unit_test(a_header_that_is_called_like_a_death_is_not_believed),
		cmocka_unit_test(an_expire_beyond_the_limit_came_from_its_seats_queue),
		cmocka_unit_test(only_queues_of_jobs_get_letters_back),
		cmocka_unit_test(every_job_must_be_of_a_kind_that_the_queue_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
