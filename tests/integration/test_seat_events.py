"""Seats as they change: pushed to all who listen to a schedule, and no change is missed unseen."""

import contextlib
import signal
import time

import pytest

from api import Call, cancel, get, pay, reserve, seat_events, seat_map
from test_events import STREAM, Listener
from wait import wait_until


class Viewer:
    """A client by the book (PROTOCOL.md): a map, and the messages that lead on from it."""

    def __init__(self, site, token, schedule, deadline_s=15):
        self.site, self.token, self.schedule = site, token, schedule
        self.version, self.states, self.maps = 0, {}, 0
        self.listener = Listener(site, token, f"/concert/seat-events?concertScheduleId={schedule.id}",
                                 deadline_s=deadline_s)
        self.read_map()

    def read_map(self):
        found = self.site.send(seat_map(self.token, self.schedule.id)).ok()
        self.version = found["version"]
        self.states = {seat["id"]: seat["state"] for seat in found["seats"]}
        self.maps += 1
        return self.version

    def read(self):
        message = self.listener.read()
        assert set(message) == {"from", "version", "at", "changes"}
        if message["from"] == self.version:
            self.states.update(message["changes"])
            self.version = message["version"]
        elif message["version"] > self.version:
            # The front that answers may be a little behind the one that publishes.
            wait_until(lambda: self.read_map() >= message["version"], 5, "the map to catch up", 0.1)
        return message

    def read_while(self, condition, deadline_s=20):
        """Reads messages; those that say nothing come for ever."""
        end = time.monotonic() + deadline_s
        while condition():
            assert time.monotonic() < end, f"not within {deadline_s} s: {self.states}"
            self.read()
        return time.monotonic()

    def read_until(self, seat, state):
        return self.read_while(lambda: self.states[seat] != state)


@contextlib.contextmanager
def viewing(site, token, schedule, **options):
    def known():
        return site.send(seat_map(token, schedule.id)).status == 200

    wait_until(known, 5, "the schedule", 0.05)
    viewer = Viewer(site, token, schedule, **options)
    try:
        yield viewer
    finally:
        viewer.listener.close()


def test_changes_are_told_and_nothing_else(site, db):
    schedule = db.schedule(seats=3)
    fan, other = site.fans(2, balance=1000)
    first, second, _ = schedule.seats
    with viewing(site, other.token, schedule) as viewer:
        assert viewer.listener.answer.status == 200
        assert viewer.listener.answer.getheader("Content-Type").startswith("text/event-stream")
        assert viewer.listener.answer.getheader("X-Request-Id")
        viewer.read()
        site.do(reserve(fan.token, first)).ok()
        viewer.read_until(first, "held")
        site.do(cancel(fan.token, first)).ok()
        viewer.read_until(first, "free")
        site.do(reserve(fan.token, second)).ok()
        site.do(pay(fan.token, second)).ok()
        viewer.read_until(second, "sold")
        assert viewer.maps < 8  # the stream alone would do; fronts may differ for a moment


def test_a_hold_that_runs_out_is_told(site, db):
    schedule = db.schedule(seats=1)
    fan, other = site.fans(2)
    with viewing(site, other.token, schedule) as viewer:
        site.do(reserve(fan.token, schedule.seats[0])).ok()
        viewer.read_until(schedule.seats[0], "held")
        assert viewer.read_until(schedule.seats[0], "free") - db.expiry(schedule.seats[0]) < 1


def test_the_end_of_the_booking_is_told_once(site, db):
    schedule = db.schedule(seats=2, booking_s=(-3600, 4))
    with viewing(site, site.fan().token, schedule, deadline_s=7) as viewer:
        assert viewer.version > 0
        wait_until(lambda: viewer.listener.read()["version"] == 0, 10, "the end", 0)
        ended = db.value("SELECT UNIX_TIMESTAMP(booking_end_at) FROM concert_schedule WHERE id = %s", schedule.id)
        assert time.monotonic() - (float(ended) - db.clock_offset()) < 1
        wait_until(lambda: viewer.read_map() == 0, 5, "the empty map", 0.1)
        assert viewer.states == {}
        with pytest.raises(TimeoutError):
            viewer.listener.read()


