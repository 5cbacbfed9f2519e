"""An upgrade as OPERATIONS.md has it: every process restarted, one by one, under load, loses nothing."""

import json
import threading

from api import charge, issue, new_key, pay, register, reserve, Fan
from wait import wait_until

ORDER = ("gate-worker", "seat-worker", "account-worker", "front")
PRICE = 1000
MAY_BE_LATE = {"hold-expired", "not-held"}  # a hold of the tests lasts 3 s


def through(site, calls):
    """Sends as a good client does: what gets 503 is sent again with its key, a 202 is followed."""
    answers, left = [None] * len(calls), list(range(len(calls)))

    def all_are_answered():
        nonlocal left
        for index, answer in zip(left, site.swarm([calls[index] for index in left], 50)):
            assert answer.status in (200, 202, 402, 404, 409, 503), answer
            answers[index] = answer
        left = [index for index in left if answers[index].status == 503]
        return not left

    wait_until(all_are_answered, 30, "answers other than 503", 0.1)
    return site.settle_all(answers)


class Load(threading.Thread):
    """Charges and purchases, round after round, until it is told to end."""

    def __init__(self, site, users, seats):
        super().__init__()
        self.site, self.users, self.seats = site, users, list(seats)
        self.is_over = threading.Event()
        self.rounds, self.bought, self.fans, self.last = 0, [], [], []
        self.error = None

    def run(self):
        try:
            while not self.is_over.is_set():
                self.last = [charge(user, 1, new_key()) for user in self.users]
                for answer in through(self.site, self.last):
                    answer.ok()
                self.buy(self.seats.pop())
                self.rounds += 1
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error

    def one(self, call):
        return through(self.site, [call])[0]

    def buy(self, seat):
        user = self.one(register("fan", new_key())).ok()["userId"]
        self.one(charge(user, PRICE, new_key())).ok()
        fan = Fan(user, self.one(issue(user, key=new_key())).ok()["token"])
        self.fans.append(fan)
        self.site.wait_admitted([fan])
        self.one(reserve(fan.token, seat, new_key())).ok()
        answer = self.one(pay(fan.token, seat, new_key()))
        if answer.status == 200:
            self.bought.append((fan.user, seat))
        else:
            answer.refused(409, *MAY_BE_LATE)


def test_a_rolling_restart_under_load_loses_nothing(instance, site, db, broker):
    users = site.users(20)
    load = Load(site, users, db.schedule(seats=400, price=PRICE).seats)
    load.start()
    try:
        for kind in ORDER:
            for name in instance.names(f"{kind}-"):
                before = load.rounds
                instance.end(name)
                instance.start(name)
                wait_until(lambda: load.rounds > before or load.error, 30, f"a round since the restart of {name}")
    finally:
        load.is_over.set()
        load.join(90)
    assert load.error is None and not load.is_alive()
    assert load.rounds >= 2 * len(ORDER)
    assert site.balances(users) == [load.rounds] * len(users)
    again = through(site, load.last)
    assert all(answer.ok() and answer.replayed for answer in again)
    assert site.balances(users) == [load.rounds] * len(users)
    bought = dict(load.bought)
    assert len(bought) > load.rounds / 2
    for fan in load.fans:
        paid = db.rows("SELECT r.seat_id FROM payment p JOIN seat_reservation r ON r.id = p.reservation_id"
                       " WHERE p.user_id = %s", db.user(fan.user))
        assert [seat for (seat,) in paid] == ([bought[fan.user]] if fan.user in bought else [])
        assert db.balance(fan.user) == (0 if fan.user in bought else PRICE)
    assert broker.depth("dead") == 0
    wait_until(lambda: audit(instance)["broken"] == 0, 15, "a clean audit", 0.5)


def audit(instance):
    return json.loads(instance.run("ctl", "audit", "--json", check=False).stdout)
