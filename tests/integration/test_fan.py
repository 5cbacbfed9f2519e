"""The whole way of a fan, and the answers of each call."""

import uuid

import pytest

from api import (PLACE, TIMESTAMP, cancel, charge, check, dates, get, issue, pay, post, register, reserve,
                 seats, status)
from wait import wait_until


def own_date(site, fan, schedule):
    """The schedule in the list of dates, once the fronts have seen it."""
    def listed():
        found = [each for each in site.send(dates(fan.token)).ok() if each["id"] == schedule.id]
        return found[0] if found else None

    return wait_until(listed, 5, "the schedule among the dates")


def free_seats(site, fan, schedule):
    return {each["id"] for each in site.send(seats(fan.token, schedule.id)).ok()}


def test_from_registering_to_a_ticket(site, db, schedule):
    with db.policy(state="paused"):
        user = site.do(register("김 팬")).ok()["userId"]
        ticket = site.do(issue(user)).ok()
        token = ticket["token"]
        assert ticket["status"] == "WAITING" and ticket["position"] >= 1
        site.send(dates(token)).refused(403, "not-admitted")
    wait_until(lambda: site.send(status(token)).ok()["status"] == "ACTIVE", 10, "admission")

    listed = wait_until(lambda: [each for each in site.send(dates(token)).ok()
                                 if each["id"] == schedule.id], 5, "the schedule")[0]
    assert listed["concertName"] == schedule.name and listed["reservedSeats"] == 0
    free = site.send(seats(token, schedule.id)).ok()
    assert [each["seatNumber"] for each in free] == [str(n) for n in range(1, 51)]
    chosen = free[6]

    held = site.do(reserve(token, chosen["id"])).ok()
    assert held["status"] == "PENDING" and held["seat"]["seatNumber"] == "7"
    assert site.do(charge(user, 1500)).ok() == {"balance": 1500}
    paid = site.do(pay(token, chosen["id"])).ok()
    assert paid["status"] == "PAID" and paid["totalAmount"] == 1000
    assert site.send(check(user)).ok() == {"balance": 500}

    # The front's picture of the line is a fifth of a second old at most.
    wait_until(lambda: site.send(status(token)).code == "token-finished", 2, "the token's end")
    site.send(status(token)).refused(401, "token-finished")
    site.send(reserve(token, free[7]["id"])).refused(401, "token-finished")
    assert db.value("SELECT status FROM waiting_queue WHERE id = %s", db.ticket(user)) == "FINISHED"
    assert db.holds(chosen["id"]) == [(db.user(user), "PAID")]


def test_a_user_id_is_a_random_uuid(site):
    first, second = site.users(2)
    assert uuid.UUID(first).version == 4 and first != second
    assert str(uuid.UUID(first)) == first


def test_an_issued_ticket_says_all_about_the_place(site):
    issued = site.do(issue(site.users()[0])).ok()
    assert set(issued) == PLACE | {"token"}
    assert issued["token"].count(".") == 2


def test_an_active_status(site):
    found = site.send(status(site.fan().token)).ok()
    assert set(found) == PLACE
    assert (found["position"], found["ahead"], found["etaSeconds"]) == (0, 0, 0)
    assert TIMESTAMP.match(found["expiresAt"]) and found["pollAfterMs"] > 0


def test_a_date_has_its_fields(site, schedule):
    found = own_date(site, site.fan(), schedule)
    assert set(found) == {"id", "concertId", "concertName", "totalSeats", "reservedSeats",
                          "open_at", "close_at", "booking_start_at", "booking_end_at"}
    assert found["totalSeats"] == 50 and found["concertId"] == schedule.concert_id
    assert found["open_at"] == "2030-01-01T19:00:00.000000Z"
    assert TIMESTAMP.match(found["booking_end_at"])


def test_dates_of_one_concert(site, db, schedule):
    other = db.schedule(seats=1)
    fan = site.fan()
    own_date(site, fan, other)
    found = site.send(dates(fan.token, concertId=schedule.concert_id)).ok()
    assert [each["id"] for each in found] == [schedule.id]


