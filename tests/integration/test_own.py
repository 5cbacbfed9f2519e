"""What a user has: balance, holds, payments and the history of the money, with no live ticket."""

import uuid

import pytest

from amqp import job, new_id, partition
from api import TIMESTAMP, Call, cancel, charge, get, leave, own, pay, reserve

RESERVATIONS = "/user/reservations"
HISTORY = "/user/cash-history"
READS = ("/user/check", RESERVATIONS, HISTORY)
PRICE = 1000


@pytest.fixture
def bought(site, seat):
    """(fan, what paying answered): charged 1500, bought for 1000."""
    fan = site.fan(balance=1500)
    site.do(reserve(fan.token, seat)).ok()
    return fan, site.do(pay(fan.token, seat)).ok()


def test_a_hold_is_told_until_it_ends(site, db):
    schedule = db.schedule(seats=2)
    fan = site.fan()
    held = site.do(reserve(fan.token, schedule.seats[1])).ok()
    told = site.send(own(RESERVATIONS, fan.user)).ok()
    assert told == {"payments": [], "holds": [
        {"seatId": schedule.seats[1], "seatNumber": "2", "concertScheduleId": schedule.id,
         "concertName": schedule.name, "price": PRICE, "expires_at": held["expires_at"]}]}
    assert site.send(get(RESERVATIONS, fan.token)).ok() == told
    assert site.send(own(RESERVATIONS, site.users()[0])).ok() == {"holds": [], "payments": []}
    site.do(cancel(fan.token, schedule.seats[1])).ok()
    assert site.send(own(RESERVATIONS, fan.user)).ok() == {"holds": [], "payments": []}


def test_a_hold_that_is_over_is_not_told(site, db, seat):
    fan = site.fan()
    site.do(reserve(fan.token, seat)).ok()
    # Though its row still says PENDING: nothing has come across it.
    db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
    assert site.send(own(RESERVATIONS, fan.user)).ok()["holds"] == []


def test_a_payment_is_told_with_the_token_that_it_finished(site, db, seat, bought):
    fan, paid = bought
    schedule = db.value("SELECT concert_schedule_id FROM seat WHERE id = %s", seat)
    told = site.send(get(RESERVATIONS, fan.token)).ok()
    assert told == {"holds": [], "payments": [{**paid, "seatId": seat, "concertScheduleId": schedule}]}


def test_the_history_is_told_with_its_kinds(site, db, operator, seat, bought):
    fan, paid = bought
    operator.ask("seat", partition(seat), job("refund", seatId=seat, payment=paid["id"]))
    first = db.value("SELECT LOWER(HEX(job_id)) FROM cash_history WHERE user_id = %s ORDER BY id LIMIT 1",
                     db.user(fan.user))
    operator.ask("account", "account", job("reverse", userId=fan.user, charge=str(uuid.UUID(first))))
    told = site.send(own(HISTORY, fan.user)).ok()
    assert told["balance"] == 0
    assert [(each["kind"], each["amount"], each["balanceAfter"]) for each in told["entries"]] == [
        ("reversal", -1500, 0), ("refund", 1000, 1500), ("payment", -1000, 500), ("charge", 1500, 1500)]
    assert all(set(each) == {"id", "amount", "balanceAfter", "description", "kind", "created_at"}
               and TIMESTAMP.match(each["created_at"]) for each in told["entries"])
    assert site.send(own(RESERVATIONS, fan.user)).ok()["payments"][0]["status"] == "REFUNDED"


def test_a_long_history_comes_in_pages(site):
    user = site.users()[0]
    for answer in site.settle_all(site.swarm([charge(user, 1) for _ in range(120)], 20)):
        answer.ok()
    sizes, seen, query = [], [], {}
    while True:
        told = site.send(own(HISTORY, user, **query)).ok()
        assert told["balance"] == 120
        sizes.append(len(told["entries"]))
        if not told["entries"]:
            break
        seen += [each["balanceAfter"] for each in told["entries"]]
        query = {"before": told["entries"][-1]["id"]}
    assert sizes == [50, 50, 20, 0] and seen == list(range(120, 0, -1))


def test_many_payments_come_in_pages(site, db, bought):
    fan, paid = bought
    mark = uuid.uuid4().hex[:16]
    rows = " UNION ALL ".join(f"SELECT {number} AS seq" for number in range(1, 105))
    db.run("INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price, expires_at,"
           " created_at, updated_at)"
           " SELECT r.seat_id, r.user_id, r.ticket_id, UNHEX(CONCAT(%s, LPAD(HEX(n.seq), 16, '0'))), 'EXPIRED',"
           " r.price, r.expires_at, r.created_at, r.updated_at FROM payment p"
           f" JOIN seat_reservation r ON r.id = p.reservation_id JOIN ({rows}) n WHERE p.id = %s",
           mark, paid["id"])
    db.run("INSERT INTO payment (user_id, reservation_id, job_id, seat_number, concert_name, open_date,"
           " close_date, total_amount, status, created_at, updated_at)"
           " SELECT r.user_id, r.id, r.job_id, '1', 'x', r.created_at, r.created_at, 1, 'PAID',"
           " r.created_at, r.created_at FROM seat_reservation r WHERE r.job_id LIKE CONCAT(UNHEX(%s), '%%')",
           mark)
    try:
        first = site.send(own(RESERVATIONS, fan.user)).ok()["payments"]
        then = site.send(own(RESERVATIONS, fan.user, before=first[-1]["id"])).ok()["payments"]
        ids = [each["id"] for each in first + then]
        assert len(first) == 100 and len(then) == 5
        assert ids == sorted(ids, reverse=True) and ids[-1] == paid["id"]
    finally:
        db.run("DELETE FROM payment WHERE job_id LIKE CONCAT(UNHEX(%s), '%%')", mark)
        db.run("DELETE FROM seat_reservation WHERE job_id LIKE CONCAT(UNHEX(%s), '%%')", mark)


@pytest.mark.parametrize("path", READS)
def test_who_asks(site, path):
    fan, other = site.fans(2)
    site.send(own(path, fan.user)).ok()
    site.send(own(path, fan.user, fan.token)).ok()
    site.send(own(path, other.user, fan.token)).refused(401, "token-invalid")
    site.send(get(path)).refused(400, "bad-request")
    site.send(own(path, "nobody")).refused(400, "bad-field")
    site.send(get(path, "nonsense")).refused(401, "token-invalid")
    site.send(own(path, str(uuid.uuid4()))).refused(404, "unknown-user")
    site.send(own(path, fan.user).with_header("user-id", other.user)).refused(400, "bad-request")
    site.send(Call("POST", path, b"", [("user-id", fan.user)])).refused(405, "method-not-allowed")
    site.do(leave(fan.token)).ok()
    site.send(get(path, fan.token)).ok()


@pytest.mark.parametrize("path", [RESERVATIONS, HISTORY])
@pytest.mark.parametrize("before", ["0", "-1", "1.5", "", "x", "9007199254740992"])
def test_a_page_begins_at_an_id(site, path, before):
    site.send(own(path, new_id(), before=before)).refused(400, "bad-field")


def test_the_balance_of_one_user_at_a_time(site):
    user, other = site.users(2)
    assert site.send(own("/user/check", user, userId=user)).ok() == {"balance": 0}
    site.send(own("/user/check", user, userId=other)).refused(400, "bad-request")
