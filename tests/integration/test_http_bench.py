"""The bench of the whole service in its smallest form: what it reports, and that it counts right."""

import json
import subprocess

import pytest

from instance import ROOT

FANS = 30
ARMS = ("idle hello static charge charge-1000 pessimistic pessimistic-1000 echo echo-one charge-one open-charge-50"
        " open-charge-80 hello-get poll poll-admitted seat-map issue hello-crowd one-seat contention reserve cancel"
        " pay mixed open-mixed-50 open-mixed-80").split()
WRITTEN = {"issue": FANS, "one-seat": 1, "contention": FANS, "reserve": FANS, "cancel": FANS, "pay": FANS}


def bench(instance, *options):
    """The bench as it stands, on the tests' own instance; it calls ./boxoffice by itself."""
    return subprocess.run(
        [str(ROOT / "bench" / "http"), "--rounds", "1", "--seconds", "1", "--clients", "8", "--users", "10",
         "--fans", str(FANS), "--crowd", "20", "--connections", "4", *options],
        env=instance.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100,
        check=False)


@pytest.fixture(scope="module")
def told(instance, site):
    assert site
    done = bench(instance, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_every_arm_was_measured_and_answered(told):
    assert [arm["arm"] for arm in told["arms"]] == ARMS
    for arm in told["arms"]:
        assert arm["broken"] == 0 and arm["isRight"], arm
        if arm["arm"] != "idle":
            assert arm["perSecond"] > 0 and arm["p50Ms"] <= arm["p99Ms"] and arm["answers"] > 0, arm
            assert arm["cpuUs"] and 0 < arm["loadShare"] < 1, arm
            assert set(arm["statuses"]) <= {"200", "409"}, arm


def test_work_is_counted_in_the_tables(told):
    of = {arm["arm"]: arm for arm in told["arms"]}
    assert {name: of[name]["committed"] for name in WRITTEN} == WRITTEN
    assert of["one-seat"]["statuses"] == {"200": 1, "409": 19}
    for name in ("charge", "charge-1000", "pessimistic", "pessimistic-1000", "charge-one", "open-charge-50"):
        assert of[name]["committed"] == of[name]["statuses"]["200"], of[name]
    assert told["money"] == {"wrongBalances": 0, "audit": {"broken": 0, "warnings": 0}} and told["isRight"]


def test_each_target_says_what_it_wants_and_whether_it_has_it(told):
    assert len(told["targets"]) == 8
    for target in told["targets"]:
        if "least" in target:
            assert target["reached"] == (target["measured"] >= target["least"]), target
        else:
            assert target["reached"] == (target["measured"] <= target["most"]), target


def test_an_open_loop_keeps_its_rate(told):
    of = {arm["arm"]: arm for arm in told["arms"]}
    assert 0.9 < of["open-charge-50"]["perSecond"] / of["open-charge-50"]["rate"] < 1.1


def test_the_policy_is_the_old_one_afterwards(told, instance, db):
    assert told
    policy = json.loads(instance.run("ctl", "--json", "gate", "status").stdout)
    ruled = db.rows("SELECT max_active, window_limit, active_s FROM gate_policy ORDER BY id DESC LIMIT 1")
    assert (policy["state"], ruled[0]) == ("open", (100000, 0, 3600))


def test_an_arm_that_is_none_is_refused(instance):
    done = bench(instance, "--only", "hello,nonsense")
    assert done.returncode == 1 and "nonsense" in done.stderr and not done.stdout
