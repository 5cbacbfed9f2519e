"""The strategies that the benchmark compares: each applies everything, and its check can fail."""

import json
import os
import subprocess

import pytest

from instance import build_folder

PROGRAM = build_folder() / "bench" / "strategies" / "strategies"
LOCKS = ("simple", "spin", "pubsub", "redlock")
ARMS = (*LOCKS, "pessimistic", "optimistic", "kafka", "rabbitmq", "ours")
MANY = 60


@pytest.fixture
def run(instance, db):
    """Runs an arm with the administrators' accounts; what it printed."""
    if db.is_mysql():
        pytest.skip("compared on MariaDB alone")
    if not PROGRAM.is_file():
        pytest.skip("strategies is not built")
    values = instance.values
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("BOXOFFICE", "KAFKA"))},
        "BOXOFFICE_MYSQL_SOCKET": values["BOXOFFICE_MYSQL_SOCKET"],
        "BOXOFFICE_MYSQL_DATABASE": values["BOXOFFICE_MYSQL_DATABASE"],
        "BOXOFFICE_MYSQL_USER": values["BOXOFFICE_MYSQL_ADMIN_USER"],
        "BOXOFFICE_MYSQL_PASSWORD": values["BOXOFFICE_MYSQL_ADMIN_PASSWORD"],
        "BOXOFFICE_AMQP_URL": values["BOXOFFICE_AMQP_ADMIN_URL"],
        # The worker of the ninth declares the topology: the same as the instance's.
        "BOXOFFICE_HOLD_S": instance_setting(instance, "hold_s"),
    }

    def call(arm, *options, operations=MANY, threads=4):
        return subprocess.run([str(PROGRAM), arm, "--operations", str(operations), "--threads",
                               str(threads), *options], env=environment, capture_output=True,
                              text=True, timeout=90, check=False)
    return call


def instance_setting(instance, name):
    return dict(word.split("=", 1) for word in instance.set.split())[name]


def right(done):
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["isRight"]
    return told


@pytest.mark.parametrize("balances", [1, 7])
@pytest.mark.parametrize("arm", ARMS)
def test_each_strategy_applies_every_charge_and_use(run, arm, balances):
    mock = ["--mock"] if arm == "kafka" else []
    told = right(run(arm, "--balances", str(balances), *mock))
    assert (told["applied"], told["refused"]) == (2 * MANY, 0)
    assert told["isMeasured"] == (arm != "kafka") and ("perSecond" in told) == told["isMeasured"]


@pytest.mark.parametrize("arm", ARMS)
def test_each_strategy_refuses_a_use_that_the_balance_does_not_cover(run, arm):
    mock = ["--mock"] if arm == "kafka" else []
    told = right(run(arm, "--opening", "0", "--balances", "3", *mock))
    assert told["applied"] + told["refused"] == 2 * MANY and told["applied"] >= MANY


@pytest.mark.parametrize("arm", LOCKS)
def test_without_its_lock_money_is_lost_and_seen_to_be(run, arm):
    done = run(arm, "--unlocked", operations=300, threads=8)
    assert done.returncode == 1 and not json.loads(done.stdout)["isRight"], done.stderr


def test_charges_alone_are_a_workload_too(run):
    assert right(run("pessimistic", "--charges-only"))["applied"] == MANY


def test_nothing_of_a_run_stays(run, db, broker):
    right(run("ours"))
    right(run("rabbitmq"))
    assert db.value("SELECT COUNT(*) FROM information_schema.tables"
                    " WHERE table_name LIKE 'bench%%'") == 0
    assert db.value("SELECT COUNT(*) FROM user WHERE name LIKE 'bench %%'") == 0
    assert not [queue for queue in broker.management("queues") if queue["name"].startswith("bench")]


def test_kafka_without_a_broker_is_an_error(run):
    done = run("kafka")
    assert done.returncode == 1 and "KAFKA_BROKERS" in done.stderr and not done.stdout
