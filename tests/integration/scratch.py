"""Schemas of a test's own in the instance's database, and one that is as after years of sales."""

import contextlib
import subprocess

from instance import ROOT

NOW = "SYSDATE(6)"


@contextlib.contextmanager
def scratch_schema(instance, db, name):
    """A schema as it is installed, by a cursor of the administrator; the operator may read it."""
    instance.as_owner(f"DROP DATABASE IF EXISTS {name};"
                      f" CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"
                      f" GRANT ALL ON {name}.* TO 'boxoffice_admin'@'%';"
                      f" GRANT SELECT ON {name}.* TO 'boxoffice_operator'@'%'")
    subprocess.run([str(ROOT / "sql/migrate"), f"--defaults-file={instance.var}/etc/mariadb-admin.cnf", name],
                   check=True, capture_output=True, timeout=60)
    try:
        with db.connect(database=name) as connection, connection.cursor() as cursor:
            yield cursor
    finally:
        instance.as_owner(f"DROP DATABASE {name}; REVOKE ALL ON {name}.* FROM 'boxoffice_admin'@'%';"
                          f" REVOKE ALL ON {name}.* FROM 'boxoffice_operator'@'%'")


# Years of sales ---------------------------------------------------------------------------------
# 98 schedules are over, all of their seats paid after a hold that expired; two are on sale, with 500 in the
# line or let in. n.i is 0 to 19,999.

USERS, SEATS, TICKETS, LEFT = 5000, 5000, 10000, 9500
OVER = "i < 98"
ADMITTED = (f"CASE WHEN i < {LEFT} THEN {NOW} - INTERVAL 1 DAY - INTERVAL 100 * i SECOND"
            f" WHEN i < {LEFT + 100} THEN {NOW} - INTERVAL 1 MINUTE END")


def some_id(what):
    return f"UNHEX(LEFT(SHA2(CONCAT('{what}', i), 256), 32))"


YEARS = [
    f"INSERT INTO user (id, uuid, name, job_id, created_at, updated_at)"
    f" SELECT i + 1, {some_id('user')}, CONCAT('user ', i), {some_id('made')}, {NOW}, {NOW} FROM n WHERE i < {USERS}",
    f"INSERT INTO cash (user_id, balance, created_at, updated_at) SELECT i + 1, 1000, {NOW}, {NOW} FROM n"
    f" WHERE i < {USERS}",
    "INSERT INTO cash_history (user_id, job_id, amount, balance_after, description, created_at)"
    f" SELECT 1 + i MOD {USERS}, {some_id('charge')}, 250, 250 * (1 + i DIV {USERS}), 'charge',"
    f" {NOW} - INTERVAL 20000 - i MINUTE FROM n",
    f"INSERT INTO job (id, kind, attempt, fingerprint, code, why, data, created_at)"
    f" SELECT {some_id('charge')}, 'charge', 1, UNHEX(SHA2(i, 256)), 'ok', '', '{{}}',"
    f" {NOW} - INTERVAL 20000 - i MINUTE FROM n",
    f"INSERT INTO concert (id, name, created_at, updated_at) SELECT i + 1, CONCAT('concert ', i), {NOW}, {NOW} FROM n"
    " WHERE i < 20",
    "INSERT INTO concert_schedule (id, concert_id, total_seats, open_at, close_at, booking_start_at, booking_end_at,"
    f" created_at, updated_at) SELECT i + 1, 1 + i MOD 20, 50, {NOW} + INTERVAL IF({OVER}, i - 99, 1) DAY,"
    f" {NOW} + INTERVAL IF({OVER}, i - 98, 2) DAY, {NOW} - INTERVAL 200 DAY,"
    f" {NOW} + INTERVAL IF({OVER}, i - 99, 1) DAY, {NOW}, {NOW} FROM n WHERE i < 100",
    "INSERT INTO seat (id, concert_schedule_id, seat_number, price, created_at, updated_at)"
    f" SELECT i + 1, 1 + i DIV 50, 1 + i MOD 50, 1000, {NOW}, {NOW} FROM n WHERE i < {SEATS}",
    "INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price, expires_at, created_at, updated_at)"
    f" SELECT i + 1, 1 + i MOD {USERS}, 1 + i, {some_id('lost')}, 'EXPIRED', 1000, {NOW} - INTERVAL 1 DAY,"
    f" {NOW}, {NOW} FROM n WHERE i < 4900",
    "INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price, expires_at, created_at, updated_at)"
    f" SELECT i + 1, 1 + i MOD {USERS}, 1 + i, {some_id('hold')}, IF(i < 4900 OR i MOD 2, 'PAID', 'PENDING'), 1000,"
    f" {NOW} + INTERVAL IF(i < 4900, -1440, 5) MINUTE, {NOW}, {NOW} FROM n WHERE i < {SEATS - 50}",
    "INSERT INTO payment (user_id, reservation_id, job_id, seat_number, concert_name, open_date, close_date,"
    " total_amount, status, created_at, updated_at)"
    f" SELECT r.user_id, r.id, r.job_id, '1', 'concert', {NOW}, {NOW}, 1000, 'PAID', {NOW}, {NOW}"
    " FROM seat_reservation r WHERE r.status = 'PAID'",
    "INSERT INTO waiting_queue (id, user_id, job_id, status, created_at, admitted_at, expired_at, updated_at, place,"
    " seen_at, arrived_at, aside_until, out_seq)"
    f" SELECT i + 1, 1 + i MOD {USERS}, {some_id('ticket')},"
    f" CASE WHEN i < {LEFT} THEN 'FINISHED' WHEN i < {LEFT + 100} THEN 'ACTIVE' WHEN i < {TICKETS - 10} THEN 'WAITING'"
    f" ELSE 'ASIDE' END, {NOW}, {ADMITTED}, {ADMITTED} + INTERVAL 10 MINUTE, {NOW}, i + 1, {NOW}, {ADMITTED},"
    f" IF(i < {TICKETS - 10}, NULL, {NOW} + INTERVAL 1 MINUTE), IF(i < {LEFT + 100}, i + 1, NULL)"
    f" FROM n WHERE i < {TICKETS}",
    "INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, changed_by, changed_at)"
    f" SELECT 'open', 10, 0, 60, 600, 'x', {NOW} FROM n WHERE i < 50",
    "INSERT INTO gate_draw (state, opens_at, zone, public_name, secret, commitment, changed_by, created_at, updated_at)"
    f" SELECT 'drawn', {NOW}, 'UTC', 'x', REPEAT('x', 32), UNHEX(SHA2('x', 256)), 'x', {NOW}, {NOW} FROM n WHERE i < 5",
    "INSERT INTO catalogue_change (changed_by, changed_at, concert_id, what)"
    f" SELECT 'x', {NOW}, 1 + i MOD 20, 'x' FROM n WHERE i < 200"]


def fill_with_years(cursor):
    """Enough rows in every table that the database chooses as it would in years."""
    cursor.execute("CREATE TABLE n (i INT PRIMARY KEY)")
    cursor.executemany("INSERT INTO n VALUES (%s)", [(i,) for i in range(20000)])
    for sql in YEARS:
        cursor.execute(sql)
    cursor.execute("DROP TABLE n")
    cursor.execute("SHOW TABLES")
    for (table,) in cursor.fetchall():
        cursor.execute(f"ANALYZE TABLE {table}")
