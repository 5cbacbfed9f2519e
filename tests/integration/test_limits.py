"""Values at every limit come back as they went in; values beyond are refused before the database."""

import json

import pytest

from amqp import job, new_id, partition
from api import charge, check, get, issue, new_key, pay, post, register, reserve, seats

BALANCE_LIMIT = 9007199254740991

NAMES = {
    "one letter": "a",
    "one wide letter": "\U0001f3ab",
    "100 letters": "n" * 100,
    "100 letters of two bytes": "é" * 100,
    "100 letters of three bytes": "한" * 100,
    "100 letters of four bytes": "\U0001f600" * 100,
    "quotes": "O'Brien \"x\" `y` \\z\\",
    "SQL": "'; DROP TABLE user; -- %s",
    "combining": "e\u0301 \u1100\u1161",
    "right to left": "שלום \u202e abc",
    "digits first": "12x",
    "looks like null": "null",
    "blanks around": " a b ",
    "no-break space": "a\u00a0b",
    "the last code point": "\U0010fffd",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_back_as_it_went_in(site, db, name):
    user = site.do(register(NAMES[name])).ok()["userId"]
    assert db.value("SELECT name FROM user WHERE uuid = UNHEX(%s)", user.replace("-", "")) \
        == NAMES[name]


def test_an_escaped_surrogate_pair_is_one_letter(site, db):
    user = site.do(post("/user", rb'{"name":"\ud83d\ude00"}')).ok()["userId"]
    assert db.value("SELECT name FROM user WHERE uuid = UNHEX(%s)", user.replace("-", "")) \
        == "\U0001f600"


@pytest.mark.parametrize("name", ["", "n" * 101, "\U0001f600" * 101, "a\nb", "a\0b", "\x7f",
                                  "\x1f", "\u0085", "a\tb"], ids=ascii)
def test_a_name_beyond_its_limits(site, name):
    refused = site.send(register(name)).refused(400, "bad-field")
    assert "name" in refused["message"]


@pytest.mark.parametrize("amount", [1, 99999999, 100000000])
def test_an_amount_within(site, db, amount):
    user = site.users()[0]
    assert site.do(charge(user, amount)).ok() == {"balance": amount}
    assert db.charges(user) == [amount]


@pytest.mark.parametrize("amount", [
    "0", "-1", "-0", "100000001", "1.0", "1e3", "1E0", "0.5", "99999999999999999999",
    "-9223372036854775809", "9223372036854775807", "1e400", '"1"', '""', "true", "null", "[1]",
    "{}", "01", "+1", "0x10", "NaN", "Infinity"])
def test_an_amount_that_is_none(site, db, amount):
    user = site.users()[0]
    body = f'{{"userId":"{user}","amount":{amount}}}'.encode()
    site.send(post("/user/charge", body)).refused(400, "bad-field", "bad-request")
    assert db.charges(user) == []


def test_the_largest_balance(site, db):
    user = site.users()[0]
    db.set_balance(user, BALANCE_LIMIT - 1)
    assert site.do(charge(user, 1)).ok() == {"balance": BALANCE_LIMIT}
    assert site.send(check(user)).ok() == {"balance": BALANCE_LIMIT}
    site.do(charge(user, 1)).refused(409, "balance-limit")
    assert db.balance(user) == BALANCE_LIMIT


def test_a_balance_just_beyond_its_limit(site, db):
    user = site.users()[0]
    db.set_balance(user, BALANCE_LIMIT - 100000000 + 1)
    site.do(charge(user, 100000000)).refused(409, "balance-limit")
    assert site.do(charge(user, 99999999)).ok() == {"balance": BALANCE_LIMIT}


def test_a_batch_that_reaches_the_limit_grants_what_fits(site, broker, db):
    user = site.users()[0]
    db.set_balance(user, BALANCE_LIMIT - 2)
    results = broker.ask("account", "account",
                         *(job("charge", userId=user, amount=1) for _ in range(4)))
    assert [each.get("code", "ok") for each in results] \
        == ["ok", "ok", "balance-limit", "balance-limit"]
    assert db.balance(user) == BALANCE_LIMIT


@pytest.mark.parametrize("price", [1, 100000000])
def test_lowest_and_highest_price(site, db, price):
    seat = db.schedule(seats=1, price=price).seats[0]
    fan = site.fan(balance=price)
    assert site.do(reserve(fan.token, seat)).ok()["price"] == price
    assert site.do(pay(fan.token, seat)).ok()["totalAmount"] == price
    assert db.balance(fan.user) == 0


@pytest.mark.parametrize("seat", ["1.0", "1e3", "0", "-1", "9007199254740992",
                                  "99999999999999999999", '"1"', "null", "true"])
def test_a_seat_id_that_is_none(site, seat):
    refused = site.send(post("/reservation", f'{{"seatId":{seat}}}'.encode(), site.fan().token)) \
        .refused(400, "bad-field", "bad-request")
    assert refused["code"] == "bad-request" or "seatId" in refused["message"]


def test_the_largest_seat_id_is_unknown_not_bad(site):
    site.do(reserve(site.fan().token, BALANCE_LIMIT)).refused(404, "unknown-seat")


def test_the_largest_schedule_id_is_unknown_not_bad(site):
    site.send(seats(site.fan().token, BALANCE_LIMIT)).refused(404, "unknown-schedule")


@pytest.mark.parametrize("query", ["", "?concertScheduleId=", "?concertScheduleId=abc",
                                   "?concertScheduleId=1x", "?concertScheduleId=-1",
                                   "?concertScheduleId=0", "?concertScheduleId=1.0",
                                   "?concertScheduleId=9007199254740992",
                                   "?concertScheduleId=99999999999999999999",
                                   "?concertScheduleId=1&concertScheduleId=2",
                                   "?concertScheduleId=%zz", "?concertScheduleId=%00",
                                   "?concertScheduleId=+1", "?concertScheduleId=%ff"])
def test_a_schedule_id_that_is_none(site, query):
    refused = site.send(get("/concert/available-seats" + query, site.fan().token)) \
        .refused(400, "bad-field", "bad-request")
    assert "concertScheduleId" in refused["message"] or refused["code"] == "bad-request"


@pytest.mark.parametrize("query", ["?concertId=", "?concertId=abc", "?concertId=0",
                                   "?concertId=99999999999999999999"])
def test_a_concert_id_that_is_none(site, query):
    site.send(get("/concert/available-dates" + query, site.fan().token)) \
        .refused(400, "bad-field", "bad-request")


@pytest.mark.parametrize("user", ["", "abc", "42", "0" * 36, "g" * 36, "0" * 5000,
                                  "{00000000-0000-4000-8000-000000000000}",
                                  "00000000-0000-4000-8000-000000000000 "], ids=lambda u: u[:12])
def test_a_user_id_that_is_none(site, user):
    for call in (charge(user, 1), issue(user), check(user)):
        refused = site.send(call).refused(400, "bad-field", "bad-request")
        assert "userId" in refused["message"] or refused["code"] == "bad-request"


def padded(user, length):
    body = json.dumps({"userId": user, "amount": 1}).encode()
    return body + b" " * (length - len(body))


def test_the_longest_body(site):
    user = site.users()[0]
    site.do(post("/user/charge", padded(user, 16384))).ok()


@pytest.mark.parametrize("length", [16385, 100000, 2000000])
def test_a_body_beyond_the_limit(site, db, length):
    user = site.users()[0]
    site.send(post("/user/charge", padded(user, length))).refused(413, "body-too-large")
    assert db.charges(user) == []


def test_the_longest_seat_number_and_concert_name(site, db):
    schedule = db.schedule(seats=1)
    seat = schedule.seats[0]
    name = "공연" * 100
    db.run("UPDATE concert SET name = %s WHERE id = %s", name, schedule.concert_id)
    db.run("UPDATE seat SET seat_number = '가나다라마바사아' WHERE id = %s", seat)
    fan = site.fan(balance=1000)
    assert site.do(reserve(fan.token, seat)).ok()["seat"]["seatNumber"] == "가나다라마바사아"
    key = new_key()
    paid = site.do(pay(fan.token, seat, key)).ok()
    assert paid["concertName"] == name and paid["seatNumber"] == "가나다라마바사아"
    # What is stored for repeats is the whole of it.
    assert site.send(pay(fan.token, seat, key)).ok() == paid


@pytest.mark.parametrize("field, value", [
    ("ticket", 0), ("ticket", BALANCE_LIMIT + 1), ("ticket", "1"), ("seatId", 0),
    ("seatId", BALANCE_LIMIT + 1), ("seatId", 1.5)])
def test_numbers_of_a_seat_job(broker, field, value):
    work = {**job("reserve", userId=new_id(), ticket=1, seatId=1), field: value}
    result = broker.ask("seat", partition(1), work)[0]
    assert result["code"] == "bad-field" and field in result["message"]
    broker.dead_letter(work["id"])
