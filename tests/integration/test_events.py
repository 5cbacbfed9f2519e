"""Push: one broadcast for all who listen at GET /queue/events."""

import contextlib
import http.client
import json
import time

import pytest

from api import Call, get, issue, leave, status
from wait import wait_until

STREAM = ("Accept", "text/event-stream")


class Listener:
    """An open stream of events; read() waits for the next tick."""

    def __init__(self, site, token, path="/queue/events", last=None, deadline_s=10, headers=()):
        self.connection = http.client.HTTPConnection(site.host, site.port, timeout=deadline_s)
        headers = dict([STREAM, ("queue-token", token), *headers])
        if last is not None:
            headers["Last-Event-ID"] = last
        self.connection.request("GET", path, headers=headers)
        self.answer = self.connection.getresponse()
        self.id = None

    def read(self):
        while True:
            line = self.answer.readline().decode()
            assert line, "the stream has ended"
            if line.startswith("id: "):
                self.id = line[4:].strip()
            if line.startswith("data: "):
                return json.loads(line[6:])

    def close(self):
        self.answer.close()
        self.connection.close()


@contextlib.contextmanager
def listening(site, token, **options):
    listener = Listener(site, token, **options)
    try:
        yield listener
    finally:
        listener.close()


@pytest.fixture
def token(site):
    return site.fan().token


def test_a_listener_gets_ticks(site, token):
    with listening(site, token) as listener:
        assert listener.answer.status == 200
        assert listener.answer.getheader("Content-Type").startswith("text/event-stream")
        assert listener.answer.getheader("X-Request-Id")
        first, second = listener.read(), listener.read()
        assert set(first) == {"at", "served", "waiting", "perMinute", "marks", "gate", "sale",
                              "message"}
        assert first["gate"] == "open" and first["at"] < second["at"]


def test_the_newest_tick_comes_at_once(site, token):
    with listening(site, token) as listener:
        listener.read()
        last = listener.id
    for again in (None, "1:0", "nonsense"):
        begin = time.monotonic()
        with listening(site, token, last=again) as listener:
            listener.read()
            assert time.monotonic() - begin < 0.5
    with listening(site, token, last=last) as listener:
        listener.read()
        assert listener.id != last


def test_two_fronts_give_one_tick_a_second(site, token):
    """Or two when something changes, but not one each."""
    with listening(site, token) as listener:
        listener.read()
        begin = time.monotonic()
        ticks = 0
        while time.monotonic() - begin < 4:
            listener.read()
            ticks += 1
    assert 3 <= ticks <= 9


def test_a_client_works_out_its_place(site, db):
    wait_until(lambda: db.value("SELECT waiting FROM gate_state") == 0, 10, "an empty line")
    with db.policy(state="paused"):
        fans = site.fans(6, admitted=False)
        numbers = {}
        for fan in fans:
            numbers[fan.token] = site.send(status(fan.token)).ok()["number"]
        fans.sort(key=lambda fan: numbers[fan.token])
        site.do(leave(fans[2].token)).ok()
        fans.pop(2)

        def place(tick, number):
            """PROTOCOL.md, "Push"."""
            before = [mark for mark in tick["marks"] if mark[0] <= number]
            after = [mark for mark in tick["marks"] if mark[0] > number]
            ahead = before[-1][1] + number - before[-1][0]
            return 1 + (min(ahead, after[0][1] - 1) if after else ahead)

        with listening(site, fans[0].token) as listener:
            def told():
                tick = listener.read()
                return (tick["waiting"], tick["gate"]) == (5, "paused") and tick

            tick = wait_until(told, 5, "the line of five")
            for fan in fans:
                exact = site.send(status(fan.token)).ok()["position"]
                assert exact <= place(tick, numbers[fan.token]) <= exact + 1
            assert [place(tick, numbers[fan.token]) for fan in fans[:2]] == [1, 2]


def test_an_admission_is_known_within_a_second(site, db):
    wait_until(lambda: db.value("SELECT waiting FROM gate_state") == 0, 10, "an empty line")
    with db.policy(state="paused"):
        fan = site.fan(admitted=False)
        number = site.send(status(fan.token)).ok()["number"]
    with listening(site, fan.token) as listener:
        while listener.read()["served"] < number:
            pass
        heard = time.monotonic()
    admitted = float(db.value("SELECT UNIX_TIMESTAMP(admitted_at) FROM waiting_queue"
                              " WHERE id = %s", db.ticket(fan.user))) - db.clock_offset()
    assert heard - admitted < 1


def test_a_message_reaches_listeners_within_a_second(site, db, token):
    with listening(site, token) as listener:
        listener.read()
        with db.policy(message="one minute, please"):
            begin = time.monotonic()
            while listener.read()["message"] != "one minute, please":
                pass
            assert time.monotonic() - begin < 1.2


def test_listening_needs_a_token(site, token):
    site.send(get("/queue/events").with_header(*STREAM)).refused(401, "token-invalid")
    site.send(get("/queue/events", "nonsense").with_header(*STREAM)).refused(401, "token-invalid")
    # A secret has no place in an address, which is noted down on the way.
    site.send(Call("GET", f"/queue/events?token={token}", None, [STREAM])).refused(401, "token-invalid")
    site.send(get("/queue/events", token)).refused(406, "bad-request")
    site.send(Call("POST", "/queue/events", b"", [STREAM, ("queue-token", token)])) \
        .refused(405, "method-not-allowed")


def test_who_left_cannot_listen(site):
    user = site.users()[0]
    token = site.do(issue(user)).ok()["token"]
    site.do(leave(token)).ok()

    def refused():
        return site.send(status(token)).status == 401

    wait_until(refused, 5, "the end of the ticket")
    site.send(get("/queue/events", token).with_header(*STREAM)).refused(401, "token-invalid")


def test_another_front_goes_on_when_one_dies(site, instance, token):
    with listening(site, token, deadline_s=20) as listener:
        for name in ("front-0", "front-1"):
            instance.end(name, 9)
            try:
                for _ in range(2):
                    listener.read()  # the one that is kept may still be there
                begin = time.monotonic()
                listener.read()
                assert time.monotonic() - begin < 6
            finally:
                instance.start(name)


def test_a_listener_is_no_thread_of_a_front(site, instance, token):
    """Hundreds listen, and polls are answered as before."""
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(listening(site, token)) for _ in range(300)]
        for listener in listeners:
            listener.read()
        begin = time.monotonic()
        for answer in site.swarm([status(token)] * 500, 100):
            answer.ok()
        assert time.monotonic() - begin < 10
        ticks = [listener.read()["at"] for listener in listeners]
        assert max(ticks) >= min(ticks)


def test_it_recovers_after_nginx(site, instance, token):
    instance.end("nginx", 9)
    instance.start("nginx")
    with listening(site, token) as listener:
        listener.read()
        listener.read()
