"""boxofficectl job, queues, completion; its help, its man page and what it tells programs."""

import json
import re
import subprocess

import pytest

from amqp import SEAT_PARTITIONS, job, new_id
from api import pay, reserve
from instance import ROOT, find_program
from wait import wait_until


@pytest.fixture
def ctl(instance, site):
    assert site

    def run(*arguments, check=True):
        return instance.run("ctl", *arguments, check=check)

    return run


def told(ctl, *arguments):
    return json.loads(ctl("--json", *arguments).stdout)


# Jobs ----------------------------------------------------------------------------------------------


def test_a_charge_tells_what_it_did(ctl, site, broker, db):
    user = site.users()[0]
    work = job("charge", userId=user, amount=70, memo="a gift")
    broker.ask("account", "account", work)
    found = told(ctl, "job", "show", work["id"])
    assert (found["id"], found["kind"], found["code"], found["attempt"]) == (work["id"], "charge", "ok", 1)
    assert json.loads(found["data"]) == {"balance": 70}
    assert (found["user"], found["amount"], found["balance_after"], found["memo"]) == (
        db.user(user), 70, 70, "a gift")
    assert "payment" not in found and "reservation" not in found
    db.run("DELETE FROM job WHERE id = UNHEX(%s)", work["id"].replace("-", ""))
    assert "kind" not in told(ctl, "job", "show", work["id"])


def test_a_purchase_and_its_refund(ctl, site, db, seat):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    payment = site.do(pay(fan.token, seat)).ok()["id"]

    def of(column, table, where):
        return str(db.value(f"SELECT LOWER(HEX({column})) FROM {table} WHERE {where} = %s", payment))

    def dashed(text):
        return "-".join([text[:8], text[8:12], text[12:16], text[16:20], text[20:]])

    reservation = db.value("SELECT reservation_id FROM payment WHERE id = %s", payment)
    held = dashed(db.value("SELECT LOWER(HEX(job_id)) FROM seat_reservation WHERE id = %s", reservation))
    found = told(ctl, "job", "show", held)
    assert (found["reservation"], found["seat"], found["reservation_status"]) == (reservation, seat, "PAID")
    found = told(ctl, "job", "show", dashed(of("job_id", "payment", "id")))
    assert (found["payment"], found["payment_status"], found["paid"], found["amount"]) == (
        payment, "PAID", 1000, -1000)
    refund = told(ctl, "--yes", "refund", str(payment))["job"]
    found = told(ctl, "job", "show", refund)
    assert (found["refunded_payment"], found["refunded"], found["amount"]) == (payment, 1000, 1000)
    ticket = db.ticket(fan.user)
    issue = dashed(db.value("SELECT LOWER(HEX(job_id)) FROM waiting_queue WHERE id = %s", ticket))
    found = told(ctl, "job", "show", issue)
    assert (found["ticket"], found["ticket_status"]) == (ticket, "FINISHED")


def test_a_refusal_and_a_registration(ctl, broker):
    refused = job("charge", userId=new_id(), amount=1)
    signed = job("register", userId=new_id(), name="kim")
    broker.ask("account", "account", refused, signed)
    found = told(ctl, "job", "show", refused["id"])
    assert found["code"] == "unknown-user" and "history" not in found
    printed = ctl("job", "show", signed["id"]).stdout
    assert "register" in printed and signed["userId"] not in printed


def test_a_job_that_nobody_knows(ctl):
    done = ctl("job", "show", new_id(), check=False)
    assert done.returncode == 1 and "nothing is known" in done.stderr
    assert ctl("job", "show", "x", check=False).returncode == 2


# Queues --------------------------------------------------------------------------------------------


def test_queues_are_those_of_the_topology(ctl, broker, hold_s):
    rows = {row["name"]: row for row in told(ctl, "queues")["queues"]}
    assert [f"seat.{k}" for k in range(SEAT_PARTITIONS)] + [f"hold.expiry.{hold_s}s", "gate", "account", "charge.import",
                                               "dead"] == [name for name in rows if rows[name]["holds"] != "none of ours"]
    assert rows["seat.3"]["holds"] == "reserve, cancel, pay, refund, expire"
    assert rows["account"]["holds"] == "register, charge, reverse"
    wait_until(lambda: {row["name"]: row["consumers"] for row in told(ctl, "queues")["queues"]}["gate"] == 2,
               20, "the broker's numbers", 0.5)
    assert not any(name.startswith("reply.") for name in rows)
    lines = ctl("queues").stdout.splitlines()
    assert lines[0].split() == ["name", "ready", "unacked", "consumers", "oldest", "holds"]
    assert len(lines) == 1 + len(rows)


