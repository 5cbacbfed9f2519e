"""The database's clock beside the recorder's: what a time that was told means in nanoseconds of the history.

What was made within an operation was made between its call and its end. Each time that was told so bounds the
difference of the two clocks from both sides; together they leave some microseconds to milliseconds.
"""

from dataclasses import dataclass
from datetime import datetime, timezone

from history import NEVER

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def nanoseconds(text):
    told = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc) - EPOCH
    return (told.days * 86_400_000_000 + told.seconds * 1_000_000 + told.microseconds) * 1000


@dataclass
class Made:
    """A hold or a payment: when, and between which moments of the history."""
    at: int
    call: int
    end: int


class Clock:
    def __init__(self, operations):
        """low and high: the least and the greatest difference; None when no time was told."""
        made, asked = {}, {}
        for op in operations:
            if op.is_open:
                # It may have made what a later one was told of.
                asked.setdefault((op.kind, op.user, op.seat), op.call)
        for op in operations:
            if op.outcome == "ok" and op.kind in ("reserve", "pay"):
                known = made.setdefault((op.kind, op.told["id"]), Made(nanoseconds(op.told["created_at"]), NEVER, NEVER))
                # Who was told of it again was told later; who asked first need not have been the one who made it.
                call = asked.get((op.kind, op.user, op.seat), op.call)
                known.call, known.end = min(known.call, call, op.call), min(known.end, op.end)
        self.low = max((each.at - each.end for each in made.values()), default=None)
        # A time is told in whole microseconds.
        self.high = min((each.at + 1000 - each.call for each in made.values()), default=None)

    @property
    def is_sound(self):
        return self.low is None or self.low <= self.high

    def span(self, text):
        """The earliest and the latest moment that this time can be."""
        at = nanoseconds(text)
        return at - self.high, at + 1000 - self.low
