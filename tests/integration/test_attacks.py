"""What somebody tries who means harm, beside what test_bad_http.py, test_nginx.py and test_http_grammar.py send."""

import asyncio
import re
import time
import uuid

from api import Call, charge, check, get, issue, own, pay, post, register, reserve, status
from wait import wait_until

SLOW_CLIENTS = 300
HEADERS_WITHIN_S = 10  # client_header_timeout of nginx/boxoffice.conf.in


async def _trickle(site, address):
    """Requests whose headers never end, and what others are answered meanwhile; until all are cut off."""
    streams = [await asyncio.open_connection(site.host, site.port, local_addr=(address, 0)) for _ in range(SLOW_CLIENTS)]
    try:
        for _, writer in streams:
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        others = []
        end = time.monotonic() + HEADERS_WITHIN_S + 5
        left = [asyncio.create_task(reader.read()) for reader, _ in streams]
        while left and time.monotonic() < end:
            others += await site.swarm_async([get("/healthz")], 1)
            for _, writer in streams:
                if not writer.is_closing():
                    writer.write(b"a")
            done, _ = await asyncio.wait(left, timeout=0.5)
            left = [each for each in left if each not in done]
        return len(left), others
    finally:
        for _, writer in streams:
            writer.close()


def test_who_sends_headers_letter_by_letter_is_cut_off_and_hinders_nobody(site):
    left, others = asyncio.run(_trickle(site, site.next_address()))
    assert left == 0
    assert {answer.status for answer in others} == {200}
    assert max(answer.seconds for answer in others) < 2


def test_nobody_writes_lines_of_their_own_into_a_log(instance, site):
    """Whatever is in the path, the query or the headers."""
    mark = uuid.uuid4().hex
    forged = "ts=2026-01-01T00:00:00Z level=error proc=front-0 event=" + mark
    sizes = instance.log_sizes()
    for path in (f"/{mark}%0a{forged.replace(' ', '%20')}", f"/{mark}\"%20event=forged", f"/{mark}%00", f"/{mark}?x=%0d%0a{mark}"):
        site.send(Call("GET", path, None, [("User-Agent", f'"\x1b[31m {mark}'), ("Referer", forged)]))
    site.send(post("/user", {"name": f"{mark}\n{forged}"}))
    site.send(register(f"{mark} event=forged", key=f"{mark}"))
    site.send(Call("GET", "/healthz", None, [("queue-token", forged)]))

    def logged():
        news = instance.log_since(sizes, lines=1000)
        assert mark in news.get("nginx-access", "")
        return news

    for name, text in wait_until(logged, 10, "the log").items():
        if name == "nginx-access" or "front" in name or "worker" in name:
            for line in text.splitlines():
                assert re.match(r"ts=\S+ ", line), (name, line)
                assert not re.search(rf" event={mark}| event=forged(?!\S*\")", re.sub(r'"(\\.|[^"\\])*"', '""', line)), (name, line)
                assert not re.search(r"[\x00-\x1f\x7f]", line), (name, line)


def test_a_token_is_of_no_use_after_its_payment(site, seat):
    """Who steals one finds nothing to take; the buyer's own repeat still gets its answer."""
    fan = site.fan(balance=100000)
    key = str(uuid.uuid4())
    site.do(reserve(fan.token, seat)).ok()
    first = site.do(pay(fan.token, seat, key)).ok()

    def is_over():
        return site.send(status(fan.token)).status == 401

    wait_until(is_over, 5, "the front to know")
    site.send(reserve(fan.token, seat)).refused(401, "token-finished")
    site.send(pay(fan.token, seat)).refused(401, "token-finished")
    assert site.do(pay(fan.token, seat, key)).ok() == first


def test_guessed_ids_open_nothing(site):
    """A userId is 122 random bits; one that is off by a bit is nobody's, and no answer tells how near it was."""
    fan = site.fan(balance=1)
    number = uuid.UUID(fan.user).int
    near = [str(uuid.UUID(int=number ^ 1 << bit)) for bit in (0, 1, 17, 40, 127)]
    for user in near + [str(uuid.uuid4()) for _ in range(20)]:
        answers = [site.send(check(user)), site.send(own("/user/reservations", user)), site.send(own("/user/cash-history", user)),
                   site.do(charge(user, 1)), site.do(issue(user))]
        bodies = {answer.refused(404, "unknown-user")["message"] for answer in answers}
        assert len(bodies) == 1
    # A payment or a hold has a number, but no call takes one of another user's.
    assert site.send(get("/jobs/1")).status == 404 and site.send(get("/payment/1")).status == 404
