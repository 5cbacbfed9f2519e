"""What goes on meanwhile: fans over HTTP, a batch of charges, an operator, each under known keys.

Everything sent is an Act: one write under one key, with every answer it got. What an answer may be is
judged here, when it comes; whether it was true is judged afterwards (verify.py).
"""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
import threading
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from api import charge, cancel, get, issue, pay, read_answer, register, reserve, status
from instance import find_program
from world import HOLD_S, now

sys.path.append(str(Path(__file__).resolve().parents[1] / "history"))

# pylint: disable=wrong-import-position
import load  # noqa: E402
import record  # noqa: E402

ANSWER_WITHIN_S = 8.0
DECISIONS = (200, 402, 404, 409)
# Which codes a fan may see beside decisions, whatever is broken.
PASSING = {401: {"token-expired", "token-finished", "token-left"}, 403: {"not-admitted"},
           429: {"rate-limited"}, 503: {"unavailable", "closed"}}
PRICE = 1000
STALE_MS = 1000  # how old a picture of seats may be when nothing is broken


@dataclass
class Act:
    kind: str
    user: str
    key: str
    call: object
    content: dict
    answers: list = field(default_factory=list)  # (when, status, envelope) of what came back
    lost: int = 0                                # sendings that got no answer

    @property
    def decision(self):
        """(status, envelope) of the first answer that settles it; None: not known yet."""
        return next(((number, body) for _, number, body in self.answers if number in DECISIONS), None)

    def is_granted(self):
        return self.decision is not None and self.decision[0] == 200


class Ledger:
    """All acts, and what no answer should have been."""

    def __init__(self):
        self.acts = []
        self.requests = 0
        self.wrong = []     # sentences
        self.statuses = {}  # (status, code) → count

    def add(self, kind, user, call, **content):
        key = next(value for name, value in call.headers if name == "Idempotency-Key")
        act = Act(kind, user, key, call, content)
        self.acts.append(act)
        return act

    def judge(self, act, answer):
        """Takes an answer down; True when it is a decision."""
        self.requests += 1
        try:
            envelope = answer.json
            code = envelope.get("code")
        except ValueError:
            self.wrong.append(f"{act.kind} {act.key}: {answer.status} without an envelope: {answer.body[:80]}")
            return False
        self.statuses[answer.status, code] = self.statuses.get((answer.status, code), 0) + 1
        act.answers.append((now(), answer.status, envelope))
        if answer.status in (*DECISIONS, 202):
            return answer.status != 202
        if code not in PASSING.get(answer.status, ()):
            self.wrong.append(f"{act.kind} {act.key}: {answer.status} {code}")
        if answer.status in (429, 503) and not (answer.header("Retry-After") or "").isdigit():
            self.wrong.append(f"{act.kind} {act.key}: {answer.status} without Retry-After")
        return False


