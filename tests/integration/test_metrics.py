"""Metrics: every process tells what it does, in a form that Prometheus reads."""

import contextlib
import json
import subprocess

import pytest

from amqp import envelope, job, new_id, partition
from api import cancel, charge, get, leave, pay, reserve, status
from metrics import Metrics, addresses, ask, parse
from wait import wait_until

SHARED = {"boxoffice_build_info", "boxoffice_up", "boxoffice_start_time_seconds",
          "boxoffice_connected", "boxoffice_reconnects_total", "boxoffice_database_failures_total"}
OWN = {"front": {"boxoffice_requests_total", "boxoffice_request_seconds", "boxoffice_snapshot_age_seconds"},
       "seat-worker": {"boxoffice_jobs_total", "boxoffice_holds_live"},
       "account-worker": {"boxoffice_jobs_total", "boxoffice_queue_seconds"},
       "gate-worker": {"boxoffice_jobs_total", "boxoffice_gate_waiting"}}


@pytest.fixture(scope="module")
def metrics(instance, site):
    assert site
    return Metrics(instance)


def families(text):
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


@contextlib.contextmanager
def counted(metrics, changes):
    """Each (role, series) has grown by so much when the block is done, or soon after: a reply may be
    read before its batch is counted."""
    before = {key: metrics.total(*key) for key in changes}
    yield
    wanted = {key: before[key] + amount for key, amount in changes.items()}

    def all_there():
        assert {key: metrics.total(*key) for key in wanted} == wanted
        return True

    wait_until(all_there, 10, "the counts", 0.1)


def test_every_process_tells_what_promtool_takes(instance, metrics):
    for process, address in metrics.addresses.items():
        code, headers, text = ask(address)
        assert code == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0 and not done.stdout + done.stderr, (process, done)
        told = parse(text)
        role = process.rsplit("-", 1)[0]
        assert SHARED | OWN[role] <= families(text)
        assert f'boxoffice_build_info{{version="0.1.0",role="{role}",process="{process}"}}' in told
        assert told["boxoffice_up"] == 1
    assert set(metrics.addresses) == {name for name in instance.names()
                                      if name.startswith("front-") or "-worker-" in name}


def test_a_process_tells_nothing_of_the_others_work(metrics):
    for process, address in metrics.addresses.items():
        others = families(ask(address)[2])
        assert ("boxoffice_requests_total" in others) == process.startswith("front")
        assert ("boxoffice_gate_waiting" in others) == process.startswith("gate")
        assert ("boxoffice_holds_live" in others) == process.startswith("seat")


def test_the_port_serves_two_paths_to_readers_alone(metrics):
    address = metrics.addresses["front-0"]
    assert ask(address, "/healthz")[0::2] == (200, "ok\n")
    code, headers, body = ask(address, method="HEAD")
    assert code == 200 and int(headers["content-length"]) > 1000 and body == ""
    for path in ("/", "/metrics/", "/metrics/x", "/user", "/%2e%2e"):
        assert ask(address, path)[0] == 404, path
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        code, headers, _ = ask(address, method=method, body="x" * 100000)
        assert code == 405 and headers["allow"] == "GET, HEAD", method


@pytest.mark.parametrize("process", ["front-0", "seat-worker-0", "account-worker-0", "gate-worker-0"])
def test_a_taken_port_is_refused_before_anything_is_served(instance, metrics, process):
    sizes = instance.log_sizes()
    port = metrics.addresses[process].split(":")[1]
    second = instance.spawn(process, BOXOFFICE_METRICS_PORT=port)
    assert second.wait(20) != 0
    told = instance.log_since(sizes, 50)[process]
    assert "event=metrics-port-refused" in told and f"port={port}" in told and "in use" in told
    assert ask(metrics.addresses[process], "/healthz")[0] == 200