def test_reserved_seats_are_counted(site, schedule):
    fan = site.fan()
    own_date(site, fan, schedule)
    site.do(reserve(fan.token, schedule.seats[0])).ok()
    wait_until(lambda: own_date(site, fan, schedule)["reservedSeats"] == 1, 5, "the count")


def test_a_held_seat_is_not_offered(site, schedule):
    fan = site.fan()
    own_date(site, fan, schedule)
    site.do(reserve(fan.token, schedule.seats[3])).ok()
    wait_until(lambda: free_seats(site, fan, schedule)
               == set(schedule.seats) - {schedule.seats[3]}, 3, "the seat's disappearance")


def test_seats_of_an_unknown_schedule(site):
    site.send(seats(site.fan().token, 9007199254740991)).refused(404, "unknown-schedule")


def test_a_reservation_has_its_fields(site, db, schedule):
    found = site.do(reserve(site.fan().token, schedule.seats[11])).ok()
    assert set(found) == {"id", "seat", "status", "price", "created_at", "expires_at"}
    assert found["seat"] == {"id": schedule.seats[11], "isActive": False, "seatNumber": "12"}
    assert found["price"] == 1000 and found["status"] == "PENDING"
    assert TIMESTAMP.match(found["created_at"]) and TIMESTAMP.match(found["expires_at"])
    assert found["id"] == db.value("SELECT id FROM seat_reservation WHERE seat_id = %s",
                                   schedule.seats[11])


def test_a_payment_has_its_fields(site, schedule):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, schedule.seats[0])).ok()
    found = site.do(pay(fan.token, schedule.seats[0])).ok()
    assert set(found) == {"id", "seatNumber", "concertName", "openDate", "closeDate",
                          "totalAmount", "status", "created_at"}
    assert found["seatNumber"] == "1" and found["concertName"] == schedule.name
    assert found["openDate"] == "2030-01-01T19:00:00.000000Z"
    assert found["closeDate"] == "2030-01-01T22:00:00.000000Z"


def test_the_same_schedule_serves_the_next_with_a_new_ticket(site, schedule):
    """After a payment one may join the line again and buy another seat."""
    fan = site.fan(balance=2000)
    site.do(reserve(fan.token, schedule.seats[0])).ok()
    site.do(pay(fan.token, schedule.seats[0])).ok()
    fan.token = site.do(issue(fan.user)).ok()["token"]
    site.wait_admitted([fan])
    site.do(reserve(fan.token, schedule.seats[1])).ok()
    site.do(pay(fan.token, schedule.seats[1])).ok()
    assert site.balances([fan.user]) == [0]


def test_cancelling_frees_the_seat(site, db, seat):
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    cancelled = site.do(cancel(first.token, seat)).ok()
    assert cancelled["status"] == "CANCELLED"
    site.do(reserve(second.token, seat)).ok()
    assert db.statuses(seat) == ["CANCELLED", "PENDING"]


def test_cancelling_anothers_hold(site, seat):
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    site.do(cancel(second.token, seat)).refused(409, "not-held")
    site.do(reserve(second.token, seat)).refused(409, "seat-held")


def test_cancelling_what_nobody_holds(site, seat):
    site.do(cancel(site.fan().token, seat)).refused(409, "not-held")


def test_cancelling_what_is_paid(site, db, seat):
    fan = site.fan(balance=1000)
    token = fan.token
    site.do(reserve(token, seat)).ok()
    site.do(pay(token, seat)).ok()
    fan.token = site.do(issue(fan.user)).ok()["token"]
    site.wait_admitted([fan])
    site.do(cancel(fan.token, seat)).refused(409, "not-held")
    assert db.statuses(seat) == ["PAID"]


def test_paying_anothers_hold(site, db, seat):
    first, second = site.fans(2, balance=1000)
    site.do(reserve(first.token, seat)).ok()
    site.do(pay(second.token, seat)).refused(409, "not-held")
    assert db.balance(second.user) == 1000


def test_paying_what_nobody_holds(site, seat):
    site.do(pay(site.fan(balance=1000).token, seat)).refused(409, "not-held")