class Client:
    """Sends one request at a time, each over a connection of its own, and survives all that."""

    def __init__(self, site, ledger):
        self.site = site
        self.ledger = ledger

    async def ask(self, call):
        """The answer, or None when there was none."""
        writer = None
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                reader, writer = await asyncio.open_connection(
                    self.site.host, self.site.port, local_addr=(self.site.next_address(), 0))
                writer.write(call.encode(self.site.host))
                return await read_answer(reader, time.monotonic())
        except (OSError, EOFError, ValueError, IndexError, TimeoutError):
            return None
        finally:
            if writer is not None:
                writer.close()

    async def send(self, act):
        """One sending of an act; what came back, taken down."""
        answer = await self.ask(act.call)
        if answer is None:
            self.ledger.requests += 1
            act.lost += 1
        else:
            self.ledger.judge(act, answer)
        return answer

    async def do(self, act, tries=12):
        """Sends until it is decided, its token is refused, or it was tried often enough."""
        for _ in range(tries):
            answer = await self.send(act)
            if answer is not None and answer.status in (401, 403):
                return act
            if answer is not None and answer.status == 202:
                await self.follow(act, answer.header("Location"))
            if act.decision is not None:
                return act
            await asyncio.sleep(random.uniform(0.1, 0.5))
        return act

    async def follow(self, act, place, seconds=10.0):
        """Looks where a 202 said the answer would be."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and act.decision is None:
            answer = await self.ask(get(place))
            self.ledger.requests += 1
            if answer is not None and answer.status == 200:
                found = answer.json["data"]
                if found["status"] == "done":
                    act.answers.append((now(), found["httpStatus"], found["response"]))
            elif answer is not None and answer.status not in (429, 503):
                self.ledger.wrong.append(f"{act.kind} {act.key}: {answer.status} at its handle")
                return
            await asyncio.sleep(0.2)


class Seats:
    """Seats on sale: a schedule at a time, the next one before all of it is sold."""

    def __init__(self, db):
        self._db = db
        self._free = []

    def next_schedule(self):
        self._free = self._db.schedule(seats=50, price=PRICE).seats

    def sold(self, seat):
        with contextlib.suppress(ValueError):
            self._free.remove(seat)

    def any(self, chance):
        return chance.choice(self._free)

    def are_few(self):
        return len(self._free) < 20


class Fan:
    """One who joins, charges, reserves, and pays or thinks better of it, over and over."""

    def __init__(self, client, seats, chance, bought):
        self.client = client
        self.ledger = client.ledger
        self.seats = seats
        self.chance = chance
        self.bought = bought  # payments, for the operator
        self.charged = 0

    async def live(self, until):
        while not until.is_set():
            act = self.ledger.add("register", "", register("a fan", str(uuid.uuid4())))
            await self.client.do(act)
            if act.is_granted():
                await self.use(act.decision[1]["data"]["userId"], until)

    async def use(self, user, until):
        for _ in range(4):
            token = await self.join(user)
            while token and not until.is_set() and await self.go_on(user, token):
                await asyncio.sleep(self.chance.uniform(0.0, 0.2))
            if until.is_set():
                return

    async def join(self, user):
        """A token that is admitted, or None."""
        act = self.ledger.add("issue", user, issue(user, resume=True, key=str(uuid.uuid4())), resume=True)
        await self.client.do(act)
        if not act.is_granted():
            return None
        token = act.decision[1]["data"]["token"]
        for _ in range(40):
            answer = await self.client.ask(status(token))
            if answer is not None and answer.status == 200 and answer.json["data"]["status"] == "ACTIVE":
                return token
            await asyncio.sleep(0.2)
        return None

    async def go_on(self, user, token):
        """One turn of what a fan does; False when the token is no good any more."""
        for _ in range(self.chance.randrange(3)):
            await self.charge(user)
        seat = self.seats.any(self.chance)
        held = await self.write("reserve", user, seat, reserve(token, seat, str(uuid.uuid4())))
        if held.decision is None:
            return False
        if not held.is_granted():
            if held.decision[1]["code"] == "seat-sold":
                self.seats.sold(seat)
            return held.decision[1]["code"] != "already-holding" or await self.wait()
        chance = self.chance.random()
        if chance < 0.5:
            paid = await self.write("pay", user, seat, pay(token, seat, str(uuid.uuid4())))
            if paid.is_granted():
                self.seats.sold(seat)
                self.bought.append(paid.decision[1]["data"]["id"])
                return False
            return paid.decision is not None
        if chance < 0.85:
            return (await self.write("cancel", user, seat, cancel(token, seat, str(uuid.uuid4())))).decision is not None
        return True

    async def wait(self):
        await asyncio.sleep(1.0)
        return True

    async def charge(self, user):
        # No two charges of a user are of the same amount, so that each is known by it.
        self.charged += 1
        amount = 401 + self.charged % 599
        act = self.ledger.add("charge", user, charge(user, amount, str(uuid.uuid4())), amount=amount)
        await self.client.do(act)

    async def write(self, kind, user, seat, call):
        act = self.ledger.add(kind, user, call, seat=seat)
        return await self.client.do(act)


class Batch:
    """A finance batch: files of charges, each imported until the importer says that all is done,
    however often it is killed."""

    ROWS = 400

    def __init__(self, world, users):
        self.world = world
        self.users = users
        self.files = []    # (source, rows) that were imported to the end
        self.starts = 0
        self.process = None

    def run(self, until):
        number = 0
        while not until.is_set():
            number += 1
            path = self.world.folder / f"batch-{number}.csv"
            rows = [(f"R-{i:06d}", self.users[i % len(self.users)], 1 + i % 97) for i in range(self.ROWS)]
            path.write_text("reference,user,amount\n" + "".join(f"{r},{u},{a}\n" for r, u, a in rows))
            self.import_file(f"batch-{number}-{uuid.uuid4().hex[:8]}", path, len(rows))
            until.wait(0.5)

    def import_file(self, source, path, rows):
        while True:
            self.starts += 1
            with open(path.with_suffix(".log"), "ab") as log:
                self.process = subprocess.Popen(
                    [str(find_program("boxoffice-import")), "--json", "--source", source, str(path)],
                    env={"BOXOFFICE_AMQP_URL": self.world.instance.values["BOXOFFICE_AMQP_IMPORT_URL"]},
                    cwd=self.world.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            if self.process.wait() == 0:
                self.files.append((source, rows))
                return
            time.sleep(0.2)

    def kill(self):
        """In the middle of a file or between two of them."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            return True
        return False


