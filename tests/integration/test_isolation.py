"""One job that the database will never take does not harm those beside it."""

import contextlib

from amqp import envelope, job, new_id
from wait import wait_until


@contextlib.contextmanager
def no_users_named(db, name):
    db.run(f"ALTER TABLE user ADD CONSTRAINT by_a_test CHECK (name <> '{name}')")
    try:
        yield
    finally:
        db.run("ALTER TABLE user DROP CONSTRAINT by_a_test")


def register(name):
    return job("register", userId=new_id(), name=name)


def test_a_refused_value_goes_to_the_dead_letters_alone(broker, db):
    good = [register("fine") for _ in range(20)]
    bad = register("poisoned")
    jobs = good[:10] + [bad] + good[10:]
    with no_users_named(db, "poisoned"), broker.replies() as replies:
        broker.publish("account", "account", envelope(*jobs), replies.name)
        results = {each["id"]: each for each in replies.next()["results"]}
        letter = broker.dead_letter(bad["id"])
    assert letter.header("boxoffice-code") == "db-data"
    assert results[bad["id"]]["code"] == "unavailable"
    assert all(results[each["id"]]["ok"] for each in good)
    assert db.value("SELECT COUNT(*) FROM user WHERE uuid = UNHEX(%s)",
                    bad["userId"].replace("-", "")) == 0


def test_a_schema_under_change_costs_no_job(site, broker, db):
    """A worker that is ahead of the migrations waits for them."""
    user = site.users()[0]
    work = job("charge", userId=user, amount=5)
    with broker.replies() as replies:
        db.run("ALTER TABLE cash_history RENAME COLUMN description TO not_yet")
        try:
            broker.publish("account", "account", envelope(work), replies.name)
            wait_until(lambda: broker.depth("account") == 0, 10, "a worker at it")
            assert replies.none()
        finally:
            db.run("ALTER TABLE cash_history RENAME COLUMN not_yet TO description")
        assert replies.next()["results"][0]["ok"]
    assert db.charges(user) == [5]
