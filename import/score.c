#include "score.h"

void score_add(struct score *score, const struct parcel_row *row)
{
	score->rows++;
	if (row->err) {
		score->rejected++;
		score->amount_rejected += row->amount;
		score->codes[row->err]++;
	} else if (row->is_replayed) {
		score->repeated++;
		score->amount_repeated += row->amount;
	} else {
		score->applied++;
		score->amount_applied += row->amount;
	}
}

void score_put_number(struct text *out, int64_t number)
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
