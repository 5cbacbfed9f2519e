"""The search for an order: Wing and Gong's, taken event by event, with Lowe's two savings.

A history of one object is accepted when its operations can be put into one order in which each lies between its call
and its end and the model allows every answer. Calls and ends are gone through by time. A configuration is a state
and which of the operations under way have taken effect in it; an operation is given its place only when its end
forces that (just in time), and configurations that are equal are one (memoisation). When no configuration is left,
the history up to that end has no order.

Operations that change nothing in the state at hand, which are most, get their place at once: that is never wrong,
since whatever was to follow can follow still. So only changes are tried in different orders.

A model has `initial`, a state that can be hashed, and `step(state, op)`, the states that it may lead to, none when
the answer is impossible there. An operation that is open is never forced.
"""

from dataclasses import dataclass, field, replace

OK, NOT_OK, UNDECIDED = "ok", "not ok", "undecided"
MOST_CONFIGURATIONS = 20000   # at one event
MOST_STEPS = 2_000_000        # of the model, for one object
CONTEXT = 60                  # operations before the contradiction that an explanation begins with, at most


@dataclass
class Verdict:
    state: str
    last: object = None          # the operation that has no place
    begin: list = field(default_factory=list)   # the states at a moment at which nothing was under way
    since: list = field(default_factory=list)   # the operations since then, up to that end
    steps: int = 0


class TooMuch(Exception):
    pass


def search(model, ops, begin=None, most_steps=MOST_STEPS):
    """ops: history.Operation."""
    return Search(model, ops, begin, most_steps).run()


class Search:
    def __init__(self, model, ops, begin, most_steps):
        self._step = model.step
        self._ops = ops
        self._configurations = {(state, 0) for state in (begin or [model.initial])}
        self._under_way = []
        self._left = most_steps

    def run(self):
        most = self._left
        # At the same moment calls come first: then the two overlap.
        events = sorted([(op.call, 0, i) for i, op in enumerate(self._ops)]
                        + [(op.end, 1, i) for i, op in enumerate(self._ops) if not op.is_open])
        called, quiet = [], []
        try:
            for _, is_end, index in events:
                if not is_end:
                    if not self._under_way:
                        quiet.append((len(called), [state for state, _ in self._configurations]))
                    called.append(self._ops[index])
                    self._under_way.append(index)
                    continue
                left = self._end(index)
                if not left:
                    begin, states = next((each for each in quiet if len(called) - each[0] <= CONTEXT), quiet[-1])
                    return Verdict(NOT_OK, self._ops[index], states, called[begin:], most - self._left)
                self._configurations = left
                self._under_way.remove(index)
        except TooMuch:
            return Verdict(UNDECIDED, steps=most - self._left)
        return Verdict(OK, steps=most - self._left)

    def _end(self, index):
        """The configurations in which this operation has its place, each without it."""
        bit = 1 << index
        left, seen = set(), set(self._configurations)
        work = list(self._configurations)
        while work:
            state, mask = work.pop()
            if mask & bit:
                left.add((state, mask & ~bit))
                continue
            for found in self._next(state, mask, index):
                if found not in seen:
                    seen.add(found)
                    work.append(found)
                    if len(seen) > MOST_CONFIGURATIONS:
                        raise TooMuch
        return left

    def _next(self, state, mask, target):
        """One change further, after all that changes nothing here; the target alone when it is one of those."""
        changes = []
        for index in self._under_way:
            bit = 1 << index
            if mask & bit:
                continue
            op = self._ops[index]
            self._left -= 1
            if self._left < 0:
                raise TooMuch
            for found in self._step(state, op):
                if found != state:
                    changes.append((found, bit))
                elif not op.is_open:
                    if index == target:
                        return [(state, mask | bit)]
                    mask |= bit
        return [(found, mask | bit) for found, bit in changes]


def shorten(model, verdict, most_steps=200_000):
    """(the operations of a part of the history that has no order either, as few as are found; the one of them without
    a place).

    What changes nothing may be left out of a history that has an order: it has one still. So may anything else, when
    it is not held to have happened but may have. What can be treated so without an order turning up is; the rest,
    which is returned, contradicts itself, whatever became of the others."""
    ops = verdict.since
    needed, last = list(range(len(ops))), verdict.last
    size = max(1, len(ops) // 2)
    while size:  # in halves at first, one by one in the end
        for start in range((len(needed) - 1) // size * size, -1, -size):
            kept = needed[:start] + needed[start + size:]
            fewer = [op if i in kept else replace(op, is_open=True) for i, op in enumerate(ops)
                     if i in kept or not op.is_read]
            found = search(model, fewer, verdict.begin, most_steps)
            if found.state == NOT_OK:
                needed, last = kept, found.last
        size //= 2
    return [ops[i] for i in needed], last
