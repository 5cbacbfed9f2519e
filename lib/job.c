/* Jobs: the table of kinds, encoding, fingerprint and documentation. Decoding: job_decode.c. */
#include "job.h"

#include <stdlib.h>
#include <string.h>

#include "digest.h"

#define FIELD_FIRST FIELD_USER
#define FIELD_LAST FIELD_CHARGE

static const struct {
	const char *name;
	unsigned queues;
	enum { ANYBODY, OPERATOR } sender;
	bool stores;
	unsigned fields;
	unsigned optional;
	unsigned identity;
} kinds[JOB_KIND_COUNT] = {
#define KIND(symbol, name, queue, sender, stores, fields, optional, identity)                      \
	[JOB_##symbol] = {name, queue, sender, stores, fields, optional, identity},
#include "kinds.def"
#undef KIND
};

static const struct {
	enum queue_set bit;
	const char *name;
} queues[] = {
	{QUEUE_SEAT, "seat"},
	{QUEUE_GATE, "gate"},
	{QUEUE_ACCOUNT, "account"},
	{QUEUE_IMPORT, "charge.import"},
};

const char *job_kind_name(enum job_kind kind)
{
	return kinds[kind].name;
}

bool job_kind_stores(enum job_kind kind)
{
	return kinds[kind].stores;
}

bool job_kind_is_operators(enum job_kind kind)
{
	return kinds[kind].sender == OPERATOR;
}

unsigned job_kind_queues(enum job_kind kind)
{
	return kinds[kind].queues;
}

unsigned job_kind_fields(enum job_kind kind)
{
	return kinds[kind].fields;
}

unsigned job_kind_optional(enum job_kind kind)
{
	return kinds[kind].optional;
}

const char *job_field_name(enum field_set field)
{
	switch (field) {
	case FIELD_USER:
		return "userId";
	case FIELD_NAME:
		return "name";
	case FIELD_AMOUNT:
		return "amount";
	case FIELD_MEMO:
		return "memo";
	case FIELD_RESUME:
		return "resume";
	case FIELD_TICKET:
		return "ticket";
	case FIELD_SEAT:
		return "seatId";
	case FIELD_HOLD:
		return "hold";
	case FIELD_PAYMENT:
		return "payment";
	case FIELD_CHARGE:
		return "charge";
	}
	return "";
}

static void put_id(struct text *out, const struct id *id)
{
	char text[ID_TEXT_SIZE];

	id_format(id, text);
	text_json_string(out, text);
}

/* An optional field with nothing in it stays away: that is how it came. */
static bool is_absent(const struct job *job, enum field_set field)
{
	if (!(kinds[job->kind].optional & field))
		return false;
	return (field == FIELD_MEMO && job->memo[0] == '\0') ||
	       (field == FIELD_RESUME && !job->resume);
}

static void put_field(struct text *out, const struct job *job, enum field_set field)
{
	text_putc(out, ',');
	text_json_string(out, job_field_name(field));
	text_putc(out, ':');
	switch (field) {
	case FIELD_USER:
		put_id(out, &job->user);
		break;
	case FIELD_NAME:
		text_json_string(out, job->name);
		break;
	case FIELD_AMOUNT:
		text_int(out, job->amount);
		break;
	case FIELD_MEMO:
		text_json_string(out, job->memo);
		break;
	case FIELD_RESUME:
		text_puts(out, job->resume ? "true" : "false");
		break;
	case FIELD_TICKET:
		text_int(out, job->ticket);
		break;
	case FIELD_SEAT:
		text_int(out, job->seat);
		break;
	case FIELD_HOLD:
		put_id(out, &job->hold);
		break;
	case FIELD_PAYMENT:
		text_int(out, job->payment);
		break;
	case FIELD_CHARGE:
		put_id(out, &job->charge);
		break;
	}
}

void job_encode(struct text *out, const struct job *job)
{
	unsigned fields = kinds[job->kind].fields | kinds[job->kind].optional;

	text_puts(out, "{\"id\":");
	put_id(out, &job->id);
	text_puts(out, ",\"kind\":");
	text_json_string(out, kinds[job->kind].name);
	if (job->attempt > 1) {
		text_puts(out, ",\"attempt\":");
		text_int(out, job->attempt);
	}
	if (job->request_id[0]) {
		text_puts(out, ",\"requestId\":");
		text_json_string(out, job->request_id);
	}
	for (unsigned bit = FIELD_FIRST; bit <= FIELD_LAST; bit <<= 1) {
		if ((fields & bit) && !is_absent(job, (enum field_set)bit))
			put_field(out, job, (enum field_set)bit);
	}
	text_putc(out, '}');
}

void job_encode_envelope(struct text *out, const struct job *const *jobs, size_t count)
{
	text_puts(out, "{\"v\":");
	text_int(out, JOB_ENVELOPE_VERSION);
	text_puts(out, ",\"jobs\":[");
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			text_putc(out, ',');
		job_encode(out, jobs[i]);
	}
	text_puts(out, "]}");
}

