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
def told(instance, site, db):
    assert site
    if db.is_mysql():
        pytest.skip("measured on MariaDB alone")
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


def test_the_parts_of_a_charge_are_told(told):
    of = {arm["arm"]: arm.get("spansMs") for arm in told["arms"]}
    assert not of["reserve"] and not of["pessimistic"]
    for name in ("charge", "charge-one"):
        parts = {part: ms for part, ms in of[name].items() if part != "all"}
        assert min(parts[part] for part in ("nginx", "front", "queue", "worker", "database")) > 0, of[name]
        assert sum(parts.values()) == pytest.approx(of[name]["all"], abs=0.01)


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


# The report alone, of made-up turns ------------------------------------------------------------

def turn(arm, committed, granted, **statuses):
    statuses = {"200": granted, **{status.lstrip("s"): count for status, count in statuses.items()}}
    return {"arm": arm, "committed": committed, "questions": 0, "cpuUs": {"front-0": 1000}, "seconds": 1.0,
            "sent": 10, "broken": 0, "loadCpuUs": 500,
            "spans": {part: {"s": s, "count": 100} for part, s in (
                ("request", 0.9), ("reply", 0.7), ("queue", 0.3), ("batch", 0.2), ("database", 0.15))},
            "kinds": {"charge": {"answers": sum(statuses.values()), "statuses": statuses, "meanMs": 10, "p50Ms": 1,
                                 "p90Ms": 1, "p99Ms": 1, "maxMs": 1}}}


def report(*turns, wrong=0, broken=0):
    numbers = {"rounds": 1, "seconds": 1, "clients": 1, "fans": 1, "crowd": 1, "processors": 2, "wrong": wrong,
               "audit": {"broken": broken, "warnings": 0}, "batches": {}}
    arguments = [word for name, value in numbers.items() for word in ("--argjson", name, json.dumps(value))]
    return json.loads(subprocess.run(
        ["jq", "-s", *arguments, "-f", str(ROOT / "bench" / "http.d" / "report.jq")], check=True,
        input="\n".join(map(json.dumps, turns)), capture_output=True, text=True).stdout)


def test_a_report_of_what_is_right_is_right():
    told = report(turn("charge", 100, 100), turn("charge", 300, 300), turn("charge", 202, 200, s202=2),
                  turn("pessimistic", 50, 50))
    assert told["isRight"] and told["arms"][0]["rounds"] == [100, 300, 202]
    assert (told["arms"][0]["perSecond"], told["arms"][0]["least"], told["arms"][0]["most"]) == (202, 100, 300)
    assert told["targets"] == [{"what": "charges on one balance ÷ pessimistic", "measured": 4.04, "least": 4,
                                "reached": True}]
    assert told["arms"][0]["cpuUs"] == {"front-0": 5, "load": 2.5}
    assert told["arms"][0]["spansMs"] == {"all": 10, "nginx": 1, "front": 2, "queue": 3, "worker": 0.5, "database": 1.5,
                                          "reply": 2}


@pytest.mark.parametrize("told", [
    {"turns": [turn("charge", 99, 100)]},           # one granted is not in the table
    {"turns": [turn("charge", 103, 100, s202=2)]},  # more than anybody asked for
    {"turns": [turn("charge", 100, 100)], "wrong": 1},
    {"turns": [turn("charge", 100, 100)], "broken": 1},
])
def test_a_report_of_what_is_wrong_says_so(told):
    assert not report(*told.pop("turns"), **told)["isRight"]


def test_a_ratio_that_is_short_is_not_reached():
    assert not report(turn("charge", 100, 100), turn("hello", 0, 201))["targets"][0]["reached"]