def test_counters_move_when_a_fan_goes_the_whole_way(metrics, site, db, schedule):
    ok = 'status="200",code="ok"'
    seat = schedule.seats[0]
    expected = {
        ("front", f'boxoffice_requests_total{{route="/user",{ok}}}'): 1,
        ("front", f'boxoffice_requests_total{{route="/reservation",{ok}}}'): 2,
        ("front", f'boxoffice_requests_total{{route="/reservation/cancel",{ok}}}'): 1,
        ("front", f'boxoffice_requests_total{{route="/payment",{ok}}}'): 1,
        ("front", 'boxoffice_requests_total{route="/payment",status="402",code="insufficient-balance"}'): 1,
        ("front", 'boxoffice_requests_total{route="other",status="404",code="not-found"}'): 1,
        ("front", 'boxoffice_request_seconds_count{route="/payment"}'): 2,
        ("front", 'boxoffice_jobs_sent_total{kind="pay"}'): 2,
        ("seat-worker", 'boxoffice_jobs_total{kind="reserve",code="ok"}'): 2,
        ("seat-worker", 'boxoffice_jobs_total{kind="cancel",code="ok"}'): 1,
        ("seat-worker", 'boxoffice_jobs_total{kind="pay",code="ok"}'): 1,
        ("seat-worker", 'boxoffice_jobs_total{kind="pay",code="insufficient-balance"}'): 1,
        ("account-worker", 'boxoffice_jobs_total{kind="register",code="ok"}'): 1,
        ("account-worker", 'boxoffice_jobs_total{kind="charge",code="ok"}'): 1,
        ("gate-worker", 'boxoffice_jobs_total{kind="issue",code="ok"}'): 1,
        ("seat-worker", "boxoffice_holds_begun_total"): 2,
        ("seat-worker", "boxoffice_holds_paid_total"): 1,
        ("seat-worker", "boxoffice_holds_cancelled_total"): 1,
    }
    with counted(metrics, expected):
        fan = site.fan()
        site.do(reserve(fan.token, seat)).ok()
        site.do(cancel(fan.token, seat)).ok()
        site.do(reserve(fan.token, seat)).ok()
        site.do(pay(fan.token, seat)).refused(402, "insufficient-balance")
        site.do(charge(fan.user, 5000)).ok()
        site.do(pay(fan.token, seat)).ok()
        site.send(get("/nowhere")).refused(404, "not-found")


def test_spans_are_measured_on_the_way_of_a_job(metrics, site):
    user = site.users()[0]

    def spans():
        return {key: metrics.total(*key) for key in (
            ("front", "boxoffice_confirm_seconds_count"), ("front", "boxoffice_reply_seconds_count"),
            ("front", "boxoffice_message_jobs_count"),
            ("account-worker", "boxoffice_queue_seconds_count"),
            ("account-worker", "boxoffice_database_seconds_count"),
            ("account-worker", "boxoffice_batch_seconds_count"),
            ("account-worker", "boxoffice_batch_jobs_count"),
            ("account-worker", "boxoffice_messages_total"))}

    before = spans()
    site.do(charge(user, 1)).ok()
    wait_until(lambda: all(now > before[key] for key, now in spans().items()), 5, "the spans", 0.1)
    # A job that nobody kept waiting was taken within the same second: the clocks are one host's.
    for values in metrics.roles("account-worker").values():
        count = values["boxoffice_queue_seconds_count"]
        assert count == 0 or values["boxoffice_queue_seconds_sum"] / count < 60


@pytest.mark.parametrize("sent", ["yesterday", -1, 2 ** 62, None, [1], {"a": 1}, True])
def test_a_producer_may_say_nothing_or_nonsense_of_when_it_sent(broker, site, sent):
    user = site.users()[0]
    with broker.replies("import") as replies:
        broker.publish("charge.import", "", envelope(job("charge", userId=user, amount=1)),
                       replies.name, new_id(), headers={"boxoffice-sent-ms": sent})
        assert replies.next(20)["results"][0]["ok"]


