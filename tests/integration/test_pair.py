"""Two databases: what was answered is on both, one takes the other's place, and never with less than was answered."""

import getpass
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pymysql
import pytest

from api import Site, charge, check, new_key
from db import Db
from instance import ROOT, Instance
from wait import wait_until

A, B = "mariadb", "mariadb-b"
CLIENTS = 4


def is_mysql():
    """The caller of the tests chose a MySQL (tests/matrix)."""
    chosen = dict(word.split("=", 1) for word in os.environ.get("BOXOFFICE_TEST_SET", "").split())
    return "mysql_root" in chosen and not (Path(chosen["mysql_root"]) / "usr/sbin/mariadbd").exists()


# MySQL without TLS: there the replica has to ask the primary for a key before it tells its password.
SETTINGS = {"mysql_replica": 1, "tls": 0 if is_mysql() else 1, "fronts": 2, "account_workers": 2,
            "gate_max_active": 1000, "takeover_ms": 100}
# What the two call the same.
REPLICA, SOURCE, CHANGE_SOURCE = (("REPLICA", "SOURCE", "CHANGE REPLICATION SOURCE") if is_mysql() else
                                  ("SLAVE", "MASTER", "CHANGE MASTER"))


class Pair(Instance):
    """An instance with two databases, named as the launcher names them."""

    def up(self):
        super().up()
        self.site = Site(self.values["BOXOFFICE_URL"])

    def owner(self, name):
        """As the operating system's user who made the databases: not bound by read_only."""
        return pymysql.connect(unix_socket=f"{self.var}/run/{name}.sock", user=getpass.getuser(), autocommit=True,
                               database="boxoffice", read_timeout=20)

    def ask(self, name, sql):
        with self.owner(name) as owner, owner.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def tell(self, name, *statements):
        for sql in statements:
            self.ask(name, sql)

    def role(self):
        """(primary, "pair" or "alone")."""
        server, mode = (self.var / "pair" / "pair.state").read_text().split()
        return {"a": A, "b": B}[server], mode

    def db(self):
        """The database that takes writes now."""
        return Db({**self.values, "BOXOFFICE_MYSQL_SOCKET": f"{self.var}/run/{self.role()[0]}.sock"})

    def charges(self, name, user):
        return self.ask(name, f"SELECT COUNT(*) FROM cash_history h JOIN user u ON u.id = h.user_id"
                              f" WHERE u.uuid = UNHEX('{user.replace('-', '')}')")[0][0]

    def kill(self, name):
        self.end(name, signal.SIGKILL)

    def cut_off_replica(self, old):
        """The primary refuses it; until it is let in again."""
        self.tell(old, "ALTER USER boxoffice_replica IDENTIFIED BY 'another'")
        self.tell(old, *(f"KILL {row[0]}" for row in self.ask(
            old, "SELECT id FROM information_schema.processlist WHERE user = 'boxoffice_replica'")))
        wait_until(lambda: self.ask(old, f"SHOW STATUS LIKE 'Rpl_semi_sync_{SOURCE}_clients'")[0][1] == "0", 10, "the cut")

    def let_replica_in(self, name):
        self.tell(name, "ALTER USER boxoffice_replica IDENTIFIED BY"
                        f" '{(self.var / 'secrets' / 'mysql-replica').read_text().strip()}'")

    def copies_kept(self, name):
        return list((self.var / "pair").glob(f"left-{name}-*.sql.gz"))

    def database_pair(self, command):
        return subprocess.run([ROOT / "ops/database-pair", self.var / "pair", command], capture_output=True, text=True,
                              timeout=120, check=False)

    def is_whole(self):
        return self.run("status", check=False).returncode == 0

    def preflight(self):
        """What it says of the replica."""
        told = json.loads(self.run("ctl", "preflight", "--json", check=False).stdout)
        return next(check["state"] for check in told["checks"] if check["name"] == "database-replica")


class Load:
    """Charges of 1, each under a key that is known, from several clients at once, until told to end."""

    def __init__(self, site):
        self.site, self.user = site, site.users()[0]
        self.answers = []  # (when, key, status)
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]

    def run(self):
        while not self.over.is_set():
            key = new_key()
            answer = self.site.send(charge(self.user, 1, key))
            self.answers.append((time.monotonic(), key, answer.status))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.wait_confirmed(0)
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def wait_confirmed(self, since, deadline_s=30):
        """When the first write after this moment was confirmed."""
        return wait_until(lambda: min((at for at, _, status in list(self.answers) if at > since and status == 200),
                                      default=None), deadline_s, "a confirmed write", 0.01)

    def longest_gap(self):
        confirmed = sorted(at for at, _, status in self.answers if status == 200)
        return max(after - before for before, after in zip(confirmed, confirmed[1:]))

    def check(self, pair):
        """Everybody was answered as documented; each key is there once in the end, and was if it was confirmed."""
        assert {status for _, _, status in self.answers} <= {200, 202, 503}
        primary = pair.role()[0]
        confirmed = [key for _, key, status in self.answers if status == 200]
        wait_until(lambda: self.site.send(check(self.user)).status == 200, 20, "the database")
        assert pair.charges(primary, self.user) >= len(confirmed)
        for key in confirmed[-100:]:
            assert self.site.do(charge(self.user, 1, key)).replayed, "a confirmed write was done again"
        for _, key, status in self.answers:
            if status != 200:
                wait_until(lambda key=key: self.site.do(charge(self.user, 1, key)).ok(), 30, "an outcome")
        assert pair.charges(primary, self.user) == len(self.answers)
        assert pair.run("ctl", "audit", check=False).returncode == 0


