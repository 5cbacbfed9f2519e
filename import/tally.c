#include "tally.h"

void tally_add(struct tally *tally, const struct parcel_row *row)
{
	tally->rows++;
	if (row->err) {
		tally->rejected++;
		tally->amount_rejected += row->amount;
		tally->codes[row->err]++;
	} else if (row->is_replayed) {
		tally->repeated++;
		tally->amount_repeated += row->amount;
	} else {
		tally->applied++;
		tally->amount_applied += row->amount;
	}
}

void tally_put_number(struct text *out, int64_t number)
{
	struct text digits = {0};
	text_int(&digits, number);
	for (size_t i = 0; i < digits.length; i++) {
		if (i > 0 && (digits.length - i) % 3 == 0 && digits.bytes[i - 1] != '-')
			text_putc(out, ',');
		text_putc(out, digits.bytes[i]);
	}
	text_fini(&digits);
}
