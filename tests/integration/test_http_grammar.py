"""Requests made from web/openapi.yaml and then spoilt, by the thousand: whatever is sent, what is
answered is written there, what the document forbids is refused, and what it allows is not.

Each run has a seed of its own, which is printed; BOXOFFICE_FUZZ_SEED repeats a run, and BOXOFFICE_FUZZ_SECONDS
makes it longer."""

import asyncio
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import quote

import pytest

import openapi
from api import Answer, Call, read_answer, status
from provocations import STREAMS, ROUTES, World

SECONDS = float(os.environ.get("BOXOFFICE_FUZZ_SECONDS", "15"))
SEED = int(os.environ.get("BOXOFFICE_FUZZ_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
AT_ONCE = 48
ANSWER_WITHIN_S = 20
SHOWN = 5  # faults in a report

OPERATIONS = openapi.operations()
# A stream that begins has no end: what is refused of them, test_openapi.py provokes.
NAMES = [name for name in ROUTES if name not in STREAMS]
# What ends the token that it is called with.
ENDING = ("POST /queue/leave", "POST /payment")
BAD, GOOD, ANY = "bad", "good", "any"  # to be refused; as good as before; only answered as it is written


@dataclass
class Request:
    """A request as it will be written, piece by piece."""
    name: str
    method: str
    path: str
    headers: list
    body: bytes | None
    verdict: str = GOOD
    spoilt: list = field(default_factory=list)
    framing: list | None = None  # headers of the body's length, when not those that fit

    def encode(self, host):
        call = Call(self.method, self.path, None, self.headers)
        head = call.encode(host)[:-2]
        framing = self.framing
        if framing is None:
            framing = [] if self.body is None else [b"Content-Length: %d" % len(self.body)]
        return head + b"".join(line + b"\r\n" for line in framing) + b"\r\n" + (self.body or b"")

    def member(self, rng):
        """(schema, its members, what is sent now, one of them); None when the body is no object."""
        kind, schema = OPERATIONS[self.name].body() or (None, None)
        if kind != "application/json":
            return None
        try:
            value = json.loads(self.body)
        except ValueError:
            return None
        return (schema, value, rng.choice(sorted(schema["properties"]))) if isinstance(value, dict) else None


# Ways to spoil one; each returns the verdict, or None when it does not suit -------------------------

def _write(request, schema, value):
    """Sends this instead; the document says whether that is good."""
    request.body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    floats = any(isinstance(each, float) for each in value.values())
    return BAD if floats or openapi.schema_faults(schema, value) else GOOD


def other_value(request, rng):
    found = request.member(rng)
    if not found:
        return None
    schema, value, name = found
    limits = openapi.resolve(schema["properties"][name])
    pool = [None, True, False, 0, -1, 1, 1.0, 1.5, "", "x", "0", [], {}, [[]], {"a": {}}, 10 ** 30, -(10 ** 30),
            1 << 53, (1 << 63) - 1, 1 << 63, "\x00", "\x7f", "\u202e", "가" * 100, "🎫" * 101, " ", "'; DROP TABLE user; --",
            "00000000-0000-0000-0000-000000000000", "\ud800"]
    pool += [limits[key] + step for key in ("minimum", "maximum") if key in limits for step in (-1, 0, 1)]
    pool += ["a" * (limits[key] + step) for key in ("minLength", "maxLength") if key in limits for step in (-1, 0, 1)]
    chosen = rng.choice(pool)
    if chosen == "\ud800":
        return lone_surrogate(request, rng)
    return _write(request, schema, {**value, name: chosen})


def missing_member(request, rng):
    found = request.member(rng)
    if not found:
        return None
    schema, value, name = found
    return _write(request, schema, {key: each for key, each in value.items() if key != name})


def extra_member(request, rng):
    found = request.member(rng)
    if not found:
        return None
    schema, value, _ = found
    return _write(request, schema, {**value, rng.choice(["", "id", "__proto__", "userid", "seatId ", "a" * 200, "한"]): 1})


def doubled_member(request, rng):
    found = request.member(rng)
    if not found or not found[1]:
        return None
    name = rng.choice(sorted(found[1]))
    again = f'"{name}":{json.dumps(found[1][name])}'
    if name and rng.random() < 0.5:
        again = again.replace(name[0], f"\\u{ord(name[0]):04x}", 1)
    request.body = request.body[:-1] + b"," + again.encode() + b"}"
    return BAD


def lone_surrogate(request, rng):
    found = request.member(rng)
    if not found:
        return None
    _, value, name = found
    text = json.dumps({**value, name: "@"}).replace("@", rng.choice([r"\ud800", r"\udc00", r"\ud83c\ud83c"]))
    request.body = text.encode()
    return BAD


def escaped(request, rng):
    """The same text, spelled by escapes and blanks."""
    if not request.member(rng):
        return None
    text = request.body.decode(errors="replace")
    for letter in set("eaI"):
        text = text.replace(letter, f"\\u{ord(letter):04x}") if letter not in "true" else text
    request.body = (" \t\r\n" + text.replace(":", " : ") + "\n").encode()
    return GOOD


def bad_text(request, rng):
    if not request.member(rng):
        return None
    body = request.body
    at = rng.randrange(1, len(body))
    request.body = rng.choice([
        body[:at], body + b"}", body + b"x", b"\xef\xbb\xbf" + body, body.replace(b'"', b"'"), b"/**/" + body,
        body[:-1] + b",}", body.replace(b":", b"=", 1), body[:at] + b"\x00" + body[at:], body[:at] + b"\xff" + body[at:],
        body[:at] + b"\xed\xa0\x80" + body[at:], b"[" * 9 + b"]" * 9, b'{"a":' * 500, b"[" + body + b"]", b"null", b"1", b'"x"',
        b"NaN", b"", b"\n", bytes(rng.randrange(256) for _ in range(rng.randrange(1, 100))), body[:-1] + b',"x":NaN}',
        body[:-1] + b',"x":01}'])
    return BAD


def big_body(request, rng):
    """Blanks up to the limit are good, one more is not."""
    if not request.member(rng):
        return None
    size = rng.choice([16384, 16385])
    request.body = request.body + b" " * (size - len(request.body))
    return GOOD if size == 16384 else BAD


def other_type(request, rng):
    if not request.member(rng):
        return None
    kind, verdict = rng.choice([("application/json; charset=utf-8", GOOD), ("APPLICATION/JSON", GOOD), ("text/plain", BAD),
                                ("application/jsonx", BAD), ("application/x-www-form-urlencoded", BAD), ("*/*", BAD),
                                ("x" * 500, BAD), (b"\xff\xfe", BAD), (None, BAD)])
    request.headers = [each for each in request.headers if each[0] != "Content-Type"]
    if kind is not None:
        request.headers.append(("Content-Type", kind))
    return verdict


def other_key(request, rng):
    """Reads look at none."""
    key = rng.choice(["k" * 256, "a b", "", b"\xc3\xa4", "a\tb", "\x7f"])
    request.headers = [*request.headers, ("Idempotency-Key", key)]
    return BAD if request.method == "POST" else GOOD


def other_token(request, rng):
    at = [i for i, each in enumerate(request.headers) if each[0] == "queue-token"]
    if not at or "NEEDS_TOKEN" not in ROUTES[request.name][0]:
        return None
    token = request.headers[at[0]][1]
    if token.count(".") != 2 or len(token) < 100:
        return None
    parts = token.split(".")
    i = rng.randrange(len(token) - 1)  # the last character has bits that mean nothing
    chosen = rng.choice([
        token[:i] + ("A" if token[i] != "A" else "B") + token[i + 1:], token[:-1], token + "A", token + "=", ".".join(parts[:2]),
        ".".join(parts[:2]) + ".", "eyJhbGciOiJub25lIn0." + parts[1] + ".", ".".join(reversed(parts)), "..", "x" * 511, "x" * 4000,
        "Bearer " + token, token.upper(), "%00", "\x01"])
    request.headers = [*request.headers[:at[0]], ("queue-token", chosen), *request.headers[at[0] + 1:]]
    return BAD


def doubled_header(request, rng):
    name = rng.choice(["queue-token", "user-id", "Idempotency-Key", "Content-Type", "Host", "Content-Length"])
    if name == "Content-Length" and request.body is None:
        return None
    request.headers = [*(each for each in request.headers if each[0] != name), (name, "1"), (name, "2")]
    # What a call does not look at harms nobody; two hosts or lengths are no HTTP.
    return BAD if name in ("Host", "Content-Length") else ANY


def odd_header(request, rng):
    request.headers = [*request.headers, rng.choice([
        ("X-Odd", b"\xff\x01"), ("X-Forwarded-For", "8.8.8.8, x"), ("X-Request-Id", "a\tb"), ("Cookie", "a=b; " * 300),
        ("Accept-Language", "q" * 3000), ("Accept", "nothing/here"), ("Connection", "close"), ("Range", "bytes=0-1"),
        ("If-None-Match", "*"), ("Authorization", "Bearer x.y.z"), ("Forwarded", "for=_x"), ("X_Under", "score"),
        ("Accept-Encoding", "gzip, br, *"), ("X-HTTP-Method-Override", "DELETE"), ("Sec-Fetch-Site", "cross-site"),
        ("TE", "trailers"), ("Origin", "http://elsewhere"), ("HTTP-QUEUE-TOKEN", "x"), ("Proxy", "http://x")])]
    return ANY


def long_header(request, rng):
    request.headers = [*request.headers, ("X-Long", "a" * rng.choice([8200, 20000]))]
    return BAD


def no_header(request, rng):
    """Neither name nor colon, or a line that goes on in the next."""
    name, value = rng.choice([("", "x"), ("X Space", "x"), ("X-Null\x00", "x"), ("X-Fold", "a\r\n b"), (":", ":"), ("\xff", "")])
    request.headers = [*request.headers, (name, value)]
    return ANY


def other_method(request, rng):
    request.method = rng.choice([each for each in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "FOO",
                                                   "get", "G-T", "A" * 40) if each != request.method])
    return BAD


def other_path(request, rng):
    path = request.path.split("?")[0]
    request.path = rng.choice([path + "/", path + "x", path[:-1], path.upper(), path + "%00", path + "%2f", path + "/..;/x", "/%ff",
                               "/" + "a" * 500, path + "%", path + "%zz", path + "\x01", "*", "x", path + "\\"])
    return BAD


def same_path(request, rng):
    """What nginx makes the same of; of one that begins with no slash it could make another one that is good."""
    if not request.path.startswith("/"):
        return None
    request.path = rng.choice(["/." + request.path, "//" + request.path[1:], "/x/.." + request.path, request.path.replace("e", "%65", 1),
                               request.path + "#x"])
    return ANY


def other_query(request, rng):
    query, verdict = rng.choice([("x=1", BAD), ("userId", BAD), ("a=1&a=1", BAD), ("a=%", BAD), ("a=%00", BAD), ("%ff=1", BAD),
                                 ("&".join(f"a{i}=1" for i in range(9)), BAD), ("x=" + "a" * 3000, BAD), ("x=" + "a" * 9000, BAD),
                                 ("&", GOOD), ("concertId=" + quote("가"), BAD)])
    request.path += ("&" if "?" in request.path else "?") + query
    return verdict


def other_parameter(request, rng):
    parameters = OPERATIONS[request.name].parameters("query")
    if not parameters:
        return None
    value = rng.choice(["", "0", "-1", "+1", "1.0", "1e3", "9007199254740992", "9" * 40, "0x10", "1%20", "%31%00", "a", "%ff",
                        "٣", "1&" + parameters[0]["name"] + "=1"])
    request.path = request.path.split("?")[0] + "?" + parameters[0]["name"] + "=" + quote(value, safe="%&=")
    return BAD


def other_framing(request, rng):
    if request.body is None:
        return None
    size = len(request.body)
    kind = rng.randrange(5)
    if kind == 0:
        request.body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, request.body)
        request.framing = [b"Transfer-Encoding: chunked"]
        return GOOD
    request.framing = [[b"Content-Length: -1"], [b"Content-Length: 1x"], [b"Content-Length: 99999999999999999999999"],
                       [b"Content-Length: %d" % size, b"Transfer-Encoding: chunked"]][kind - 1]
    return BAD