def test_queues_tell_when_the_oldest_letter_died(ctl, broker):
    assert told(ctl, "queues")["queues"][-1]["oldest"] is None
    work = job("charge", userId=new_id(), amount=1)
    broker.publish("account", "account", {"v": 1, **work})
    wait_until(lambda: broker.depth("dead") == 1, 10, "the letter")
    row = next(row for row in told(ctl, "queues")["queues"] if row["name"] == "dead")
    assert row["oldest"].startswith("20")
    wait_until(lambda: next(row for row in told(ctl, "queues")["queues"] if row["name"] == "dead")["ready"] == 1,
               20, "the broker's numbers", 0.5)
    broker.dead_letter(work["id"])


def test_what_waits_is_told(ctl, instance, broker, site):
    instance.stop("account-worker")
    try:
        work = job("charge", userId=site.host and new_id(), amount=1)
        broker.publish("account", "account", {"v": 1, **work})
        wait_until(lambda: {row["name"]: row["ready"] for row in told(ctl, "queues")["queues"]}["account"] == 1,
                   20, "the broker's numbers", 0.5)
    finally:
        instance.start("account-worker")
    broker.dead_letter(work["id"])


@pytest.mark.parametrize("setting", ["management_url=http://127.0.0.1:1",
                                     "amqp_url=amqp://operator:wrong@127.0.0.1:1/%2f", "amqp_url=nonsense"])
def test_a_management_that_does_not_answer(ctl, instance, setting):
    with instance.ctl_settings(setting):
        done = ctl("queues", check=False)
        assert done.returncode == 1 and done.stderr


# What is written about it --------------------------------------------------------------------------


def help_text():
    return subprocess.run([str(find_program("boxofficectl")), "--help"], env={}, check=True,
                          capture_output=True, text=True).stdout


def commands():
    return re.findall(r"^  ([a-z]+(?: [a-z-]+)?) ", help_text(), re.MULTILINE)


def options():
    return set(re.findall(r"^ +--([a-z]+)", help_text(), re.MULTILINE))


def test_the_commands_are_found():
    assert {"audit", "gate status", "dead send-back", "refund", "charge reverse", "import"} <= set(commands())
    assert len(commands()) > 25


def test_the_man_page_has_every_command_and_option():
    page = (ROOT / "man/boxofficectl.8").read_text().replace("\\-", "-")
    assert set(re.findall(r"^\\fB([a-z]+(?: [a-z-]+)?)\\fR", page, re.MULTILINE)) == set(commands())
    assert set(re.findall(r"^\\fB--([a-z]+)", page, re.MULTILINE)) == options()


def test_the_readme_has_every_command():
    readme = (ROOT / "README.md").read_text()
    for command in commands():
        assert f"ctl {command}" in readme or f"`{command}" in readme, command


def complete(*words):
    """What bash proposes for the last word."""
    script = subprocess.run([str(find_program("boxofficectl")), "completion", "bash"], env={}, check=True,
                            capture_output=True, text=True).stdout
    line = " ".join(f"'{word}'" for word in ("boxofficectl", *words))
    asked = (f"COMP_WORDS=({line}); COMP_CWORD={len(words)};"
             f" _boxofficectl boxofficectl '{words[-1]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return set(subprocess.run(["bash", "-c", script + asked], check=True, capture_output=True,
                              text=True).stdout.split())


def test_bash_completes_every_command():
    groups = {command.split()[0] for command in commands()}
    assert complete("") == groups
    for group in groups:
        names = {command.split()[1] for command in commands() if command.split()[0] == group and " " in command}
        assert complete(group, "") == names
    assert complete("ga") == {"gate"} and complete("dead", "s") == {"show", "send-back"}
    assert complete("--by", "kim", "gate", "st") == {"status"}


def test_bash_completes_options():
    assert complete("--") == {"--json", "--yes", "--by", "--settings", "--help"}
    assert {"--code", "--all", "--json"} <= complete("dead", "drop", "--")
    assert "--all" not in complete("dead", "list", "--")
    assert "--rows" in complete("audit", "--") and "--memo" in complete("refund", "12", "--m")


def test_help_of_one_command(ctl):
    printed = ctl("dead", "list", "--help").stdout
    assert "--code" in printed and "gate" not in printed


@pytest.mark.parametrize("arguments", [
    ["gate", "status"], ["gate", "history"], ["audit"], ["dead", "list"], ["dead", "show"], ["queues"],
    ["concert", "list"], ["concert", "history"], ["schedule", "list"], ["seat", "list", "1"]])
def test_programs_get_one_json_object(ctl, arguments):
    assert isinstance(json.loads(ctl(*arguments, "--json").stdout), dict)
