"""A hold ends at its time: told by the delay queue, judged on read and on reserve, and swept."""

import time
import uuid
from datetime import datetime

from amqp import SEAT_PARTITIONS, envelope, job, partition
from api import cancel, new_key, pay, reserve, seats
from wait import wait_for_moment, wait_until


def is_free(site, fan, schedule, seat):
    return seat in {each["id"] for each in site.send(seats(fan.token, schedule.id)).ok()}


def held(site, db, schedule, seat, **options):
    """Two fans; the first holds the seat, the second sees that."""
    first, second = site.fans(2, balance=1000, **options)
    site.do(reserve(first.token, seat)).ok()
    # By both fronts: each renews its snapshot in its own time.
    wait_until(lambda: not any(is_free(site, second, schedule, seat) for _ in range(8)), 3,
               "the hold to be seen")
    return first, second, db.expiry(seat)


def wait_until_free(site, fan, schedule, seat, expiry):
    """Asserts that the seat comes free within a second of its time, and not before."""
    def asked():
        before = time.monotonic()
        return before if is_free(site, fan, schedule, seat) else None

    seen = wait_until(asked, expiry + 1.0 - time.monotonic(), "the seat within a second", 0.02)
    assert seen >= expiry - 0.05, f"free {expiry - seen:.3f} s too early"


def hold_of(db, seat):
    """What an expire job calls a hold: the id of the job that made it."""
    return str(uuid.UUID(bytes=db.value("SELECT job_id FROM seat_reservation WHERE seat_id = %s",
                                        seat)))


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def test_a_hold_lasts_as_long_as_the_policy_says(site, seat, hold_s):
    found = site.do(reserve(site.fan().token, seat)).ok()
    assert seconds(found["expires_at"]) - seconds(found["created_at"]) == hold_s


def test_an_expired_hold_frees_its_seat(site, db, schedule):
    seat = schedule.seats[0]
    first, second, expiry = held(site, db, schedule, seat)
    wait_until_free(site, second, schedule, seat, expiry)
    refusal = site.do(pay(first.token, seat)).refused(409, "hold-expired")
    assert refusal["data"] == {"seatState": "free"}
    assert db.balance(first.user) == 1000
    site.do(reserve(second.token, seat)).ok()
    site.do(pay(second.token, seat)).ok()
    assert db.statuses(seat) == ["EXPIRED", "PAID"]


def test_an_expired_hold_stays_readable(site, db, seat, hold_s):
    site.do(reserve(site.fan().token, seat)).ok()
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s + 3, "expiry")


def test_each_hold_publishes_its_expiry(site, broker, db, schedule, hold_s):
    queue = f"hold.expiry.{hold_s}s"
    wait_until(lambda: broker.depth(queue) == 0, hold_s + 3, "an empty delay queue")
    fans = site.fans(5)
    for fan, seat in zip(fans, schedule.seats):
        site.do(reserve(fan.token, seat)).ok()
    wait_until(lambda: broker.depth(queue) == 5, 2, "five messages that wait")
    wait_until(lambda: broker.depth(queue) == 0, hold_s + 3, "the delay to pass")
    wait_until(lambda: all(db.statuses(seat) == ["EXPIRED"] for seat in schedule.seats[:5]), 3,
               "expiry")


def test_a_repeated_reserve_publishes_no_second_expiry(site, broker, db, seat, hold_s):
    """Else one fan could fill the delay queue, and nobody could reserve any more."""
    queue = f"hold.expiry.{hold_s}s"
    wait_until(lambda: broker.depth(queue) == 0, hold_s + 3, "an empty delay queue")
    fan, key = site.fan(), new_key()
    for each in (key, key, new_key(), new_key()):
        site.do(reserve(fan.token, seat, each)).ok()
    wait_until(lambda: broker.depth(queue) == 1, 2, "the one message that waits")


def test_a_full_delay_queue_stops_no_sale(site, broker, db, schedule, hold_s):
    """The sweeper finds the holds whose expiry the broker refused."""
    policy = f"policies/{broker.vhost}/full"
    broker.management(policy, "PUT", {"pattern": r"^hold\\.expiry\\.", "apply-to": "queues",
                                      "definition": {"max-length": 1}})
    try:
        fans = site.fans(8, balance=1000)
        for fan, seat in zip(fans, schedule.seats):
            site.do(reserve(fan.token, seat)).ok()
        site.do(pay(fans[0].token, schedule.seats[0])).ok()
        wait_until(lambda: [db.statuses(seat) for seat in schedule.seats[1:8]]
                   == [["EXPIRED"]] * 7, hold_s + 5, "the sweeper")
    finally:
        broker.management(policy, "DELETE")


