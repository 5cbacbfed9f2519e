"""ops/: a real Prometheus with its configuration reads an instance; every alert is tested, every query
of the dashboard finds something."""

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from amqp import job, new_id
from api import cancel, charge, leave, pay, register, reserve, status
from instance import ROOT
from wait import wait_until

OPS = ROOT / "ops"
ALERTS = (OPS / "alerts.yml").read_text()
ALERT_TESTS = (OPS / "alerts_test.yml").read_text()
DASHBOARD = json.loads((OPS / "grafana-dashboard.json").read_text())


def promtool(*arguments, folder=OPS):
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, check=False)


def rules():
    """The text of each rule of alerts.yml, from its name on."""
    return re.findall(r"      - alert: .*?(?=\n      - alert: |\n  - name: |\n  #|\n      #|\Z)", ALERTS, re.DOTALL)


def queries():
    return [(panel["title"], target["expr"]) for panel in DASHBOARD["panels"]
            for target in panel.get("targets", [])]


def name_of(rule):
    cause = re.search(r"cause: ([a-z-]+)", rule)
    return re.search(r"alert: (\w+)", rule).group(1) + (f" {cause.group(1)}" if cause else "")


def test_the_configuration_and_the_rules_are_valid(tmp_path):
    (tmp_path / "targets").mkdir()
    for name in ("boxoffice", "rabbitmq"):
        (tmp_path / "targets" / f"{name}.json").write_text("[]")
    for name in ("prometheus.yml", "alerts.yml"):
        shutil.copy(OPS / name, tmp_path)
    for arguments in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml")):
        done = promtool(*arguments, folder=tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_alerts_do_what_their_tests_say():
    done = promtool("test", "rules", "alerts_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("rule", rules(), ids=name_of)
def test_an_alert_that_never_fires_fails_the_tests(tmp_path, rule):
    """So each alert has a test, and each test can fail."""
    silent = re.sub(r"        expr: .*?(?=\n        (?:for|labels):)", "        expr: vector(0) > 1",
                    rule, flags=re.DOTALL)
    assert silent != rule
    (tmp_path / "alerts.yml").write_text(ALERTS.replace(rule, silent))
    (tmp_path / "alerts_test.yml").write_text(ALERT_TESTS)
    assert promtool("test", "rules", "alerts_test.yml", folder=tmp_path).returncode != 0


def test_every_alert_says_what_to_do():
    assert len(rules()) == ALERTS.count("- alert:") >= 20
    for rule in rules():
        assert "summary:" in rule and "description:" in rule and "severity:" in rule, rule


# With a Prometheus ----------------------------------------------------------------------------


class Prometheus:
    def __init__(self, port):
        self.url = f"http://127.0.0.1:{port}/api/v1"

    def get(self, path, **query):
        with urllib.request.urlopen(f"{self.url}/{path}?{urlencode(query)}", timeout=10) as answer:
            told = json.loads(answer.read())
        assert told["status"] == "success", told
        return told["data"]

    def query(self, expression):
        return self.get("query", query=expression)["result"]

    def answers(self):
        try:
            return bool(self.get("status/buildinfo"))
        except (OSError, urllib.error.URLError):
            return False


@pytest.fixture(scope="module")
def prometheus(instance, site, tmp_path_factory):
    """With the configuration of ops/ as the launcher links it, but a scrape a second."""
    assert site
    folder = tmp_path_factory.mktemp("prometheus")
    port = instance.port_base + 29
    shutil.copytree(instance.var / "prometheus", folder / "config")
    config = (folder / "config" / "prometheus.yml").read_text()
    (folder / "config" / "prometheus.yml").write_text(config.replace("_interval: 5s", "_interval: 1s"))
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/config/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        made = Prometheus(port)
        wait_until(made.answers, 30, "Prometheus", 0.2)
        yield made
        assert "level=error" not in (folder / "log").read_text()
    finally:
        running.terminate()
        running.wait(20)


def a_bit_of_everything(site, broker, schedule):
    first, second, third = site.fans(3, balance=5000)
    site.do(reserve(first.token, schedule.seats[0])).ok()
    site.do(reserve(second.token, schedule.seats[0])).refused(409, "seat-held")
    site.do(pay(first.token, schedule.seats[0])).ok()
    site.do(reserve(second.token, schedule.seats[1])).ok()
    site.do(cancel(second.token, schedule.seats[1])).ok()
    site.do(charge(new_id(), 1)).refused(404, "unknown-user")
    site.do(leave(third.token)).ok()
    site.do(register("one more")).ok()
    site.send(status(second.token)).ok()
    lost = job("charge", userId=new_id(), amount=1)
    broker.publish("account", "account", {"v": 1, "jobs": [lost]})
    broker.dead_letter(lost["id"])


def test_all_targets_are_read(instance, prometheus):
    def all_up():
        targets = prometheus.get("targets")["activeTargets"]
        assert {(each["labels"]["process"], each["health"]) for each in targets} \
            == {(name, "up") for name in (*instance.recipes, "rabbitmq")}
        return True

    wait_until(all_up, 30, "all targets", 0.3)


def test_every_query_of_the_dashboard_finds_something(prometheus, site, broker, db, schedule):
    assert len(queries()) > 50
    missing = dict.fromkeys(queries())

    def none_is_empty():
        a_bit_of_everything(site, broker, db.schedule(seats=2))
        for panel, expression in list(missing):
            if prometheus.query(expression):
                del missing[panel, expression]
        assert not missing
        return True

    assert schedule
    wait_until(none_is_empty, 60, "data for every panel", 1)


def test_every_alert_is_evaluated_without_error(prometheus):
    def evaluated():
        found = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
        assert len(found) == len(rules())
        assert all(rule["health"] == "ok" for rule in found), found
        return True

    wait_until(evaluated, 30, "all rules", 0.5)
    firing = [alert["labels"] for alert in prometheus.get("alerts")["alerts"] if alert["state"] == "firing"
              and alert["labels"]["alertname"] != "BoxofficeDeadLetters"]
    assert not firing


def test_every_name_in_ops_is_one_that_somebody_tells(prometheus):
    """An alert on a name that is misspelt would be silent for ever."""
    used = set()
    for text in (*(expression for _, expression in queries()),
                 *re.findall(r"expr: (.*?)\n        (?:for|labels):", ALERTS, re.DOTALL)):
        used |= set(re.findall(r"\b(?:boxoffice|rabbitmq)_[a-z_]+", text))
    told = set(prometheus.get("label/__name__/values"))
    assert len(used) > 40 and used <= told, used - told
