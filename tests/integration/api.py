"""The HTTP side: calls as values, sent one by one or by hundreds of clients at once."""

import asyncio
import itertools
import json
import random
import re
import resource
import socket
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from wait import wait_until

ANSWER_DEADLINE_S = 60
# What a fan is told about a place.
PLACE = {"status", "number", "position", "ahead", "etaSeconds", "etaKnown", "pollAfterMs", "expiresAt", "opensAt", "gate",
         "sale", "message"}
TIMESTAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")


@dataclass
class Call:
    method: str
    path: str
    body: bytes | None = None
    headers: list = field(default_factory=list)
    at: float | None = None  # time.monotonic() before which it is not sent

    def with_header(self, name, value):
        return Call(self.method, self.path, self.body, [*self.headers, (name, value)], self.at)

    def encode(self, host):
        lines = [f"{self.method} {self.path} HTTP/1.1".encode(), b"Host: " + host.encode()]
        lines += [_bytes(name) + b": " + _bytes(value) for name, value in self.headers]
        if self.body is not None:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + (self.body or b"")


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


@dataclass
class Answer:
    status: int
    headers: list
    body: bytes
    seconds: float

    def header(self, name):
        found = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(found) <= 1, f"{name} is there {len(found)} times"
        return found[0] if found else None

    @property
    def json(self):
        return json.loads(self.body.decode("utf-8"))

    @property
    def code(self):
        return self.json.get("code")

    @property
    def replayed(self):
        return self.header("Idempotency-Replayed") == "true"

    def ok(self):
        """The data of a success."""
        assert self.status == 200, self
        assert self.header("Content-Type").startswith("application/json"), self
        envelope = self.json
        assert envelope["success"] is True and set(envelope) == {"success", "data"}, self
        return envelope["data"]

    def refused(self, status, *codes):
        """The envelope of a refusal with this status and one of these codes."""
        assert self.status == status, self
        assert self.header("Content-Type").startswith("application/json"), self
        envelope = self.json
        assert envelope["success"] is False, self
        assert set(envelope) <= {"success", "message", "code", "data"}, self
        assert isinstance(envelope["message"], str) and envelope["message"], self
        assert envelope["code"] in codes, self
        return envelope


# Calls ---------------------------------------------------------------------------------------


def post(path, content, token=None, key=None):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    headers = [("Content-Type", "application/json")]
    if token is not None:
        headers.append(("queue-token", token))
    if key is not None:
        headers.append(("Idempotency-Key", key))
    return Call("POST", path, body, headers)


def get(path, token=None, **query):
    target = f"{path}?{urlencode(query)}" if query else path
    return Call("GET", target, None, [] if token is None else [("queue-token", token)])


def register(name="a fan", key=None):
    return post("/user", {"name": name}, key=key)


def issue(user, resume=None, key=None):
    content = {"userId": user} if resume is None else {"userId": user, "resume": resume}
    return post("/queue/issue", content, key=key)


def status(token):
    return get("/queue/status", token)


def leave(token, key=None):
    return Call("POST", "/queue/leave", b"", [("queue-token", token)] if key is None else
                [("queue-token", token), ("Idempotency-Key", key)])


def dates(token, **query):
    return get("/concert/available-dates", token, **query)


def seats(token, schedule):
    return get("/concert/available-seats", token, concertScheduleId=schedule)


def seat_map(token, schedule):
    return get("/concert/seats", token, concertScheduleId=schedule)


def seat_events(token, schedule):
    return get("/concert/seat-events", token, concertScheduleId=schedule) \
        .with_header("Accept", "text/event-stream")


def reserve(token, seat, key=None):
    return post("/reservation", {"seatId": seat}, token, key)


def cancel(token, seat, key=None):
    return post("/reservation/cancel", {"seatId": seat}, token, key)


def charge(user, amount, key=None):
    return post("/user/charge", {"userId": user, "amount": amount}, key=key)


def check(user):
    return get("/user/check", userId=user)


def own(path, user, token=None, **query):
    """A read of what this user has."""
    return get(path, token, **query).with_header("user-id", user)


def pay(token, seat, key=None):
    return post("/payment", {"seatId": seat}, token, key)


def new_key():
    return str(uuid.uuid4())


@dataclass
class Fan:
    user: str
    token: str = ""


# Sending -------------------------------------------------------------------------------------


