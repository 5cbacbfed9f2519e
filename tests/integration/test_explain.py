"""Every statement uses its key, and batches on different rows do not wait for each other."""

import contextlib
import json
import subprocess
import time
from functools import cache

import pytest

from api import charge, reserve
from instance import find_program
from scratch import fill_with_years, scratch_schema


# What walks along a key on purpose: all concerts and schedules, for a snapshot of those on sale, and to
# find a free seat; and one row at the end of the policies and draws, or whether there is any.
WHOLE = {"snapshot_seats": ["s"], "snapshot_concerts": ["c"], "snapshot_schedules": ["s"],
         "read-policies": ["p"], "ctl-history": ["p"], "ctl-draw": ["d"], "audit-draws": ["d"], "catalogue-concert": ["c"],
         "catalogue-list-concerts": ["c"], "catalogue-list-schedules": ["h"], "catalogue-list-changes": ["k"],
         "snapshot_draw": ["d"], "preflight-migrations": ["m"], "preflight-sale": ["h"],
         "snapshot_drawn": ["d"], "gate-numbers": ["d"], "read-stock": ["s", "s", "s"], "insert-first-policy": ["gate_policy"]}


@cache
def statements():
    """{name: (sql, sample of its parameter or None)}, as the program print_queries tells them."""
    program = find_program("print_queries")
    if program is None:
        return {}
    printed = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    told = [json.loads(line) for line in printed.splitlines()]
    return {each["name"]: (each["sql"], each["sample"]) for each in told}


@pytest.fixture(scope="module")
def years(instance, db):
    """A cursor where years of sales are."""
    with scratch_schema(instance, db, "boxoffice_explain") as cursor:
        fill_with_years(cursor)
        yield cursor


def explain(cursor, sql, sample):
    # pymysql formats on the client: the only % of ours is the one it is to fill.
    uses = 0 if sample is None else sql.count("?")
    cursor.execute("EXPLAIN FORMAT=TRADITIONAL " + sql.replace("%", "%%").replace("?", "%s"), (sample,) * uses)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row)) for row in cursor.fetchall()]


def full_scans(plan):
    return [step["table"] for step in plan
            if step["type"] in ("ALL", "index") and step["table"] is not None
            and step["select_type"] != "INSERT"  # MySQL names the table that is added to
            and not step["table"].startswith("<")
            and "json_table" not in (step["Extra"] or "").lower()]


@pytest.mark.parametrize("name", statements() or ["print_queries"])
def test_a_statement_uses_its_key(years, name):
    if not statements():
        pytest.skip("print_queries is not built")
    plan = explain(years, *statements()[name])
    assert full_scans(plan) == WHOLE.get(name, []), plan


def test_the_test_would_notice_a_scan(years):
    plan = explain(years, "SELECT * FROM JSON_TABLE(?, '$[*]' COLUMNS (n VARCHAR(100) PATH '$.n')) d"
                          " STRAIGHT_JOIN user u ON u.name = d.n", '[{"n":"x"}]')
    assert full_scans(plan) == ["u"]


@contextlib.contextmanager
def locking(db):
    """A session that locks rows as a worker does: those it reads, and no gaps between them."""
    with db.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        try:
            yield cursor
        finally:
            connection.rollback()


def test_a_charge_does_not_wait_for_another_users_row(site, db):
    held, free = site.users(2)
    with locking(db) as cursor:
        cursor.execute("SELECT * FROM cash WHERE user_id = %s FOR UPDATE", (db.user(held),))
        begin = time.monotonic()
        site.send(charge(free, 1)).ok()
        assert time.monotonic() - begin < 1


def test_a_reservation_does_not_wait_for_the_seat_beside_it(site, db, schedule):
    """Fifty rows are a small table: an optimizer left alone would read, and lock, all of it."""
    first, second = site.fans(2)
    site.do(reserve(first.token, schedule.seats[0])).ok()
    with locking(db) as cursor:
        cursor.execute("SELECT * FROM seat WHERE id = %s FOR UPDATE", (schedule.seats[0],))
        cursor.execute("SELECT * FROM seat_reservation WHERE seat_id = %s FOR UPDATE",
                       (schedule.seats[0],))
        begin = time.monotonic()
        site.send(reserve(second.token, schedule.seats[1])).ok()
        assert time.monotonic() - begin < 1
