"""Fans by the dozen, with known keys, who want few seats, change their minds, ask twice, and never lose count.

    load = Load(site, seed, clients, recorder, schedules)
    load.start(); …; load.stop(); load.settle()

Nothing that fails stops a client: no answer, a refused connection and a 503 are outcomes like others. Every write
has a key of its own, so that settle() can ask once more, when all is well again, what became of those that were
left open. The seed decides what each client wants; when things happen is the machine's business.
"""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from record import Client

import api

PAUSE_S = 0.02        # between two steps of a client, on average
TROUBLE_S = 0.2       # after a call without an answer
FEW = 10              # seats that all want at once
DREAMERS = 0.25       # of those who hold a seat: they do nothing about it until its time is over
FUNDS = 1500
RECENT = 12           # fans whose balance all charge and whose token others use too
DECIDED = (200, 400, 401, 402, 403, 404, 405, 409, 413, 415, 422)


@dataclass
class Fan:
    user: str
    token: str = ""
    seat: int = 0          # the one it reserved last
    until: float = 0       # time.monotonic() before which it neither pays nor cancels
    is_live: bool = False  # its ticket, as far as it knows


@dataclass
class Open:
    """A write whose outcome nobody knows yet."""
    op: str
    call: object
    about: dict
    handle: str = ""
    fan: Fan = None
    tries: int = 0


@dataclass
class World:
    """What clients tell each other."""
    schedules: list
    few: int
    fans: list = field(default_factory=list)
    sold: set = field(default_factory=set)
    payments: dict = field(default_factory=dict)  # the seat of each

    def wanted(self):
        """(schedule, seat) of the few that are not known to be sold."""
        left = [(schedule.id, seat) for schedule in self.schedules for seat in schedule.seats
                if seat not in self.sold]
        return left[:self.few]


