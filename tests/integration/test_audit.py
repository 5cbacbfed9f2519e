"""boxofficectl audit: clean on a busy instance, and one case for each invariant that was broken on
purpose, in a schema of the test's own."""

import hashlib
import json
import signal
import subprocess
import threading
import uuid
from pathlib import Path

import pytest

from api import charge, issue, leave, pay, reserve
from instance import find_program
from test_schema import migrate, owner
from wait import wait_until

SCRATCH = "boxoffice_audit"


def audit(instance, *options):
    done = instance.run("ctl", "audit", "--json", *options, check=False)
    return done.returncode, json.loads(done.stdout)


def test_a_busy_instance_is_clean(instance, site, db):
    """Audits run beside charges, reservations, payments, departures and new arrivals."""
    seats = db.schedule(seats=50, price=1000).seats
    fans = site.fans(50, balance=1500)
    over = threading.Event()

    def be_busy():
        for fan, seat in zip(fans, seats):
            site.swarm([charge(fan.user, 1 + number) for number in range(20)])
            site.do(reserve(fan.token, seat)).ok()
            site.do(pay(fan.token, seat)).ok()
            site.do(leave(site.do(issue(fan.user)).ok()["token"])).ok()
        over.set()

    busy = threading.Thread(target=be_busy)
    busy.start()
    runs = 0
    try:
        while not over.is_set() or runs < 3:
            status, told = audit(instance)
            found = [check for check in told["checks"] if check["count"]]
            assert (status, found) == (0, []), found
            runs += 1
    finally:
        busy.join()
    assert len(told["checks"]) > 50 and (told["broken"], told["warnings"]) == (0, 0)


def test_what_people_read(instance, site):
    assert site
    printed = instance.run("ctl", "audit").stdout.splitlines()
    assert printed[0] == "ok       balance-of-history"
    assert printed[-1] == "0 broken, 0 warnings"


@pytest.mark.parametrize("options", [["--rows", "x"], ["--rows", "0"], ["--rows"], ["--fly"], ["more"]])
def test_a_mistake_in_the_call(instance, options):
    done = instance.run("ctl", "audit", *options, check=False)
    assert done.returncode == 2 and done.stderr


def test_a_database_that_is_away_is_not_clean(instance):
    with instance.ctl_settings("mysql_socket=/nonexistent"):
        assert instance.run("ctl", "audit", check=False).returncode == 1


# Broken on purpose -------------------------------------------------------------------------------

USERS = [uuid.UUID(int=0x1000 + number) for number in range(1, 6)]
JOBS = {name: uuid.UUID(int=0x2000 + place) for place, name in enumerate(
    ["register", "issue", "reserve", "pay", "reserve-2", "pay-2", "refund", "charge", "lost",
     "reverse", "refused", "hold", "unpaid"])}
SECRET = b"s" * 32
VALUE = "a public value"


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def hexed(value):
    return f"UNHEX('{(value.bytes if isinstance(value, uuid.UUID) else value).hex()}')"


def job_id(name):
    return hexed(JOBS[name])


ROSTER = sha(*(number.to_bytes(8, "big") + sha(USERS[number - 2].bytes) for number in (5, 6)))
SEED = sha(SECRET, ROSTER, VALUE.encode())
ORDER = sorted((5, 6), key=lambda ticket: sha(SEED, ticket.to_bytes(8, "big")))
THEN = "SYSDATE(6) - INTERVAL 1 DAY"


def ticket(number, user, status, place, admitted, out_seq):
    times = f"{THEN}, SYSDATE(6) + INTERVAL 1 HOUR" if admitted else "NULL, NULL"
    return ("INSERT INTO waiting_queue (id, user_id, job_id, status, created_at, admitted_at, expired_at,"
            f" updated_at, place, out_seq) VALUES ({number}, {user}, UNHEX(MD5({number})), '{status}',"
            f" {THEN}, {times}, {THEN}, {place}, {out_seq})")


def reservation(number, seat, user, ticket_id, job, status, price):
    return ("INSERT INTO seat_reservation (id, seat_id, user_id, ticket_id, job_id, status, price,"
            f" expires_at, created_at, updated_at) VALUES ({number}, {seat}, {user}, {ticket_id},"
            f" {job}, '{status}', {price}, SYSDATE(6) + INTERVAL 1 HOUR, {THEN}, {THEN})")


def payment(number, user, reservation_id, job, amount, status, refund="NULL"):
    return ("INSERT INTO payment (id, user_id, reservation_id, job_id, seat_number, concert_name,"
            " open_date, close_date, total_amount, status, refund_job_id, created_at, updated_at)"
            f" VALUES ({number}, {user}, {reservation_id}, {job}, '1', 'x', {THEN}, {THEN}, {amount},"
            f" '{status}', {refund}, {THEN}, {THEN})")