def test_dead_letters_count_by_their_code(metrics, broker):
    with counted(metrics, {("account-worker", 'boxoffice_dead_letters_total{code="bad-message"}'): 1,
                              ("account-worker", 'boxoffice_dead_letters_total{code="unknown-user"}'): 1}):
        broker.publish("account", "account", b"no job at all")
        stranger = job("charge", userId=new_id(), amount=1)
        broker.publish("account", "account", envelope(stranger))
        broker.dead_letter("no job at all")
        broker.dead_letter(stranger["id"])


def test_a_repeated_job_counts_as_that(metrics, broker, site):
    user = site.users()[0]
    charged = job("charge", userId=user, amount=1)
    with counted(metrics, {("account-worker", 'boxoffice_jobs_repeated_total{kind="charge"}'): 1,
                              ("account-worker", 'boxoffice_jobs_total{kind="charge",code="ok"}'): 2}):
        for _ in range(2):
            assert broker.ask("account", "account", charged)[0]["ok"]


def test_a_snapshot_is_young_and_renewed(metrics):
    def renewed():
        return metrics.total("front", 'boxoffice_snapshot_refreshes_total{outcome="ok"}')

    before = renewed()
    wait_until(lambda: renewed() > before, 5, "a renewal")
    assert all(values["boxoffice_snapshot_age_seconds"] < 5 for values in metrics.roles("front").values())


def test_one_front_publishes_ticks(metrics):
    def published():
        return metrics.total("front", 'boxoffice_event_ticks_total{outcome="ok"}')

    before = published()
    wait_until(lambda: published() > before, 10, "a tick")


def test_one_front_publishes_changes_of_seats(metrics):
    def published():
        return metrics.total("front", 'boxoffice_seat_events_total{outcome="ok"}')

    before = published()
    wait_until(lambda: published() > before, 15, "a message that nothing changed")


# The line -------------------------------------------------------------------------------------


def gate_status(instance):
    return json.loads(instance.run("ctl", "--json", "gate", "status", check=False).stdout)


def told_by_gate(values):
    """The numbers of one gate worker under the names of boxofficectl."""
    names = {"waiting": "waiting", "aside": "aside", "active": "active", "expected": "expected",
             "per_minute": "admitted_per_minute", "served": "served", "last_ticket": "last_ticket",
             "reclaimed": "reclaimed_total", "abandoned": "abandoned_total", "departed": "departed_total"}
    found = {name: values[f"boxoffice_gate_{series}"] for name, series in names.items()}
    for series, name in (("state", "state"), ("stock", "stock")):
        chosen = [key.split('"')[1] for key, value in values.items()
                  if key.startswith(f"boxoffice_gate_{series}{{") and value == 1]
        assert len(chosen) == 1, chosen
        found[name] = chosen[0]
    found.update((key.split('"')[1], value) for key, value in values.items()
                 if key.startswith("boxoffice_gate_policy{"))
    return found


def assert_all_tell_the_same(instance, metrics):
    def same():
        status_now = gate_status(instance)
        for values in metrics.roles("gate-worker").values():
            told = told_by_gate(values)
            # The rate is over the time since the first admission, and so moves with every tick.
            assert abs(told.pop("per_minute") - status_now["per_minute"]) <= 1 + status_now["per_minute"] / 10
            assert told == {name: status_now[name] for name in told}
            assert values["boxoffice_gate_tick_age_seconds"] < 5
            assert abs(values["boxoffice_gate_oldest_wait_seconds"] - status_now["oldest_s"]) < 4
        return status_now

    return wait_until(same, 20, "gate workers that tell what boxofficectl tells", 0.3)


def test_every_gate_worker_tells_what_boxofficectl_tells(instance, metrics, site, db):
    assert len(metrics.roles("gate-worker")) == 2
    with db.policy(state="paused", max_active=77, window_limit=5, show_up_s=60, active_s=120):
        first, second = site.fans(2, admitted=False)
        site.do(leave(second.token)).ok()
        found = assert_all_tell_the_same(instance, metrics)
        assert found["state"] == "paused" and found["max_active"] == 77 and found["waiting"] >= 1
    site.wait_admitted([first])
    assert assert_all_tell_the_same(instance, metrics)["state"] == "open"


