"""The map of a schedule's seats: states, whose they are, and versions that any front may compare."""

from amqp import job, partition
from api import cancel, get, issue, pay, reserve, seat_map
from wait import wait_until


def told(site, token, schedule):
    return site.send(seat_map(token, schedule.id)).ok()


def states(map_):
    return [seat["state"] for seat in map_["seats"]]


def wait_for(site, token, schedule, *wanted):
    def there():
        found = told(site, token, schedule)
        return states(found) == list(wanted) and found

    return wait_until(there, 10, f"the seats to be {wanted}", 0.05)


def test_a_map_has_every_seat_in_the_order_of_the_numbers(site, db, schedule):
    fan = site.fan()
    wait_for(site, fan.token, schedule, *["free"] * 50)
    found = told(site, fan.token, schedule)
    assert set(found) == {"version", "seats"} and isinstance(found["version"], int)
    assert found["seats"] == [
        {"id": seat, "seatNumber": str(number), "price": 1000, "state": "free", "mine": False}
        for number, seat in enumerate(schedule.seats, 1)]


def test_seats_are_told_with_their_state_and_whose_they_are(site, db):
    schedule = db.schedule(seats=4)
    buyer, holder, other = site.fans(3, balance=1000)
    db.run("UPDATE seat SET is_active = FALSE, updated_at = SYSDATE(6) WHERE id = %s", schedule.seats[3])
    site.do(reserve(buyer.token, schedule.seats[0])).ok()
    site.do(pay(buyer.token, schedule.seats[0])).ok()
    site.do(reserve(holder.token, schedule.seats[1])).ok()
    wanted = ("sold", "held", "free", "closed")
    assert [seat["mine"] for seat in wait_for(site, holder.token, schedule, *wanted)["seats"]] == \
        [False, True, False, False]
    assert not any(seat["mine"] for seat in wait_for(site, other.token, schedule, *wanted)["seats"])
    # Who bought, and joined the line again, still knows the seat as theirs.
    buyer.token = site.do(issue(buyer.user)).ok()["token"]
    site.wait_admitted([buyer])
    assert [seat["mine"] for seat in wait_for(site, buyer.token, schedule, *wanted)["seats"]] == \
        [True, False, False, False]


def test_a_version_grows_with_all_that_happens(site, db, operator, hold_s):
    schedule = db.schedule(seats=1)
    seat = schedule.seats[0]
    fan, other, watcher = site.fans(3, balance=1000)
    versions = [wait_for(site, fan.token, schedule, "free")["version"]]

    def step(state):
        found = wait_for(site, fan.token, schedule, state)["version"]
        wait_until(lambda: len({told(site, each.token, schedule)["version"] for each in (fan, watcher)}) == 1,
                   5, "the fronts to agree")
        versions.append(found)

    site.do(reserve(fan.token, seat)).ok()
    step("held")
    site.do(cancel(fan.token, seat)).ok()
    step("free")
    site.do(reserve(fan.token, seat)).ok()
    step("held")
    step("free")  # by time
    wait_until(lambda: db.statuses(seat)[-1] == "EXPIRED", hold_s + 10, "the hold to be tidied")
    site.do(reserve(other.token, seat)).ok()
    step("held")
    payment = site.do(pay(other.token, seat)).ok()["id"]
    step("sold")
    operator.ask("seat", partition(seat), job("refund", seatId=seat, payment=payment))
    step("free")
    db.run("UPDATE seat SET price = 2000, updated_at = SYSDATE(6) WHERE id = %s", seat)

    def dearer():
        found = told(site, fan.token, schedule)
        return found["seats"][0]["price"] == 2000 and found["version"]

    versions.append(wait_until(dearer, 5, "the new price", 0.05))
    db.run("INSERT INTO seat (concert_schedule_id, seat_number, is_active, price, created_at, updated_at)"
           " VALUES (%s, '2', TRUE, 1000, SYSDATE(6), SYSDATE(6))", schedule.id)
    versions.append(wait_for(site, fan.token, schedule, "free", "free")["version"])
    assert versions == sorted(set(versions)), versions


def test_a_map_is_for_who_is_admitted(site, db, schedule):
    with db.policy(state="paused"):
        waiting = site.fan(admitted=False)
        refusal = site.send(seat_map(waiting.token, schedule.id)).refused(403, "not-admitted")
        assert refusal["data"]["status"] == "WAITING"
    site.wait_admitted([waiting])
    site.send(get("/concert/seats", concertScheduleId=schedule.id)).refused(401, "token-missing")
    site.send(get("/concert/seats", waiting.token)).refused(400, "bad-field")
    site.send(seat_map(waiting.token, "x")).refused(400, "bad-field")
    site.send(seat_map(waiting.token, 9007199254740991)).refused(404, "unknown-schedule")


def test_a_schedule_whose_booking_is_over_has_no_seats(site, db):
    schedule = db.schedule(seats=2, booking_s=(-3600, -1))
    token = site.fan().token
    wait_until(lambda: site.send(seat_map(token, schedule.id)).status == 200, 5, "the schedule", 0.05)
    assert told(site, token, schedule) == {"version": 0, "seats": []}
