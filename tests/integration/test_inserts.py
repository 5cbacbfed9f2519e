"""Rows arrive as they were decided, in both ways in which they can be inserted: as arrays, and as the
lists of VALUES that a server without arrays is given."""

import contextlib

import pytest

from amqp import envelope, job, new_id, partition

WORKERS = ("account-worker", "seat-worker", "gate-worker")
# Of 107 the lists are of 64, 32, 8, 2 and 1.
COUNT = 107


@pytest.fixture(scope="module", params=["arrays", "lists"])
def way(request, instance):
    """The workers insert in this way."""
    if request.param == "arrays":
        yield request.param
        return
    with contextlib.ExitStack() as undo:
        undo.callback(instance.start, *WORKERS)
        instance.stop(*WORKERS)
        instance.start(*WORKERS, fault="no-arrays:on")
        undo.callback(instance.stop, *WORKERS)
        yield request.param


def memo(number):
    return ("", "top-up", "충전 💰", "it's \"quoted\" \\ % ?", "x" * 200)[number % 5]


def apply(broker, queue, key, *jobs):
    results = broker.ask(queue, key, *jobs, deadline_s=60)
    assert [each.get("code") for each in results] == [None] * len(jobs)
    return [each["data"] for each in results]


def registered(broker):
    users = [new_id() for _ in range(COUNT)]
    apply(broker, "account", "account",
          *(job("register", userId=user, name=f"{memo(number) or '이름'}"[:100]) for number, user in enumerate(users)))
    return users


def test_users_and_their_accounts(way, broker, db):
    users = registered(broker)
    for number, user in enumerate(users):
        name, made, updated, balance, since = db.row(
            "SELECT u.name, u.created_at, u.updated_at, c.balance, c.created_at"
            " FROM user u JOIN cash c ON c.user_id = u.id WHERE u.uuid = UNHEX(%s)", user.replace("-", ""))
        assert (name, balance) == ((memo(number) or "이름")[:100], 0)
        assert made == updated == since


def test_postings_and_their_jobs(way, broker, db):
    user = registered(broker)[0]
    charges = [job("charge", userId=user, amount=number + 1, memo=memo(number)) for number in range(COUNT)]
    told = apply(broker, "account", "account", *charges)
    rows = db.rows("SELECT LOWER(HEX(h.job_id)), h.amount, h.balance_after, h.description, h.reverses,"
                   " j.kind, j.attempt, j.code, j.why, j.data, LENGTH(j.fingerprint)"
                   " FROM cash_history h JOIN job j ON j.id = h.job_id"
                   " WHERE h.user_id = %s ORDER BY h.id", db.user(user))
    balance = 0
    assert len(rows) == COUNT
    for number, (row, work) in enumerate(zip(rows, charges)):
        balance += number + 1
        assert row == (work["id"].replace("-", ""), number + 1, balance, memo(number), None,
                       "charge", 1, "ok", "", f'{{"balance":{balance}}}', 32)
        assert told[number] == {"balance": balance}
    assert db.balance(user) == balance


def test_a_reversal_beside_charges(way, broker, operator, db):
    user = registered(broker)[0]
    first, second = (job("charge", userId=user, amount=500) for _ in range(2))
    apply(broker, "account", "account", first)
    apply(operator, "account", "account",
          job("reverse", userId=user, charge=first["id"]), second)
    rows = db.rows("SELECT id, amount, reverses FROM cash_history WHERE user_id = %s ORDER BY id", db.user(user))
    assert [row[1:] for row in rows] == [(500, None), (-500, rows[0][0]), (500, None)]


def test_a_repeated_id_in_another_message_is_applied_once(way, broker, db):
    user = registered(broker)[0]
    charges = [job("charge", userId=user, amount=1) for _ in range(COUNT)]
    with broker.replies() as replies:
        for _ in range(2):
            broker.publish("account", "account", envelope(*charges), replies.name)
        results = replies.next(60)["results"] + replies.next(60)["results"]
    assert all(each["ok"] for each in results)
    assert db.charges(user) == [1] * COUNT


def test_tickets_holds_and_payments(way, broker, db, site, schedule):
    assert way
    fan = site.fan(balance=5000)
    seat = schedule.seats[0]
    ticket = db.ticket(fan.user)
    reserve = job("reserve", userId=fan.user, ticket=ticket, seatId=seat)
    pay = job("pay", userId=fan.user, ticket=ticket, seatId=seat)
    held, paid = (apply(broker, "seat", str(partition(seat)), work)[0] for work in (reserve, pay))
    row = db.row("SELECT r.id, r.status, r.price, TIMESTAMPDIFF(SECOND, r.created_at, r.expires_at),"
                 " LOWER(HEX(r.job_id)), p.id, LOWER(HEX(p.job_id)), p.seat_number, p.total_amount, p.status,"
                 " p.open_date = h.open_at, p.close_date = h.close_at"
                 " FROM seat_reservation r JOIN payment p ON p.reservation_id = r.id"
                 " JOIN seat s ON s.id = r.seat_id JOIN concert_schedule h ON h.id = s.concert_schedule_id"
                 " WHERE r.seat_id = %s", seat)
    assert row[0] == held["id"] and row[1] == "PAID" and row[2] == 1000 and 0 < row[3] <= 300
    assert row[4] == reserve["id"].replace("-", "") and row[5] == paid["id"]
    assert row[6] == pay["id"].replace("-", "") and row[7:] == ("1", 1000, "PAID", 1, 1)
    place, seen = db.row("SELECT place, seen_at FROM waiting_queue WHERE id = %s", ticket)
    assert place > 0 and seen is not None
