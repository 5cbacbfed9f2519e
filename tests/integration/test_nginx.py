"""What nginx does by itself: many clients at once, limits, refusals in the envelope."""

import asyncio
import re

import pytest

from api import Call, charge, get, post, read_answer, register, status

CROWD = 1000


def at_once(instance):
    """The number of requests that nginx lets in at once."""
    text = (instance.var / "etc" / "nginx.conf").read_text()
    return int(re.search(r"limit_conn at_once (\d+);", text).group(1))


def test_a_thousand_clients_at_once(site):
    """None waits behind an idle connection: each kept connection is used round after round."""
    token = site.fan().token
    answers = site.swarm([status(token) for _ in range(4 * CROWD)], CROWD)
    assert {answer.status for answer in answers} == {200}
    assert max(answer.seconds for answer in answers) < 8


def test_a_thousand_charges_at_once(site):
    users = site.users(50)
    answers = site.swarm([charge(users[number % 50], 1) for number in range(CROWD)], CROWD)
    assert {answer.status for answer in answers} <= {200, 202}
    for answer in site.settle_all(answers):
        answer.ok()
    assert site.balances(users) == [CROWD // 50] * 50


async def crowd_out(site, limit, extra):
    """Clients who send half a request fill the limit; what do those beyond it get, and what do
    all get afterwards?"""
    body = b'{"name":"patient"}'
    whole = post("/user", body).encode(site.host)
    half, rest = whole[:-5], whole[-5:]
    streams = []
    while len(streams) < limit + extra:
        streams += await asyncio.gather(*(
            asyncio.open_connection(site.host, site.port, local_addr=(site.next_address(), 0))
            for _ in range(100)))
    for _, writer in streams:
        writer.write(half)
    tasks = {writer: asyncio.ensure_future(read_answer(reader, 0)) for reader, writer in streams}
    # Refusals come at once; who is let in hears nothing until the request is whole.
    await asyncio.wait(tasks.values(), timeout=4)
    refused = [task.result() for task in tasks.values() if task.done()]
    patient = [(writer, task) for writer, task in tasks.items() if not task.done()]
    for writer, _ in patient:
        writer.write(rest)
    served = await asyncio.wait_for(asyncio.gather(*(task for _, task in patient)), 30)
    for _, writer in streams:
        writer.close()
    return refused, served


def test_beyond_the_limit_a_clean_503(site, instance):
    limit = at_once(instance)
    refused, served = asyncio.run(crowd_out(site, limit, 200))
    assert len(served) == limit
    assert {answer.status for answer in served} <= {200, 202}
    for answer in refused:
        answer.refused(503, "unavailable")
        assert int(answer.header("Retry-After")) >= 1
    site.send(get("/healthz")).ok()


async def stall(site, address, count):
    """So many requests of one address that never end."""
    half = post("/user", b'{"name":"slow"}').encode(site.host)[:-5]
    streams = [await asyncio.open_connection(site.host, site.port, local_addr=(address, 0))
               for _ in range(count)]
    for _, writer in streams:
        writer.write(half)
    return streams


async def stalled(site, address, limit):
    """What others hear while one address holds all that it may, and what it hears itself."""
    streams = await stall(site, address, limit)
    try:
        deadline = asyncio.get_running_loop().time() + 4  # nginx waits 5 s for a body
        refused = None
        while refused is None or refused.status == 200:
            assert asyncio.get_running_loop().time() < deadline, "nobody was refused"
            refused = (await site.swarm_async([get("/healthz")], 1, address))[0]
        return refused, await site.swarm_async([get("/healthz")] * 50, 10)
    finally:
        for _, writer in streams:
            writer.close()


def test_slow_bodies_from_one_address_keep_nobody_else_out(site, instance):
    text = (instance.var / "etc" / "nginx.conf").read_text()
    limit = int(re.search(r"limit_conn by_address (\d+);", text).group(1))
    assert limit * 4 <= at_once(instance) + 3
    refused, others = asyncio.run(stalled(site, site.next_address(), limit))
    refused.refused(503, "unavailable")
    assert {answer.status for answer in others} == {200}


def test_too_many_registrations_from_one_address(site):
    address = site.next_address()
    answers = site.swarm([post("/user", {"name": ""}) for _ in range(1500)], 50, address)
    limited = [answer for answer in answers if answer.status == 429]
    assert limited and {answer.status for answer in answers} == {400, 429}
    for answer in limited:
        answer.refused(429, "rate-limited")
        assert int(answer.header("Retry-After")) >= 1
    # Another address has nothing to do with it.
    site.do(register("elsewhere")).ok()


def test_reads_are_not_limited_by_address(site):
    token = site.fan().token
    answers = site.swarm([status(token) for _ in range(2000)], 50, site.next_address())
    assert {answer.status for answer in answers} == {200}


REFUSALS = {
    400: (Call("GET", "/%zz"), "bad-request"),
    404: (get("/nowhere"), "not-found"),
    405: (Call("TRACE", "/user"), "method-not-allowed"),
    413: (post("/user", b"x" * 20000), "body-too-large"),
    414: (get("/" + "a" * 9000), "bad-request"),
    415: (Call("POST", "/user", b"{}", [("Content-Type", "text/plain")]),
          "unsupported-media-type"),
    431: (Call("GET", "/user", None, [("X", "a" * 9000)]), "bad-request"),
}


@pytest.mark.parametrize("number", REFUSALS)
def test_a_refusal_is_in_the_envelope(site, number):
    call, code = REFUSALS[number]
    answer = site.send(call)
    answer.refused(number, code)
    assert answer.header("X-Request-Id")


@pytest.mark.parametrize("call", [get("/healthz"), get("/"), *(call for call, _ in
                                                             REFUSALS.values())],
                         ids=["front", "page", *map(str, REFUSALS)])
def test_no_answer_tells_a_version(site, call):
    answer = site.send(call)
    server = answer.header("Server") or ""
    assert not re.search(r"\d", server), server
    assert answer.header("X-Powered-By") is None
    assert b"nginx" not in answer.body.lower() or answer.status == 200


def test_fronts_away_is_a_503_in_the_envelope(site, instance):
    try:
        instance.stop("front")
        answer = site.send(get("/healthz"))
        answer.refused(503, "unavailable")
        assert int(answer.header("Retry-After")) >= 1
        answer = site.send(register())
        answer.refused(503, "unavailable")
    finally:
        instance.start("front")
    site.do(register()).ok()


def test_one_front_of_two_is_enough(site, instance):
    try:
        instance.stop("front-0")
        answers = site.swarm([get("/healthz") for _ in range(100)], 20)
        assert {answer.status for answer in answers} == {200}
        site.fan()
    finally:
        instance.start("front-0")


def test_a_request_id_of_the_client_is_not_taken(site):
    answer = site.send(get("/healthz").with_header("X-Request-Id", "mine level=error"))
    assert answer.header("X-Request-Id") != "mine level=error"