@pytest.fixture(scope="module")
def pair():
    made = Pair(SETTINGS)
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(autouse=True)
def whole(pair):
    """Each test begins with a pair."""
    assert pair.is_whole()


def other(name):
    return B if name == A else A


def promote(pair, check=True):
    return pair.run("promote", check=check)


def refuses(pair, old, why):
    """What is promoted would lack what was answered: nothing changes, and nobody takes writes."""
    done = promote(pair, check=False)
    assert done.returncode != 0 and why in done.stderr, done.stderr
    assert pair.role()[0] == old
    assert pair.ask(other(old), "SELECT @@global.read_only") == ((1,),)


def test_a_killed_primary_loses_nothing_that_was_answered(pair):
    old, _ = pair.role()
    with Load(pair.site) as load:
        pair.kill(old)
        killed = time.monotonic()
        promote(pair)
        promoted_s = time.monotonic() - killed
        next_s = load.wait_confirmed(killed + 0.1) - killed
    print(f"promoted after {promoted_s:.2f} s, next confirmed write after {next_s:.2f} s")
    assert pair.role() == (other(old), "alone")
    assert next_s < 10
    load.check(pair)
    pair.start(old)  # as a replica, from where it was
    assert pair.role() == (other(old), "pair") and pair.is_whole()
    assert pair.ask(old, "SELECT @@global.read_only") == ((1,),)
    wait_until(lambda: pair.charges(old, load.user) == len(load.answers), 10, "the old primary to have all of it")


def test_they_change_places_under_load(pair):
    old, _ = pair.role()
    with Load(pair.site) as load:
        began = time.monotonic()
        promote(pair)
        load.wait_confirmed(time.monotonic())
    print(f"longest time without a confirmed write {load.longest_gap():.2f} s, {time.monotonic() - began:.2f} s in all")
    assert pair.role() == (other(old), "pair")
    load.check(pair)


def test_who_only_reads_leaves_a_server_that_takes_no_writes(pair):
    """It may be one that was replaced, and goes on telling what was. Nobody ends the session here."""
    old, _ = pair.role()
    user = pair.site.users()[0]
    pair.site.do(charge(user, 1)).ok()
    pair.tell(old, "SET GLOBAL read_only = 1")
    try:
        wait_until(lambda: pair.site.send(check(user)).status == 503, 5, "the fronts to leave", 0.1)
    finally:
        pair.tell(old, "SET GLOBAL read_only = 0")
    wait_until(lambda: pair.site.send(check(user)).status == 200, 5, "the fronts to come back", 0.1)


def test_what_the_replica_has_received_is_applied_first(pair):
    """It lags by seconds when the primary dies: promoting takes as long, and everything is there."""
    old, _ = pair.role()
    pair.tell(other(old), f"STOP {REPLICA}", f"{CHANGE_SOURCE} TO {SOURCE}_DELAY = 2", f"START {REPLICA}")
    user = pair.site.users()[0]
    for _ in range(3):
        pair.site.do(charge(user, 1)).ok()
    assert pair.charges(other(old), user) == 0
    pair.kill(old)
    promote(pair)
    assert pair.charges(other(old), user) == 3
    pair.start(old)


def test_a_replica_that_was_cut_off_is_not_promoted(pair):
    """Nobody is told of a write that the replica has not got; and when the primary dies then, it has to come back."""
    old, _ = pair.role()
    user, key = pair.site.users()[0], new_key()
    pair.tell(other(old), f"STOP {REPLICA} IO_THREAD")
    assert pair.site.send(charge(user, 1, key)).status == 202
    pair.kill(old)
    refuses(pair, old, "is not certain")
    pair.start(old)
    assert pair.is_whole()
    assert pair.site.do(charge(user, 1, key)).ok() == {"balance": 1}
    assert pair.charges(old, user) == 1


def test_a_replica_that_was_left_is_not_promoted(pair):
    """Who goes on alone is served, and cannot be replaced by one who lacks what was answered since."""
    old, _ = pair.role()
    user = pair.site.users()[0]
    pair.kill(other(old))
    waits = pair.site.send(charge(user, 1))
    assert waits.status == 202
    wait_until(lambda: pair.preflight() == "failed", 20, "the primary to notice", 0.5)
    pair.run("alone")
    assert pair.preflight() == "failed"
    assert pair.site.settle(waits).ok() == {"balance": 1}
    assert pair.site.do(charge(user, 1)).ok() == {"balance": 2}
    assert pair.run("status", check=False).returncode == 3
    pair.kill(old)
    pair.run("start", other(old))
    refuses(pair, old, "went on alone")
    pair.run("start", old)
    assert pair.site.do(charge(user, 1)).ok() == {"balance": 3}
    pair.start(other(old))
    assert pair.role() == (old, "pair") and pair.preflight() == "passed"
    wait_until(lambda: pair.charges(other(old), user) == 3, 10, "the replica to catch up")