class Site:
    """Sends calls. Each client connection comes from a loopback address of its own, so that the
    limits per address meet only the tests that ask for them."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.host = parts.hostname
        self.port = parts.port or 80
        self._addresses = itertools.count(random.randrange(1 << 20))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        wanted = 8192 if hard == resource.RLIM_INFINITY else min(hard, 8192)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    def next_address(self):
        number = next(self._addresses) % (250 * 250 * 250)
        return f"127.{1 + number // 62500}.{1 + number // 250 % 250}.{1 + number % 250}"

    def send(self, call, address=None):
        return self.swarm([call], 1, address)[0]

    def do(self, call):
        """Sends, and follows a 202 to the answer that comes later."""
        return self.settle(self.send(call))

    def swarm(self, calls, clients=100, address=None):
        """Sends all calls over so many kept connections at once; the answers in the same order.
        All connections are open before the first request leaves."""
        return asyncio.run(self.swarm_async(list(calls), clients, address))

    def settle(self, answer, deadline_s=30):
        return self.settle_all([answer], deadline_s)[0]

    def settle_all(self, answers, deadline_s=30):
        """Replaces each 202 by the answer that its job got in the end."""
        settled = list(answers)

        def all_done():
            late = [i for i, answer in enumerate(settled) if answer.status == 202]
            for i, found in zip(late, self.swarm([get(settled[i].header("Location"))
                                                  for i in late])):
                state = found.ok()
                if state["status"] == "done":
                    body = json.dumps(state["response"]).encode()
                    settled[i] = Answer(state["httpStatus"], found.headers, body, found.seconds)
            return all(answer.status != 202 for answer in settled)

        if any(answer.status == 202 for answer in settled):
            wait_until(all_done, deadline_s, "the results of queued jobs", 0.2)
        return settled

    def raw(self, data, deadline_s=20):
        """Sends these bytes on a connection of their own; None when it was closed unanswered."""
        return asyncio.run(asyncio.wait_for(self._raw(data), deadline_s))

    def abandon(self, pieces):
        """Connects, sends a piece of a request and goes away, once for each piece."""
        for piece in pieces:
            with socket.create_connection((self.host, self.port), 10) as connection:
                connection.sendall(piece)

    def await_ready(self):
        """After a server was away: until both fronts have their broker and their database again."""
        wait_until(lambda: all(self.send(get("/readyz")).status == 200 for _ in range(10)), 30,
                   "both fronts to be ready")

    def users(self, count=1):
        made = self.settle_all(self.swarm([register(f"fan {i}") for i in range(count)]))
        return [answer.ok()["userId"] for answer in made]

    def fans(self, count=1, admitted=True, balance=0):
        """Registered, in the line, and (unless told otherwise) admitted."""
        users = self.users(count)
        issued = self.settle_all(self.swarm([issue(user) for user in users]))
        fans = [Fan(user, answer.ok()["token"]) for user, answer in zip(users, issued)]
        if balance:
            for answer in self.settle_all(self.swarm([charge(user, balance) for user in users])):
                answer.ok()
        if admitted:
            self.wait_admitted(fans)
        return fans

    def fan(self, **options):
        return self.fans(1, **options)[0]

    def wait_admitted(self, fans, deadline_s=20):
        def all_active():
            answers = self.swarm([status(fan.token) for fan in fans])
            return all(answer.ok()["status"] == "ACTIVE" for answer in answers)

        wait_until(all_active, deadline_s, "admission", 0.1)

    def balances(self, users):
        return [answer.ok()["balance"] for answer in self.swarm([check(u) for u in users])]

    async def _connect(self, address):
        return await asyncio.open_connection(self.host, self.port,
                                             local_addr=(address or self.next_address(), 0))

    async def swarm_async(self, calls, clients, address=None):
        streams = []
        # Opened in groups, so that the listen queue of a small machine is not overrun.
        wanted = min(clients, len(calls))
        while len(streams) < wanted:
            group = min(100, wanted - len(streams))
            streams += await asyncio.gather(*(self._connect(address) for _ in range(group)))
        answers = [None] * len(calls)
        work = iter(enumerate(calls))

        async def client(reader, writer):
            for index, call in work:
                if call.at is not None:
                    await asyncio.sleep(max(0.0, call.at - time.monotonic()))
                start = time.monotonic()
                writer.write(call.encode(self.host))
                answers[index] = await read_answer(reader, start, call.method == "HEAD")
                if (answers[index].header("Connection") or "") == "close":
                    writer.close()
                    reader, writer = await self._connect(address)
            writer.close()

        await asyncio.wait_for(asyncio.gather(*(client(r, w) for r, w in streams)),
                               ANSWER_DEADLINE_S)
        return answers

    async def _raw(self, data):
        reader, writer = await self._connect(None)
        try:
            start = time.monotonic()
            writer.write(data)
            return await read_answer(reader, start)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        finally:
            writer.close()


async def read_answer(reader, start, is_head=False):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    number = int(head[0].split(" ", 2)[1])
    headers = [tuple(part.strip() for part in line.split(":", 1)) for line in head[1:] if line]
    named = {name.lower(): value for name, value in headers}
    body = b""
    if is_head or number in (204, 304):
        pass
    elif "chunked" in named.get("transfer-encoding", ""):
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    elif "content-length" in named:
        body = await reader.readexactly(int(named["content-length"]))
    else:
        body = await reader.read()
    return Answer(number, headers, body, time.monotonic() - start)
