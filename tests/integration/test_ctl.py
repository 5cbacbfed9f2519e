"""boxofficectl: the gate's numbers, and policies that are changed live, recorded, or refused."""

import json
import time

import pytest

from api import issue, leave, status
from wait import wait_until


@pytest.fixture
def ctl(instance, site, db):
    """Runs ./boxoffice ctl; afterwards the policy is that of the tests again."""
    def run(*arguments, check=True):
        return instance.run("ctl", *arguments, check=check)

    assert site
    yield run
    db.set_policy()


def told(ctl, *arguments):
    return json.loads(ctl("--json", *arguments).stdout)


def refused(ctl, *arguments):
    """What is said on stderr, the policy being the same as before."""
    before = told(ctl, "gate", "history")["changes"][0]
    done = ctl(*arguments, check=False)
    assert done.returncode == 1
    assert told(ctl, "gate", "history")["changes"][0] == before
    return done.stderr


def test_status_tells_policy_and_numbers(ctl, site, db):
    found = told(ctl, "gate", "status")
    assert found["state"] == "open" and found["max_active"] == 100000
    assert found["active"] == db.value(
        "SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'")
    assert found["last_ticket"] == db.value("SELECT COALESCE(MAX(id), 0) FROM waiting_queue")
    assert found["tick_age_ms"] < 5000
    lines = ctl("gate", "status").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(found)


def test_status_counts_who_waits_and_since_when(ctl, site, db):
    wait_until(lambda: told(ctl, "gate", "status")["waiting"] == 0, 10, "an empty line")
    ctl("gate", "pause")
    departed = told(ctl, "gate", "status")["departed"]
    first, second = site.fans(2, admitted=False)
    wait_until(lambda: told(ctl, "gate", "status")["oldest_s"] >= 1, 5, "a second of waiting")
    found = told(ctl, "gate", "status")
    assert (found["state"], found["waiting"], found["aside"]) == ("paused", 2, 0)
    site.do(leave(second.token)).ok()
    found = told(ctl, "gate", "status")
    assert (found["waiting"], found["departed"]) == (1, departed + 1)
    ctl("gate", "open")
    site.wait_admitted([first])


def test_a_change_rules_within_a_second_and_is_recorded(ctl, site, db):
    ctl("gate", "pause")
    fan = site.fan(admitted=False)
    changed = told(ctl, "--by", "night shift", "gate", "set", "window_limit=77", "window_s=30")
    assert (changed["window_limit"], changed["window_s"]) == (77, 30)
    assert changed["state"] == "paused" and changed["max_active"] == 100000
    newest, before = told(ctl, "gate", "history")["changes"][:2]
    assert newest["by"] == "night shift"
    assert newest["changes"] == {"window_limit": {"from": "0", "to": "77"},
                                 "window_s": {"from": "60", "to": "30"}}
    assert before["changes"]["state"] == {"from": "open", "to": "paused"}
    ctl("gate", "open")
    begin = time.monotonic()
    site.wait_admitted([fan], 5)
    assert time.monotonic() - begin < 1.5


def test_history_for_people(ctl):
    ctl("gate", "message", "hello")
    line = ctl("gate", "history").stdout.splitlines()[0]
    assert line.endswith('message: "" -> hello')


@pytest.mark.parametrize("arguments, why", [
    (["max_active=0"], "both 0"),
    (["max_active=1000001"], "from 0 to 1000000"),
    (["max_active=many"], "takes a number"),
    (["quiet_s=5"], "quiet_s is less than 30"),
    (["show_up_s=4000"], "longer than active_s"),
    (["counts=arrivals"], "window_limit"),
    (["counts=heads"], "releases or arrivals"),
    (["speed=1"], "no speed"),
    (["max_active"], "not name=value"),
    (["window_s=30", "active_s=0"], "from 1 to 86400"),
])
def test_what_makes_no_sense_is_refused(ctl, arguments, why):
    assert why in refused(ctl, "gate", "set", *arguments)


