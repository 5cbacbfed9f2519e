"""A worker killed at each step of a batch: nothing is lost, nothing happens twice.

    commit → expiry messages and reply → ack: each point costs a repeat, never an effect."""

import contextlib
import threading

import pytest

from api import charge, check, issue, new_key, pay, reserve
from wait import wait_until

POINTS = ["before-commit", "after-commit", "after-reply"]


@contextlib.contextmanager
def dying(instance, kind, point):
    """One worker of a kind, who dies at this point; afterwards all of them run again."""
    name = f"{kind}-0"
    try:
        instance.stop(kind)
        instance.start(name, fault=f"{point}:kill")
        yield name
        wait_until(lambda: not instance.is_alive(name), 20, f"the death of {name}")
    finally:
        instance.start(kind)


def send_meanwhile(site, call):
    """Sends from a thread: its answer comes when the workers are back."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(site.send(call)))
    thread.start()

    def answer():
        thread.join(30)
        return site.settle(answers[0])

    return answer


@pytest.mark.parametrize("point", POINTS)
def test_a_charge(site, instance, db, point):
    user, key = site.users()[0], new_key()
    with dying(instance, "account-worker", point):
        answer = send_meanwhile(site, charge(user, 100, key))
    assert answer().ok() == {"balance": 100}
    again = site.send(charge(user, 100, key))
    assert again.ok() == {"balance": 100} and again.replayed
    assert db.charges(user) == [100]


@pytest.mark.parametrize("point", POINTS)
def test_a_reservation(site, instance, db, no_holds, seat, hold_s, point):
    fan, key = site.fan(), new_key()
    with dying(instance, "seat-worker", point):
        answer = send_meanwhile(site, reserve(fan.token, seat, key))
    held = answer().ok()
    assert held["status"] == "PENDING"
    assert len(db.holds(seat)) == 1
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s + 5, "expiry, crash or not")


@pytest.mark.parametrize("point", POINTS)
def test_a_payment(site, instance, db, no_holds, seat, point):
    fan, key = site.fan(balance=1500), new_key()
    site.do(reserve(fan.token, seat)).ok()
    # The restarts take longer than a hold of these tests lasts.
    db.run("UPDATE seat_reservation SET expires_at = expires_at + INTERVAL 60 SECOND"
           " WHERE seat_id = %s", seat)
    with dying(instance, "seat-worker", point):
        answer = send_meanwhile(site, pay(fan.token, seat, key))
    paid = answer().ok()
    again = site.send(pay(fan.token, seat, key))
    assert again.ok() == paid and again.replayed
    assert db.charges(fan.user) == [1500, -1000] and db.statuses(seat) == ["PAID"]
    assert db.value("SELECT COUNT(*) FROM payment WHERE user_id = %s", db.user(fan.user)) == 1


@pytest.mark.parametrize("point", POINTS)
def test_an_issue(site, instance, db, point):
    user, key = site.users()[0], new_key()
    with dying(instance, "gate-worker", point):
        answer = send_meanwhile(site, issue(user, key=key))
    assert answer().ok()["token"]
    assert db.value("SELECT COUNT(*) FROM waiting_queue WHERE user_id = %s", db.user(user)) == 1


def test_a_front_killed_while_answering(site, instance, db):
    """The job lives on in the queue; the same key at the other front finds what became of it."""
    users = site.users(40)
    keys = [new_key() for _ in users]
    calls = [charge(user, 10, key) for user, key in zip(users, keys)]
    instance.send_signal("front-0", 9)
    try:
        answers = site.swarm(calls, 40)
        assert all(answer.status in (200, 202, 503) for answer in answers), answers
        again = site.settle_all(site.swarm(calls, 40))
        wait_until(lambda: all(answer.status in (200, 503) for answer in again), 5, "an end")
    finally:
        instance.start("front-0")
    for answer in site.settle_all(site.swarm(calls, 40)):
        assert answer.ok() == {"balance": 10}
    assert [site.send(check(user)).ok()["balance"] for user in users] == [10] * 40
