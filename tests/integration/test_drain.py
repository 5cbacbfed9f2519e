"""A front that is told to end answers the requests in hand first."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

from api import charge, get
from wait import wait_until


def test_a_front_that_ends_answers_what_it_has(site, instance, broker):
    """Charges wait in both fronts for a worker; then one front gets its TERM."""
    users = site.users(40)
    try:
        instance.stop("account-worker")
        with ThreadPoolExecutor() as pool:
            waiting = pool.submit(site.swarm, [charge(user, 1) for user in users], 40)
            wait_until(lambda: broker.depth("account") >= 2, 5, "jobs on the queue", 0.02)
            began = time.monotonic()
            instance.end("front-0")
            assert time.monotonic() - began < 8
            answers = waiting.result()
    finally:
        instance.start("front-0")
        instance.start("account-worker")
    assert {answer.status for answer in answers} == {202}
    for answer in site.settle_all(answers):
        answer.ok()
    assert site.balances(users) == [1] * 40


def test_an_idle_front_ends_at_once(site, instance):
    """Kept connections are no reason to stay."""
    for answer in site.swarm([get("/healthz")] * 400, 100):
        answer.ok()
    try:
        began = time.monotonic()
        instance.end("front-1", signal.SIGTERM)
        assert time.monotonic() - began < 2
    finally:
        instance.start("front-1")
    site.send(get("/healthz")).ok()
