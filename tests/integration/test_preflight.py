"""boxofficectl preflight: it passes on an instance with a schedule on sale, and names what is broken."""

import json
import shutil
import subprocess

import pytest

from amqp import job, new_id
from scratch import NOW, scratch_schema
from wait import wait_until

SCRATCH = "boxoffice_preflight"


@pytest.fixture
def preflight(instance, site):
    assert site

    def run(*arguments):
        """(exit status, {check: what is told of it}, the whole)"""
        done = instance.run("ctl", "preflight", "--json", *arguments, check=False)
        told = json.loads(done.stdout)
        return done.returncode, {check["name"]: check for check in told["checks"]}, told

    return run


def states(checks, *wanted):
    return {name for name, check in checks.items() if check["state"] in wanted}


def not_passed(preflight, *arguments):
    return states(preflight(*arguments)[1], "failed", "not-evaluated")


def becomes(preflight, names, *arguments):
    """The broker's numbers are some seconds old."""
    def are_those():
        assert not_passed(preflight, *arguments) == names
        return True

    wait_until(are_those, 30, f"{names} and nothing else", 0.5)


def test_it_passes_with_a_schedule_on_sale(preflight, instance, db, schedule, broker):
    assert schedule
    broker.unclaimed_dead()
    becomes(preflight, set())
    status, checks, told = preflight()
    assert status == 0 and states(checks, "passed") == set(checks)
    assert (told["failed"], told["not_evaluated"], told["skipped"]) == (0, 0, 0)
    assert told["passed"] == len(checks) > 25
    assert all(check["required"] and check["measured"] and check["remedy"] for check in told["checks"])
    assert checks["database-version"]["measured"] == db.value("SELECT VERSION()")
    assert checks["metrics"]["measured"] == f"{len(instance.recipes)} processes"


def test_it_tells_people_what_to_do(preflight, instance, schedule):
    assert schedule and preflight
    done = instance.run("ctl", "preflight", "--site", "http://127.0.0.1:1", check=False)
    lines = done.stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("UNKNOWN  site-ready"))
    assert done.returncode == 1
    assert lines[at + 1].strip().startswith("measured: http://127.0.0.1:1/readyz does not answer")
    assert lines[at + 2].strip().startswith("to do: ")
    assert "1 not evaluated" in lines[-1]


def test_what_is_skipped_is_no_fault(preflight, schedule):
    assert schedule
    arguments = ("--site", "http://127.0.0.1:1", "--metrics", "/nonexistent")
    becomes(preflight, {"site-ready", "metrics"}, *arguments)
    assert preflight(*arguments)[0] == 1
    becomes(preflight, set(), *arguments, "--skip", "site-ready,metrics")
    status, checks, _ = preflight(*arguments, "--skip", "metrics,site-ready")
    assert status == 0 and states(checks, "skipped") == {"metrics", "site-ready"}


@pytest.mark.parametrize("arguments", [
    ("--skip", "nothing-of-this-name"), ("--gate", "ajar"), ("--disk", "much"), ("an argument",)])
def test_a_mistake_in_the_call(instance, site, arguments):
    assert site
    assert instance.run("ctl", "preflight", *arguments, check=False).returncode == 2


# One broken thing each ----------------------------------------------------------------------------


@pytest.mark.parametrize("variable, value, name", [
    ("innodb_flush_log_at_trx_commit", "2", "database-flush"), ("read_only", "ON", "database-writable"),
    ("max_connections", "30", "database-connections"), ("max_allowed_packet", "4194304", "database-packet"),
    ("max_statement_time", "29", "database-timeouts")])
def test_a_setting_of_the_database(preflight, instance, db, schedule, variable, value, name):
    assert schedule
    if variable == "max_statement_time" and db.is_mysql():
        variable, value = "max_execution_time", f"{value}000"
    before = db.value(f"SELECT @@GLOBAL.{variable}")
    instance.as_owner(f"SET GLOBAL {variable} = {value}")
    try:
        assert name in states(preflight()[1], "failed")
    finally:
        instance.as_owner(f"SET GLOBAL {variable} = {before}")
    assert name in states(preflight()[1], "passed")


@pytest.mark.parametrize("setting, failed, unknown", [
    ("mysql_socket=/nonexistent", {"database-answers"},
     {"database-version", "database-writable", "database-flush", "database-binlog", "database-replica",
      "database-connections", "database-packet", "database-timeouts", "database-clock", "database-disk",
      "schema-migrated", "audit-clean", "gate-ticks", "gate-policy", "gate-state", "seats-free", "booking-times", "draw"}),
    ("management_url=http://127.0.0.1:1", {"broker-answers"},
     {"broker-partitions", "broker-version", "broker-alarms", "broker-files", "broker-queues", "broker-members", "dead-empty",
      "no-backlog", "seat-workers", "gate-workers", "account-workers", "fronts", "database-connections"}),
    ("gate_ceiling_active=10", {"gate-policy"}, set()),
    ("hold_s=77", {"broker-queues"}, set()), ("partitions=17", {"broker-queues", "seat-workers"}, set())])