def test_paying_without_enough_says_what_is_missing(site, db, seat):
    fan = site.fan(balance=400)
    site.do(reserve(fan.token, seat)).ok()
    refused = site.do(pay(fan.token, seat)).refused(402, "insufficient-balance")
    assert refused["data"] == {"balance": 400, "price": 1000, "missing": 600}
    assert db.balance(fan.user) == 400 and db.statuses(seat) == ["PENDING"]


def test_paying_with_exactly_the_price(site, seat):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    site.do(pay(fan.token, seat)).ok()
    assert site.balances([fan.user]) == [0]


def test_a_held_seat_is_refused_to_others(site, seat):
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    site.do(reserve(second.token, seat)).refused(409, "seat-held")


def test_a_sold_seat_is_refused(site, seat):
    first, second = site.fans(2, balance=1000)
    site.do(reserve(first.token, seat)).ok()
    site.do(pay(first.token, seat)).ok()
    site.do(reserve(second.token, seat)).refused(409, "seat-sold")


def test_a_second_hold_is_refused(site, schedule):
    fan = site.fan()
    site.do(reserve(fan.token, schedule.seats[0])).ok()
    site.do(reserve(fan.token, schedule.seats[1])).refused(409, "already-holding")


def test_a_hold_again_is_the_same_hold(site, db, seat):
    fan = site.fan()
    first = site.do(reserve(fan.token, seat)).ok()
    again = site.do(reserve(fan.token, seat)).ok()
    assert again == first
    assert db.statuses(seat) == ["PENDING"]


@pytest.mark.parametrize("booking_s", [(60, 3600), (-3600, -1)], ids=["too early", "too late"])
def test_outside_the_booking_times(site, db, booking_s):
    seat = db.schedule(seats=1, booking_s=booking_s).seats[0]
    site.do(reserve(site.fan().token, seat)).refused(409, "not-on-sale")
    assert db.holds(seat) == []


def test_a_seat_taken_off_sale(site, db, seat):
    db.run("UPDATE seat SET is_active = FALSE WHERE id = %s", seat)
    site.do(reserve(site.fan().token, seat)).refused(409, "not-on-sale")


@pytest.mark.parametrize("call", [reserve, cancel, pay])
def test_an_unknown_seat(site, call):
    site.do(call(site.fan().token, 9007199254740991)).refused(404, "unknown-seat")


def test_charges_add_up(site):
    user = site.users()[0]
    assert [site.do(charge(user, amount)).ok()["balance"] for amount in (1, 20, 300)] \
        == [1, 21, 321]
    assert site.send(check(user)).ok() == {"balance": 321}


def test_a_new_user_has_nothing(site):
    assert site.balances(site.users()) == [0]


def test_the_balance_by_token(site):
    fan = site.fan(balance=77)
    assert site.send(get("/user/check", fan.token)).ok() == {"balance": 77}


@pytest.mark.parametrize("call", [
    lambda user: charge(user, 10), issue, check,
    lambda user: issue(user, resume=True)], ids=["charge", "issue", "check", "resume"])
def test_an_unknown_user(site, call):
    site.do(call(str(uuid.uuid4()))).refused(404, "unknown-user")


def test_a_user_id_in_capitals_is_the_same_user(site):
    user = site.users()[0]
    site.do(charge(user.upper(), 5)).ok()
    assert site.balances([user]) == [5]


def test_health_and_readiness(site):
    assert site.send(get("/healthz")).ok() == {"status": "ok"}
    assert site.send(get("/readyz")).ok() == {"status": "ready", "broker": True, "database": True}


def test_every_answer_has_a_request_id(site):
    answers = [site.send(call) for call in
               (get("/healthz"), get("/nowhere"), register(), post("/user", b"{"))]
    found = [answer.header("X-Request-Id") for answer in answers]
    assert all(found) and len(set(found)) == len(found)


def test_a_forged_job_handle(site):
    site.send(get("/jobs/abc.def.ghi")).refused(404, "unknown-job")