MUTATIONS = (other_value, other_value, other_value, missing_member, extra_member, doubled_member, lone_surrogate, escaped, bad_text, bad_text,
             big_body, other_type, other_key, other_token, doubled_header, odd_header, long_header, no_header,
             other_method, other_path, same_path, other_query, other_parameter, other_framing)


class Fuzzer:
    def __init__(self, world, seed):
        self.world = world
        self.rng = random.Random(seed)
        self.sent = 0
        self.met = Counter()  # (verdict, status)
        self.used = Counter()
        self.faults = []
        self.fan = self.spare = None

    def prepare(self):
        """Somebody whose turn it is, and another one, who may leave or pay at any moment."""
        site = self.world.site
        for each in ("fan", "spare"):
            now = getattr(self, each)
            if now is None or site.send(status(now.token)).status != 200:
                setattr(self, each, site.fan())

    def request(self):
        rng = self.rng
        name = rng.choice(NAMES)
        fan = self.spare if name in ENDING else self.fan
        call = self.world.call(name, fan.token, fan.user)
        made = Request(name, call.method, call.path, list(call.headers), call.body)
        # One mutation has a verdict of its own; several may undo one another.
        count = rng.choice((1, 1, 1, 2, 3))
        while len(made.spoilt) < count:
            mutation = rng.choice(MUTATIONS)
            verdict = mutation(made, rng)
            if verdict is None:
                continue
            made.spoilt.append(mutation.__name__)
            made.verdict = verdict
        if count > 1:
            made.verdict = ANY
        return made

    async def _send(self, request):
        site = self.world.site
        reader, writer = await site._connect(None)
        try:
            writer.write(request.encode(site.host))
            start = time.monotonic()
            return await asyncio.wait_for(read_answer(reader, start, request.method == "HEAD"), ANSWER_WITHIN_S)
        except (asyncio.IncompleteReadError, ConnectionResetError):
            return None
        finally:
            writer.close()

    async def _send_all(self, requests):
        return await asyncio.gather(*map(self._send, requests), return_exceptions=True)

    def round(self):
        self.prepare()
        requests = [self.request() for _ in range(AT_ONCE)]
        answers = asyncio.run(self._send_all(requests))
        for request, answer in zip(requests, answers):
            self.sent += 1
            self.used.update(request.spoilt)
            faults = faults_of(request, answer)
            if isinstance(answer, Answer):
                self.met[request.verdict, answer.status] += 1
            if faults:
                self.faults.append(f"{request.name} {request.spoilt} ({request.verdict}): {'; '.join(faults)}\n"
                                   f"  {request.encode('x')[:600]!r}\n  {answer!r:.600}")


