"""Histories made at random: those of a service that does one thing after another are always accepted, those with one
answer changed nearly always refused; and the search says what trying every order says."""

import random
from collections import Counter

import brute
from check import check
from history import NEVER, Operation, gather
from model import Balance, Fan, Seat
from search import NOT_OK, OK, search
from world import World, corrupt

WORLDS = 600
CAUGHT = 0.8  # of those with one answer changed; what hides is a change that an order explains after all


def test_what_one_thing_after_another_gives_is_accepted():
    for seed in range(WORLDS):
        report = check(gather(World(seed).run()))
        assert report.code == 0, f"seed {seed}\n" + "\n".join(report.text)


def test_one_changed_answer_is_mostly_refused():
    made, caught = Counter(), Counter()
    for seed in range(WORLDS):
        lines, dice = World(seed).run(), random.Random(seed)
        found = None
        while found is None:
            found = corrupt(lines, dice)
        what, lines = found
        made[what] += 1
        caught[what] += check(gather(lines)).code == 1
    rate = caught.total() / made.total()
    print(f"{rate:.1%} refused:", {what: f"{caught[what]} of {made[what]}" for what in made})
    assert rate > CAUGHT


def test_the_search_says_what_trying_every_order_says():
    verdicts = Counter()
    for seed in range(4000):
        dice = random.Random(seed)
        model, make = dice.choice(((Balance(), any_of_a_balance), (Seat(), any_of_a_seat), (Fan(), any_of_a_fan)))
        ops = [spread(make(dice), dice) for _ in range(dice.randint(1, 6))]
        expected = OK if brute.has_order(model, ops) else NOT_OK
        assert search(model, ops).state == expected, (seed, ops)
        verdicts[type(model).__name__, expected] += 1
    assert len(verdicts) == 6 and min(verdicts.values()) > 100, verdicts


def spread(op, dice):
    op.call = dice.randint(0, 12)
    op.end = op.call + dice.randint(1, 6)
    if op.kind in ("charge", "pay", "reserve", "cancel") and dice.random() < 0.1:
        op.end, op.is_open, op.outcome, op.told, op.code, op.is_read = NEVER, True, "unknown", {}, "", False
    return op


def any_of_a_balance(dice):
    balance = dice.randint(0, 4)
    if dice.random() < 0.5:
        return Operation("charge", 0, 0, amount=dice.randint(1, 2), told={"balance": balance})
    if dice.random() < 0.5:
        return Operation("pay", 0, 0, seat=1, amount=1, told={"id": dice.randint(1, 2)})
    return Operation("balance", 0, 0, told={"balance": balance}, is_read=True)


def any_of_a_seat(dice):
    user, hold = dice.choice("uv"), dice.randint(1, 2)
    kind = dice.choice(("reserve", "reserve", "cancel", "pay", "expire", "picture"))
    if kind == "picture":
        return Operation(kind, 0, 0, user, 1, told={"state": dice.choice(("free", "held", "sold"))}, is_read=True)
    if kind == "reserve" and dice.random() < 0.3:
        return Operation(kind, 0, 0, user, 1, outcome="refused", code="seat-held", is_read=True)
    return Operation(kind, 0, 0, user, 1, told={"id": hold})


def any_of_a_fan(dice):
    seat, hold = dice.randint(1, 2), dice.randint(1, 2)
    kind = dice.choice(("reserve", "reserve", "cancel", "pay", "expire", "holds"))
    if kind == "holds":
        return Operation(kind, 0, 0, "u", told={"seats": dice.choice(([], [1], [2]))}, is_read=True)
    return Operation(kind, 0, 0, "u", seat, told={"id": hold})
