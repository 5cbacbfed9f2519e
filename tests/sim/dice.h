/* Dice: a small generator of numbers that follow from a seed (splitmix64). */
#ifndef BOXOFFICE_SIM_DICE_H
#define BOXOFFICE_SIM_DICE_H

#include <stdbool.h>
#include <stdint.h>

struct dice {
	uint64_t state;
};

static inline uint64_t dice_next(struct dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

/* 0 to sides - 1; 0 when there are no sides. */
static inline uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
	return sides ? dice_next(dice) % sides : 0;
}

/* low to high. */
static inline int64_t dice_between(struct dice *dice, int64_t low, int64_t high)
{
	return low + (int64_t)dice_roll(dice, (uint64_t)(high - low + 1));
}

static inline bool dice_one_in(struct dice *dice, uint64_t sides)
{
	return dice_roll(dice, sides) == 0;
}

#endif
