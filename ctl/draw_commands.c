/* The draw commands: an opening, and places by a lot that anybody can check. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/rand.h>

#include "ctl.h"
#include "draw_records.h"
#include "moment.h"
#include "printer.h"
#include "text.h"

static bool is_words(const char *text)
{
	size_t chars = 0;

	return text_is_plain_utf8(text, strlen(text), &chars) && chars >= 1 &&
	       chars <= DRAW_VALUE_CHARS;
}

static enum ctl_status draw_status(struct ctl *ctl, int argc, char **argv)
{
	struct draw_now draw;
	struct printer printer = {.json = ctl->json};
	char opens[TIME_TEXT_SIZE];
	enum err err = draw_records_newest(ctl->db, &draw);

	(void)argc;
	(void)argv;
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (draw.record.id == 0)
		return ctl_fail("there never was a draw");
	time_format(draw.record.opens_us, opens);
	printer_text(&printer, "state", draw_state_name(draw.record.state));
	printer_text(&printer, "opens_at", opens);
	printer_text(&printer, "zone", draw.record.zone);
	printer_int(&printer, "joined", draw.joined);
	printer_text(&printer, "public_name", draw.record.public_name);
	printer_text(&printer, "public_value", draw.record.public_value);
	printer_bytes(&printer, "commitment", true, draw.record.commitment, DRAW_DIGEST_SIZE);
	printer_bytes(&printer, "roster", draw.record.has_roster, draw.record.roster,
		      DRAW_DIGEST_SIZE);
	printer_bytes(&printer, "secret", draw.record.has_seed, draw.record.secret,
		      DRAW_DIGEST_SIZE);
	printer_bytes(&printer, "seed", draw.record.has_seed, draw.record.seed, DRAW_DIGEST_SIZE);
	printer_end(&printer);
	return CTL_DONE;
}

static enum ctl_status draw_plan(struct ctl *ctl, int argc, char **argv)
{
	uint8_t secret[DRAW_DIGEST_SIZE];
	char why[MOMENT_WHY_SIZE];
	int64_t opens_us = 0;
	bool is_done = false;
	enum err err;

	(void)argc;
	if (moment_read(argv[0], argv[1], &opens_us, why) != ERR_OK)
		return ctl_fail("refused: %s", why);
	if (!is_words(argv[2]))
		return ctl_fail("refused: the public value needs a name of 1 to %d characters",
				DRAW_VALUE_CHARS);
	if (RAND_bytes(secret, sizeof secret) != 1)
		return ctl_fail("no random numbers can be had");
	err = draw_records_plan(ctl->db, opens_us, argv[1], argv[2], secret, ctl->who, &is_done);
	if (err == ERR_DB_DUPLICATE)
		return ctl_fail("refused: another draw is not drawn yet");
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (!is_done)
		return ctl_fail("refused: the opening is past");
	return draw_status(ctl, 0, NULL);
}

static enum ctl_status draw_move(struct ctl *ctl, int argc, char **argv)
{
	char why[MOMENT_WHY_SIZE];
	int64_t opens_us = 0;
	bool is_done = false;
	enum err err;

	(void)argc;
	if (moment_read(argv[0], argv[1], &opens_us, why) != ERR_OK)
		return ctl_fail("refused: %s", why);
	err = draw_records_move(ctl->db, opens_us, argv[1], ctl->who, &is_done);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (!is_done)
		return ctl_fail("refused: no draw can be joined, or the opening is past");
	return draw_status(ctl, 0, NULL);
}

static enum ctl_status draw_reveal(struct ctl *ctl, int argc, char **argv)
{
	bool is_done = false;
	enum err err;

	(void)argc;
	if (!is_words(argv[0]))
		return ctl_fail("refused: a value has 1 to %d characters", DRAW_VALUE_CHARS);
	if (!ctl_confirm(ctl, "The order follows from this value and can never be changed. Draw?"))
		return CTL_FAILED;
	err = draw_records_reveal(ctl->db, argv[0], ctl->who, &is_done);
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (!is_done)
		return ctl_fail("refused: no roster is closed and waits for its value");
	return draw_status(ctl, 0, NULL);
}

static void print_entry(void *arg, int64_t ticket, const uint8_t mask[static DRAW_DIGEST_SIZE])
{
	(void)arg;
	printf("%" PRId64 ",", ticket);
	for (size_t i = 0; i < DRAW_DIGEST_SIZE; i++)
		printf("%02x", mask[i]);
	putchar('\n');
}

static enum ctl_status draw_roster(struct ctl *ctl, int argc, char **argv)
{
	struct draw_now draw;
	enum err err = draw_records_newest(ctl->db, &draw);

	(void)argc;
	(void)argv;
	if (err != ERR_OK)
		return ctl_fail_database(err);
	if (draw.record.last == 0)
		return ctl_fail("there is no roster: joining goes on, or nobody has joined");
	err = draw_records_roster(ctl->db, draw.record.id, print_entry, NULL);
	return err == ERR_OK ? CTL_DONE : ctl_fail_database(err);
}

const struct ctl_command ctl_draw_commands[] = {
	{"draw", "plan", "TIME ZONE NAME", "an opening, and the name of the public value to come",
	 3, 3, draw_plan, NULL},
	{"draw", "move", "TIME ZONE", "another instant of the opening", 2, 2, draw_move, NULL},
	{"draw", "reveal", "VALUE", "the public value: fixes the order; asks first", 1, 1,
	 draw_reveal, NULL},
	{"draw", "status", "", "the newest draw", 0, 0, draw_status, NULL},
	{"draw", "roster", "", "its tickets, each with the SHA-256 of its user's id", 0, 0,
	 draw_roster, NULL},
	{NULL, NULL, NULL, NULL, 0, 0, NULL, NULL},
};
