"""How to get every answer that a call can give: a table of rows, one for each way, and the world that
their calls need. test_openapi.py sends them."""

import re
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from typing import Callable
from urllib.parse import urlencode

import jwt

from api import (Call, cancel, charge, get, issue, leave, new_key, own, pay, post, register, reserve, seat_events,
                 seat_map, status)
from instance import ROOT
from test_bearer import sign, signed_in
from wait import wait_until

PRICE = 1000
MOST = 9007199254740991
FORM = ("Content-Type", "application/x-www-form-urlencoded")
STREAM = ("Accept", "text/event-stream")
ROUTES = {f"{method} {path}": (needs, param, kind) for method, path, needs, param, kind in re.findall(
    r'^ROUTE\((\w+), "([^"]+)", ([^,]+), ([^,]+), (\w+),', (ROOT / "fcgi-front/routes.def").read_text(), re.MULTILINE)}


def which(is_so):
    return [name for name, route in ROUTES.items() if is_so(*route)]


ALL = list(ROUTES)
PAGES = which(lambda needs, param, kind: "ANSWERS_PAGE" in needs)
# nginx answers it, and asks a front only whether the token is good.
EVENTS = ["GET /queue/events"]
STREAMS = [*EVENTS, "GET /concert/seat-events"]
CALLS = [name for name in ALL if name not in PAGES + EVENTS]
WRITES = [name for name in which(lambda needs, param, kind: kind != "JOB_KIND_COUNT") if name not in PAGES]
WITH_BODY = which(lambda needs, param, kind: "NEEDS_BODY" in needs)
WITH_TOKEN = [name for name in which(lambda needs, param, kind: "NEEDS_TOKEN" in needs) if name not in EVENTS]
WHEN_ADMITTED = which(lambda needs, param, kind: "NEEDS_ADMITTED" in needs)
OWN = ["GET /user/check", "GET /user/reservations", "GET /user/cash-history"]
OF_A_SCHEDULE = which(lambda needs, param, kind: param == '"concertScheduleId"')
OF_A_SEAT = ["POST /reservation", "POST /reservation/cancel", "POST /payment"]
NAMING_A_USER = ["POST /queue/issue", "POST /user/charge"]
LIMITED = ["POST /user", "POST /queue/issue", "POST /join"]


class World:
    """What the calls of the rows are about. A token or user that a row may use up is made for it."""

    def __init__(self, site, db, keys):
        self.site = site
        self.db = db
        self.keys = keys  # kid → key of queue tokens
        # Made by the stages of which they are part.
        self.waiting = None   # a fan who is not let in
        self.drawn = None     # one in a draw that is not drawn
        self.late = []        # fans whose calls find no worker
        self.slow_job = None  # the path of a job that was answered 202

    @cached_property
    def schedule(self):
        return self.db.schedule(price=PRICE)

    @cached_property
    def fan(self):
        return self.site.fan()

    @cached_property
    def finished(self):
        fan, seat = self.holder()
        self.site.do(pay(fan.token, seat)).ok()
        return self.over(fan.token)

    @cached_property
    def left(self):
        fan = self.site.fan()
        self.site.do(leave(fan.token)).ok()
        return self.over(fan.token)

    def over(self, token):
        """This token, as soon as its front knows that it is over."""
        wait_until(lambda: self.site.send(status(token)).status == 401, 5, "the end of a token")
        return token

    @cached_property
    def past(self):
        """A token of ours whose own life is over."""
        (kid, key), *_ = self.keys.items()
        claims = jwt.decode(self.fan.token, key, ["HS256"], audience="queue")
        now = int(time.time())
        return jwt.encode({**claims, "iat": now - 100, "exp": now - 10}, key, "HS256", {"kid": kid})

    def seat(self):
        return self.db.schedule(seats=1, price=PRICE).seats[0]

    def holder(self, balance=PRICE):
        """A fan, and the seat it holds."""
        fan, seat = self.site.fan(balance=balance), self.seat()
        self.site.do(reserve(fan.token, seat)).ok()
        return fan, seat

    def lapsed(self):
        """A fan, and the seat that it no longer holds."""
        fan, seat = self.holder()
        self.db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
        return fan, seat

    def call(self, name, token=None, user=None, seat=None, schedule=None):
        """The call as it should be, for somebody who may make it."""
        token = token or self.fan.token
        user = user or self.fan.user
        seat = seat or self.schedule.seats[0]
        schedule = schedule or self.schedule.id
        made = {
            "POST /user": lambda: register(),
            "POST /queue/issue": lambda: issue(user, resume=True),
            "POST /queue/leave": lambda: leave(token),
            "POST /user/charge": lambda: charge(user, 1),
            "GET /queue/events": lambda: get("/queue/events", token).with_header(*STREAM),
            "GET /concert/available-seats": lambda: get("/concert/available-seats", token, concertScheduleId=schedule),
            "GET /concert/seats": lambda: seat_map(token, schedule),
            "GET /concert/seat-events": lambda: seat_events(token, schedule),
            "GET /user/check": lambda: own("/user/check", user),
            "GET /user/reservations": lambda: own("/user/reservations", user),
            "GET /user/cash-history": lambda: own("/user/cash-history", user),
            "GET /jobs/": lambda: get("/jobs/x"),
            "POST /join": lambda: form(name="a fan"),
        }.get(name)
        if made:
            return made()
        method, path = name.split(" ")
        return post(path, {"seatId": seat}, token) if method == "POST" else get(path, token)


