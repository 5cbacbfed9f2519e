"""A message that kills its worker every time ends in `dead` alone."""

from amqp import envelope, job, partition
from api import reserve
from wait import wait_until

FAULT = "poison-1:kill"
STARTS_AT_MOST = 60


def test_the_ninety_nine_prefetched_with_it_are_applied(site, instance, broker, db):
    users = site.users(99)
    poison = job("charge", userId=site.users()[0], amount=1, requestId="poison-1")
    messages = [job("charge", userId=user, amount=1, requestId="fine") for user in users]
    messages.insert(40, poison)
    running = None
    starts = 0
    try:
        instance.stop("account-worker")
        for work in messages:
            broker.publish("account", "account", envelope(work))

        def poisoned():
            """Plays the part of a service manager: whoever dies is started again."""
            nonlocal running, starts
            if running is None or running.poll() is not None:
                starts += 1
                assert starts <= STARTS_AT_MOST, "it kills its worker for ever"
                running = instance.spawn("account-worker-0", BOXOFFICE_FAULT=FAULT)
            return broker.dead_letters_with(poison["id"])

        letters = wait_until(poisoned, 90, "the poisoned message among the dead", 0.1)
        assert len(letters) == 1
        wait_until(lambda: all(db.charges(user) == [1] for user in users), 20, "the ninety-nine")
        assert starts > 1, "the poison never killed"
    finally:
        if running is not None:
            running.kill()
            running.wait()
        instance.start("account-worker")


def test_a_poisoned_reservation_does_not_stop_its_partition(site, instance, broker, db, seat):
    victim, fan = site.fans(2)
    poison = job("reserve", userId=victim.user, ticket=db.ticket(victim.user), seatId=seat,
                 requestId="poison-1")
    running = None
    try:
        instance.stop("seat-worker")
        broker.publish("seat", partition(seat), envelope(poison))

        def poisoned():
            nonlocal running
            if running is None or running.poll() is not None:
                running = instance.spawn("seat-worker-0", BOXOFFICE_FAULT=FAULT,
                                         BOXOFFICE_TAKEOVER_MS="0")
            return broker.dead_letters_with(poison["id"])

        wait_until(poisoned, 90, "the poisoned message among the dead", 0.1)
    finally:
        if running is not None:
            running.kill()
            running.wait()
        instance.start("seat-worker")
    site.do(reserve(fan.token, seat)).ok()
