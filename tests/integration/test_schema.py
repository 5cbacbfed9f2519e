"""The schema: migrations again, what each account may do, and every constraint."""

import contextlib
import getpass
import re
import subprocess

import pymysql
import pytest

from instance import ROOT

TABLES = ("user", "cash", "cash_history", "waiting_queue", "concert", "concert_schedule", "seat",
          "seat_reservation", "payment", "job", "gate_state", "gate_policy", "gate_draw")
# Of the operator alone.
CTL_TABLES = ("catalogue_change",)
DENIED = (1044, 1045, 1142, 1143, 1227, 1370)
SCRATCH = "boxoffice_scratch"


def tables_of(db, schema):
    created = {}
    for name, in db.rows("SELECT table_name FROM information_schema.tables"
                         " WHERE table_schema = %s", schema):
        text = db.row(f"SHOW CREATE TABLE `{schema}`.`{name}`")[1]
        created[name] = re.sub(r" AUTO_INCREMENT=\d+", "", text)
    return created


def owner(instance, sql):
    """Runs SQL as the account that owns the server."""
    subprocess.run(["mariadb", "--no-defaults", f"--user={getpass.getuser()}",
                    f"--socket={instance.values['BOXOFFICE_MYSQL_SOCKET']}", "-e", sql], check=True)


def migrate(instance, schema):
    subprocess.run([str(ROOT / "sql" / "migrate"), "--no-defaults",
                    f"--user={getpass.getuser()}",
                    f"--socket={instance.values['BOXOFFICE_MYSQL_SOCKET']}", schema], check=True)


def test_migrations_run_again_and_on_an_empty_database(instance, db):
    there = tables_of(db, db.account["database"])
    assert {*TABLES, *CTL_TABLES, "schema_migration"} == set(there)
    try:
        owner(instance, f"CREATE DATABASE {SCRATCH} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
                        f" GRANT ALL ON {SCRATCH}.* TO 'boxoffice_admin'@'%'")
        migrate(instance, SCRATCH)
        assert tables_of(db, SCRATCH) == there
        applied = db.rows(f"SELECT * FROM {SCRATCH}.schema_migration")
        migrate(instance, SCRATCH)
        assert tables_of(db, SCRATCH) == there
        assert db.rows(f"SELECT * FROM {SCRATCH}.schema_migration") == applied
    finally:
        owner(instance, f"DROP DATABASE IF EXISTS {SCRATCH};"
                        f" REVOKE ALL ON {SCRATCH}.* FROM 'boxoffice_admin'@'%'")


def test_migration_files_are_harmless_again(instance, db):
    """A file that failed half way is run from its start."""
    before = tables_of(db, db.account["database"])
    count = db.value("SELECT COUNT(*) FROM user")
    for path in sorted((ROOT / "sql" / "migrations").glob("*.sql")):
        owner(instance, f"USE {db.account['database']}; {path.read_text()}")
    assert tables_of(db, db.account["database"]) == before
    assert db.value("SELECT COUNT(*) FROM user") == count


# Accounts ------------------------------------------------------------------------------------


def account(instance, db, process):
    settings = instance.settings(process)
    return db.connect(user=settings["mysql_user"], password=settings["mysql_password"])


@pytest.fixture(scope="module")
def front(instance, db):
    with account(instance, db, "front-0") as connection:
        yield connection


@pytest.fixture(scope="module")
def worker(instance, db):
    with account(instance, db, "seat-worker-0") as connection:
        yield connection


def attempt(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)


@contextlib.contextmanager
def denied():
    with pytest.raises(pymysql.err.MySQLError) as caught:
        yield
    assert caught.value.args[0] in DENIED, caught.value


def first_column(db, table):
    return db.value("SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
                    " AND table_name = %s ORDER BY ordinal_position LIMIT 1",
                    db.account["database"], table)