def _as_it_is_written(request, answer):
    """Faults by the document; where the path or the method is another's, by that of all calls."""
    operation = OPERATIONS[request.name]
    moved = {"other_path", "same_path"} & set(request.spoilt)
    if answer.status == 404 and (moved or "other_method" in request.spoilt) and answer.code == "not-found":
        return []
    if moved:
        return min((each.faults(answer) for each in OPERATIONS.values()), key=len)
    return operation.faults(answer)


def faults_of(request, answer):
    """What is wrong with this answer to this request."""
    if answer is None:
        # nginx cuts off what is no HTTP; a chunked body that is none, too.
        return [] if set(request.spoilt) & {"other_framing", "no_header", "doubled_header", "other_path"} else ["no answer"]
    if isinstance(answer, BaseException):
        return [repr(answer)]
    faults = []
    if answer.status >= 500:
        faults.append("a failure of ours")
    if request.verdict == BAD and not 400 <= answer.status < 500:
        faults.append("what is bad was not refused")
    if request.verdict == GOOD and answer.status in (400, 405, 413, 414, 415, 431):
        faults.append("what is good was refused")
    return faults + _as_it_is_written(request, answer)


@pytest.fixture(scope="module")
def world(instance, site, db):
    return World(site, db, {})


def test_whatever_is_sent_the_answer_is_one_that_is_written(world, capsys):
    fuzzer = Fuzzer(world, SEED)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and len(fuzzer.faults) < SHOWN:
        fuzzer.round()
    with capsys.disabled():
        print(f"\n{fuzzer.sent} requests, BOXOFFICE_FUZZ_SEED={SEED}: "
              + ", ".join(f"{verdict} {status}: {count}" for (verdict, status), count in sorted(fuzzer.met.items())))
    assert not fuzzer.faults, f"BOXOFFICE_FUZZ_SEED={SEED}\n" + "\n".join(fuzzer.faults[:SHOWN])
    # A fuzzer that only ever meets the first check tests nothing.
    assert {status for _, status in fuzzer.met} >= {200, 400, 401, 404, 405, 413, 415}
    assert set(fuzzer.used) >= {mutation.__name__ for mutation in MUTATIONS}
    assert world.site.send(world.call("GET /healthz")).status == 200


@pytest.mark.parametrize("verdict, answer, part", [
    (ANY, Answer(500, [], b"", 0), "a failure of ours"),
    (BAD, Answer(200, [], b"", 0), "not refused"),
    (GOOD, Answer(400, [], b"", 0), "was refused"),
    (ANY, Answer(418, [], b"", 0), "is not written"),
    (ANY, None, "no answer")])
def test_an_answer_that_is_not_written_would_be_noticed(verdict, answer, part):
    request = Request("POST /user", "POST", "/user", [], b"{}", verdict, ["other_value"])
    assert any(part in fault for fault in faults_of(request, answer))
