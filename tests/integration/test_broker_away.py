"""Broker stopped: 503 for a write, reads go on, and it recovers by itself."""

import pytest

from api import charge, check, dates, get, issue, new_key, pay, register, reserve, seats, status
from wait import wait_until

RECOVERY_S = 30


@pytest.fixture(scope="module")
def outage(site, instance, db):
    """What is seen while the broker is away, and that it is back afterwards."""
    schedule = db.schedule()
    fan = site.fan(balance=5000)
    user = site.users()[0]
    key = new_key()
    wait_until(lambda: site.send(seats(fan.token, schedule.id)).status == 200, 5, "the schedule")
    seen = {}
    try:
        instance.stop("rabbitmq")
        seen["charge"] = site.send(charge(fan.user, 100, key))
        seen["writes"] = [site.send(call) for call in (
            register("nobody"), issue(user), reserve(fan.token, schedule.seats[0]),
            pay(fan.token, schedule.seats[0]))]
        seen["reads"] = [site.send(call) for call in (
            status(fan.token), dates(fan.token), seats(fan.token, schedule.id), check(fan.user))]
        seen["health"] = site.send(get("/healthz"))
        seen["ready"] = site.send(get("/readyz"))
        seen["bad"] = site.send(charge(fan.user, 0))
    finally:
        instance.start("rabbitmq")
    return seen, fan, key, schedule


def test_a_write_is_refused_with_its_key(outage):
    seen, _, key, _ = outage
    seen["charge"].refused(503, "unavailable")
    assert int(seen["charge"].header("Retry-After")) >= 1
    assert seen["charge"].header("Idempotency-Key") == key


def test_every_write_is_refused(outage):
    for answer in outage[0]["writes"]:
        answer.refused(503, "unavailable")
        assert int(answer.header("Retry-After")) >= 1 and answer.header("Idempotency-Key")


def test_nobody_waits_long_for_the_refusal(outage):
    seen = outage[0]
    assert max(answer.seconds for answer in [seen["charge"], *seen["writes"]]) < 5


def test_reads_went_on(outage):
    for answer in outage[0]["reads"]:
        answer.ok()


def test_health_and_readiness_tell_it(outage):
    outage[0]["health"].ok()
    outage[0]["ready"].refused(503, "unavailable")
    assert outage[0]["ready"].header("Retry-After")


def test_bad_input_is_still_told_as_such(outage):
    outage[0]["bad"].refused(400, "bad-field")


def test_it_recovers_by_itself(site, outage, db):
    """And the write that was refused is applied once with its key."""
    _, fan, key, schedule = outage

    def works():
        answer = site.do(charge(fan.user, 100, key))
        return answer if answer.status == 200 else None

    assert wait_until(works, RECOVERY_S, "a charge after the outage", 0.2).ok() == {"balance": 5100}
    assert db.charges(fan.user) == [5000, 100]

    def bought():
        """Both fronts and all kinds of worker are back."""
        buyer = site.fan(balance=1000)
        seat = schedule.seats[1]
        site.do(reserve(buyer.token, seat)).ok()
        site.do(pay(buyer.token, seat)).ok()
        return True

    wait_until(bought, RECOVERY_S, "a sale after the outage", 0.2)
    site.await_ready()
