"""Waiting for a condition: the one way in which a test lets time pass."""

import threading
import time

_pause = threading.Event()


def wait_until(condition, deadline_s=10.0, what="a condition", every_s=0.05):
    """Calls condition until it returns something true, and returns that.

    An AssertionError inside the condition counts as "not yet"; it is shown when the deadline
    passes, so a condition may well be written as a row of asserts that ends in `return True`.
    """
    end = time.monotonic() + deadline_s
    last = None
    while True:
        try:
            value = condition()
            last = value
            if value:
                return value
        except AssertionError as error:
            last = error
        if time.monotonic() >= end:
            raise AssertionError(f"{what}: not within {deadline_s} s (last: {last!r})")
        _pause.wait(every_s)


def wait_for_moment(moment):
    """Returns at the given time.monotonic(): for tests about things that happen at a time."""
    while True:
        left = moment - time.monotonic()
        if left <= 0:
            return
        _pause.wait(left)