def history(number, user, job, amount, after, reverses="NULL"):
    return ("INSERT INTO cash_history (id, user_id, job_id, amount, balance_after, description, reverses,"
            f" created_at) VALUES ({number}, {user}, {job}, {amount}, {after}, '', {reverses}, {THEN})")


def done(name, data, kind=None, code="ok"):
    return ("INSERT INTO job (id, kind, attempt, fingerprint, code, why, data, created_at) VALUES"
            f" ({job_id(name)}, '{kind or name}', 1, REPEAT('f', 32), '{code}', '', '{json.dumps(data)}',"
            f" {THEN})")


TABLES = ("job", "cash_history", "cash", "payment", "seat_reservation", "waiting_queue", "gate_draw",
          "gate_policy", "seat", "concert_schedule", "concert", "user")
WORLD = [
    *(f"INSERT INTO user (id, uuid, name, job_id, created_at, updated_at) VALUES ({number}, {hexed(user)},"
      f" 'x', {job_id('register') if number == 1 else f'UNHEX(MD5({number}))'}, {THEN}, {THEN})"
      for number, user in enumerate(USERS, 1)),
    "INSERT INTO concert (id, name, created_at, updated_at) VALUES (1, 'x', SYSDATE(6), SYSDATE(6))",
    "INSERT INTO concert_schedule (id, concert_id, total_seats, open_at, close_at, booking_start_at,"
    f" booking_end_at, created_at, updated_at) VALUES (1, 1, 3, {THEN}, SYSDATE(6), {THEN}, SYSDATE(6),"
    f" {THEN}, {THEN})",
    *(f"INSERT INTO seat (id, concert_schedule_id, seat_number, price, created_at, updated_at) VALUES"
      f" ({number}, 1, '{number}', 1000, {THEN}, {THEN})" for number in (1, 2, 3)),
    # One who bought, one who bought and got the money back, one who holds, and three who wait: two of
    # them by lot.
    ticket(1, 1, "FINISHED", 1, True, 1), ticket(2, 1, "FINISHED", 2, True, 2),
    ticket(3, 2, "ACTIVE", 3, True, 3), ticket(4, 3, "WAITING", 4, False, "NULL"),
    ticket(5, 4, "WAITING", 5 + ORDER.index(5), False, "NULL"),
    ticket(6, 5, "WAITING", 5 + ORDER.index(6), False, "NULL"),
    reservation(1, 1, 1, 1, job_id("reserve"), "PAID", 1000),
    reservation(2, 2, 1, 2, job_id("reserve-2"), "REFUNDED", 700),
    reservation(3, 3, 2, 3, job_id("hold"), "PENDING", 500),
    payment(1, 1, 1, job_id("pay"), 1000, "PAID"),
    payment(2, 1, 2, job_id("pay-2"), 700, "REFUNDED", job_id("refund")),
    *(f"INSERT INTO cash (user_id, balance, created_at, updated_at) VALUES ({number},"
      f" {4000 if number == 1 else 0}, {THEN}, {THEN})" for number in range(1, 6)),
    history(1, 1, job_id("charge"), 5000, 5000), history(2, 1, job_id("pay"), -1000, 4000),
    history(3, 1, job_id("pay-2"), -700, 3300), history(4, 1, job_id("refund"), 700, 4000),
    history(5, 1, job_id("lost"), 300, 4300), history(6, 1, job_id("reverse"), -300, 4000, 5),
    done("register", {"userId": str(USERS[0])}), done("issue", {"ticket": 1}),
    done("reserve", {"id": 1, "price": 1000}), done("pay", {"id": 1, "totalAmount": 1000}),
    done("refund", {}), done("charge", {"balance": 5000}), done("reverse", {}),
    done("refused", {}, "charge", "balance-limit"),
    "INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, changed_by, changed_at)"
    f" VALUES ('open', 10, 0, 60, 600, 'x', {THEN})",
    "INSERT INTO gate_draw (id, state, opens_at, zone, public_name, public_value, secret, commitment,"
    " first_ticket, last_ticket, roster, seed, revealed, changed_by, created_at, updated_at) VALUES"
    f" (1, 'drawn', {THEN}, 'UTC', 'x', '{VALUE}', {hexed(SECRET)}, {hexed(sha(SECRET))}, 5, 6,"
    f" {hexed(ROSTER)}, {hexed(SEED)}, {hexed(SECRET)}, 'x', {THEN}, {THEN})",
    "UPDATE gate_state SET last_ticket = 6, served = 3, waiting = 3, active = 1, out_seq = 3,"
    " ticked_at = SYSDATE(6) - INTERVAL 1 HOUR",
]
# Constraints that keep the database from being broken are taken away in the scratch schema.
KEYS = {"cash_history": ["cash_history_job", "cash_history_reverses"],
        "seat_reservation": ["seat_reservation_live_seat", "seat_reservation_job"],
        "payment": ["payment_reservation", "payment_job", "payment_refund_job"],
        "waiting_queue": ["waiting_queue_live_user", "waiting_queue_number"],
        "seat": ["seat_number_of_schedule"]}

