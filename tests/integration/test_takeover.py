"""Two of each worker: when the active one goes, the other carries on."""

import signal

import pytest

from amqp import SEAT_PARTITIONS
from api import charge, issue, new_key, reserve
from wait import wait_until


def reserve_in_every_partition(site, db):
    """One hold in each seat queue, so in both workers' hands."""
    seats = {}
    while len(seats) < SEAT_PARTITIONS:
        for seat in db.schedule(seats=SEAT_PARTITIONS).seats:
            seats.setdefault(seat % SEAT_PARTITIONS, seat)
    fans = site.fans(SEAT_PARTITIONS)
    calls = [reserve(fan.token, seat) for fan, seat in zip(fans, seats.values())]
    for answer in site.settle_all(site.swarm(calls, SEAT_PARTITIONS)):
        answer.ok()


def test_both_seat_workers_have_work(instance, broker):
    """The first one up does not keep all partitions for itself."""
    instance.start("seat-worker")

    def served():
        consumers = broker.consumers()
        names = {consumers.get(f"seat.{k}") for k in range(SEAT_PARTITIONS)}
        return None not in names and len(names) == 2

    wait_until(served, 20, "two consumers that share the seat queues", 0.5)


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_seat_worker_hands_over(site, instance, db, number):
    name = f"seat-worker-{number}"
    try:
        instance.end(name, signal.SIGKILL)
        reserve_in_every_partition(site, db)
    finally:
        instance.start(name)
    reserve_in_every_partition(site, db)


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_account_worker_hands_over(site, instance, number):
    name = f"account-worker-{number}"
    users = site.users(20)
    try:
        instance.end(name, signal.SIGKILL)
        for answer in site.settle_all(site.swarm([charge(user, 1) for user in users])):
            answer.ok()
    finally:
        instance.start(name)
    assert site.balances(users) == [1] * 20


@pytest.mark.parametrize("number", [0, 1])
def test_a_killed_gate_worker_hands_over(site, instance, number):
    name = f"gate-worker-{number}"
    try:
        instance.end(name, signal.SIGKILL)
        site.fans(5)
    finally:
        instance.start(name)
    site.fans(5)


@pytest.mark.parametrize("number", [0, 1])
def test_a_gate_worker_stopped_in_its_transaction_and_continued(site, instance, db, number):
    """It stood still with the line locked. No number is given twice, nobody is let in over the limit."""
    name, other = f"gate-worker-{number}", f"gate-worker-{1 - number}"
    users = site.users(60)
    active = db.value("SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'")
    with db.policy(max_active=active + 20):
        try:
            instance.stop("gate-worker")
            instance.start(name, fault="before-commit:stop")
            first = site.swarm([issue(user) for user in users[:30]], 30)
            wait_until(lambda: instance.is_stopped(name), 10, "the stop")
            instance.start(other)
            # Its connection to the broker ends with the heartbeats, its locks with wait_timeout.
            answers = site.settle_all(first, 60)
            answers += site.settle_all(site.swarm([issue(user) for user in users[30:]], 30), 60)
            instance.send_signal(name, signal.SIGCONT)
            for answer in answers:
                answer.ok()
        finally:
            if instance.is_alive(name):
                instance.send_signal(name, signal.SIGCONT)
            instance.start("gate-worker")
        numbers = [db.ticket(user) for user in users]
        assert len(set(numbers)) == len(users)
        assert max(numbers) - min(numbers) == len(users) - 1
        wait_until(lambda: db.value("SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'")
                   == active + 20, 10, "the limit")
        ticked = db.value("SELECT ticked_at FROM gate_state")
        wait_until(lambda: (db.value("SELECT ticked_at FROM gate_state") - ticked).total_seconds() > 1,
                   10, "some ticks of both")
        assert db.value("SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'") == active + 20


def test_a_worker_told_to_end_leaves_nothing_undone(site, instance, db):
    """TERM: it finishes what is in hand, answers, acknowledges, and goes."""
    user = site.users()[0]
    calls = [charge(user, 1, new_key()) for _ in range(400)]
    instance.send_signal("account-worker-0", signal.SIGTERM)
    try:
        for answer in site.settle_all(site.swarm(calls, 50)):
            answer.ok()
        wait_until(lambda: not instance.is_alive("account-worker-0"), 10, "a polite end")
    finally:
        instance.start("account-worker-0")
    assert db.balance(user) == 400 and len(db.charges(user)) == 400


def test_a_stopped_worker_that_wakes_up_after_its_successor_took_over(
        site, instance, db, no_holds, seat):
    """It stood still inside its transaction, row locks held. A single active consumer is not a
    lock: what it does when it wakes up must come to nothing."""
    fan, other = site.fans(2, balance=1000)
    key = new_key()
    try:
        instance.stop("seat-worker-1")
        instance.start("seat-worker-0", fault="before-commit:stop")
        held = site.send(reserve(fan.token, seat, key))
        assert held.status == 202, held
        wait_until(lambda: instance.is_stopped("seat-worker-0"), 5, "the stop")
        instance.start("seat-worker-1")
        # Its connection to the broker ends with the heartbeats, its locks with wait_timeout.
        site.settle(held, 60).ok()
        instance.send_signal("seat-worker-0", signal.SIGCONT)
        # Its hold may have run out by now; what may not be is two at once.
        answer = site.do(reserve(other.token, seat))
        assert answer.status == 200 or answer.code == "seat-held", answer
    finally:
        if instance.is_alive("seat-worker-0"):
            instance.send_signal("seat-worker-0", signal.SIGCONT)
        instance.start("seat-worker")
    assert [user for user, _ in db.holds(seat)].count(db.user(fan.user)) == 1
    again = site.send(reserve(fan.token, seat, key))
    again.ok()
    assert again.replayed