def form(**fields):
    return Call("POST", "/join", urlencode(fields).encode(), [FORM])


def with_query(call, text):
    return Call(call.method, call.path + ("&" if "?" in call.path else "?") + text, call.body, call.headers)


def with_body(call, body):
    return Call(call.method, call.path, body, call.headers)


def with_type(call, kind):
    headers = [(name, value) for name, value in call.headers if name != "Content-Type"]
    return Call(call.method, call.path, call.body, [*headers, ("Content-Type", kind)])


def without(call, *names):
    return Call(call.method, call.path, call.body, [each for each in call.headers if each[0] not in names])


def with_cookie(token):
    return get("/line").with_header("Cookie", f"boxoffice_line={token}")


def with_token(world, name, token):
    """The call with this token, and nothing else that says whose it is."""
    call = without(world.call(name), "queue-token", "user-id")
    return call if token is None else call.with_header("queue-token", token)


@dataclass
class Row:
    """Each of these calls is answered with this status and code."""
    status: int
    code: str | None
    why: str
    names: list
    make: Callable  # (world, name) → Call
    stage: str | None = None  # the fixture in which it is so


# What every call can meet -------------------------------------------------------------------

GENERAL = [
    Row(400, "bad-request", "no HTTP", ALL, lambda world, name: with_nothing(world.call(name))),
    Row(400, "bad-request", "a header twice", CALLS,
        lambda world, name: without(world.call(name), "user-id").with_header("user-id", "a").with_header("user-id", "b")),
    Row(400, "bad-field", "an unknown parameter", CALLS, lambda world, name: with_query(world.call(name), "x=1")),
    Row(400, None, "an unknown parameter", PAGES, lambda world, name: with_query(world.call(name), "x=1")),
    Row(400, "bad-idempotency-key", "a key with a space", WRITES,
        lambda world, name: world.call(name).with_header("Idempotency-Key", "a b")),
    Row(400, "bad-field", "an unknown member", WITH_BODY,
        lambda world, name: with_body(world.call(name), b'{"x":1}')),
    Row(400, "bad-request", "no JSON", WITH_BODY, lambda world, name: with_body(world.call(name), b'{"x"')),
    Row(405, "method-not-allowed", "another method", ALL,
        lambda world, name: Call("DELETE", world.call(name).path, None, world.call(name).headers)),
    Row(413, "body-too-large", "a large body", ALL, lambda world, name: with_body(world.call(name), b"x" * 20000)),
    Row(414, "bad-request", "a long address", ALL,
        lambda world, name: with_query(world.call(name), "x=" + "a" * 9000)),
    Row(415, "unsupported-media-type", "a text", WITH_BODY,
        lambda world, name: with_type(world.call(name), "text/plain")),
    Row(415, None, "a text", ["POST /join"], lambda world, name: with_type(world.call(name), "text/plain")),
    Row(431, "bad-request", "a long header", ALL,
        lambda world, name: world.call(name).with_header("X-Long", "a" * 9000)),
    Row(406, "bad-request", "no stream wanted", STREAMS, lambda world, name: without(world.call(name), "Accept")),
]


def with_nothing(call):
    """HTTP/1.1 wants one Host."""
    return call.with_header("Host", "another")


# Who asks -----------------------------------------------------------------------------------

TOKENS = {
    "token-missing": lambda world: None,
    "token-invalid": lambda world: "a.b.c",
    "token-expired": lambda world: world.past,
    "token-finished": lambda world: world.finished,
    "token-left": lambda world: world.left,
}


def token_row(code):
    return Row(401, code, code, WITH_TOKEN, lambda world, name: with_token(world, name, TOKENS[code](world)))