# Each: what breaks it, and the row that is to be named (members that it must have).
CASES = {
    "balance-of-history": ("UPDATE cash SET balance = 4001 WHERE user_id = 1",
                           {"user": 1, "balance": 4001, "history": 4000}),
    "balance-in-range": ("UPDATE cash SET balance = -1 WHERE user_id = 2", {"user": 2, "balance": -1}),
    "balance-replays": ("UPDATE cash_history SET balance_after = 1 WHERE id = 2",
                        {"history": 2, "user": 1, "balance_after": 1, "replayed": 4000}),
    "history-of-account": (history(9, 77, "UNHEX(MD5('x'))", 5, 5), {"history": 9, "user": 77}),
    "user-has-account": ("DELETE FROM cash WHERE user_id = 3", {"user": 3}),
    "amount-not-zero": (history(9, 1, "UNHEX(MD5('x'))", 0, 4000), {"history": 9, "user": 1}),
    "job-moves-money-once": (history(9, 1, job_id("charge"), 5000, 9000),
                             {"job": str(JOBS["charge"]), "rows": 2}),
    "debit-explained": (history(9, 1, "UNHEX(MD5('x'))", -5, 3995), {"history": 9, "amount": -5}),
    "reversal-of-charge": ("UPDATE cash_history SET reverses = 4 WHERE id = 6",
                           {"history": 6, "reverses": 4}),
    "charge-reversed-once": (history(9, 1, "UNHEX(MD5('x'))", -300, 3700, 5), {"history": 5, "rows": 2}),
    "seat-live-once": (reservation(9, 1, 2, 3, "UNHEX(MD5('x'))", "PENDING", 1),
                       {"seat": 1, "reservations": 2}),
    "reservation-of-seat": ("UPDATE seat_reservation SET seat_id = 99 WHERE id = 3",
                            {"reservation": 3, "seat": 99}),
    "reservation-of-ticket": ("UPDATE seat_reservation SET ticket_id = 4 WHERE id = 3",
                              {"reservation": 3, "ticket": 4, "user": 2}),
    "reservation-price": ("UPDATE seat_reservation SET price = 0 WHERE id = 3",
                          {"reservation": 3, "price": 0}),
    "hold-ends-later": ("UPDATE seat_reservation SET expires_at = created_at WHERE id = 1",
                        {"reservation": 1, "seat": 1}),
    "ticket-holds-once": (reservation(9, 2, 2, 3, "UNHEX(MD5('x'))", "PENDING", 1),
                          {"ticket": 3, "holds": 2}),
    "hold-swept": ("UPDATE seat_reservation SET expires_at = SYSDATE(6) - INTERVAL 70 SECOND WHERE id = 3",
                   {"reservation": 3, "seat": 3}),
    "paid-has-payment": ("UPDATE seat_reservation SET status = 'PAID' WHERE id = 3",
                         {"reservation": 3, "payments": 0}),
    "payment-of-reservation": ("UPDATE payment SET user_id = 2 WHERE id = 1",
                               {"payment": 1, "reservation": 1}),
    "payment-at-price": ("UPDATE seat_reservation SET price = 999 WHERE id = 1",
                         {"payment": 1, "amount": 1000, "price": 999}),
    "payment-debited": ("UPDATE cash_history SET amount = -999 WHERE id = 2",
                        {"payment": 1, "amount": 1000, "debited": 999}),
    "refund-credited": ("UPDATE cash_history SET amount = 699 WHERE id = 4",
                        {"payment": 2, "amount": 700, "credited": 699}),
    "refund-has-job": ("UPDATE payment SET refund_job_id = NULL WHERE id = 2", {"payment": 2}),
    "ticket-of-user": ("UPDATE waiting_queue SET user_id = 88 WHERE id = 4", {"ticket": 4, "user": 88}),
    "user-waits-once": ("UPDATE waiting_queue SET user_id = 2 WHERE id = 4", {"user": 2, "tickets": 2}),
    "tickets-without-gaps": ("DELETE FROM waiting_queue WHERE id = 4", {"after": 3, "before": 5}),
    "last-ticket-counted": ("UPDATE gate_state SET last_ticket = 7", {"last_ticket": 7, "tickets": 6}),
    "place-once": ("UPDATE waiting_queue SET place = 3 WHERE id = 4", {"place": 3, "tickets": 2}),
    "place-known": ("UPDATE waiting_queue SET place = NULL WHERE id = 4", {"ticket": 4}),
    "place-is-number": ("UPDATE waiting_queue SET place = 44 WHERE id = 4", {"ticket": 4, "place": 44}),
    "waiting-counted": ("UPDATE gate_state SET waiting = 9", {"waiting": 9, "tickets": 3}),
    "active-counted": ("UPDATE gate_state SET active = 2", {"active": 2, "tickets": 1}),
    "served-is-highest": ("UPDATE gate_state SET served = 2", {"served": 2, "highest": 3}),
    "leaving-numbered": ("UPDATE waiting_queue SET out_seq = 4 WHERE id = 4", {"ticket": 4, "out_seq": 4}),
    "leaving-numbered-once": ("UPDATE waiting_queue SET out_seq = 1 WHERE id = 2",
                              {"out_seq": 3, "tickets": 3, "distinct_tickets": 2}),
    "admission-timed": ("UPDATE waiting_queue SET expired_at = NULL WHERE id = 3", {"ticket": 3}),
    "finished-has-paid": ("UPDATE waiting_queue SET status = 'FINISHED' WHERE id = 3", {"ticket": 3}),
    "bought-is-finished": ("UPDATE waiting_queue SET status = 'EXPIRED' WHERE id = 1",
                           {"reservation": 1, "ticket": 1}),
    "charge-in-history": ("UPDATE cash_history SET balance_after = 5001 WHERE id = 1",
                          {"job": str(JOBS["charge"])}),
    "pay-made-payment": ("UPDATE payment SET id = 9 WHERE id = 1", {"job": str(JOBS["pay"])}),
    "reserve-made-reservation": ("UPDATE seat_reservation SET price = 1 WHERE id = 1",
                                 {"job": str(JOBS["reserve"])}),
    "issue-made-ticket": ("DELETE FROM waiting_queue WHERE id = 1", {"job": str(JOBS["issue"])}),
    "register-made-user": ("UPDATE user SET job_id = UNHEX(MD5('x')) WHERE id = 1",
                           {"job": str(JOBS["register"])}),
    "refund-made-credit": ("UPDATE payment SET refund_job_id = UNHEX(MD5('x')) WHERE id = 2",
                           {"job": str(JOBS["refund"])}),
    "reverse-made-debit": ("UPDATE cash_history SET reverses = NULL WHERE id = 6",
                           {"job": str(JOBS["reverse"])}),
    "refusal-did-nothing": (history(9, 1, job_id("refused"), 5, 4005), {"job": str(JOBS["refused"])}),
    "seat-price": ("UPDATE seat SET price = 0 WHERE id = 3", {"seat": 3, "price": 0}),
    "seat-number-once": ("UPDATE seat SET seat_number = '1' WHERE id = 3", {"schedule": 1, "seats": 2}),
    "seat-of-schedule": ("UPDATE seat SET concert_schedule_id = 9 WHERE id = 3",
                         {"seat": 3, "schedule": 9}),
    "schedule-times": ("UPDATE concert_schedule SET close_at = open_at - INTERVAL 1 SECOND",
                       {"schedule": 1}),
    "schedule-seats-counted": ("UPDATE concert_schedule SET total_seats = 4",
                               {"schedule": 1, "total_seats": 4, "seats": 3}),
    "policy-in-range": ("UPDATE gate_policy SET window_s = 0", {}),
    "policy-rules": ("UPDATE gate_policy SET max_active = 0", {}),
    "draw-places": ("UPDATE waiting_queue SET place = 55 WHERE id = 5", {"draw": 1, "tickets": 2, "placed": 1}),
    "draw-is-fair": ("UPDATE waiting_queue SET place = 11 - place WHERE id IN (5, 6)",
                     {"draw": 1, "ticket": 5}),
}
WARNINGS = {"hold-swept", "schedule-seats-counted", "policy-rules"}


