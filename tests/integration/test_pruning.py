"""Outcomes are kept for so many days; what money did is kept for ever."""

from amqp import job
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
