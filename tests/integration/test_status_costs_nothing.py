"""A waiting client costs no query: the database's own counters before and after many polls."""

import time

import pytest

from api import status
from wait import wait_for_moment

POLLS = 10000
COUNTERS = ("Questions", "Com_select", "Com_stmt_execute")


def counters(db):
    return {name: db.counter(name) for name in COUNTERS}


def growth(db, before):
    return {name: value - before[name] for name, value in counters(db).items()}


@pytest.mark.parametrize("admitted", [False, True], ids=["waiting", "active"])
def test_ten_thousand_polls(site, db, admitted):
    with db.policy(state="open" if admitted else "paused"):
        fans = site.fans(50, admitted=admitted)
        begin = time.monotonic()
        before = counters(db)
        answers = site.swarm([status(fans[n % 50].token) for n in range(POLLS)], 100)
        with_polls = growth(db, before)
        took = time.monotonic() - begin
        assert {answer.ok()["status"] for answer in answers} \
            == {"ACTIVE" if admitted else "WAITING"}

        # The same length of time without a poll: what snapshots, ticks and sweepers cost.
        before = counters(db)
        wait_for_moment(time.monotonic() + took)
        without = growth(db, before)
    print(f"{POLLS} polls in {took:.1f} s: {with_polls}, without polls {without}")
    for name in COUNTERS:
        assert with_polls[name] <= 1.5 * without[name] + POLLS / 100, name