@pytest.fixture(scope="module")
def scratch(instance, site, db):
    assert site
    owner(instance, f"DROP DATABASE IF EXISTS {SCRATCH};"
                    f" CREATE DATABASE {SCRATCH} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
                    f" GRANT ALL ON {SCRATCH}.* TO 'boxoffice_admin'@'%';"
                    f" GRANT SELECT ON {SCRATCH}.* TO 'boxoffice_operator'@'%'")
    migrate(instance, SCRATCH)
    with db.connect(database=SCRATCH) as connection, connection.cursor() as cursor:
        for table, keys in KEYS.items():
            # A foreign key wants a key of its column; another one serves it as well.
            if table == "seat":
                cursor.execute("ALTER TABLE seat ADD KEY (concert_schedule_id)")
            for key in keys:
                cursor.execute(f"ALTER TABLE {table} DROP KEY {key}")
        cursor.execute("SELECT table_name, constraint_name FROM information_schema.table_constraints"
                       " WHERE table_schema = DATABASE() AND constraint_type = 'CHECK'")
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute("SET SESSION foreign_key_checks = 0")
        with instance.ctl_settings(f"mysql_database={SCRATCH}"):
            yield cursor
    owner(instance, f"DROP DATABASE {SCRATCH};"
                    f" REVOKE ALL ON {SCRATCH}.* FROM 'boxoffice_admin'@'%';"
                    f" REVOKE ALL ON {SCRATCH}.* FROM 'boxoffice_operator'@'%'")