/* What a fingerprint is taken of: pieces, each after its length, so that no two lists meet. */
struct pieces {
	uint8_t bytes[2048];
	size_t length;
};

/* Room for the longest name and memo, and for kind, lengths and every other field besides. */
_Static_assert(sizeof(struct job) + 256 <= sizeof(((struct pieces *)NULL)->bytes),
	       "a fingerprint's buffer must hold all fields of a job");

static void add_piece(struct pieces *pieces, const void *bytes, size_t length)
{
	pieces->bytes[pieces->length++] = (uint8_t)(length >> 8);
	pieces->bytes[pieces->length++] = (uint8_t)length;
	memcpy(pieces->bytes + pieces->length, bytes, length);
	pieces->length += length;
}

static void add_string(struct pieces *pieces, const char *string)
{
	add_piece(pieces, string, strlen(string));
}

static void add_number(struct pieces *pieces, int64_t number)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
	add_piece(pieces, bytes, sizeof(bytes));
}

static void add_field(struct pieces *pieces, const struct job *job, enum field_set field)
{
	add_string(pieces, job_field_name(field));
	switch (field) {
	case FIELD_USER:
		add_piece(pieces, job->user.bytes, sizeof(job->user.bytes));
		break;
	case FIELD_NAME:
		add_string(pieces, job->name);
		break;
	case FIELD_AMOUNT:
		add_number(pieces, job->amount);
		break;
	case FIELD_MEMO:
		add_string(pieces, job->memo);
		break;
	case FIELD_RESUME:
		add_number(pieces, job->resume);
		break;
	case FIELD_TICKET:
		add_number(pieces, job->ticket);
		break;
	case FIELD_SEAT:
		add_number(pieces, job->seat);
		break;
	case FIELD_HOLD:
		add_piece(pieces, job->hold.bytes, sizeof(job->hold.bytes));
		break;
	case FIELD_PAYMENT:
		add_number(pieces, job->payment);
		break;
	case FIELD_CHARGE:
		add_piece(pieces, job->charge.bytes, sizeof(job->charge.bytes));
		break;
	}
}

/* Fingerprints are stored: whatever changes here makes old jobs "key-reused" when repeated. */
void job_fingerprint(const struct job *job, uint8_t digest[static FINGERPRINT_SIZE])
{
	struct pieces pieces = {.length = 0};

	add_string(&pieces, kinds[job->kind].name);
	for (unsigned bit = FIELD_FIRST; bit <= FIELD_LAST; bit <<= 1) {
		if (kinds[job->kind].identity & bit)
			add_field(&pieces, job, (enum field_set)bit);
	}
	digest_bytes(pieces.bytes, pieces.length, digest);
}

int64_t job_content(const uint8_t fingerprint[static FINGERPRINT_SIZE])
{
	int64_t content = 0;

	for (size_t i = 0; i < 6; i++)
		content = content << 8 | fingerprint[i];
	return content;
}

static void print_fields(struct text *out, unsigned fields)
{
	const char *separator = "";

	for (unsigned bit = FIELD_FIRST; bit <= FIELD_LAST; bit <<= 1) {
		if (!(fields & bit))
			continue;
		text_puts(out, separator);
		text_puts(out, job_field_name((enum field_set)bit));
		separator = ", ";
	}
	text_puts(out, fields ? " |" : "|");
}

static void print_queues(struct text *out, unsigned set)
{
	const char *separator = "";

	for (size_t i = 0; i < sizeof(queues) / sizeof(queues[0]); i++) {
		if (!(set & queues[i].bit))
			continue;
		text_puts(out, separator);
		text_puts(out, queues[i].name);
		separator = ", ";
	}
}

void job_print_kinds(struct text *out)
{
	text_puts(out, "| kind | queue | fields | optional | identity |\n|---|---|---|---|---|\n");
	for (size_t i = 0; i < JOB_KIND_COUNT; i++) {
		text_printf(out, "| %s | ", kinds[i].name);
		print_queues(out, kinds[i].queues);
		text_puts(out, " | ");
		print_fields(out, kinds[i].fields);
		text_putc(out, ' ');
		print_fields(out, kinds[i].optional);
		text_putc(out, ' ');
		print_fields(out, kinds[i].identity);
		text_putc(out, '\n');
	}
}