@pytest.mark.parametrize("end", [Pair.kill, Pair.stop])
def test_what_only_the_old_primary_has_is_never_served(pair, end):
    """Its last transaction did not reach the replica: nobody was told of it, however the primary ends, the job is
    done by the new one, and the old one comes back as a copy of that."""
    old, _ = pair.role()
    user, key = pair.site.users()[0], new_key()
    before = len(pair.copies_kept(old))
    pair.cut_off_replica(old)
    late = pair.site.send(charge(user, 1, key))
    assert late.status == 202
    end(pair, old)
    promote(pair)
    assert pair.site.settle(late).ok() == {"balance": 1}
    pair.let_replica_in(other(old))
    done = pair.run("start", old)
    assert "kept in" in done.stdout + done.stderr
    assert len(pair.copies_kept(old)) == before + 1
    assert pair.role() == (other(old), "pair") and pair.is_whole()
    for name in (A, B):
        wait_until(lambda name=name: pair.charges(name, user) == 1, 10, f"one charge at {name}")
    assert pair.run("ctl", "audit", check=False).returncode == 0


def test_a_promotion_that_was_refused_can_be_repeated(pair):
    """What was received cannot be applied: the old primary goes on, and promotes its replica once it can."""
    old, _ = pair.role()
    user = pair.site.users()[0]
    held = pair.owner(other(old))
    with held.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM cash FOR UPDATE")
        pair.site.do(charge(user, 1)).ok()
        done = pair.run("promote", check=False, BOXOFFICE_APPLY_S="1")
        assert done.returncode != 0 and "has received" in done.stderr, done.stderr
    held.close()
    assert pair.role() == (old, "pair") and pair.is_whole()
    pair.site.do(charge(user, 1)).ok()
    promote(pair)
    assert pair.role() == (other(old), "pair")
    assert pair.charges(other(old), user) == 2


def test_a_copy_that_was_not_finished_is_none(pair):
    """It ends before its position: who has it is nowhere, follows nobody and is copied again."""
    old, _ = pair.role()
    user = pair.site.users()[0]
    pair.site.do(charge(user, 1)).ok()
    dump = pair.var / "pair" / "dump-of-the-test"
    dump.write_text("#!/bin/sh\necho 'USE mysql; SELECT 1 FROM nowhere;'\n")
    dump.chmod(0o755)
    settings = pair.var / "pair" / "pair.settings"
    before = settings.read_text()
    settings.write_text("".join(f"{line}\n" for line in before.splitlines() if not line.startswith("dump=")) + f"dump={dump}\n")
    forget = ("RESET BINARY LOGS AND GTIDS",) if is_mysql() else ("RESET MASTER", "SET GLOBAL gtid_slave_pos = ''")
    try:
        pair.tell(other(old), f"STOP {REPLICA}", f"RESET {REPLICA} ALL", *forget)
        broken = pair.database_pair("join")
        assert broken.returncode != 0 and "could not be copied" in broken.stderr, broken.stderr
        assert pair.role() == (old, "alone")
        refuses(pair, old, "went on alone")
    finally:
        settings.write_text(before)
    assert pair.database_pair("join").returncode == 0
    assert pair.role() == (old, "pair") and pair.is_whole()
    wait_until(lambda: pair.charges(other(old), user) == 1, 10, "the copy")


def test_a_primary_that_lost_its_end_is_not_opened(pair):
    """The replica has what it has not, and that may have been answered: nothing is copied over it."""
    old, _ = pair.role()
    user = pair.site.users()[0]
    pair.kill(old)
    # As if the primary's disk had lost it: the replica alone has this.
    pair.tell(other(old), "SET GLOBAL read_only = 0")
    pair.tell(other(old), "INSERT INTO catalogue_change (changed_by, changed_at, what) VALUES ('test', SYSDATE(6), 'x')",
              "SET GLOBAL read_only = 1")
    done = pair.run("start", old, check=False)
    assert done.returncode != 0 and "has what" in done.stderr, done.stderr
    assert pair.role() == (old, "pair")
    assert pair.ask(old, "SELECT @@global.read_only") == ((1,),)
    assert pair.site.send(charge(user, 1)).status == 202
    # Given up knowingly, as the runbook says: the replica is the newer one.
    (pair.var / "pair" / "pair.state").write_text("b alone\n" if old == A else "a alone\n")
    assert pair.database_pair("open").returncode == 0
    assert pair.database_pair("join").returncode == 0
    assert pair.is_whole()
    wait_until(lambda: pair.charges(old, user) == 1, 20, "the charge on both")