ASKING = [
    *(token_row(code) for code in TOKENS),
    Row(401, "token-invalid", "no token", EVENTS, lambda world, name: with_token(world, name, None)),
    Row(401, "token-invalid", "a token that is over", EVENTS, lambda world, name: with_token(world, name, world.left)),
    Row(401, "token-invalid", "a forged token", OWN, lambda world, name: with_token(world, name, "a.b.c")),
    Row(401, "token-expired", "an old token", OWN, lambda world, name: with_token(world, name, world.past)),
    Row(401, None, "no cookie", ["GET /line"], lambda world, name: get("/line")),
    Row(403, "not-admitted", "a ticket that waits", WHEN_ADMITTED,
        lambda world, name: world.call(name, world.waiting.token), "waiting"),
    Row(401, "bearer-missing", "not signed in", WITH_TOKEN + OWN + NAMING_A_USER,
        lambda world, name: world.call(name), "signing_in"),
    Row(401, "bearer-invalid", "signed in as another", WITH_TOKEN + OWN + NAMING_A_USER,
        lambda world, name: signed_in(world.call(name), sign(new_key())), "signing_in"),
    Row(401, "token-invalid", "not signed in", EVENTS, lambda world, name: world.call(name), "signing_in"),
    Row(401, None, "not signed in", PAGES,
        lambda world, name: form(name="a fan") if name == "POST /join" else with_cookie(world.fan.token), "signing_in"),
]


# What is away -------------------------------------------------------------------------------

def slow(world):
    """The place of a job that nobody does now."""
    return world.site.send(charge(world.fan.user, 1)).header("Location")


def late(world, name):
    fan = world.late.pop()
    return world.call(name, fan.token, fan.user)


AWAY = [
    Row(503, "unavailable", "no front", ALL, lambda world, name: world.call(name), "no_front"),
    Row(202, None, "no worker", WRITES, late, "no_worker"),
    Row(503, None, "no worker", ["POST /join"], lambda world, name: form(name="a fan"), "no_worker"),
    Row(200, None, "a job that waits", ["GET /jobs/"], lambda world, name: get(slow(world)), "no_worker"),
    Row(503, "closed", "the line is closed", ["POST /queue/issue"], lambda world, name: issue(world.site.users()[0]),
        "closed"),
    Row(503, None, "the line is closed", ["POST /join"], lambda world, name: form(name="a fan"), "closed"),
    Row(503, None, "no database", ["GET /line"], lambda world, name: with_cookie(world.left), "no_database"),
    Row(503, "unavailable", "no database", ["GET /readyz"], lambda world, name: get("/readyz"), "no_database"),
]


# A key with other content -------------------------------------------------------------------

def reused(world, name):
    """The second of two calls with one key."""
    key, fan = new_key(), world.site.fan()
    if name == "POST /user":
        first, second = register("one", key), register("two", key)
    elif name == "POST /queue/issue":
        first, second = issue(fan.user, True, key), issue(fan.user, False, key)
    elif name == "POST /user/charge":
        first, second = charge(fan.user, 1, key), charge(fan.user, 2, key)
    elif name == "POST /queue/leave":
        first = leave(fan.token, key)
        world.site.do(first).ok()
        second = leave(world.site.do(issue(fan.user)).ok()["token"], key)
    elif name == "POST /join":
        first, second = form(name="one", key=key), form(name="two", key=key)
    else:
        path = name.split(" ")[1]
        first, second = (post(path, {"seatId": seat}, fan.token, key) for seat in world.schedule.seats[:2])
    world.site.do(first)
    return second


# What a call decides ------------------------------------------------------------------------

def as_holder(make, **options):
    def made(world, name):
        fan, seat = world.holder(**options)
        return make(fan.token, seat)
    return made


def as_lapsed(make):
    def made(world, name):
        fan, seat = world.lapsed()
        return make(fan.token, seat)
    return made


def as_anybody(make):
    return lambda world, name: make(world.site.fan().token, world.seat())


def of_anothers(act):
    """A seat that somebody else has held, and perhaps paid."""
    def made(world, name):
        fan, seat = world.holder()
        if act is not None:
            world.site.do(act(fan.token, seat)).ok()
        return reserve(world.site.fan().token, seat)
    return made


def of_another_seat(world, name):
    fan, _ = world.holder()
    return reserve(fan.token, world.seat())


def too_early(world, name):
    return reserve(world.site.fan().token, world.db.schedule(seats=1, booking_s=(3600, 7200)).seats[0])


def rich(world, name):
    user = world.site.users()[0]
    world.db.set_balance(user, MOST)
    return charge(user, 1)


def leave_with_a_seat(world, name):
    fan, _ = world.holder()
    return leave(fan.token)


