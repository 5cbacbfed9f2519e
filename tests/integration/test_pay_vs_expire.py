"""Paying against expiring: one defined result, never a debit without a seat, never both."""

import random
from dataclasses import replace

import pytest

from api import new_key, pay, reserve
from wait import wait_until

BUYERS = 60


def outcome(db, fan, seat):
    """What the database says became of a fan's newest hold: (status, debited)."""
    status = db.value("SELECT status FROM seat_reservation WHERE seat_id = %s AND user_id = %s"
                      " ORDER BY id DESC LIMIT 1", seat, db.user(fan.user))
    return status, db.balance(fan.user) != 1000


@pytest.mark.parametrize("spread_ms", [2, 20, 80])
def test_paying_at_the_instant_of_expiry(site, db, spread_ms):
    schedule = db.schedule(seats=BUYERS)
    fans = site.fans(BUYERS, balance=1000)
    holds = list(zip(fans, schedule.seats))
    for answer in site.settle_all(site.swarm([reserve(fan.token, seat) for fan, seat in holds],
                                             BUYERS)):
        answer.ok()
    calls = [replace(pay(fan.token, seat),
                     at=db.expiry(seat) + random.uniform(-spread_ms, spread_ms / 4) / 1000)
             for fan, seat in holds]
    answers = site.settle_all(site.swarm(calls, BUYERS))

    wait_until(lambda: all(status != "PENDING" for status, _ in
                           (outcome(db, fan, seat) for fan, seat in holds)), 5, "an end of each")
    for (fan, seat), answer in zip(holds, answers):
        if answer.status == 200:
            assert outcome(db, fan, seat) == ("PAID", True)
        else:
            answer.refused(409, "hold-expired")
            assert outcome(db, fan, seat) == ("EXPIRED", False)


def test_two_who_held_one_seat_pay_at_the_same_instant(site, db):
    """One after the other held it; one ticket comes of it, and the loser is not debited."""
    pairs = 25
    schedule = db.schedule(seats=pairs)
    fans = site.fans(2 * pairs, balance=1000)
    firsts, seconds = fans[:pairs], fans[pairs:]
    for answer in site.settle_all(site.swarm(
            [reserve(fan.token, seat) for fan, seat in zip(firsts, schedule.seats)])):
        answer.ok()
    db.run("UPDATE seat_reservation r JOIN seat s ON s.id = r.seat_id SET r.expires_at = SYSDATE(6)"
           " WHERE s.concert_schedule_id = %s", schedule.id)
    for answer in site.settle_all(site.swarm(
            [reserve(fan.token, seat) for fan, seat in zip(seconds, schedule.seats)])):
        answer.ok()

    calls = [pay(fan.token, seat) for pair in zip(firsts, seconds, schedule.seats)
             for fan, seat in ((pair[0], pair[2]), (pair[1], pair[2]))]
    answers = site.settle_all(site.swarm(calls, len(calls)))
    for lost, won in zip(answers[0::2], answers[1::2]):
        lost.refused(409, "hold-expired")
        won.ok()
    for first, second, seat in zip(firsts, seconds, schedule.seats):
        assert db.statuses(seat) == ["EXPIRED", "PAID"]
        assert db.balance(first.user) == 1000 and db.balance(second.user) == 0


def test_reserving_and_paying_at_the_instant_of_expiry(site, db):
    """The holder pays while another reserves: exactly one of the two has the seat."""
    schedule = db.schedule(seats=BUYERS)
    fans = site.fans(2 * BUYERS, balance=1000)
    holders, hopefuls = fans[:BUYERS], fans[BUYERS:]
    for answer in site.settle_all(site.swarm(
            [reserve(fan.token, seat) for fan, seat in zip(holders, schedule.seats)], BUYERS)):
        answer.ok()
    calls = []
    for holder, hopeful, seat in zip(holders, hopefuls, schedule.seats):
        moment = db.expiry(seat)
        calls.append(replace(pay(holder.token, seat), at=moment - 0.003))
        calls.append(replace(reserve(hopeful.token, seat, new_key()), at=moment - 0.002))
    answers = site.settle_all(site.swarm(calls, len(calls)))

    for holder, seat, paid, held in zip(holders, schedule.seats, answers[0::2], answers[1::2]):
        if paid.status == 200:
            held.refused(409, "seat-sold", "seat-held")
        else:
            paid.refused(409, "hold-expired")
            assert held.status == 200 or held.code == "seat-held", held
        assert db.balance(holder.user) == (0 if paid.status == 200 else 1000)
        assert sum(1 for status in db.statuses(seat) if status in ("PENDING", "PAID")) <= 1
