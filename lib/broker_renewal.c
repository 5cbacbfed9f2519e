#include "broker_renewal.h"

#define PAUSE_FIRST_MS 200
#define PAUSE_MOST_MS 30000
#define DOUBLINGS_MOST 8 /* beyond them the pause is the longest */
#define FORGET_MS 60000

static int64_t pause_ms(unsigned count)
{
	int64_t pause;

	if (count == 0)
		return 0;
	pause = (int64_t)PAUSE_FIRST_MS << (count <= DOUBLINGS_MOST ? count - 1 : DOUBLINGS_MOST);
	return pause < PAUSE_MOST_MS ? pause : PAUSE_MOST_MS;
}

bool broker_renewal_is_due(struct broker_renewal *renewal, int64_t now_ms)
{
	int64_t since_ms = now_ms - renewal->last_ms;

	if (since_ms >= FORGET_MS)
		renewal->count = 0;
	if (since_ms < pause_ms(renewal->count))
		return false;
	renewal->last_ms = now_ms;
	renewal->count++;
	return true;
}