def test_a_gate_worker_that_stands_by_tells_the_same(instance, metrics, site, db):
    """One that may not tick at all: its ticks are further apart than the other's half interval."""
    address = metrics.addresses["gate-worker-1"]
    instance.stop("gate-worker-1")
    standby = instance.spawn("gate-worker-1", BOXOFFICE_GATE_TICK_MS="10000",
                             BOXOFFICE_METRICS_PORT=address.split(":")[1])
    try:
        def skipped():
            return metrics.of("gate-worker-1")['boxoffice_gate_ticks_total{outcome="skipped"}'] >= 1

        wait_until(lambda: reachable(address) and skipped(), 30, "a tick that is left out", 0.3)
        values = metrics.of("gate-worker-1")
        assert values['boxoffice_gate_ticks_total{outcome="run"}'] == 0
        assert "boxoffice_gate_allowance" not in values
        assert values["boxoffice_gate_last_ticket"] == db.value("SELECT last_ticket FROM gate_state")
        assert values['boxoffice_gate_state{state="open"}'] == 1
        assert metrics.of("gate-worker-0")["boxoffice_gate_allowance"] > 0
    finally:
        standby.terminate()
        standby.wait(20)
        instance.start("gate-worker-1")


def reachable(address):
    try:
        return ask(address, "/healthz")[0] == 200
    except OSError:
        return False


def test_fronts_know_who_waits(metrics, site, db):
    with db.policy(state="paused"):
        fan = site.fan(admitted=False)
        waiting = db.value("SELECT waiting FROM gate_state")
        wait_until(lambda: all(values["boxoffice_line_waiting"] == waiting
                               for values in metrics.roles("front").values()), 5, "the line", 0.1)
    site.wait_admitted([fan])


# Holds ----------------------------------------------------------------------------------------


def released(layer):
    return ("seat-worker", f'boxoffice_holds_released_total{{layer="{layer}"}}')


@pytest.fixture
def without_sweeper(instance, metrics, no_holds):
    """One seat worker, whose sweeper has swept and does not again."""
    address = metrics.addresses["seat-worker-0"]
    instance.stop("seat-worker")
    running = instance.spawn("seat-worker-0", BOXOFFICE_SWEEP_MS="60000", BOXOFFICE_TAKEOVER_MS="0",
                             BOXOFFICE_METRICS_PORT=address.split(":")[1])
    try:
        wait_until(lambda: reachable(address)
                   and metrics.of("seat-worker-0")["boxoffice_up"] == 1, 20, "the seat worker")
        wait_until(lambda: "boxoffice_holds_live" in metrics.of("seat-worker-0"), 10, "its sweep")
        yield lambda layer: metrics.of("seat-worker-0")[released(layer)[1]]
    finally:
        running.terminate()
        running.wait(20)
        instance.start("seat-worker")


def test_a_hold_ended_by_its_message_counts_there(without_sweeper, site, db, seat, hold_s):
    site.do(reserve(site.fan().token, seat)).ok()
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s + 5, "expiry")
    wait_until(lambda: without_sweeper("message") == 1, 2, "its count")
    assert without_sweeper("read") == without_sweeper("sweeper") == 0


def test_the_holds_of_a_batch_end_by_one_message(without_sweeper, site, broker, db, schedule, hold_s):
    seats = schedule.seats[:20]
    fans = site.fans(len(seats))
    broker.publish("seat", partition(seats[0]),
                   envelope(*(job("reserve", userId=fan.user, ticket=db.ticket(fan.user), seatId=seat)
                              for fan, seat in zip(fans, seats))))
    wait_until(lambda: broker.depth(f"hold.expiry.{hold_s}s") == 1, 5, "the message that waits")
    wait_until(lambda: without_sweeper("message") == len(seats), hold_s + 5, "the end of all of them")
    assert without_sweeper("read") == without_sweeper("sweeper") == 0