def test_a_change_is_seen_within_a_second(site, db):
    schedule = db.schedule(seats=50)
    *fans, watcher = site.fans(31)
    waits = []
    with viewing(site, watcher.token, schedule) as viewer:
        viewer.read()
        for fan, seat in zip(fans, schedule.seats):
            site.do(reserve(fan.token, seat)).ok()
            begin = time.monotonic()
            waits.append(viewer.read_until(seat, "held") - begin)
    assert max(waits) < 1, sorted(waits)


def test_the_newest_message_comes_at_once_and_shows_a_gap(site, db):
    schedule = db.schedule(seats=2)
    fan, other = site.fans(2)
    with viewing(site, other.token, schedule) as viewer:
        site.do(reserve(fan.token, schedule.seats[0])).ok()
        viewer.read_until(schedule.seats[0], "held")
        begin = time.monotonic()
        late = Listener(site, other.token, f"/concert/seat-events?concertScheduleId={schedule.id}")
        try:
            assert late.read()["version"] == viewer.version
            assert time.monotonic() - begin < 0.5
        finally:
            late.close()


def test_silence_is_no_longer_than_ten_seconds(site, db):
    schedule = db.schedule(seats=1)
    with viewing(site, site.fan().token, schedule) as viewer:
        viewer.read()
        for _ in range(2):
            message = viewer.read()  # within the deadline of the connection
        assert message["changes"] == [] and message["from"] == message["version"] == viewer.version


def test_everybody_sees_the_same_in_the_end(site, db):
    """Many change seats at once, through both fronts; viewers of both end with the map of both."""
    schedule = db.schedule(seats=20)
    fans = site.fans(40)
    with contextlib.ExitStack() as stack:
        viewers = [stack.enter_context(viewing(site, fan.token, schedule)) for fan in fans[:6]]
        for round_ in range(3):
            site.settle_all(site.swarm([reserve(fan.token, schedule.seats[(i + round_) % 20])
                                        for i, fan in enumerate(fans)], 40))
            site.settle_all(site.swarm([cancel(fan.token, schedule.seats[(i + round_) % 20])
                                        for i, fan in enumerate(fans[:15])], 40))

        wait_until(lambda: db.value("SELECT COUNT(*) FROM seat_reservation r JOIN seat t ON t.id = r.seat_id"
                                    " WHERE t.concert_schedule_id = %s AND r.status = 'PENDING'",
                                    schedule.id) == 0, 20, "all holds to be over", 0.1)
        for viewer in viewers:
            viewer.read_while(lambda seen=viewer: set(seen.states.values()) != {"free"})
        wait_until(lambda: all(site.send(seat_map(fan.token, schedule.id)).ok()["version"] ==
                               site.send(seat_map(fans[0].token, schedule.id)).ok()["version"]
                               for fan in fans[:6]), 5, "the fronts to agree")


