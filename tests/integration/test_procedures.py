"""OPERATIONS.md on an instance of its own: backup and restore, and another number of partitions."""

import getpass
import json
import subprocess
import threading

import pytest

from amqp import SEAT_PARTITIONS, Broker
from api import Site, charge, issue, new_key, pay, reserve, status
from db import Db
from instance import ROOT, Instance
from wait import wait_until

HOLD_S = 3
SETTINGS = {"hold_s": HOLD_S, "gate_show_up_s": 0, "gate_quiet_s": 0, "gate_active_s": 3600, "takeover_ms": 500}


class World:
    def __init__(self, instance):
        values = instance.values
        self.instance = instance
        self.site = Site(values["BOXOFFICE_URL"])
        self.broker = Broker(values["BOXOFFICE_AMQP_ADMIN_URL"], values["BOXOFFICE_MANAGEMENT_URL"])
        self.db = Db(values)
        self.ours = ("front", "seat-worker", "account-worker", "gate-worker")

    def server(self, program, *arguments, **options):
        """A client program of the database, as the account that made it."""
        return subprocess.run([*program, "--no-defaults", f"--socket={self.instance.values['BOXOFFICE_MYSQL_SOCKET']}",
                               f"--user={getpass.getuser()}", *arguments], check=True, timeout=60, **options)

    def ctl(self, *arguments):
        return self.instance.run("ctl", *arguments, check=False)

    def passes(self, *arguments):
        """Preflight does; the broker's numbers are some seconds old."""
        def all_pass():
            done = self.ctl("preflight", *arguments)
            assert done.returncode == 0, done.stdout
            return True

        wait_until(all_pass, 30, "preflight", 0.5)

    def buy(self, seat):
        fan = self.site.fan(balance=5000)
        self.site.do(reserve(fan.token, seat)).ok()
        self.site.do(pay(fan.token, seat)).ok()
        return fan


@pytest.fixture
def world():
    made = Instance(SETTINGS)
    try:
        made.up()
        yield World(made)
    finally:
        made.down()


def keep_charging(site, user, is_over, done):
    while not is_over.is_set():
        key = new_key()
        site.do(charge(user, 1, key)).ok()
        done.append(key)


def test_a_backup_under_load_is_restored_whole(world, tmp_path):
    site, db, dump = world.site, world.db, tmp_path / "boxoffice.sql"
    seats = db.schedule(seats=3, price=1000).seats
    early, busy, patient = world.buy(seats[0]), site.users()[0], site.fan()
    is_over, done = threading.Event(), []
    load = threading.Thread(target=keep_charging, args=(site, busy, is_over, done))
    load.start()
    try:
        wait_until(lambda: len(done) > 5, 20, "some charges")
        begun = len(done)
        with open(dump, "wb") as out:
            program = world.instance.command_in_root("mysql", "mysqldump") if world.db.is_mysql() else ["mariadb-dump"]
            world.server(program, "--single-transaction", "--hex-blob", "--databases", "boxoffice", stdout=out)
        before = len(done)
        wait_until(lambda: len(done) > before + 5, 20, "charges after the backup")
    finally:
        is_over.set()
        load.join(30)
    # After the backup: one who buys, and a job that is still on the queue when all ends.
    world.buy(seats[1])
    world.instance.stop("account-worker")
    queued = site.send(charge(early.user, 50, new_key()))
    assert queued.status == 202
    world.instance.stop(*world.ours)

    world.server(["mariadb"], "-e", "DROP DATABASE boxoffice")
    with open(dump, "rb") as source:
        world.server(["mariadb"], stdin=source)
    subprocess.run([str(ROOT / "sql/migrate"), f"--defaults-file={world.instance.var}/etc/mariadb-admin.cnf", "boxoffice"],
                   check=True, capture_output=True, timeout=60)
    (world.instance.var / "secrets" / "token-key").write_text("ab" * 32 + "\n")
    world.instance.start(*world.ours)

    wait_until(lambda: db.balance(early.user) == 4050, 20, "the job that was on the queue")
    assert db.statuses(seats[0]) == ["PAID"] and db.statuses(seats[1]) == []
    kept = db.balance(busy)
    assert begun <= kept <= before + 1 < len(done)
    # A client that repeats what was lost is served; what was not lost is not done twice.
    for key in done:
        site.do(charge(busy, 1, key)).ok()
    assert db.balance(busy) == len(done)
    # An old token is no good, since its number may be another's now; who waits has the old place.
    ticket = db.ticket(patient.user)
    site.send(status(patient.token)).refused(401, "token-invalid")
    token = site.do(issue(patient.user, resume=True)).ok()["token"]
    assert site.send(status(token)).ok()["number"] == ticket
    world.buy(seats[1])
    assert json.loads(world.ctl("audit", "--json").stdout)["broken"] == 0
    world.passes()


def test_another_number_of_partitions(world):
    site, db, instance = world.site, world.db, world.instance
    seats = db.schedule(seats=40, price=1000).seats
    fans = site.fans(20)
    for fan, seat in zip(fans, seats):
        site.do(reserve(fan.token, seat)).ok()
    world.ctl("gate", "pause")
    instance.stop("front")

    def nothing_is_under_way():
        queues = json.loads(world.ctl("queues", "--json").stdout)["queues"]
        return not any(queue["ready"] or queue["unacked"] for queue in queues
                       if queue["name"].startswith(("seat.", "hold.expiry.")))

    wait_until(lambda: not world.broker.depth(f"hold.expiry.{HOLD_S}s"), HOLD_S + 10, "the end of all holds", 0.2)
    wait_until(nothing_is_under_way, 30, "empty queues", 0.5)
    instance.stop("seat-worker", "account-worker", "gate-worker")
    instance.set += " partitions=6"
    instance.up()
    for number in range(6, SEAT_PARTITIONS):
        assert world.broker.depth(f"seat.{number}") == 0
        world.broker.management(f"queues/{world.broker.vhost}/seat.{number}", "DELETE")
    world.passes("--gate", "paused")
    world.ctl("gate", "open")

    assert not db.rows("SELECT id FROM seat_reservation WHERE status = 'PENDING'")
    bought = {seat: world.buy(seat) for seat in seats[:8]}
    assert all(db.statuses(seat)[-1] == "PAID" for seat in bought)
    # And a hold ends in its new partition.
    site.do(reserve(site.fan().token, seats[20])).ok()
    wait_until(lambda: db.statuses(seats[20]) == ["EXPIRED"], HOLD_S + 10, "the end of a hold")
    assert {queue["name"] for queue in json.loads(world.ctl("queues", "--json").stdout)["queues"]
            if queue["name"].startswith("seat.")} == {f"seat.{number}" for number in range(6)}
    assert json.loads(world.ctl("audit", "--json").stdout)["broken"] == 0
