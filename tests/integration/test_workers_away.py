"""Workers stopped: a write gets 202, and its result after they start."""

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from amqp import envelope, job, new_id, partition
from api import charge, check, dates, get, issue, new_key, pay, register, reserve, seats, status
from wait import wait_until


@contextlib.contextmanager
def away(instance, kind):
    try:
        instance.stop(kind)
        yield
    finally:
        instance.start(kind)


def queued(answer):
    """The place where a 202 says that the answer will be."""
    assert answer.status == 202, answer
    place = answer.header("Location")
    assert place.startswith("/jobs/") and int(answer.header("Retry-After")) >= 1
    assert answer.json == {"success": True, "data": {"status": "queued", "job": place}}
    assert answer.header("Idempotency-Key")
    return place


def result(site, place):
    def done():
        found = site.send(get(place)).ok()
        return found if found["status"] == "done" else None

    return wait_until(done, 20, f"the result at {place}")


def test_a_charge_waits_for_its_worker(site, instance, db):
    user, key = site.users()[0], new_key()
    with away(instance, "account-worker"):
        answer = site.send(charge(user, 100, key))
        place = queued(answer)
        assert answer.header("Idempotency-Key") == key
        assert site.send(get(place)).ok() == {"status": "queued"}
        # Sent again while it waits it is still one charge.
        queued(site.send(charge(user, 100, key)))
        assert db.charges(user) == []
    found = result(site, place)
    assert found == {"status": "done", "httpStatus": 200,
                     "response": {"success": True, "data": {"balance": 100}}}
    again = site.send(charge(user, 100, key))
    assert again.ok() == {"balance": 100} and again.replayed
    assert db.charges(user) == [100]


def test_a_late_answer_is_not_anothers(site, instance, db):
    """One key, two contents, and no worker to say so: each sending hears of its own."""
    user, key = site.users()[0], new_key()
    with away(instance, "account-worker"):
        first = queued(site.send(charge(user, 100, key)))
        second = queued(site.send(charge(user, 500, key)))
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(site.send, charge(user, 700, key))
            instance.start("account-worker-0")
            site.settle(waiting.result()).refused(422, "key-reused")
    assert result(site, first)["response"]["data"] == {"balance": 100}
    found = result(site, second)
    assert (found["httpStatus"], found["response"]["code"]) == (422, "key-reused")
    assert db.charges(user) == [100]


def test_what_waited_is_done_without_losing_a_connection(site, instance, broker):
    """A subscription is made anew with a wider prefetch, while the next messages are on their way to it."""
    each = 30
    with broker.replies() as replies:
        with away(instance, "seat-worker"):
            for seat in list(range(1, 17)) * each:
                broker.publish("seat", partition(seat), envelope(
                    job("cancel", userId=new_id(), ticket=1, seatId=seat)), replies.name)
            sizes = instance.log_sizes()
        for _ in range(16 * each):
            assert replies.next(30)["results"][0]["ok"] is False
    logs = instance.log_since(sizes, lines=10000)
    for name in ("seat-worker-0", "seat-worker-1"):
        assert "event=start" in logs[name] and "event=broker-gone" not in logs[name]


def test_a_refusal_is_told_by_its_handle(site, instance, db, seat):
    fan = site.fan()
    with away(instance, "seat-worker"):
        place = queued(site.send(pay(fan.token, seat)))
    found = result(site, place)
    assert found["httpStatus"] == 409
    assert found["response"]["success"] is False and found["response"]["code"] == "not-held"
    assert db.holds(seat) == []


def test_every_write_waits(site, instance, db, seat):
    fan = site.fan()
    user = site.users()[0]
    with away(instance, "seat-worker"), away(instance, "account-worker"), \
            away(instance, "gate-worker"):
        places = [queued(answer) for answer in site.swarm(
            [register("late"), issue(user), reserve(fan.token, seat), charge(fan.user, 1)], 4)]
    found = [result(site, place) for place in places]
    assert [each["httpStatus"] for each in found] == [200] * 4
    assert found[0]["response"]["data"]["userId"]
    assert found[1]["response"]["data"]["token"]
    assert found[2]["response"]["data"]["status"] == "PENDING"
    assert found[3]["response"]["data"] == {"balance": 1}


def test_reads_go_on(site, instance, schedule):
    fan = site.fan(balance=7)
    with away(instance, "seat-worker"), away(instance, "account-worker"), \
            away(instance, "gate-worker"):
        assert site.send(check(fan.user)).ok() == {"balance": 7}
        assert site.send(status(fan.token)).ok()["status"] == "ACTIVE"
        site.send(dates(fan.token)).ok()
        assert len(site.send(seats(fan.token, schedule.id)).ok()) == 50
        site.send(get("/readyz")).ok()


def test_many_writes_do_not_keep_reads_waiting(site, instance):
    """Threads that wait for workers leave some for whoever only reads."""
    users = site.users(300)
    fan = site.fan()
    with away(instance, "account-worker"):
        answers = site.swarm([charge(user, 1) for user in users] + [status(fan.token)] * 50, 350)
        assert {answer.status for answer in answers[:300]} == {202}
        assert max(answer.seconds for answer in answers[300:]) < 1.5
    for answer in site.settle_all(answers[:300]):
        answer.ok()


def test_jobs_are_done_in_the_order_of_their_sending(site, instance, broker, db):
    user = site.users()[0]
    jobs = [job("charge", userId=user, amount=1 + number) for number in range(50)]
    with away(instance, "account-worker"):
        for work in jobs:
            broker.publish("account", "account", envelope(work))
        instance.start("account-worker-0")
        wait_until(lambda: len(db.charges(user)) == 50, 10, "all charges")
    assert db.charges(user) == [work["amount"] for work in jobs]


def test_a_full_queue_is_a_503(site, instance, broker, db):
    """Beyond its length a queue refuses; with the same key a retry is safe."""
    policy = f"policies/{broker.vhost}/full"
    user = site.users()[0]
    keys = [new_key() for _ in range(12)]
    with away(instance, "account-worker"):
        broker.management(policy, "PUT", {"pattern": "^account$", "apply-to": "queues",
                                          "definition": {"max-length": 1}})
        try:
            def full():
                answers = [site.send(charge(user, 1, key)) for key in keys]
                assert {answer.status for answer in answers} <= {202, 503}
                return next((answer for answer in answers if answer.status == 503), None)

            refused = wait_until(full, 60, "a refusal")
            refused.refused(503, "unavailable")
            assert int(refused.header("Retry-After")) >= 1
            assert refused.header("Idempotency-Key") in keys
        finally:
            broker.management(policy, "DELETE")
    for answer in site.settle_all([site.send(charge(user, 1, key)) for key in keys]):
        answer.ok()
    assert db.charges(user) == [1] * 12


@pytest.mark.parametrize("handle", ["", "x", "a.b.c", "e30.e30.e30", "a" * 3000])
def test_a_forged_handle(site, handle):
    site.send(get(f"/jobs/{handle}")).refused(404, "unknown-job", "not-found")


def test_a_handle_with_another_signature(site, instance):
    user = site.users()[0]
    with away(instance, "account-worker"):
        place = queued(site.send(charge(user, 1)))
    result(site, place)
    forged = place[:-6] + ("A" if place[-6] != "A" else "B") + place[-5:]
    site.send(get(forged)).refused(404, "unknown-job")


def test_a_handle_is_no_queue_token(site, instance):
    user = site.users()[0]
    with away(instance, "account-worker"):
        place = queued(site.send(charge(user, 1)))
    site.send(status(place.removeprefix("/jobs/"))).refused(401, "token-invalid")
    result(site, place)
