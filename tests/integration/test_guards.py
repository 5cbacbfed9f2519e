"""The guards are what guards: with them a race does no harm, without them it does happen."""

import contextlib

import pymysql
import pytest

from amqp import envelope, job
from wait import wait_until

SEATS = 40
ATTEMPTS = 10
NEVER_TAKE_OVER = "60000"


@contextlib.contextmanager
def two_workers(instance, broker, fault=""):
    """Two seat workers, each with the partitions of its own: jobs for one seat that are
    published to two queues are then in two workers' hands at the same time."""
    running = []
    try:
        instance.stop("seat-worker")
        running = [instance.spawn(f"seat-worker-{number}", BOXOFFICE_FAULT=fault,
                                  BOXOFFICE_TAKEOVER_MS=NEVER_TAKE_OVER) for number in (0, 1)]

        def apart():
            consumers = broker.consumers()
            found = [consumers.get("seat.0"), consumers.get("seat.1")]
            return None not in found and found[0] != found[1]

        wait_until(apart, 20, "two workers on two partitions", 0.5)
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(20)
        instance.start("seat-worker")


def race(site, broker, db):
    """Two fans for each of some seats, each job in another worker's queue. Returns for each seat
    how many live reservations it has when all is done."""
    schedule = db.schedule(seats=SEATS)
    fans = site.fans(2 * SEATS)
    queues = [[], []]
    for number, seat in enumerate(schedule.seats):
        for side in (0, 1):
            fan = fans[2 * number + side]
            queues[side].append(job("reserve", userId=fan.user, ticket=db.ticket(fan.user),
                                    seatId=seat))
    with broker.replies() as replies:
        for side in (0, 1):
            broker.publish("seat", str(side), envelope(*queues[side]), replies.name)
        results = replies.next()["results"] + replies.next()["results"]
    granted = sum(1 for each in results if each["ok"])
    live = [sum(1 for status in db.statuses(seat) if status == "PENDING")
            for seat in schedule.seats]
    return granted, live


def test_two_workers_on_one_seat_sell_it_once(site, instance, broker, db):
    with two_workers(instance, broker):
        for _ in range(3):
            granted, live = race(site, broker, db)
            assert granted == SEATS and max(live) <= 1


def test_the_unique_key_alone_refuses_the_second_sale(site, instance, broker, db):
    """Without locks the race is on, and the key decides it."""
    with two_workers(instance, broker, "no-locks:on"):
        for _ in range(3):
            granted, live = race(site, broker, db)
            assert granted == SEATS and max(live) <= 1


@contextlib.contextmanager
def without_the_unique_key(db):
    db.run("ALTER TABLE seat_reservation DROP INDEX seat_reservation_live_seat,"
           " ADD INDEX seat_reservation_live_seat (live_seat_id)")
    try:
        yield
    finally:
        # What the race sold twice goes with the experiment.
        db.run("DELETE r FROM seat_reservation r JOIN (SELECT live_seat_id, MIN(id) kept FROM"
               " seat_reservation WHERE live_seat_id IS NOT NULL GROUP BY live_seat_id) k"
               " ON k.live_seat_id = r.live_seat_id AND r.id > k.kept")
        db.run("ALTER TABLE seat_reservation DROP INDEX seat_reservation_live_seat,"
               " ADD UNIQUE KEY seat_reservation_live_seat (live_seat_id)")


def test_without_locks_and_key_a_seat_is_sold_twice(site, instance, broker, db):
    """Else the tests above would prove nothing."""
    with two_workers(instance, broker, "no-locks:on"), without_the_unique_key(db):
        for attempt in range(ATTEMPTS):
            _, live = race(site, broker, db)
            if max(live) > 1:
                break
        else:
            pytest.fail(f"no double sale in {attempt + 1} attempts: who prevents it?")


# What READ COMMITTED with locking reads prevents, in plain SQL --------------------------------


def session(db, level):
    connection = db.connect(autocommit=False)
    with connection.cursor() as cursor:
        cursor.execute(f"SET SESSION TRANSACTION ISOLATION LEVEL {level}")
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
    return connection


@contextlib.contextmanager
def two_sessions(db, level):
    first, second = session(db, level), session(db, level)
    try:
        yield first, second
    finally:
        first.close()
        second.close()


def ask(connection, sql, *values):
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        found = cursor.fetchone()
    return found[0] if found else None


READ = "SELECT balance FROM cash WHERE user_id = %s"
WRITE = "UPDATE cash SET balance = %s WHERE user_id = %s"


def charge_both(db, number, level, lock):
    """Two sessions read a balance, add 100 and write it back, as interleaved as they can."""
    with two_sessions(db, level) as (first, second):
        ours = ask(first, READ + lock, number)
        try:
            theirs = ask(second, READ + lock, number)
        except pymysql.err.OperationalError:
            theirs = None
            second.rollback()
        ask(first, WRITE, ours + 100, number)
        first.commit()
        if theirs is None:
            theirs = ask(second, READ + lock, number)
        ask(second, WRITE, theirs + 100, number)
        second.commit()


@pytest.mark.parametrize("level, lock, expected", [
    ("REPEATABLE READ", "", 100), ("READ COMMITTED", "", 100),
    ("READ COMMITTED", " FOR UPDATE", 200)])
def test_an_update_is_lost_without_a_locking_read(site, db, level, lock, expected):
    user = site.users()[0]
    charge_both(db, db.user(user), level, lock)
    try:
        assert db.balance(user) == expected
    finally:
        db.run("UPDATE cash SET balance = 0 WHERE user_id = %s", db.user(user))


@pytest.mark.parametrize("level, sees", [("REPEATABLE READ", False), ("READ COMMITTED", True)])
def test_a_snapshot_hides_a_hold_that_was_committed_since(db, seat, level, sees):
    live = "SELECT id FROM seat_reservation WHERE live_seat_id = %s"
    with two_sessions(db, level) as (first, second):
        assert ask(first, live, seat) is None
        ask(second, "INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status,"
            " price, expires_at, created_at, updated_at) VALUES (%s, 0, 0, UNHEX(REPLACE(UUID(),"
            " '-', '')), 'CANCELLED', 1, SYSDATE(6), SYSDATE(6), SYSDATE(6))", seat)
        ask(second, "UPDATE seat_reservation SET status = 'PENDING' WHERE seat_id = %s", seat)
        second.commit()
        assert (ask(first, live, seat) is not None) == sees
        first.rollback()
    db.run("UPDATE seat_reservation SET status = 'CANCELLED' WHERE seat_id = %s", seat)


@pytest.mark.parametrize("level, waits", [("REPEATABLE READ", True), ("READ COMMITTED", False)])
def test_a_look_up_that_finds_nothing_locks_the_gap(db, level, waits):
    """Two holds of seats that are next to each other would wait for one another."""
    schedule = db.schedule(seats=2)
    hold = ("INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price,"
            " expires_at, created_at, updated_at) VALUES (%s, 0, 0,"
            " UNHEX(REPLACE(UUID(), '-', '')), 'PENDING', 1, SYSDATE(6), SYSDATE(6), SYSDATE(6))")
    live = "SELECT id FROM seat_reservation WHERE live_seat_id = %s FOR UPDATE"
    with two_sessions(db, level) as (first, second):
        ask(first, live, schedule.seats[0])
        try:
            ask(second, hold, schedule.seats[1])
            waited = False
        except pymysql.err.OperationalError:
            waited = True
        assert waited == waits
        second.rollback()
        first.rollback()