class Load:
    def __init__(self, site, seed, clients, recorder, schedules, few=FEW, pause_s=PAUSE_S, patience_s=5.0):
        """schedules: have an id and seats, as db.Schedule. recorder: of record.py."""
        self.world = World(list(schedules), few)
        self.open = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._site, self._recorder = site, recorder
        self._workers = [Worker(self, f"{seed}/{i}", Client(site, recorder, f"fan-{i}", patience_s), pause_s)
                         for i in range(clients)]
        self._threads = []

    def start(self):
        self._threads = [threading.Thread(target=worker.run, daemon=True) for worker in self._workers]
        for thread in self._threads:
            thread.start()

    def stop(self):
        """Every client ends the call that it is in."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    @property
    def is_over(self):
        return self._over.is_set()

    def pause(self, seconds):
        self._over.wait(seconds)

    def leave_open(self, write):
        with self._lock:
            self.open[write.op, write.about["key"]] = write

    def close(self, write):
        with self._lock:
            self.open.pop((write.op, write.about["key"]), None)

    def settle(self, deadline_s=60):
        """Asks for every write that is open, by its key, until it is decided. Returns those that never were."""
        end = time.monotonic() + deadline_s
        client = Client(self._site, self._recorder, "settle", 10.0)
        while self.open and time.monotonic() < end:
            for write in list(self.open.values()):
                look_up(self, client, write)
            if self.open:
                time.sleep(TROUBLE_S)
        client.close()
        return list(self.open.values())

    def fans(self):
        return list(self.world.fans)

    def refunded(self, payment):
        """Somebody else gave it back: its seat can be had again."""
        self.world.sold.discard(self.world.payments.pop(payment))


def look_up(load, client, write):
    """By the handle of its 202 at first, then by its key. Returns the answer that decided it, or None."""
    write.tries += 1
    if write.handle and write.tries % 3:
        answer = client.follow(write.op, write.call, api.get(write.handle), **write.about)
    else:
        answer = client.send(write.op, write.call, **write.about)
    if answer is None or answer.status not in DECIDED:
        if answer is not None and answer.status == 202:
            write.handle = answer.header("Location")
        return None
    load.close(write)
    learn(load.world, write, answer)
    return answer


def learn(world, write, answer):
    """What a decision says about a fan and a seat."""
    fan = write.fan
    if fan is None:
        return
    if answer.status == 401:
        fan.is_live = False
    elif write.op == "issue" and answer.status == 200:
        fan.token = answer.json["data"]["token"]
        fan.is_live = True
    elif write.op == "reserve" and answer.status == 200:
        fan.seat = write.about["seat"]
    elif write.op == "pay" and answer.status == 200:
        world.sold.add(write.about["seat"])
        world.payments[answer.json["data"]["id"]] = write.about["seat"]
        fan.is_live, fan.seat = False, 0
    elif write.op == "leave" and answer.status == 200:
        fan.is_live = False
    elif write.op == "cancel" and answer.status == 200:
        fan.seat = 0
    elif answer.code == "seat-sold":
        world.sold.add(write.about["seat"])


def seconds_between(hold):
    """How long a hold lasts."""
    begins, ends = (datetime.strptime(hold[name], "%Y-%m-%dT%H:%M:%S.%fZ") for name in ("created_at", "expires_at"))
    return (ends - begins).total_seconds()


class Worker:
    """One client: a fan of its own, and now and then a look at another one's token, as from a second tab."""

    def __init__(self, load, seed, client, pause_s):
        self._load, self._client, self._pause_s = load, client, pause_s
        self._dice = random.Random(seed)
        self._mine = None
        self._past = []  # (write, its status): to be sent again

    def run(self):
        while not self._load.is_over:
            self._step()
            self._load.pause(self._dice.expovariate(1 / self._pause_s))
        self._client.close()

    def _step(self):
        if self._mine is None:
            self._register()
        elif not self._mine.is_live:
            self._rejoin()
        else:
            self._act()

    def _key(self):
        """In the form of a UUIDv7 by time, as PROTOCOL.md advises; the rest by the seed."""
        value = time.time_ns() // 1_000_000 << 80 | 7 << 76 | self._dice.getrandbits(12) << 64
        return str(uuid.UUID(int=value | 2 << 62 | self._dice.getrandbits(62)))

    # Writing ----------------------------------------------------------------------------------

    def _write(self, op, call, fan=None, **about):
        """Sends it under a key of its own. None when it is not decided: sent again at once, or left open."""
        key = self._key()
        write = Open(op, call.with_header("Idempotency-Key", key), {**about, "key": key}, fan=fan)
        self._load.leave_open(write)
        answer = self._client.send(op, write.call, **write.about)
        if answer is not None and answer.status in DECIDED:
            self._load.close(write)
            learn(self._load.world, write, answer)
            self._past = [*self._past[-20:], (write, answer.status)]
            return answer
        if answer is not None and answer.status == 202:
            write.handle = answer.header("Location")
        # Some ask again until they know, others go on and never come back.
        while not self._load.is_over and self._dice.random() < 0.8:
            self._load.pause(TROUBLE_S)
            answer = look_up(self._load, self._client, write)
            if answer is not None:
                return answer
        return None

    def _register(self):
        answer = self._write("register", api.register("a fan"))
        if answer is None or answer.status != 200:
            return
        self._mine = Fan(answer.json["data"]["userId"])
        if self._write("charge", api.charge(self._mine.user, FUNDS), user=self._mine.user, amount=FUNDS) is None:
            self._mine = None
            return
        self._load.world.fans.append(self._mine)

    def _rejoin(self):
        """Some come back after they have paid, others are followed by a new fan."""
        if self._mine.token and self._dice.random() < 0.3:
            self._mine = None
            return
        resume = bool(self._mine.token)
        fan = self._mine
        self._write("issue", api.issue(fan.user, resume=resume), fan, user=fan.user, resume=resume)
        self._await_turn(fan)

    def _await_turn(self, fan):
        while fan.is_live and not self._load.is_over:
            answer = self._client.send("status", api.status(fan.token), user=fan.user)
            if answer is None or answer.status >= 500:
                self._load.pause(TROUBLE_S)
            elif answer.status != 200:
                fan.is_live = False
            elif answer.json["data"]["status"] == "ACTIVE":
                return
            else:
                self._load.pause(0.1)

    # What a fan does --------------------------------------------------------------------------

    def _act(self):
        fan = self._mine
        others = [other for other in self._load.world.fans[-RECENT:] if other.is_live]
        if others and self._dice.random() < 0.1:
            fan = self._dice.choice(others)
        decides = fan.seat and time.monotonic() >= fan.until
        acts = {self._reserve: 30 if not fan.seat else 4, self._pay: 5 if decides else not fan.seat,
                self._cancel: 8 if decides else not fan.seat, self._leave: 1, self._charge: 6, self._again: 5,
                self._misuse: 2, self._map: 6, self._free: 2, self._own: 4, self._balance: 6}
        self._dice.choices(list(acts), list(acts.values()))[0](fan)

    def _somebody(self):
        return self._dice.choice(self._load.world.fans[-RECENT:]).user

    def _seat(self, fan):
        if fan.seat and self._dice.random() < 0.9:
            return fan.seat
        wanted = self._load.world.wanted()
        return self._dice.choice(wanted)[1] if wanted else fan.seat

    def _reserve(self, fan):
        wanted = self._load.world.wanted()
        if wanted:
            seat = self._dice.choice(wanted)[1]
            answer = self._write("reserve", api.reserve(fan.token, seat), fan, user=fan.user, seat=seat)
            if answer is not None and answer.status == 200 and self._dice.random() < DREAMERS:
                # A little before its end or after it: then it races the expiry.
                hold = answer.json["data"]
                fan.until = time.monotonic() + seconds_between(hold) + self._dice.uniform(-0.1, 0.1)

    def _pay(self, fan):
        seat = self._seat(fan)
        if seat:
            self._write("pay", api.pay(fan.token, seat), fan, user=fan.user, seat=seat)

    def _cancel(self, fan):
        seat = self._seat(fan)
        if seat:
            self._write("cancel", api.cancel(fan.token, seat), fan, user=fan.user, seat=seat)

    def _leave(self, fan):
        self._write("leave", api.leave(fan.token), fan, user=fan.user)

    def _charge(self, _fan):
        user = self._somebody()
        amount = self._dice.randint(1, 2000)
        self._write("charge", api.charge(user, amount), user=user, amount=amount)

    def _again(self, _fan):
        """The same once more, under the same key: the answer must be the same."""
        if self._past:
            write, _ = self._dice.choice(self._past)
            self._client.send(write.op, write.call, **write.about)

    def _misuse(self, _fan):
        """Another amount under a key that is used up: must be refused, whatever became of the first."""
        used = [write for write, status in self._past if write.op == "charge" and status == 200]
        if used:
            about = self._dice.choice(used).about
            amount = about["amount"] + 1
            self._client.send("charge", api.charge(about["user"], amount, about["key"]),
                              user=about["user"], key=about["key"], amount=amount)

    # What a fan looks at ----------------------------------------------------------------------

    def _map(self, fan):
        schedule = self._dice.choice(self._load.world.schedules).id
        self._client.send("map", api.seat_map(fan.token, schedule), user=fan.user, schedule=schedule)

    def _free(self, fan):
        schedule = self._dice.choice(self._load.world.schedules).id
        self._client.send("free", api.seats(fan.token, schedule), user=fan.user, schedule=schedule)

    def _own(self, fan):
        self._client.send("own", api.own("/user/reservations", fan.user), user=fan.user)

    def _balance(self, _fan):
        user = self._somebody()
        self._client.send("balance", api.check(user), user=user)