@pytest.mark.parametrize("table", TABLES)
def test_a_front_reads_and_never_writes(front, db, table):
    column = first_column(db, table)
    if table == "gate_draw":  # whose secret is the gate's alone
        attempt(front, "SELECT id, commitment, revealed FROM gate_draw LIMIT 1")
        with denied():
            attempt(front, "SELECT secret FROM gate_draw LIMIT 1")
    else:
        attempt(front, f"SELECT * FROM {table} LIMIT 1")
    for sql in (f"INSERT INTO {table} ({column}) VALUES (0)",
                f"UPDATE {table} SET {column} = {column} WHERE FALSE",
                f"DELETE FROM {table} WHERE FALSE", f"TRUNCATE TABLE {table}",
                f"DROP TABLE {table}", f"ALTER TABLE {table} ADD COLUMN x INT",
                f"CREATE INDEX x ON {table} ({column})"):
        with denied():
            attempt(front, sql)


def test_a_front_locks_no_table(front):
    with denied():
        attempt(front, "LOCK TABLES seat WRITE")


@pytest.mark.parametrize("table", TABLES)
def test_a_worker_changes_no_schema(worker, db, table):
    column = first_column(db, table)
    attempt(worker, f"SELECT * FROM {table} LIMIT 1")
    for sql in (f"TRUNCATE TABLE {table}", f"DROP TABLE {table}",
                f"ALTER TABLE {table} ADD COLUMN x INT", f"CREATE INDEX x ON {table} ({column})"):
        with denied():
            attempt(worker, sql)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "job"])
def test_a_worker_deletes_old_jobs_alone(worker, table):
    with denied():
        attempt(worker, f"DELETE FROM {table} WHERE FALSE")


def test_a_worker_may_prune_jobs(worker):
    attempt(worker, "DELETE FROM job WHERE id = UNHEX('00')")


@pytest.mark.parametrize("table", ["concert", "concert_schedule", "seat"])
def test_a_worker_leaves_the_catalogue_alone(worker, table):
    with denied():
        attempt(worker, f"UPDATE {table} SET id = id WHERE FALSE")
    with denied():
        attempt(worker, f"INSERT INTO {table} (id) VALUES (0)")


@pytest.mark.parametrize("table", ["cash_history", "payment"])
def test_a_worker_only_adds_to_the_ledger(worker, table):
    with denied():
        attempt(worker, f"UPDATE {table} SET id = id WHERE FALSE")


@pytest.mark.parametrize("sql", [
    "CREATE DATABASE x", "CREATE TABLE x (a INT)", "CREATE USER x", "GRANT SELECT ON *.* TO x",
    "SELECT * FROM mysql.global_priv", "SET GLOBAL max_connections = 1", "SHUTDOWN",
    "SELECT 1 INTO OUTFILE '/tmp/x'", "SELECT * FROM schema_migration"])
def test_neither_reaches_beyond(front, worker, sql):
    for connection in (front, worker):
        with denied():
            attempt(connection, sql)


# Constraints ---------------------------------------------------------------------------------

ANY_ID = "UNHEX(REPLACE(UUID(), '-', ''))"
NOW = "SYSDATE(6)"


def hold(seat, status="PENDING", job_id=ANY_ID):
    return ("INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price,"
            f" expires_at, created_at, updated_at) VALUES ({seat}, 1, 1, {job_id}, '{status}', 1,"
            f" {NOW}, {NOW}, {NOW})")


def ticket(number, user, status="WAITING", place="NULL"):
    return ("INSERT INTO waiting_queue (id, user_id, job_id, status, place, created_at, updated_at)"
            f" VALUES ({number}, {user}, {ANY_ID}, '{status}', {place}, {NOW}, {NOW})")


def payment(reservation, job_id=ANY_ID):
    return ("INSERT INTO payment (user_id, reservation_id, job_id, seat_number, concert_name,"
            " open_date, close_date, total_amount, status, created_at, updated_at) VALUES (1,"
            f" {reservation}, {job_id}, '1', 'c', {NOW}, {NOW}, 1, 'PAID', {NOW}, {NOW})")