def test_a_server_or_setting_that_is_not_there(preflight, instance, schedule, setting, failed, unknown):
    assert schedule
    with instance.ctl_settings(setting):
        status, checks, _ = preflight()
    assert status == 1
    assert states(checks, "failed") - {"audit-clean"} == failed
    assert states(checks, "not-evaluated") == unknown


def test_more_disk_than_there_is(preflight, schedule):
    assert schedule
    free_gib = shutil.disk_usage("/").total >> 30
    assert "database-disk" in states(preflight("--disk", str(free_gib + 1000))[1], "failed")


def test_a_database_on_another_host(preflight, instance, schedule):
    """Its disk cannot be looked at from here."""
    assert schedule
    with instance.ctl_settings("mysql_socket=", "mysql_host=127.0.0.2",
                               f"mysql_port={instance.values['BOXOFFICE_MYSQL_PORT']}"):
        checks = preflight()[1]
    # Either it listens there, and is of another host by its name; or it does not answer.
    assert checks["database-disk"]["state"] == "not-evaluated"


def test_a_dead_letter(preflight, broker, schedule):
    assert schedule
    work = job("charge", userId=new_id(), amount=1)
    broker.publish("account", "account", {"v": 1, **work})
    try:
        becomes(preflight, {"dead-empty"})
    finally:
        broker.dead_letter(work["id"])
    becomes(preflight, set())


@pytest.mark.parametrize("kind", ["account-worker", "gate-worker", "seat-worker", "front"])
def test_a_kind_of_process_that_does_not_run(preflight, instance, schedule, kind):
    assert schedule
    names = {"account-worker": {"account-workers", "metrics"}, "seat-worker": {"seat-workers", "metrics"},
             "gate-worker": {"gate-workers", "gate-ticks", "metrics"}, "front": {"fronts", "site-ready", "metrics"}}
    instance.stop(kind)
    try:
        becomes(preflight, names[kind])
    finally:
        instance.start(kind)
    becomes(preflight, set())


def test_jobs_that_nobody_does(preflight, instance, broker, site, schedule):
    assert schedule
    user = site.users()[0]
    instance.stop("account-worker")
    try:
        for _ in range(101):
            broker.publish("account", "account", {"v": 1, **job("charge", userId=user, amount=1)})
        becomes(preflight, {"account-workers", "metrics", "no-backlog"})
    finally:
        instance.start("account-worker")
    becomes(preflight, set())


def test_a_queue_with_other_arguments_or_none(preflight, instance, broker, schedule):
    """A queue of holds of a length that nobody uses: declared by hand, as somebody might."""
    assert schedule
    name = "hold.expiry.78s"
    broker.management(f"queues/{broker.vhost}/{name}", "PUT",
                      {"durable": True, "arguments": {"x-queue-type": "quorum"}})
    try:
        with instance.ctl_settings("hold_s=78"):
            told = preflight()[1]["broker-queues"]
        assert (told["state"], told["measured"]) == ("failed", f"with other arguments: {name}")
    finally:
        broker.management(f"queues/{broker.vhost}/{name}", "DELETE")
    with instance.ctl_settings("hold_s=78"):
        assert preflight()[1]["broker-queues"]["measured"] == f"missing: {name}"


def test_an_alarm_of_the_broker(preflight, instance, schedule):
    """A limit of memory that is always exceeded, until the node's own is set again."""
    assert schedule
    rabbitmqctl(instance, "set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        becomes(preflight, {"broker-alarms"})
    finally:
        rabbitmqctl(instance, "set_vm_memory_high_watermark", "absolute", "1GB")
    becomes(preflight, set())


def broker_environment(instance):
    base = instance.port_base
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(instance.var / "rabbitmq"), "LC_ALL": "C.UTF-8",
            "ERL_EPMD_PORT": str(base + 3), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_INETRC": str(instance.var / "etc/erl_inetrc"), "RABBITMQ_NODENAME": f"boxoffice-{base}@localhost",
            "RABBITMQ_CONF_ENV_FILE": str(instance.var / "etc/rabbitmq-env.conf")}


