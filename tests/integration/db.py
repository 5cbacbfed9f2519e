"""The database side: the admin account, for making a test's own world and for looking at it."""

import contextlib
import time
import uuid
from dataclasses import dataclass

import pymysql

POLICY = {"state": "open", "max_active": 100000, "window_limit": 0, "window_s": 60,
          "active_s": 3600, "show_up_s": 0, "quiet_s": 0, "grace_s": 0, "counts": "releases",
          "reason": "", "message": ""}

INVARIANTS = {
    "a balance is the sum of its history":
        "SELECT c.user_id, c.balance, h.total FROM cash c LEFT JOIN (SELECT user_id, SUM(amount)"
        " total FROM cash_history GROUP BY user_id) h ON h.user_id = c.user_id"
        " WHERE c.balance <> COALESCE(h.total, 0)",
    "history belongs to a balance":
        "SELECT h.id FROM cash_history h LEFT JOIN cash c ON c.user_id = h.user_id"
        " WHERE c.user_id IS NULL",
    "a seat is live once":
        "SELECT seat_id FROM seat_reservation WHERE status IN ('PENDING', 'PAID')"
        " GROUP BY seat_id HAVING COUNT(*) > 1",
    "a paid hold has its payment":
        "SELECT r.id FROM seat_reservation r LEFT JOIN payment p ON p.reservation_id = r.id"
        " WHERE (r.status IN ('PAID', 'REFUNDED')) <> (p.id IS NOT NULL)",
    "a payment is debited once, at the price of its hold":
        "SELECT p.id FROM payment p JOIN seat_reservation r ON r.id = p.reservation_id"
        " LEFT JOIN cash_history h ON h.job_id = p.job_id"
        " WHERE h.id IS NULL OR h.amount <> -p.total_amount OR p.total_amount <> r.price"
        " OR h.user_id <> p.user_id OR r.user_id <> p.user_id",
    "a user has one live ticket":
        "SELECT user_id FROM waiting_queue WHERE status IN ('WAITING', 'ASIDE', 'ACTIVE')"
        " GROUP BY user_id HAVING COUNT(*) > 1",
    "tickets are numbered without gaps":
        "SELECT s.last_ticket FROM gate_state s WHERE s.last_ticket <>"
        " (SELECT COUNT(*) FROM waiting_queue) OR s.last_ticket <>"
        " (SELECT COALESCE(MAX(id), 0) FROM waiting_queue)",
    "who stopped waiting was numbered, once, and nobody else":
        "SELECT s.out_seq, MAX(w.out_seq), COUNT(w.out_seq), COUNT(DISTINCT w.out_seq),"
        " SUM((w.out_seq IS NULL) <> (w.status IN ('WAITING', 'ASIDE'))) wrong"
        " FROM gate_state s JOIN waiting_queue w GROUP BY s.out_seq HAVING wrong > 0"
        " OR COUNT(w.out_seq) <> COUNT(DISTINCT w.out_seq) OR s.out_seq <> COUNT(w.out_seq)",
    "the line's counter is the line's length":
        "SELECT s.waiting FROM gate_state s WHERE s.waiting <>"
        " (SELECT COUNT(*) FROM waiting_queue WHERE status IN ('WAITING', 'ASIDE'))",
}


@dataclass
class Schedule:
    id: int
    concert_id: int
    name: str
    seats: list  # ids, in the order of their numbers