def test_a_hold_ended_by_another_job_counts_there(without_sweeper, site, db, seat):
    first, second = site.fans(2)
    site.do(reserve(first.token, seat)).ok()
    db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) WHERE seat_id = %s", seat)
    site.do(reserve(second.token, seat)).ok()
    wait_until(lambda: without_sweeper("read") == 1, 2, "its count")
    assert without_sweeper("message") == without_sweeper("sweeper") == 0


def test_a_hold_ended_by_the_sweeper_counts_there(metrics, broker, site, db, seat, hold_s, no_holds):
    site.do(reserve(site.fan().token, seat)).ok()
    with counted(metrics, {released("sweeper"): 1, released("message"): 0, released("read"): 0}):
        broker.purge(f"hold.expiry.{hold_s}s")
        wait_until(lambda: db.statuses(seat) == ["EXPIRED"], hold_s + 5, "the sweeper")


def test_live_and_overdue_holds_are_counted(metrics, site, db, seat, hold_s, no_holds):
    """A row that somebody else keeps locked: no layer can end that hold."""
    def told(series):
        return max(values[f"boxoffice_{series}"] for values in metrics.roles("seat-worker").values())

    site.do(reserve(site.fan().token, seat)).ok()
    # Longer than the counts are apart.
    db.run("UPDATE seat_reservation SET expires_at = SYSDATE(6) + INTERVAL 1 HOUR WHERE seat_id = %s", seat)
    wait_until(lambda: told("holds_live") == 1 and told("holds_overdue") == 0, 15, "one live hold", 0.3)
    assert told("hold_overdue_seconds") == 0
    with db.connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE seat_reservation SET expires_at = SYSDATE(6) - INTERVAL 20 SECOND"
                       " WHERE seat_id = %s", (seat,))
        connection.commit()
        cursor.execute("SELECT id FROM seat_reservation WHERE seat_id = %s FOR UPDATE", (seat,))
        wait_until(lambda: told("holds_overdue") == 1 and told("hold_overdue_seconds") >= 20, 20,
                   "an overdue hold", 0.3)
        connection.rollback()
    wait_until(lambda: db.statuses(seat) == ["EXPIRED"], 5, "the sweeper")
    wait_until(lambda: told("holds_live") == 0 and told("holds_overdue") == 0, 15, "no hold", 0.3)


# What goes wrong ------------------------------------------------------------------------------


def test_a_late_answer_counts_as_202(instance, metrics, site):
    user = site.users()[0]
    series = 'boxoffice_requests_total{route="/user/charge",status="202",code="queued"}'
    before = metrics.total("front", series)
    try:
        instance.stop("account-worker")
        late = site.send(charge(user, 1))
        assert late.status == 202
        assert metrics.total("front", series) == before + 1
    finally:
        instance.start("account-worker")
    site.settle(late).ok()


def test_a_restarted_process_has_its_port_again_at_once(instance, metrics):
    for process in ("account-worker-1", "front-1"):
        ask(metrics.addresses[process])
        instance.end(process, 9)
        instance.run("start", process)
        assert metrics.of(process)["boxoffice_up"] == 1


def test_a_token_or_a_user_never_shows(metrics, site):
    fan = site.fan()
    site.send(status(fan.token)).ok()
    for address in metrics.addresses.values():
        text = ask(address)[2]
        assert fan.user not in text and fan.token not in text


def test_the_targets_of_an_instance_are_its_processes(instance):
    files = instance.var / "prometheus" / "targets"
    groups = json.loads((files / "boxoffice.json").read_text())
    assert {group["labels"]["process"]: group["targets"] for group in groups} \
        == {process: [address] for process, address in addresses(instance).items()}
    assert {group["labels"]["role"] for group in groups} == set(OWN)
    assert json.loads((files / "rabbitmq.json").read_text())[0]["targets"] \
        == [instance.values["BOXOFFICE_RABBITMQ_METRICS"]]