class Operator:
    """Gives money back for some payments, each until it is told that it is done."""

    def __init__(self, world, bought):
        self.world = world
        self.bought = bought
        self.refunded = []  # payments that were said to be refunded

    def run(self, until):
        while not until.wait(3.0):
            if not self.bought:
                continue
            payment = self.bought.pop(random.randrange(len(self.bought)))
            while True:
                done = self.world.ctl("--yes", "--json", "refund", str(payment))
                if done.returncode == 0:
                    self.refunded.append(json.loads(done.stdout)["data"]["id"])
                    break
                if until.wait(1.0):
                    break


class Crowd:
    """The fans of tests/history, who have other habits, and write down all that they are told."""

    CLIENTS = 8

    def __init__(self, world, seed):
        self.world = world
        self._db = world.new_db()
        self.path = world.folder / "history.jsonl"
        self.recorder = record.Recorder(self.path, hold_s=HOLD_S, stale_ms=STALE_MS)
        self.load = load.Load(world.site, seed, self.CLIENTS, self.recorder, [self._db.schedule() for _ in range(3)],
                              pause_s=0.08, patience_s=ANSWER_WITHIN_S)
        self.open = []  # what never was decided

    def run(self, until):
        self.load.start()
        while not until.wait(0.5):
            left = sum(len(each.seats) for each in self.load.world.schedules) - len(self.load.world.sold)
            if left < 75:
                with contextlib.suppress(Exception):  # the database may be away
                    self.load.world.schedules.append(self._db.schedule())
        self.load.stop()

    def settle(self):
        self.open = self.load.settle(120)

    def users(self):
        return [fan.user for fan in self.load.fans()]


class Load:
    """All of it, in threads of its own."""

    def __init__(self, world, fans, seed):
        self.world = world
        self.ledger = Ledger()
        self.client = Client(world.site, self.ledger)
        self.bought = []
        self.batch = Batch(world, world.site.users(8))
        self.operator = Operator(world, self.bought)
        self.crowd = Crowd(world, seed)
        self.seats = Seats(world.new_db())
        self.seats.next_schedule()
        self._fans = fans
        self._seed = seed
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (
            lambda: asyncio.run(self._live()), lambda: self.batch.run(self._over),
            lambda: self.operator.run(self._over), lambda: self.crowd.run(self._over), self._put_on_sale)]

    def start(self):
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive(), "a part of the load does not end"

    async def _live(self):
        await asyncio.gather(*(Fan(self.client, self.seats, random.Random(f"{self._seed} {number}"),
                                   self.bought).live(self._over) for number in range(self._fans)))

    def _put_on_sale(self):
        while not self._over.wait(0.2):
            # The database may be away: then there is a little more of a crowd for what is left.
            if self.seats.are_few():
                with contextlib.suppress(Exception):
                    self.seats.next_schedule()

    def settle(self):
        """Sends what is not decided again, under its key, until it is."""
        async def all_of_them():
            gate = asyncio.Semaphore(16)

            async def one(act):
                async with gate:
                    await self.client.do(act, 40)

            await asyncio.gather(*(one(act) for act in self.ledger.acts if act.decision is None))

        asyncio.run(all_of_them())
        self.crowd.settle()