def test_a_hold_on_a_seat_that_was_taken_off_ends(site, db, schedule, hold_s):
    first, second = site.fans(2, balance=1000)
    gone, left = schedule.seats[:2]
    for fan, seat in ((first, gone), (second, left)):
        site.do(reserve(fan.token, seat)).ok()
    db.run("UPDATE seat SET deleted_at = SYSDATE(6) WHERE id = %s", gone)
    site.do(pay(first.token, gone)).refused(404, "unknown-seat")
    db.run("UPDATE concert_schedule SET deleted_at = SYSDATE(6) WHERE id = %s", schedule.id)
    site.do(pay(second.token, left)).refused(404, "unknown-seat")
    wait_until(lambda: [db.statuses(seat) for seat in (gone, left)] == [["EXPIRED"]] * 2,
               hold_s + 3, "expiry")
    assert site.balances([first.user, second.user]) == [1000, 1000]


def test_with_the_delay_queue_purged_the_sweeper_expires(site, broker, db, schedule, hold_s):
    seat = schedule.seats[0]
    first, second, expiry = held(site, db, schedule, seat)
    broker.purge(f"hold.expiry.{hold_s}s")
    wait_until_free(site, second, schedule, seat, expiry)
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], 3, "the sweeper")
    site.do(pay(first.token, seat)).refused(409, "hold-expired")
    site.do(reserve(second.token, seat)).ok()


def test_with_all_workers_away_the_seat_is_free_all_the_same(site, instance, db, schedule):
    seat = schedule.seats[0]
    first, second, expiry = held(site, db, schedule, seat)
    try:
        instance.stop("seat-worker")
        wait_until_free(site, second, schedule, seat, max(expiry, time.monotonic()))
        assert db.statuses(seat) == ["PENDING"], "somebody expired it without a worker"
    finally:
        instance.start("seat-worker")
    site.do(pay(first.token, seat)).refused(409, "hold-expired")
    site.do(reserve(second.token, seat)).ok()
    assert db.statuses(seat) == ["EXPIRED", "PENDING"]
    assert db.balance(first.user) == 1000


def test_expiry_is_judged_on_reserve(site, db, seat):
    """A hold whose time is over is no obstacle, though nobody has tidied it up yet."""
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
    site.do(reserve(second.token, seat)).ok()
    assert db.statuses(seat) == ["EXPIRED", "PENDING"]


def test_expiry_is_judged_on_pay_and_cancel(site, db, schedule):
    fans = site.fans(2, balance=1000)
    for fan, seat, call in zip(fans, schedule.seats, (pay, cancel)):
        site.do(reserve(fan.token, seat)).ok()
        db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
        site.do(call(fan.token, seat)).refused(409, "hold-expired")


def test_an_early_expiry_message_frees_nothing(site, broker, db, seat):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    hold = hold_of(db, seat)
    broker.publish("seat", partition(seat), envelope(job("expire", seatId=seat, hold=hold)))
    site.do(pay(fan.token, seat)).ok()
    assert db.statuses(seat) == ["PAID"]


def test_an_expiry_message_for_a_former_hold_frees_nothing(site, broker, db, seat):
    """An expire names its hold: the seat's next holder is not its business."""
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    hold = hold_of(db, seat)
    site.do(cancel(first.token, seat)).ok()
    site.do(reserve(second.token, seat)).ok()
    broker.publish("seat", partition(seat), envelope(job("expire", seatId=seat, hold=hold)))
    # Messages of a partition are taken in order: this answer comes after the expire.
    site.do(reserve(second.token, seat)).ok()
    assert db.statuses(seat) == ["CANCELLED", "PENDING"]


def test_any_partition_may_process_any_expire(site, broker, db, seat):
    fan = site.fan()
    site.do(reserve(fan.token, seat)).ok()
    hold = hold_of(db, seat)
    db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
    broker.publish("seat", str((seat + 1) % SEAT_PARTITIONS),
                   envelope(job("expire", seatId=seat, hold=hold)))
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], 3, "expiry")


def test_a_hold_keeps_the_price_of_its_moment(site, db, seat):
    fan = site.fan(balance=5000)
    assert site.do(reserve(fan.token, seat)).ok()["price"] == 1000
    db.run("UPDATE seat SET price = 4000 WHERE id = %s", seat)
    assert site.do(pay(fan.token, seat)).ok()["totalAmount"] == 1000
    assert db.balance(fan.user) == 4000


def test_reserving_again_does_not_extend(site, db, seat, hold_s):
    fan = site.fan()
    site.do(reserve(fan.token, seat)).ok()
    expiry = db.expiry(seat)
    wait_for_moment(expiry - hold_s / 2)
    site.do(reserve(fan.token, seat)).ok()
    assert abs(db.expiry(seat) - expiry) < 0.1
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s, "expiry")


def test_after_expiry_the_same_fan_may_hold_again(site, db, seat, hold_s):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s + 3, "expiry")
    site.do(reserve(fan.token, seat)).ok()
    site.do(pay(fan.token, seat)).ok()
    assert db.statuses(seat) == ["EXPIRED", "PAID"]
