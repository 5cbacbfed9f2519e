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


def test_a_front_that_ends_is_not_kept_by_who_goes_on_calling(site, instance):
    """Each kept connection ends with its answer, and the other front takes over. Reads, since nginx sends
    these again when it meets a connection that is just ending."""
    calls = [get("/healthz")] * 16000
    try:
        with ThreadPoolExecutor() as pool:
            going_on = pool.submit(site.swarm, calls, 50)
            time_taken = end_under_load(instance, site)
            assert not going_on.done(), "there was no load"
            answers = going_on.result()
    finally:
        instance.start("front-0")
    assert time_taken < 3
    assert {answer.status for answer in answers} == {200}


def test_a_charge_without_a_key_outlives_its_front(site, instance, db):
    """A front is killed again and again: whatever it had in hand goes to the other one, is answered and
    is done once."""
    users = site.users(40)
    rounds = 60
    calls = [charge(user, 1) for user in users] * rounds
    kills = 0
    with ThreadPoolExecutor() as pool:
        going_on = pool.submit(site.swarm, calls, 40)
        try:
            while not going_on.done():
                instance.end("front-0", signal.SIGKILL)
                instance.start("front-0")
                kills += 1
        finally:
            answers = going_on.result()
    assert kills >= 2
    for answer in site.settle_all(answers):
        answer.ok()
    assert [db.charges(user) for user in users] == [[1] * rounds] * len(users)


def end_under_load(instance, site):
    def is_busy():
        return (instance.var / "log" / "front-0.log").stat().st_size > before + 4000

    before = (instance.var / "log" / "front-0.log").stat().st_size
    wait_until(is_busy, 10, "front-0 to be called", 0.05)
    began = time.monotonic()
    instance.end("front-0")
    return time.monotonic() - began


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
