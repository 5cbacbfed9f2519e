"""Database stopped: a write waits in its queue, and is applied when the database is back."""

import pytest

from api import charge, check, get, new_key, reserve, status
from wait import wait_until


@pytest.fixture(scope="module")
def outage(site, instance, db):
    schedule = db.schedule()
    fan = site.fan(balance=50)
    key = new_key()
    seen = {}
    try:
        instance.stop("mariadb")
        seen["charge"] = site.send(charge(fan.user, 100, key))
        seen["reserve"] = site.send(reserve(fan.token, schedule.seats[0]))
        seen["status"] = site.send(status(fan.token))
        seen["balance"] = site.send(check(fan.user))
        seen["health"] = site.send(get("/healthz"))
        seen["ready"] = site.send(get("/readyz"))
    finally:
        instance.start("mariadb")
    return seen, fan, key


def test_a_write_is_queued(outage):
    assert outage[0]["charge"].status == 202
    assert outage[0]["reserve"].status in (202, 503)


def test_what_needs_no_query_goes_on(outage):
    assert outage[0]["status"].ok()["status"] == "ACTIVE"
    outage[0]["health"].ok()


def test_what_needs_one_is_refused_for_now(outage):
    seen = outage[0]
    for answer in (seen["balance"], seen["ready"]):
        answer.refused(503, "unavailable")
        assert int(answer.header("Retry-After")) >= 1


def test_the_queued_write_is_applied_when_it_is_back(site, outage, db):
    seen, fan, key = outage
    assert site.settle(seen["charge"], 30).ok() == {"balance": 150}
    again = site.send(charge(fan.user, 100, key))
    assert again.ok() == {"balance": 150} and again.replayed
    assert db.charges(fan.user) == [50, 100]


def test_nothing_was_thrown_away(broker, outage):
    assert outage and broker.unclaimed_dead() == []


def test_all_go_on(site, outage, seat):
    assert outage

    def sold():
        site.do(reserve(site.fan().token, seat)).ok()
        return True

    wait_until(sold, 20, "a reservation", 0.2)
    site.await_ready()