DECIDED = [
    Row(422, "key-reused", "a key reused", WRITES, reused),
    Row(422, None, "a key reused", ["POST /join"], reused),
    Row(404, "unknown-user", "an unknown user", OWN + NAMING_A_USER,
        lambda world, name: world.call(name, user=str(uuid.uuid4()))),
    Row(404, "unknown-concert", "an unknown concert", ["GET /concert/available-dates"],
        lambda world, name: with_query(world.call(name), f"concertId={MOST}")),
    Row(404, "unknown-schedule", "an unknown schedule", OF_A_SCHEDULE,
        lambda world, name: world.call(name, schedule=MOST)),
    Row(404, "unknown-seat", "an unknown seat", OF_A_SEAT, lambda world, name: world.call(name, seat=MOST)),
    Row(404, "unknown-job", "a forged handle", ["GET /jobs/"], lambda world, name: get("/jobs/a.b.c")),
    Row(409, "already-issued", "a live ticket", ["POST /queue/issue"], lambda world, name: issue(world.fan.user)),
    Row(409, "already-holding", "who holds a seat", ["POST /queue/leave"], leave_with_a_seat),
    Row(409, "already-holding", "who holds another seat", ["POST /reservation"], of_another_seat),
    Row(409, "seat-held", "held by another", ["POST /reservation"], of_anothers(None)),
    Row(409, "seat-sold", "sold to another", ["POST /reservation"], of_anothers(pay)),
    Row(409, "not-on-sale", "before booking", ["POST /reservation"], too_early),
    Row(409, "not-held", "never held", ["POST /reservation/cancel"], as_anybody(cancel)),
    Row(409, "not-held", "never held", ["POST /payment"], as_anybody(pay)),
    Row(409, "hold-expired", "held too long", ["POST /reservation/cancel"], as_lapsed(cancel)),
    Row(409, "hold-expired", "held too long", ["POST /payment"], as_lapsed(pay)),
    Row(402, "insufficient-balance", "poor", ["POST /payment"], as_holder(pay, balance=0)),
    Row(409, "balance-limit", "too rich", ["POST /user/charge"], rich),
]


# Success ------------------------------------------------------------------------------------

def with_history(path):
    """A fan with a hold, a payment and a charge."""
    def made(world, name):
        fan, seat = world.holder(balance=2 * PRICE)
        world.site.do(pay(fan.token, seat)).ok()
        token = world.site.do(issue(fan.user)).ok()["token"]
        fan.token = token
        world.site.wait_admitted([fan])
        world.site.do(reserve(token, world.seat())).ok()
        return own(path, fan.user)
    return made


def draw_row(names, make):
    return Row(200, None, "in a draw", names, make, "draw_planned")


GRANTED = [
    Row(200, None, "granted", [name for name in CALLS if name not in [*OF_A_SEAT, "POST /queue/leave", "GET /jobs/", *STREAMS]],
        lambda world, name: world.call(name)),
    Row(200, None, "granted", STREAMS, lambda world, name: world.call(name)),
    Row(200, None, "granted", ["POST /queue/leave"], lambda world, name: leave(world.site.fan().token)),
    Row(200, None, "granted", ["POST /reservation"], as_anybody(reserve)),
    Row(200, None, "granted", ["POST /reservation/cancel"], as_holder(cancel)),
    Row(200, None, "granted", ["POST /payment"], as_holder(pay)),
    Row(200, None, "with something to tell", ["GET /user/reservations"], with_history("/user/reservations")),
    Row(200, None, "with something to tell", ["GET /user/cash-history"], with_history("/user/cash-history")),
    Row(200, None, "a job that is done", ["GET /jobs/"], lambda world, name: get(world.slow_job), "slow_job"),
    Row(200, None, "while one waits", ["GET /queue/status", "POST /queue/issue"],
        lambda world, name: world.call(name, world.waiting.token, world.waiting.user), "waiting"),
    draw_row(["GET /queue/draw"], lambda world, name: get("/queue/draw")),
    draw_row(["GET /queue/status", "POST /queue/issue"],
             lambda world, name: world.call(name, world.drawn.token, world.drawn.user)),
    Row(303, None, "a form", ["POST /join"], lambda world, name: form(name="a fan")),
    Row(200, None, "the page", ["GET /line"], lambda world, name: with_cookie(world.fan.token)),
]

# Sent by a test of its own: it takes many.
TOO_MANY = Row(429, "rate-limited", "too many", LIMITED, lambda world, name: world.call(name))

ROWS = [*GENERAL, *ASKING, *DECIDED, *AWAY, *GRANTED]