@pytest.fixture
def world(scratch):
    for table in TABLES:
        scratch.execute(f"DELETE FROM {table}")
    for sql in WORLD:
        scratch.execute(sql)
    return scratch


def broken(told):
    return {check["name"]: check for check in told["checks"] if check["count"]}


def test_a_small_world_is_clean_and_every_check_has_a_case(instance, world):
    status, told = audit(instance)
    assert (status, broken(told)) == (0, {})
    assert {check["name"] for check in told["checks"]} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_broken_invariant_is_named(instance, world, name):
    sql, row = CASES[name]
    world.execute(sql)
    status, told = audit(instance)
    found = broken(told)
    assert name in found, found
    assert any(row.items() <= each.items() for each in found[name]["rows"]), found[name]
    assert found[name]["severity"] == ("warning" if name in WARNINGS else "broken")
    assert status == (1 if set(found) - WARNINGS else 0)


def test_a_slow_audit_does_not_age_the_holds_of_its_snapshot(instance, world):
    world.execute("UPDATE seat_reservation SET expires_at = SYSDATE(6) - INTERVAL 55 SECOND WHERE id = 3")
    with instance.ctl_settings("fault=audit-begun:stop"):
        with subprocess.Popen([str(find_program("boxofficectl")), "audit", "--json"], stdout=subprocess.PIPE,
                              env={"BOXOFFICE_SETTINGS": str(instance.var / "etc/boxofficectl.settings")},
                              text=True) as running:
            def is_stopped():
                return Path(f"/proc/{running.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"

            def is_late():
                world.execute("SELECT expires_at < SYSDATE(6) - INTERVAL 61 SECOND FROM seat_reservation"
                              " WHERE id = 3")
                return world.fetchone()[0]

            try:
                wait_until(is_stopped, 20, "the audit stopped")
                wait_until(is_late, 20, "the hold to be late", 0.1)
            finally:
                running.send_signal(signal.SIGCONT)
            told = json.loads(running.communicate(timeout=60)[0])
    assert broken(told) == {}


@pytest.mark.parametrize("sql", [
    "UPDATE gate_draw SET roster = REPEAT('x', 32)", "UPDATE gate_draw SET seed = REPEAT('x', 32)",
    "UPDATE gate_draw SET revealed = REPEAT('x', 32)", "UPDATE gate_draw SET public_value = 'another'",
    "UPDATE gate_draw SET commitment = REPEAT('x', 32)", "UPDATE waiting_queue SET user_id = 3 WHERE id = 5"])
def test_a_draw_that_was_tampered_with(instance, world, sql):
    world.execute(sql)
    assert {"draw": 1, "ticket": 0} in broken(audit(instance)[1])["draw-is-fair"]["rows"]


def test_all_are_counted_and_some_are_told(instance, world):
    for number in range(100, 130):
        world.execute(history(number, 77, f"UNHEX(MD5({number}))", 5, 5))
    check = broken(audit(instance)[1])["history-of-account"]
    assert (check["count"], len(check["rows"])) == (30, 10)
    check = broken(audit(instance, "--rows", "25")[1])["history-of-account"]
    assert (check["count"], len(check["rows"])) == (30, 25)
    lines = instance.run("ctl", "audit", "--rows", "1", check=False).stdout.splitlines()
    at = lines.index('BROKEN   history-of-account: 30 against "history belongs to an account"')
    assert lines[at + 1].startswith("    history=1") and lines[at + 1].endswith(" user=77")
    assert not lines[at + 2].startswith(" ")