def rabbitmqctl(instance, *arguments):
    done = subprocess.run(instance.command_in_root("rabbitmq", "/usr/lib/rabbitmq/bin/rabbitmqctl", *arguments),
                          env=broker_environment(instance), timeout=60, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_gate_in_another_state(preflight, db, schedule):
    assert schedule
    with db.policy(state="paused"):
        becomes(preflight, set(), "--gate", "paused")
        becomes(preflight, {"gate-state"}, "--gate", "open")
    with db.policy(state="closed"):
        becomes(preflight, {"gate-state"})
    becomes(preflight, set(), "--gate", "open")


# In a database of its own ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scratch(instance, site, db):
    """A schema as it is installed, with a schedule on sale."""
    assert site
    with scratch_schema(instance, db, SCRATCH) as cursor, instance.ctl_settings(f"mysql_database={SCRATCH}"):
        yield cursor


WORLD = [
    f"INSERT INTO concert (id, name, created_at, updated_at) VALUES (1, 'x', {NOW}, {NOW})",
    "INSERT INTO concert_schedule (id, concert_id, total_seats, open_at, close_at, booking_start_at,"
    f" booking_end_at, created_at, updated_at) VALUES (1, 1, 1, {NOW} + INTERVAL 2 DAY, {NOW} + INTERVAL 3 DAY,"
    f" {NOW} + INTERVAL 1 HOUR, {NOW} + INTERVAL 1 DAY, {NOW}, {NOW})",
    "INSERT INTO seat (id, concert_schedule_id, seat_number, price, created_at, updated_at) VALUES"
    f" (1, 1, '1', 1000, {NOW}, {NOW})",
    "INSERT INTO gate_policy (state, max_active, window_limit, window_s, active_s, changed_by, changed_at)"
    f" VALUES ('open', 10, 0, 60, 600, 'x', {NOW})",
    # No gate worker ticks here: it is as if one just had.
    f"UPDATE gate_state SET policy_state = 'open', ticked_at = {NOW} + INTERVAL 1 HOUR"]
DRAW = ("INSERT INTO gate_draw (state, opens_at, zone, public_name, secret, commitment, changed_by, created_at,"
        " updated_at) VALUES ('joining', " + NOW + " + INTERVAL {minutes} MINUTE, 'UTC', 'x', REPEAT('x', 32),"
        " UNHEX(SHA2(REPEAT('x', 32), 256)), 'x', " + NOW + ", " + NOW + ")")


@pytest.fixture
def world(scratch):
    for table in ("gate_draw", "seat_reservation", "seat", "concert_schedule", "concert", "gate_policy"):
        scratch.execute(f"DELETE FROM {table}")
    for sql in WORLD:
        scratch.execute(sql)
    return scratch


@pytest.mark.parametrize("sql, name", [
    ("DELETE FROM schema_migration WHERE number = 2", "schema-migrated"),
    (f"INSERT INTO schema_migration VALUES (999, '999_of_tomorrow', {NOW})", "schema-migrated"),
    ("UPDATE gate_state SET waiting = 3", "audit-clean"),
    (f"UPDATE gate_state SET ticked_at = {NOW} - INTERVAL 10 SECOND", "gate-ticks"),
    ("UPDATE gate_state SET policy_state = 'paused'", "gate-policy"),
    ("UPDATE seat SET is_active = FALSE", "seats-free booking-times"),
    (f"UPDATE seat SET deleted_at = {NOW}", "seats-free booking-times"),
    ("INSERT INTO seat_reservation (seat_id, user_id, ticket_id, job_id, status, price, expires_at, created_at,"
     f" updated_at) VALUES (1, 1, 1, UNHEX(LEFT(SHA2('x', 256), 32)), 'PENDING', 1, {NOW}, {NOW}, {NOW})",
     "seats-free booking-times audit-clean"),
    (f"UPDATE concert_schedule SET open_at = created_at, close_at = {NOW}", "seats-free booking-times"),
    (f"UPDATE concert_schedule SET booking_start_at = created_at, booking_end_at = {NOW}", "booking-times"),
    (DRAW.format(minutes=30), "draw"), (DRAW.format(minutes=-1), "draw")])
def test_a_broken_world(preflight, world, sql, name):
    becomes(preflight, set())
    world.execute(sql)
    try:
        assert not_passed(preflight) == set(name.split())
    finally:
        world.execute("DELETE FROM schema_migration WHERE number = 999")
        world.execute(f"INSERT IGNORE INTO schema_migration VALUES (2, '002_waiting_room', {NOW})")
        world.execute("UPDATE gate_state SET waiting = 0")


def test_a_draw_that_opens_with_the_booking(preflight, world):
    world.execute(DRAW.format(minutes=61))
    becomes(preflight, set())
