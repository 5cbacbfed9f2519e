"""The launcher: what it says about a running instance, and what it does to its processes."""

import contextlib
import shlex
import signal
import subprocess
import time
from pathlib import Path

from instance import ROOT
from wait import wait_until

ASSIGNMENTS = {"BOXOFFICE_URL", "BOXOFFICE_AMQP_IMPORT_URL", "BOXOFFICE_AMQP_ADMIN_URL",
               "BOXOFFICE_MANAGEMENT_URL", "BOXOFFICE_MYSQL_SOCKET", "BOXOFFICE_MYSQL_PORT",
               "BOXOFFICE_MYSQL_DATABASE", "BOXOFFICE_MYSQL_ADMIN_USER",
               "BOXOFFICE_MYSQL_ADMIN_PASSWORD", "BOXOFFICE_METRICS", "BOXOFFICE_RABBITMQ_METRICS",
               "BOXOFFICE_VAR"}
PROCESSES = {"front-0", "front-1", "seat-worker-0", "seat-worker-1", "account-worker-0",
             "account-worker-1", "gate-worker-0", "gate-worker-1", "rabbitmq", "mariadb", "nginx",
             "epmd"}


def pids(instance):
    return {name: instance.pid(name) for name in PROCESSES}


def test_env_is_assignments_for_a_shell(instance):
    printed = instance.run("env").stdout
    assert {line.split("=", 1)[0] for line in printed.splitlines()} == ASSIGNMENTS
    assert len(shlex.split(printed)) == len(ASSIGNMENTS)
    assert instance.values["BOXOFFICE_VAR"] == str(instance.var)


def test_env_points_a_tool_at_the_database_by_port_too(instance, db):
    values = instance.values
    with db.connect(unix_socket=None, host="127.0.0.1",
                    port=int(values["BOXOFFICE_MYSQL_PORT"])) as connection:
        assert connection.open


def test_status_shows_processes_and_queues(instance):
    printed = instance.run("status").stdout
    for name in PROCESSES | {"seat.0", "seat.7", "gate", "account", "charge.import", "dead"}:
        assert any(line.split()[:1] == [name] for line in printed.splitlines()), name


def test_status_tells_who_is_down(instance):
    try:
        instance.stop("gate-worker-1")
        done = instance.run("status", check=False)
        line = next(line for line in done.stdout.splitlines() if line.startswith("gate-worker-1"))
        assert "down" in line and done.returncode != 0
    finally:
        instance.start("gate-worker-1")
    assert instance.run("status").returncode == 0


def test_up_again_does_nothing_quickly(instance):
    instance.run("up", timeout_s=600)  # builds, and replaces, what was edited since the start
    before = pids(instance)
    begin = time.monotonic()
    instance.run("up")
    assert time.monotonic() - begin < 20
    assert pids(instance) == before


def test_up_brings_back_what_died(instance, site):
    instance.end("seat-worker-0", 9)
    instance.end("front-1", 9)
    instance.run("up")
    assert all(instance.is_alive(name) for name in PROCESSES)
    site.fan()


def test_restart_of_a_kind_and_of_one(instance):
    before = pids(instance)
    instance.run("restart", "account-worker")
    after = pids(instance)
    assert {name for name in PROCESSES if before[name] != after[name]} \
        == {"account-worker-0", "account-worker-1"}
    instance.run("restart", "gate-worker-0")
    assert {name for name in PROCESSES if pids(instance)[name] != after[name]} == {"gate-worker-0"}


def test_who_waits_for_a_process_keeps_nobody_out(instance):
    """The server that it waits for may be what another command is to start."""
    def asks():
        question = b"--socket=" + instance.values["BOXOFFICE_MYSQL_SOCKET"].encode()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it ended
                if question in path.read_bytes().split(b"\0"):
                    return True
        return False

    instance.send_signal("mariadb", signal.SIGSTOP)
    try:
        with subprocess.Popen([ROOT / "boxoffice", "start", "mariadb"], env=instance.environment(),
                              stdin=subprocess.DEVNULL) as waiting:
            wait_until(asks, 20, "the question whether the database answers")
            instance.run("stop", "nginx", timeout_s=30)
            assert waiting.poll() is None
            instance.send_signal("mariadb", signal.SIGCONT)
            assert waiting.wait(30) == 0
    finally:
        instance.send_signal("mariadb", signal.SIGCONT)
        instance.start("nginx")


def test_logs(instance):
    assert "event=ready" in instance.run("logs", "seat-worker-0").stdout
    assert instance.run("logs").stdout
    assert instance.run("logs", "nobody", check=False).returncode != 0


def test_no_log_holds_a_user_id_or_a_secret(instance, site):
    fan = site.fan(balance=1)
    instance.run("logs")
    secrets = [fan.user, fan.user.replace("-", ""), fan.user.replace("-", "").upper(), fan.token,
               instance.values["BOXOFFICE_MYSQL_ADMIN_PASSWORD"],
               instance.settings("front-0")["token_keys"].split(":")[1]]
    for path in (instance.var / "log").glob("*.log"):
        text = path.read_bytes()
        assert not any(secret.encode() in text for secret in secrets), path


def test_mistakes_are_told(instance):
    for arguments in (["fly"], ["restart"], ["restart", "nobody"], ["stop", "nobody"]):
        done = instance.run(*arguments, check=False)
        assert done.returncode != 0 and done.stderr.strip(), arguments


def test_a_bad_setting_is_refused_before_anything_happens(instance):
    before = pids(instance)
    for words in ("hold_s=never", "hold_s=0", "no_such_setting=1", "nonsense"):
        done = instance.run("up", check=False, BOXOFFICE_SET=words)
        assert done.returncode != 0 and done.stderr.strip(), words
    assert pids(instance) == before


def test_passwords_are_on_no_command_line(instance):
    secrets = [instance.values["BOXOFFICE_MYSQL_ADMIN_PASSWORD"],
               instance.settings("front-0")["amqp_url"].split(":")[2].split("@")[0]]
    for name in PROCESSES:
        with open(f"/proc/{instance.pid(name)}/cmdline", "rb") as command:
            text = command.read()
        assert not any(secret.encode() in text for secret in secrets), name
