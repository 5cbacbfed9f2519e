"""Outcomes are kept for so many days; what money did is kept for ever."""

import pytest

from amqp import job, partition
from api import Fan, cancel, issue
from wait import wait_until

OLD = "SYSDATE(6) - INTERVAL 31 DAY"


def age(db, work):
    db.run("UPDATE job SET created_at = " + OLD + " WHERE id = UNHEX(%s)",
           work["id"].replace("-", ""))


def is_kept(db, work):
    return db.value("SELECT COUNT(*) FROM job WHERE id = UNHEX(%s)", work["id"].replace("-", ""))


def charge(broker, db, user, amount):
    """A charge whose outcome was pruned."""
    work = job("charge", userId=user, amount=amount, memo="first")
    assert broker.ask("account", "account", work)[0]["ok"]
    age(db, work)
    wait_until(lambda: not is_kept(db, work), 10, "the old outcome to be pruned")
    return work


def test_only_old_outcomes_are_pruned(site, broker, db):
    user = site.users()[0]
    young = job("charge", userId=user, amount=1)
    assert broker.ask("account", "account", young)[0]["ok"]
    charge(broker, db, user, 2)
    assert is_kept(db, young)


def test_a_charge_repeated_after_its_outcome_was_pruned_is_not_applied_again(site, broker, db):
    user = site.users()[0]
    work = charge(broker, db, user, 700)
    again = broker.ask("account", "account", work)[0]
    assert (again["ok"], again["data"], again["replayed"]) == (True, {"balance": 700}, True)
    assert db.charges(user) == [700]


def test_other_content_under_the_id_of_a_pruned_charge_is_refused(site, broker, db):
    user, other = site.users(2)
    work = charge(broker, db, user, 700)
    for changed in ({**work, "amount": 701}, {**work, "userId": other}):
        assert broker.ask("account", "account", changed)[0]["code"] == "key-reused"
    assert db.charges(user) == [700]
    assert db.charges(other) == []


def forget(db, work):
    age(db, work)
    wait_until(lambda: not is_kept(db, work), 10, "the old outcome to be pruned")


def seat_job(db, kind, fan, seat, **fields):
    return job(kind, userId=fan.user, ticket=db.ticket(fan.user), seatId=seat, **fields)


def test_a_reserve_repeated_after_its_outcome_was_pruned(site, broker, db, schedule):
    """Its seat is free again: the key is spent all the same, and the rest of the batch is not."""
    fan, other = site.fans(2)
    seat = schedule.seats[0]
    work = seat_job(db, "reserve", fan, seat)
    assert broker.ask("seat", partition(seat), work)[0]["ok"]
    site.do(cancel(fan.token, seat)).ok()
    forget(db, work)
    beside = seat_job(db, "reserve", other, schedule.seats[0])
    again, good = broker.ask("seat", partition(seat), work, beside)
    assert again["code"] == "key-reused"
    assert good["ok"]
    assert db.statuses(seat) == ["CANCELLED", "PENDING"]


@pytest.mark.parametrize("same", [True, False])
def test_a_payment_repeated_after_its_outcome_was_pruned(site, broker, db, schedule, same):
    fan = site.fan(balance=5000)
    seat, other = schedule.seats[0], schedule.seats[1]
    assert broker.ask("seat", partition(seat), seat_job(db, "reserve", fan, seat))[0]["ok"]
    work = seat_job(db, "pay", fan, seat)
    first = broker.ask("seat", partition(seat), work)[0]
    assert first["ok"]
    forget(db, work)
    if same:
        again = broker.ask("seat", partition(seat), work)[0]
        assert again["ok"] and again["data"] == first["data"]
    else:
        # In a new life of the fan: another ticket, another seat, the old key.
        fan = Fan(fan.user, site.do(issue(fan.user)).ok()["token"])
        site.wait_admitted([fan])
        assert broker.ask("seat", partition(other), seat_job(db, "reserve", fan, other))[0]["ok"]
        again = broker.ask("seat", partition(other), {**seat_job(db, "pay", fan, other),
                                                      "id": work["id"]})[0]
        assert again["code"] == "key-reused"
    assert db.charges(fan.user) == [5000, -1000]