def test_a_ceiling_of_the_deployment_holds(ctl, instance, db):
    with instance.ctl_settings("gate_ceiling_active=1000", "gate_ceiling_per_minute=60"):
        assert "deployment" in refused(ctl, "gate", "set", "max_active=1001", "window_limit=1")
        assert "deployment" in refused(ctl, "gate", "set", "max_active=1000", "window_limit=61")
        ctl("gate", "set", "max_active=1000", "window_limit=60")


def test_closing_asks_first(ctl, site):
    assert "--yes" in refused(ctl, "gate", "close", "sold out")
    user = site.users()[0]
    ctl("--yes", "gate", "close", "see you next year")
    assert site.do(issue(user)).refused(503, "closed")["message"] == "see you next year"
    ctl("gate", "open")
    assert told(ctl, "gate", "status")["reason"] == ""
    site.do(issue(user)).ok()


def test_pausing_keeps_numbers_and_places(ctl, site):
    before = told(ctl, "gate", "status")
    ctl("gate", "pause")
    after = told(ctl, "gate", "status")
    assert after["state"] == "paused" and after["max_active"] == before["max_active"]
    fan = site.fan(admitted=False)
    wait_until(lambda: site.send(status(fan.token)).ok()["gate"] == "paused", 2, "the news")
    ctl("gate", "open")
    site.wait_admitted([fan])


def test_a_message_reaches_the_fans_and_ends(ctl, site):
    fan = site.fan()
    ctl("gate", "message", "문이 곧 열립니다")
    wait_until(lambda: site.send(status(fan.token)).ok()["message"] == "문이 곧 열립니다", 2, "it")
    ctl("gate", "message")
    wait_until(lambda: site.send(status(fan.token)).ok()["message"] is None, 2, "its end")


@pytest.mark.parametrize("text", ["a\nb", "x" * 201, "\x1b[31mred"])
def test_what_is_no_message(ctl, text):
    assert "control character" in refused(ctl, "gate", "message", text)


def test_a_policy_written_past_it_is_told_when_it_does_not_rule(ctl, db):
    with db.policy(max_active=0, window_limit=0):
        done = ctl("gate", "status", check=False)
        assert done.returncode == 1 and "does not rule" in done.stderr


@pytest.mark.parametrize("arguments", [
    [], ["gate"], ["gate", "fly"], ["gate", "set"], ["gate", "open", "wide"], ["--fly"],
    ["--by", "", "gate", "open"], ["--by", "x" * 101, "gate", "open"]])
def test_a_mistake_in_the_call_is_told(ctl, arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode == 2 and done.stderr


def test_help(ctl):
    printed = ctl("--help").stdout
    assert "gate set" in printed and "--json" in printed
    assert "BOXOFFICE_MYSQL_HOST" in ctl("--settings").stdout


def test_the_database_away_is_told(ctl, instance):
    with instance.ctl_settings("mysql_socket=/nonexistent"):
        done = ctl("gate", "status", check=False)
        assert done.returncode == 1 and "database" in done.stderr


def test_an_operator_adds_policies_and_changes_nothing_else(instance, db):
    import pymysql
    values = instance.ctl_values()
    with db.connect(user=values["mysql_user"], password=values["mysql_password"]) as connection, \
            connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM gate_policy")
        for sql in ("UPDATE gate_policy SET max_active = 1", "DELETE FROM gate_policy",
                    "UPDATE gate_state SET served = 0", "UPDATE waiting_queue SET place = NULL",
                    "SELECT * FROM user", "UPDATE cash SET balance = 0",
                    "DELETE FROM cash_history", "INSERT INTO job SELECT * FROM job"):
            with pytest.raises(pymysql.err.MySQLError) as caught:
                cursor.execute(sql)
            assert caught.value.args[0] in (1142, 1143), sql
