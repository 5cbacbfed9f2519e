"""Everybody wants the same thing at the same moment."""

import random
from collections import Counter

from api import new_key, pay, reserve
from wait import wait_until

CROWD = 1000


def codes(answers):
    return Counter("ok" if answer.status == 200 else answer.code for answer in answers)


def rush(site, calls):
    """All calls at once, each from a client of its own; followed to their final answers."""
    return site.settle_all(site.swarm(calls, len(calls)), 60)


def test_a_thousand_want_one_seat(site, db, seat):
    fans = site.fans(CROWD)
    answers = rush(site, [reserve(fan.token, seat) for fan in fans])
    assert codes(answers) == {"ok": 1, "seat-held": CROWD - 1}
    winner = next(fan for fan, answer in zip(fans, answers) if answer.status == 200)
    assert db.holds(seat)[0] == (db.user(winner.user), "PENDING") and len(db.holds(seat)) == 1


def test_a_thousand_want_fifty_seats(site, db):
    """Each tries seat after seat until one is theirs or all are gone, then pays."""
    schedule = db.schedule(seats=50)
    fans = site.fans(CROWD, balance=1000)
    wishes = {fan.user: random.sample(schedule.seats, 50) for fan in fans}
    trying, buyers = fans, []
    while trying:
        calls = [reserve(fan.token, wishes[fan.user].pop()) for fan in trying]
        answers = rush(site, calls)
        assert set(codes(answers)) <= {"ok", "seat-held", "seat-sold"}
        holders = [(fan, answer.ok()["seat"]["id"])
                   for fan, answer in zip(trying, answers) if answer.status == 200]
        for paid in rush(site, [pay(fan.token, seat) for fan, seat in holders]) if holders else []:
            paid.ok()
        buyers += holders
        taken = {fan.user for fan, _ in holders}
        trying = [fan for fan in trying if fan.user not in taken and wishes[fan.user]]
        if len(buyers) == 50:
            break

    assert sorted(seat for _, seat in buyers) == sorted(schedule.seats)
    assert all(db.statuses(seat).count("PAID") == 1 for seat in schedule.seats)
    assert db.value("SELECT COUNT(*) FROM payment p JOIN seat_reservation r"
                    " ON r.id = p.reservation_id JOIN seat s ON s.id = r.seat_id"
                    " WHERE s.concert_schedule_id = %s", schedule.id) == 50


def test_fifty_different_seats_at_once_all_succeed(site, db):
    """No shared hot row: whoever wants another seat is not in the way."""
    schedule = db.schedule(seats=50)
    fans = site.fans(50)
    answers = rush(site, [reserve(fan.token, seat) for fan, seat in zip(fans, schedule.seats)])
    assert codes(answers) == {"ok": 50}


def test_a_ticket_wanting_many_seats_at_once_gets_one(site, db):
    schedule = db.schedule(seats=50)
    fan = site.fan()
    answers = rush(site, [reserve(fan.token, seat) for seat in schedule.seats])
    assert codes(answers) == {"ok": 1, "already-holding": 49}
    live = db.value("SELECT COUNT(*) FROM seat_reservation WHERE ticket_id = %s"
                    " AND status = 'PENDING'", db.ticket(fan.user))
    assert live == 1


def test_one_hold_paid_by_many_requests_at_once_is_paid_once(site, db, seat):
    fan = site.fan(balance=5000)
    site.do(reserve(fan.token, seat)).ok()
    answers = rush(site, [pay(fan.token, seat, new_key()) for _ in range(20)])
    paid = {answer.ok()["id"] for answer in answers if answer.status == 200}
    assert len(paid) == 1
    assert set(codes(answers)) <= {"ok", "token-finished"}
    wait_until(lambda: db.balance(fan.user) == 4000, 5, "one debit")
    assert db.charges(fan.user) == [5000, -1000]