def policy(**changes):
    values = {"state": "'open'", "max_active": 1, "window_limit": 1, "window_s": 1, "active_s": 1,
              "changed_by": "'x'", "changed_at": NOW, **changes}
    return (f"INSERT INTO gate_policy ({', '.join(values)})"
            f" VALUES ({', '.join(map(str, values.values()))})")


def draw(**changes):
    values = {"state": "'joining'", "opens_at": NOW, "zone": "'UTC'", "public_name": "'x'",
              "secret": "REPEAT('a', 32)", "commitment": "REPEAT('a', 32)", "changed_by": "'x'",
              "created_at": NOW, "updated_at": NOW, **changes}
    return (f"INSERT INTO gate_draw ({', '.join(values)})"
            f" VALUES ({', '.join(map(str, values.values()))})")


def history(amount, job_id=ANY_ID):
    return ("INSERT INTO cash_history (user_id, job_id, amount, balance_after, description,"
            f" created_at) VALUES (999999999, {job_id}, {amount}, 1, '', {NOW})")


def a_user(uuid):
    return ("INSERT INTO user (uuid, name, job_id, created_at, updated_at)"
            f" VALUES ({uuid}, 'x', {ANY_ID}, {NOW}, {NOW})")


BIG = 9007199254740000
SAME = "UNHEX('000102030405060708090a0b0c0d0e0f')"
CONSTRAINTS = {
    "a seat is held once": [hold(BIG), hold(BIG)],
    "a held seat is not sold besides": [hold(BIG), hold(BIG, "PAID")],
    "a seat is sold once": [hold(BIG, "PAID"), hold(BIG, "PAID")],
    "a job makes one hold": [hold(BIG, job_id=SAME), hold(BIG + 1, job_id=SAME)],
    "a user waits once": [ticket(BIG, BIG), ticket(BIG + 1, BIG)],
    "a user is not active and waiting": [ticket(BIG, BIG), ticket(BIG + 1, BIG, "ACTIVE")],
    "a user is not passed by and waiting": [ticket(BIG, BIG), ticket(BIG + 1, BIG, "ASIDE")],
    "a place is given once": [ticket(BIG, BIG, place=BIG), ticket(BIG + 1, BIG + 1, place=BIG)],
    "a ticket number is given once": [ticket(BIG, 1000000001), ticket(BIG, 1000000002)],
    "a hold is paid once": [payment(BIG), payment(BIG)],
    "a job pays once": [payment(BIG, SAME), payment(BIG + 1, SAME)],
    "a job moves money once": [history(1, SAME), history(1, SAME)],
    "nothing is no movement": [history(0)],
    "a charge is taken back once": [
        f"UPDATE cash_history SET amount = -1, reverses = {BIG} ORDER BY id DESC LIMIT 1",
        f"UPDATE cash_history SET amount = -1, reverses = {BIG} ORDER BY id LIMIT 1"],
    "what is taken back is taken": [
        f"UPDATE cash_history SET amount = 1, reverses = {BIG} ORDER BY id DESC LIMIT 1"],
    "a job refunds once": [payment(BIG), payment(BIG + 1),
                           f"UPDATE payment SET status = 'REFUNDED', refund_job_id = {SAME}"
                           f" WHERE reservation_id = {BIG}",
                           f"UPDATE payment SET status = 'REFUNDED', refund_job_id = {SAME}"
                           f" WHERE reservation_id = {BIG + 1}"],
    "a refund has its job": [payment(BIG), "UPDATE payment SET status = 'REFUNDED'"
                             f" WHERE reservation_id = {BIG}"],
    "a payment that stands has no refund": [payment(BIG), f"UPDATE payment SET refund_job_id = {SAME}"
                                            f" WHERE reservation_id = {BIG}"],
    "a user id is taken once": [a_user(SAME), a_user(SAME)],
    "a balance is not negative": [f"INSERT INTO cash VALUES (0, -1, {NOW}, {NOW}, NULL)"],
    "a balance has a limit": [f"INSERT INTO cash VALUES (0, 9007199254740992, {NOW}, {NOW}, NULL)"],
    "a price is positive": ["UPDATE seat SET price = 0 LIMIT 1"],
    "a price has a limit": ["UPDATE seat SET price = 100000001 LIMIT 1"],
    "a seat number is there once": [
        "INSERT INTO seat (concert_schedule_id, seat_number, price, created_at, updated_at)"
        f" SELECT concert_schedule_id, seat_number, 1, {NOW}, {NOW} FROM seat LIMIT 1"],
    "a seat has its schedule": [
        "INSERT INTO seat (concert_schedule_id, seat_number, price, created_at, updated_at)"
        f" VALUES ({BIG}, '1', 1, {NOW}, {NOW})"],
    "a schedule has its concert": [
        "INSERT INTO concert_schedule (concert_id, total_seats, open_at, close_at,"
        " booking_start_at, booking_end_at, created_at, updated_at)"
        f" VALUES ({BIG}, 1, {NOW}, {NOW}, {NOW}, {NOW}, {NOW}, {NOW})"],
    "a show does not end before it begins": [
        "UPDATE concert_schedule SET close_at = open_at - INTERVAL 1 SECOND LIMIT 1"],
    "booking does not end before it begins": [
        "UPDATE concert_schedule SET booking_end_at = booking_start_at - INTERVAL 1 SECOND LIMIT 1"],
    "there is one gate": ["INSERT INTO gate_state (id) VALUES (2)"],
    "no more are served than were issued": ["UPDATE gate_state SET served = last_ticket + 1"],
    "served is not negative": ["UPDATE gate_state SET served = -1"],
    "a policy's state is known": [policy(state="'ajar'")],
    "max active is not negative": [policy(max_active=-1)],
    "a window's limit is not negative": [policy(window_limit=-1)],
    "a window is a second or more": [policy(window_s=0)],
    "a window is a day or less": [policy(window_s=86401)],
    "an admission is a second or more": [policy(active_s=0)],
    "an admission is a day or less": [policy(active_s=86401)],
    "no policy lets in more than a million": [policy(max_active=1000001)],
    "no window lets in more than a million": [policy(window_limit=1000001)],
    "the time to show up is not negative": [policy(show_up_s=-1)],
    "the time to show up is a day or less": [policy(show_up_s=86401)],
    "silence is not negative": [policy(quiet_s=-1)],
    "silence is a day or less": [policy(quiet_s=86401)],
    "a grace is not negative": [policy(grace_s=-1)],
    "a grace is a day or less": [policy(grace_s=86401)],
    "one draw at a time is not drawn": [draw(), draw(state="'closed'")],
    "a draw's state is known": [draw(state="'lost'")],
    "a roster is in order": [draw(state="'drawn'", first_ticket=2, last_ticket=1)],
    "a seed has a roster and a value": [draw(state="'drawn'", seed="REPEAT('a', 32)")],
    "a window counts what is known": [policy(counts="'heads'")],
}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_constraint(db, name):
    *before, last = CONSTRAINTS[name]
    with db.connect(autocommit=False) as connection:
        try:
            for sql in before:
                attempt(connection, sql)
            # 1062 duplicate, 1265 not in the enum, 1452 foreign key; a check: 4025 of MariaDB, 3819 of MySQL.
            with pytest.raises(pymysql.err.MySQLError) as caught:
                attempt(connection, last)
            assert caught.value.args[0] in (1062, 1265, 1452, 4025, 3819), caught.value
        finally:
            connection.rollback()


@pytest.mark.parametrize("statements", [
    [hold(BIG, "EXPIRED"), hold(BIG, "CANCELLED"), hold(BIG, "EXPIRED"), hold(BIG, "REFUNDED"), hold(BIG)],
    [ticket(BIG, BIG, "EXPIRED"), ticket(BIG + 1, BIG, "FINISHED"), ticket(BIG + 2, BIG)],
], ids=["holds", "tickets"])
def test_what_is_over_is_in_nobodys_way(db, statements):
    with db.connect(autocommit=False) as connection:
        for sql in statements:
            attempt(connection, sql)
        connection.rollback()
