"""One instance for the whole session: two fronts and two of each worker, short holds."""

import pytest

from amqp import SEAT_PARTITIONS, Broker, Operator
from api import Site
from db import Db
from instance import Instance
from wait import wait_until

HOLD_S = 3
SETTINGS = {
    "nginx_at_once": 1040, "fronts": 2, "seat_workers": 2, "account_workers": 2, "gate_workers": 2,
    "hold_s": HOLD_S, "reply_deadline_ms": 2000, "takeover_ms": 500,
    "gate_max_active": 100000, "gate_active_s": 3600, "signs_ms": 200,
    "nginx_issue_rate": 200, "nginx_issue_burst": 300,
}

# What asks for a clean audit comes first: tests of what must not be leave rows that it names.
FIRST = ("test_rolling_restart", "test_preflight", "test_http_bench")

# Those that stop, kill or overload something come last; within a group the order is by name.
DISTURBING = ("test_contention", "test_events", "test_openapi", "test_seat_events", "test_metrics", "test_money", "test_nginx", "test_prometheus",
              "test_status_costs_nothing",
              "test_takeover", "test_units", "test_crash", "test_histories", "test_importer", "test_poison", "test_guards", "test_workers_away",
              "test_database_away", "test_broker_away", "test_launcher",
              "test_procedures")


def pytest_collection_modifyitems(items):
    def rank(item):
        name = item.module.__name__
        return (name not in FIRST, DISTURBING.index(name) + 1 if name in DISTURBING else 0, name)

    items.sort(key=rank)


@pytest.fixture(scope="session")
def instance(request):
    made = Instance(SETTINGS)
    request.config.boxoffice_instance = made
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def db(instance):
    return Db(instance.values)


@pytest.fixture(scope="session")
def site(instance, db):
    db.set_policy()
    return Site(instance.values["BOXOFFICE_URL"])


@pytest.fixture(scope="session")
def broker(instance):
    return Broker(instance.values["BOXOFFICE_AMQP_ADMIN_URL"],
                  instance.values["BOXOFFICE_MANAGEMENT_URL"])


@pytest.fixture(scope="session")
def operator(instance):
    return Operator(instance.ctl_values()["amqp_url"], instance.values["BOXOFFICE_MANAGEMENT_URL"])


@pytest.fixture(scope="session")
def hold_s():
    return HOLD_S


@pytest.fixture
def no_holds(broker, db):
    """No hold is live and no expiry under way: seat workers get the test's own jobs alone."""
    def none():
        queues = [f"hold.expiry.{HOLD_S}s", *(f"seat.{k}" for k in range(SEAT_PARTITIONS))]
        return (db.value("SELECT COUNT(*) FROM seat_reservation WHERE status = 'PENDING'") == 0
                and not any(broker.depth(queue) for queue in queues))

    wait_until(none, 3 * HOLD_S + 10, "the end of other tests' holds", 0.1)


@pytest.fixture
def schedule(db):
    """A schedule of the test's own, 50 seats."""
    return db.schedule()


@pytest.fixture
def seat(db):
    """A seat of the test's own."""
    return db.schedule(seats=1).seats[0]


@pytest.fixture(scope="module", autouse=True)
def all_is_well_afterwards(request):
    """After each file: the books balance, and nobody is left among the dead unexplained."""
    yield
    if getattr(request.config, "boxoffice_instance", None) is None:
        return
    db = request.getfixturevalue("db")
    broker = request.getfixturevalue("broker")
    wait_until(lambda: not db.broken_invariants(), 10, "the invariants")
    strangers = [(letter.header("boxoffice-code"), letter.header("boxoffice-reason"),
                  letter.body[:200]) for letter in broker.unclaimed_dead()]
    assert not strangers, f"unexpected dead letters: {strangers}"


@pytest.fixture(autouse=True)
def _log_marks(request):
    made = getattr(request.config, "boxoffice_instance", None)
    request.node.log_sizes = made.log_sizes() if made else {}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failing test shows what the processes wrote while it ran."""
    report = (yield).get_result()
    made = item.funcargs.get("cluster") or getattr(item.config, "boxoffice_instance", None)
    if report.failed and made is not None:
        for name, text in made.log_since(getattr(item, "log_sizes", {})).items():
            report.sections.append((f"log of {name}", text))