class Db:
    def __init__(self, values):
        """values: the instance's, as ./boxoffice env tells them."""
        self.account = {"unix_socket": values["BOXOFFICE_MYSQL_SOCKET"],
                        "database": values["BOXOFFICE_MYSQL_DATABASE"],
                        "user": values["BOXOFFICE_MYSQL_ADMIN_USER"],
                        "password": values["BOXOFFICE_MYSQL_ADMIN_PASSWORD"]}
        self._connection = None

    def connect(self, **options):
        """A connection of the test's own, in UTC; autocommit unless told otherwise."""
        return pymysql.connect(**{**self.account, "charset": "utf8mb4", "autocommit": True,
                                  "init_command": "SET time_zone = '+00:00'", **options})

    def rows(self, sql, *values):
        if self._connection is None:
            self._connection = self.connect()
        # A test may have restarted the server since.
        self._connection.ping(reconnect=True)
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return cursor.fetchall()

    def row(self, sql, *values):
        found = self.rows(sql, *values)
        assert len(found) == 1, f"{len(found)} rows: {sql} {values}"
        return found[0]

    def value(self, sql, *values):
        return self.row(sql, *values)[0]

    def run(self, sql, *values):
        """Runs a write; returns the new row's id."""
        self.rows(sql, *values)
        return self._connection.insert_id()

    def is_mysql(self):
        return "MariaDB" not in self.value("SELECT VERSION()")

    def counter(self, name):
        return int(self.row("SHOW GLOBAL STATUS LIKE %s", name)[1])

    # A test's own world -----------------------------------------------------------------------

    def schedule(self, seats=50, price=1000, booking_s=(-3600, 86400)):
        """A concert of its own with one schedule; booking_s: from and until, seconds from now."""
        name = f"concert {uuid.uuid4().hex[:12]}"
        concert = self.run("INSERT INTO concert (name, created_at, updated_at)"
                           " VALUES (%s, SYSDATE(6), SYSDATE(6))", name)
        schedule = self.run(
            "INSERT INTO concert_schedule (concert_id, total_seats, open_at, close_at,"
            " booking_start_at, booking_end_at, created_at, updated_at)"
            " VALUES (%s, %s, '2030-01-01 19:00:00', '2030-01-01 22:00:00',"
            " SYSDATE(6) + INTERVAL %s SECOND, SYSDATE(6) + INTERVAL %s SECOND,"
            " SYSDATE(6), SYSDATE(6))", concert, seats, *booking_s)
        made = []
        for number in range(1, seats + 1):
            made.append(self.run(
                "INSERT INTO seat (concert_schedule_id, seat_number, is_active, price, created_at,"
                " updated_at) VALUES (%s, %s, TRUE, %s, SYSDATE(6), SYSDATE(6))",
                schedule, str(number), price))
        return Schedule(schedule, concert, name, made)

    @contextlib.contextmanager
    def policy(self, **changes):
        """The admission policy for the length of a test: the newest row rules."""
        self.set_policy(**changes)
        try:
            yield
        finally:
            self.set_policy()

    def set_policy(self, **changes):
        policy = {**POLICY, **changes}
        self.run(f"INSERT INTO gate_policy ({', '.join(policy)}, changed_by, changed_at)"
                 f" VALUES ({', '.join(['%s'] * len(policy))}, 'tests', SYSDATE(6))",
                 *policy.values())

    def set_balance(self, user, balance):
        """A balance and the history it is the sum of."""
        number = self.user(user)
        self.run("INSERT INTO cash_history (user_id, job_id, amount, balance_after, description,"
                 " created_at) SELECT user_id, UNHEX(%s), %s - balance, %s, 'by a test',"
                 " SYSDATE(6) FROM cash WHERE user_id = %s",
                 uuid.uuid4().hex, balance, balance, number)
        self.run("UPDATE cash SET balance = %s WHERE user_id = %s", balance, number)

    # Looking ------------------------------------------------------------------------------------

    def user(self, user):
        return self.value("SELECT id FROM user WHERE uuid = UNHEX(%s)", user.replace("-", ""))

    def ticket(self, user):
        return self.value("SELECT MAX(id) FROM waiting_queue WHERE user_id = %s", self.user(user))

    def balance(self, user):
        return self.value("SELECT balance FROM cash WHERE user_id = %s", self.user(user))

    def charges(self, user):
        return [amount for amount, in self.rows(
            "SELECT amount FROM cash_history WHERE user_id = %s ORDER BY id", self.user(user))]

    def holds(self, seat):
        """(user id, status) of each reservation of a seat, oldest first."""
        return list(self.rows("SELECT user_id, status FROM seat_reservation WHERE seat_id = %s"
                              " ORDER BY id", seat))

    def statuses(self, seat):
        return [status for _, status in self.holds(seat)]

    def clock_offset(self):
        """Database clock minus time.monotonic(), in seconds, to about a millisecond."""
        best = None
        for _ in range(5):
            before = time.monotonic()
            now = float(self.value("SELECT UNIX_TIMESTAMP(SYSDATE(6))"))
            after = time.monotonic()
            if best is None or after - before < best[0]:
                best = (after - before, now - (before + after) / 2)
        return best[1]

    def expiry(self, seat):
        """When the newest hold of a seat ends, as time.monotonic()."""
        ends = self.value("SELECT UNIX_TIMESTAMP(expires_at) FROM seat_reservation"
                          " WHERE seat_id = %s ORDER BY id DESC LIMIT 1", seat)
        return float(ends) - self.clock_offset()

    def broken_invariants(self):
        broken = {name: self.rows(f"{sql} LIMIT 5") for name, sql in INVARIANTS.items()}
        return {name: rows for name, rows in broken.items() if rows}
