/* Ids: made with libuuid, written and read by hand (uuid_parse() takes no length). */
#include "id.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <uuid.h>

#include "text.h"

/* Namespace of id_from_parts(). Never change it: a key would no longer meet its first job. */
static const uuid_t key_namespace = {0x5b, 0x0c, 0x8f, 0x1e, 0x2d, 0x47, 0x4e, 0x93,
				     0xa1, 0x6a, 0xc4, 0x70, 0x39, 0xe8, 0xd2, 0xb5};

struct id id_random(void)
{
	struct id id;

	uuid_generate_random(id.bytes);
	return id;
}

/* 2^-12 ms since 1970, later than any before in this process even when the clock steps back. */
static uint64_t next_tick(void)
{
	static _Atomic uint64_t last;
	uint64_t before = atomic_load(&last);
	struct timespec now;
	uint64_t clock_tick;
	uint64_t tick;

	clock_gettime(CLOCK_REALTIME, &now);
	clock_tick = (uint64_t)now.tv_sec * 1000 * 4096 + (uint64_t)now.tv_nsec * 4096 / 1000000;
	do
		tick = clock_tick > before ? clock_tick : before + 1;
	while (!atomic_compare_exchange_weak(&last, &before, tick));
	return tick;
}

struct id id_ordered(void)
{
	struct id id;
	uint64_t tick = next_tick();
	uint64_t ms = tick >> 12;

	/* One of these for every request: libuuid's mixing of its own would cost ten times more. */
	if (getrandom(id.bytes, sizeof(id.bytes), 0) != (ssize_t)sizeof(id.bytes))
		id = id_random();

	/* RFC 9562 section 6.2, method 3: the 12 bits after the version go on with the clock. */
	id = id_at((int64_t)ms, id.bytes);
	id.bytes[6] = (uint8_t)(0x70 | (tick >> 8 & 0x0F));
	id.bytes[7] = (uint8_t)tick;
	return id;
}

struct id id_at(int64_t ms, const uint8_t random[static 16])
{
	struct id id;

	memcpy(id.bytes, random, sizeof(id.bytes));
	for (int i = 5; i >= 0; i--) {
		id.bytes[i] = (uint8_t)ms;
		ms >>= 8;
	}
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0F));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3F));
	return id;
}

struct id id_from_parts(const char *const *parts, size_t count)
{
	struct text name = {0};
	struct id id;

	text_puts(&name, "");
	for (size_t i = 0; i < count; i++) {
		text_int(&name, (int64_t)strlen(parts[i]));
		text_putc(&name, ':');
		text_puts(&name, parts[i]);
	}
	uuid_generate_sha1(id.bytes, key_namespace, name.bytes, name.length);
	text_fini(&name);
	return id;
}

/* Reads 16 bytes; with dashes, one stands before bytes 4, 6, 8 and 10. */
static bool read_bytes(const char *text, bool dashes, struct id *id)
{
	struct id read;

	for (size_t i = 0; i < sizeof(read.bytes); i++) {
		int high;
		int low;

		if (dashes && i >= 4 && i <= 10 && i % 2 == 0 && *text++ != '-')
			return false;
		high = text_hex_value(text[0]);
		low = text_hex_value(text[1]);
		if (high < 0 || low < 0)
			return false;
		read.bytes[i] = (uint8_t)(high * 16 + low);
		text += 2;
	}
	*id = read;
	return true;
}

bool id_parse(const char *text, size_t length, struct id *id)
{
	return length == ID_TEXT_SIZE - 1 && read_bytes(text, true, id);
}

bool id_parse_hex(const char *text, size_t length, struct id *id)
{
	return length == ID_HEX_SIZE - 1 && read_bytes(text, false, id);
}

void id_format(const struct id *id, char text[static ID_TEXT_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		if (i >= 4 && i <= 10 && i % 2 == 0)
			*text++ = '-';
		*text++ = digits[id->bytes[i] >> 4];
		*text++ = digits[id->bytes[i] & 15];
	}
	*text = '\0';
}

void id_format_hex(const struct id *id, char text[static ID_HEX_SIZE])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < sizeof(id->bytes); i++) {
		*text++ = digits[id->bytes[i] >> 4];
		*text++ = digits[id->bytes[i] & 15];
	}
	*text = '\0';
}

bool id_equal(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

int id_compare(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* The finaliser of MurmurHash3 (public domain): every bit of the input moves every bit. */
static uint64_t mix(uint64_t value)
{
	value ^= value >> 33;
	value *= UINT64_C(0xff51afd7ed558ccd);
	value ^= value >> 33;
	value *= UINT64_C(0xc4ceb9fe1a85ec53);
	value ^= value >> 33;
	return value;
}

uint64_t id_hash(const struct id *id)
{
	uint64_t halves[2];

	memcpy(halves, id->bytes, sizeof(halves));
	return mix(mix(halves[0]) ^ halves[1]);
}