def test_listening_needs_an_admitted_token_and_a_schedule(site, db, schedule):
    with db.policy(state="paused"):
        fan = site.fan(admitted=False)
        refusal = site.send(seat_events(fan.token, schedule.id)).refused(403, "not-admitted")
        assert refusal["data"]["status"] == "WAITING"
    site.wait_admitted([fan])
    path = f"/concert/seat-events?concertScheduleId={schedule.id}"
    site.send(Call("GET", path, None, [STREAM])).refused(401, "token-missing")
    site.send(Call("GET", f"{path}&token={fan.token}", None, [STREAM])).refused(400, "bad-field")
    site.send(seat_events("nonsense", schedule.id)).refused(401, "token-invalid")
    site.send(seat_events(fan.token, "x")).refused(400, "bad-field")
    site.send(seat_events(fan.token, 9007199254740991)).refused(404, "unknown-schedule")
    site.send(get("/concert/seat-events", fan.token).with_header(*STREAM)).refused(400, "bad-field")
    site.send(get("/concert/seat-events", fan.token, concertScheduleId=schedule.id)).refused(406, "bad-request")
    refused = site.send(Call("POST", path, b"", [STREAM, ("queue-token", fan.token)]))
    refused.refused(405, "method-not-allowed")
    assert refused.header("Allow") == "GET"
    for path in (f"/.seats/{schedule.id}", f"/seats/{schedule.id}"):
        site.send(get(path, fan.token).with_header(*STREAM)).refused(404, "not-found")


def test_listeners_cost_no_query(site, db, schedule):
    def queries(span_s=3):
        begin, started = time.monotonic(), db.counter("Com_stmt_execute")
        wait_until(lambda: time.monotonic() - begin >= span_s, span_s + 5, "the span")
        return db.counter("Com_stmt_execute") - started

    token = site.fan().token
    alone = queries()
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            listener = Listener(site, token, f"/concert/seat-events?concertScheduleId={schedule.id}")
            stack.callback(listener.close)
            assert listener.answer.status == 200
        assert queries() < alone * 1.3 + 50


def buy(site, fan, seat):
    """Stays as it is: a hold may be over before another front goes on."""
    site.do(reserve(fan.token, seat)).ok()
    site.do(pay(fan.token, seat)).ok()
    return time.monotonic()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["told", "killed"])
def test_another_front_goes_on_at_once_when_one_ends(site, instance, db, number):
    """The one that publishes is one of the two; how it ends makes no difference."""
    schedule = db.schedule(seats=4)
    fans = site.fans(3, balance=1000)
    with viewing(site, fans[0].token, schedule, deadline_s=20) as viewer:
        viewer.read()
        for name, fan, seat in zip(("front-0", "front-1"), fans[1:], schedule.seats):
            instance.end(name, number)
            try:
                begin = buy(site, fan, seat)
                assert viewer.read_until(seat, "sold") - begin < 1
            finally:
                instance.start(name)
                site.await_ready()


def test_another_front_goes_on_when_one_is_stopped(site, instance, db):
    """It is silent, not gone: that shows after two seconds. When it wakes up one of them publishes."""
    schedule = db.schedule(seats=2)
    with viewing(site, site.fan().token, schedule, deadline_s=20) as viewer:
        viewer.read()
        for name, seat in zip(("front-0", "front-1"), schedule.seats):
            instance.send_signal(name, signal.SIGSTOP)
            try:
                db.run("UPDATE seat SET is_active = 0, updated_at = SYSDATE(6) WHERE id = %s", seat)
                begin = time.monotonic()
                # The map would perhaps be asked of the one that is stopped.
                message = wait_until(lambda: newer_than(viewer), 20, "the change", 0)
                assert time.monotonic() - begin < 6
            finally:
                instance.send_signal(name, signal.SIGCONT)
                site.await_ready()
            viewer.version = message["version"]
        # The front that was stopped last may still have the map of before.
        wait_until(lambda: viewer.read_map() >= message["version"], 5, "the map to catch up", 0.1)
        assert set(viewer.states.values()) == {"closed"}


def newer_than(viewer):
    message = viewer.listener.read()
    return message["version"] > viewer.version and message


def test_it_recovers_after_nginx(site, instance, db):
    schedule = db.schedule(seats=1)
    fan, other = site.fans(2, balance=1000)
    instance.end("nginx", 9)
    instance.start("nginx")
    with viewing(site, other.token, schedule) as viewer:
        viewer.read()
        begin = buy(site, fan, schedule.seats[0])
        assert viewer.read_until(schedule.seats[0], "sold") - begin < 5
