"""boxofficectl dead: every way into `dead` is told, and letters are sent back once, or dropped."""

import base64
import contextlib
import json
import os
import resource
import subprocess
import uuid

import pika
import pytest

from amqp import connect, envelope, job, new_id, partition, publish
from instance import ROOT
from test_isolation import no_users_named
from wait import wait_until

MANY = 2000
LARGE = 64 * 1024
MOST_BYTES = 64 * 1024 * 1024  # of memory: half of what MANY letters of LARGE bytes are


@pytest.fixture
def dead(instance, site, broker):
    """Runs ./boxoffice ctl dead …; `dead` is empty before and after."""
    assert site
    assert broker.unclaimed_dead() == []

    def run(*arguments, check=True):
        return instance.run("ctl", "dead", *arguments, check=check)

    yield run
    broker.purge("dead")


def wait_dead(broker, count):
    wait_until(lambda: broker.depth("dead") == count, 20, f"{count} dead letters", 0.1)


def told(dead, *arguments):
    return json.loads(dead("list", "--json", *arguments).stdout)["letters"]


def refuse(broker, **fields):
    """A charge that is refused and has nobody to tell it to."""
    work = job("charge", **{"userId": new_id(), "amount": 5, **fields})
    broker.publish("account", "account", envelope(work))
    return work


def let_go(broker, queue):
    """Plays a worker that dies of a message until the broker has enough of it."""
    channel = broker.channel
    for count, (method, _, _) in enumerate(channel.consume(queue, inactivity_timeout=10), 1):
        assert method is not None, "the message did not come"
        channel.basic_nack(method.delivery_tag, requeue=True)
        if count == 21:
            break
    channel.cancel()
    wait_dead(broker, 1)


# Each: what is published to `account`, the code, and whether its id can be told.
WAYS = {
    "undecodable": (b"\xff{", "bad-message", None),
    "no object": (b"[1]", "bad-message", None),
    "an unknown version": (json.dumps({"v": 2, "jobs": []}).encode(), "bad-version", None),
    "oversized": (b'{"v":1,"jobs":[' + b" " * (256 * 1024) + b"]}", "message-too-large", None),
    "too many jobs": (json.dumps(envelope(*[{}] * 1001)).encode(), "message-too-large", None),
    "an unknown kind": (job("dance", userId=new_id()), "bad-kind", "id"),
    "a kind of another queue": (job("issue", userId=new_id()), "bad-kind", "id"),
    "a bad field": (job("charge", userId=new_id(), amount=0), "bad-field", "id"),
    "refused, and nobody to tell": (job("charge", userId=new_id(), amount=1), "unknown-user", "id"),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_into_dead(dead, broker, way):
    content, code, has_id = WAYS[way]
    broker.publish("account", "account", content if isinstance(content, bytes) else envelope(content))
    wait_dead(broker, 1)
    letter, = told(dead)
    assert (letter["code"], letter["queue"]) == (code, "account")
    assert letter["reason"] and letter["died"].startswith("20") and letter["deliveries"] == 1
    assert letter["id"] == (content["id"] if has_id else None)
    shown, = json.loads(dead("show", "--json").stdout)["letters"]
    body = shown["body"].encode() if "body" in shown else base64.b64decode(shown["bodyBase64"])
    if isinstance(content, bytes):
        assert body == content
    else:
        assert json.loads(body) == content
    assert shown["headers"]["boxoffice-code"] == code
    assert code in dead("list").stdout


def test_a_reply_queue_that_is_none(dead, broker):
    broker.publish("account", "account", envelope(job("charge", userId=new_id(), amount=1)), "account")
    wait_dead(broker, 1)
    assert told(dead)[0]["code"] == "bad-reply-to"


def test_a_value_that_the_database_refuses(dead, broker, db):
    work = job("register", userId=new_id(), name="poisoned")
    with no_users_named(db, "poisoned"):
        broker.publish("account", "account", envelope(work))
        wait_dead(broker, 1)
    letter, = told(dead)
    assert (letter["code"], letter["id"], letter["kind"]) == ("db-data", work["id"], "register")
    dead("send-back", "--code", "db-data")
    wait_until(lambda: db.value("SELECT COUNT(*) FROM user WHERE name = 'poisoned'") == 1, 10, "it")
    db.run("UPDATE user SET name = 'mended' WHERE name = 'poisoned'")


def test_a_message_beyond_the_delivery_limit(dead, instance, site, broker, db):
    user = site.users()[0]
    work = job("charge", userId=user, amount=7)
    instance.stop("account-worker")
    try:
        broker.publish("account", "account", envelope(work))
        let_go(broker, "account")
    finally:
        instance.start("account-worker")
    letter, = told(dead)
    assert (letter["code"], letter["queue"], letter["kind"]) == ("delivery-limit", "account", "charge")
    assert letter["id"] == work["id"] and letter["died"].startswith("20")
    dead("send-back", "--code", "delivery-limit")
    wait_until(lambda: db.charges(user) == [7], 10, "the charge")
    assert broker.depth("dead") == 0


def test_an_expire_beyond_the_delivery_limit_goes_back_to_its_seat(dead, instance, broker, seat):
    """Its first death was that of its time to live, in the queue where holds wait."""
    holds = f"hold.expiry.{instance.ctl_values()['hold_s']}s"
    queue = f"seat.{partition(seat)}"
    instance.stop("seat-worker")
    try:
        broker.publish(holds, partition(seat), job("expire", seatId=seat, hold=new_id()), expiration="0")
        let_go(broker, queue)
        letter, = told(dead)
        assert (letter["code"], letter["queue"]) == ("delivery-limit", queue)
        dead("send-back", "--code", "delivery-limit")
        assert broker.depth("dead") == 0 and broker.depth(queue) == 1
    finally:
        instance.start("seat-worker")
    wait_until(lambda: broker.depth(queue) == 0, 10, "the expire taken")
    assert broker.depth("dead") == 0


def test_looking_leaves_all_where_it_is(dead, broker):
    ids = [refuse(broker)["id"] for _ in range(3)]
    wait_dead(broker, 3)
    for _ in range(25):  # more often than a queue with a limit would have it
        assert sorted(letter["id"] for letter in told(dead)) == sorted(ids)
    wait_dead(broker, 3)


def test_when_it_was_published_is_known_from_a_time_ordered_id(dead, broker):
    work = refuse(broker, id="01939c3c-2c00-7000-8000-000000000001")
    wait_dead(broker, 1)
    assert told(dead, "--id", work["id"])[0]["published"] == "2024-12-06T13:50:09.408000Z"


def test_a_version_8_id_tells_a_time_unless_an_importer_made_it(dead, broker):
    front = refuse(broker, id="01939c3c-2c00-8000-8000-000000000001")
    imported = job("charge", userId=new_id(), amount=5, id=f"b49d0300-0000-8{new_id()[15:]}")
    broker.publish("charge.import", "", envelope(imported))
    wait_dead(broker, 2)
    assert told(dead, "--id", front["id"])[0]["published"] == "2024-12-06T13:50:09.408000Z"
    assert told(dead, "--id", imported["id"])[0]["published"] is None


def test_filters(dead, broker):
    first = refuse(broker)
    wait_dead(broker, 1)
    broker.publish("seat", partition(1), envelope(job("reserve", userId=new_id(), ticket=1, seatId=1)))
    broker.publish("seat", partition(1), b"?")
    wait_dead(broker, 3)
    assert [letter["id"] for letter in told(dead, "--code", "unknown-user")] == [first["id"]]
    assert [letter["id"] for letter in told(dead, "--kind", "charge")] == [first["id"]]
    assert [letter["id"] for letter in told(dead, "--id", first["id"])] == [first["id"]]
    assert len(told(dead, "--queue", "seat.1")) == 2
    assert len(told(dead, "--queue", "seat.1", "--code", "bad-message")) == 1
    assert len(told(dead, "--limit", "2")) == 2
    assert len(told(dead, "--after", "5m")) == 3 and told(dead, "--before", "5m") == []
    assert told(dead, "--after", "2099-01-01T00:00:00Z") == []
    assert len(told(dead, "--before", "2099-01-01T00:00:00.000000Z")) == 3


def test_a_refusal_is_decided_afresh(dead, broker, site, db):
    work = refuse(broker)
    wait_dead(broker, 1)
    dead("send-back", "--id", work["id"])
    # Refused again, and here again: with the attempt that was raised.
    wait_dead(broker, 1)
    assert json.loads(json.loads(dead("show", "--json").stdout)["letters"][0]["body"])["attempt"] == 2
    broker.ask("account", "account", job("register", userId=work["userId"], name="late"))
    dead("send-back", "--id", work["id"])
    wait_until(lambda: db.charges(work["userId"]) == [5], 10, "the charge")
    assert broker.depth("dead") == 0


def test_a_crash_between_sending_and_dropping_costs_a_repeat(dead, instance, broker, db):
    work = refuse(broker)
    wait_dead(broker, 1)
    broker.ask("account", "account", job("register", userId=work["userId"], name="late"))
    with instance.ctl_settings("fault=dead-sent:kill"):
        assert dead("send-back", "--all", check=False).returncode != 0
    wait_until(lambda: db.charges(work["userId"]) == [5], 10, "the charge")
    wait_dead(broker, 1)
    dead("send-back", "--all")
    wait_dead(broker, 0)
    wait_until(lambda: broker.depth("account") == 0, 10, "the repeat")
    assert db.charges(work["userId"]) == [5]


def test_what_has_no_queue_of_jobs_to_go_to_stays(dead, broker):
    broker.publish("dead", "", b"{}", headers={"boxoffice-code": "bad-message",
                                               "boxoffice-queue": "nowhere"})
    broker.publish("dead", "", b"{}")
    wait_dead(broker, 2)
    done = dead("send-back", "--all", check=False)
    assert done.returncode == 1 and "no queue of jobs" in done.stdout
    assert "where it came from" in done.stdout and "0 sent back, 2 stay" in done.stderr
    wait_dead(broker, 2)


def test_an_importer_cannot_choose_where_his_letters_go(dead, instance, broker, seat):
    """What he publishes with no time to live dies at once, by the broker, with all of his headers."""
    instance.stop("account-worker")
    connection = connect(instance.values["BOXOFFICE_AMQP_IMPORT_URL"])
    try:
        channel = connection.channel()
        channel.confirm_delivery()
        for queue in (f"seat.{partition(seat)}", "account"):
            publish(channel, "charge.import", "", job("refund", seatId=seat, payment=1), expiration="0",
                    headers={"boxoffice-code": "db-data", "boxoffice-queue": queue,
                             "x-death.queue": queue, "x-first-death-queue": queue,
                             "x-first-death-reason": "delivery_limit"})
        publish(channel, "charge.import", "", job("refund", seatId=seat, payment=2), expiration="0",
                headers={"boxoffice-code": "db-data", "boxoffice-queue": "account",
                         "x-death": [{"queue": "account", "reason": "delivery_limit"}]})
        wait_dead(broker, 3)
    finally:
        connection.close()
        instance.start("account-worker")
    assert [(each["code"], each["queue"]) for each in told(dead)] == [
        ("expired", ""), ("expired", ""), ("expired", "charge.import")]
    done = dead("send-back", "--all", check=False)
    assert done.returncode == 1 and "0 sent back, 3 stay" in done.stderr
    assert "takes no such job" in done.stdout
    wait_dead(broker, 3)


@contextlib.contextmanager
def full(instance, broker):
    """charge.import takes no more: nobody reads it, and two messages are all it may have."""
    path = f"operator-policies/{broker.vhost}/full"
    instance.stop("account-worker")
    try:
        broker.management(path, "PUT", {"pattern": "^charge[.]import$", "apply-to": "queues",
                                        "definition": {"max-length": 1}})

        def refuses():
            try:
                broker.publish("charge.import", "", b"?")
            except pika.exceptions.NackError:
                return True

        wait_until(refuses, 20, "a full queue")
        yield
    finally:
        broker.management(path, "DELETE")
        broker.purge("charge.import")
        instance.start("account-worker")


def test_a_full_queue_refuses_and_the_letter_stays(dead, instance, broker):
    with full(instance, broker):
        broker.publish("dead", "", b"{}", headers={"boxoffice-code": "bad-message",
                                                   "boxoffice-queue": "charge.import"})
        wait_dead(broker, 1)
        done = dead("send-back", "--all", check=False)
        assert done.returncode == 1 and "0 sent back, 1 stay" in done.stderr
        wait_dead(broker, 1)
        assert "did not take" in done.stdout


def test_the_fate_of_each_letter_is_told_when_it_is_known(dead, instance, broker):
    with full(instance, broker):
        ids = {queue: new_id() for queue in ("charge.import", "gate", "nowhere")}
        for queue, letter in ids.items():
            kind = {"gate": "issue"}.get(queue, "charge")
            broker.publish("dead", "", {"id": letter, "kind": kind, "userId": new_id(), **(
                {"amount": 1} if kind == "charge" else {})}, headers={
                    "boxoffice-code": "db-data", "boxoffice-queue": queue})
        wait_dead(broker, len(ids))
        letters = json.loads(dead("send-back", "--all", "--json", check=False).stdout)["letters"]
        fates = {each["id"]: each["fate"] for each in letters}
        assert len(letters) == 3 and fates[ids["gate"]] == "sent"
        assert "did not take" in fates[ids["charge.import"]]
        assert "no queue of jobs" in fates[ids["nowhere"]]


def test_dropping_asks_prints_and_drops(dead, broker):
    works = [refuse(broker) for _ in range(2)]
    wait_dead(broker, 2)
    done = dead("drop", "--id", works[0]["id"], check=False)
    assert done.returncode == 1 and "--yes" in done.stderr
    wait_dead(broker, 2)
    dropped = json.loads(dead("drop", "--id", works[0]["id"], "--yes").stdout)
    assert json.loads(dropped["body"]) == works[0]
    assert dropped["headers"]["boxoffice-queue"] == "account"
    wait_dead(broker, 1)
    assert [letter["id"] for letter in told(dead)] == [works[1]["id"]]


def test_what_somebody_else_looks_at_is_not_told_away(dead, broker):
    works = [refuse(broker) for _ in range(3)]
    wait_dead(broker, 3)
    other = connect(broker.url)
    channel = other.channel()
    channel.basic_qos(prefetch_count=2)
    got = []
    channel.basic_consume("dead", lambda *message: got.append(message))
    wait_until(lambda: other.process_data_events(0.05) or len(got) == 2, 10, "two letters")
    try:
        assert len(told(dead)) == 1
    finally:
        other.close()
    wait_dead(broker, 3)
    assert len(told(dead)) == len(works)


@contextlib.contextmanager
def held_up(instance, *arguments):
    """A command that waits with its first letter, whose body is more than a pipe takes."""
    with subprocess.Popen([str(ROOT / "boxoffice"), "ctl", "dead", *arguments],
                          env={**os.environ, "BOXOFFICE_VAR": str(instance.var)},
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                running.communicate(timeout=30)


def test_a_limit_hides_no_more_letters_than_it_says(dead, instance, broker):
    assert dead
    for _ in range(3):
        broker.publish("dead", "", b"x" * 200_000)
    wait_dead(broker, 3)
    with held_up(instance, "show", "--limit", "1"):
        wait_dead(broker, 2)
    wait_dead(broker, 3)


def test_a_drop_that_did_not_see_all_is_no_success(dead, instance, broker):
    assert dead
    more = 20
    broker.publish("dead", "", b"x" * 200_000)
    for _ in range(999 + more):  # a subscription takes a thousand
        broker.publish("dead", "", b"?")
    wait_dead(broker, 1000 + more)
    other = connect(broker.url)
    try:
        with held_up(instance, "drop", "--all", "--yes") as running:
            wait_dead(broker, more)
            other.channel().basic_consume("dead", lambda *_: None)
            wait_dead(broker, 0)
            told_errors = running.communicate(timeout=30)[1]
            assert running.returncode == 1 and f"{more} more are not to be seen" in told_errors
    finally:
        other.close()
    wait_dead(broker, more)


def test_what_cannot_be_printed_is_not_dropped(dead, instance, broker):
    refuse(broker)
    wait_dead(broker, 1)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run([str(ROOT / "boxoffice"), "ctl", "dead", "drop", "--all", "--yes"],
                              env={**os.environ, "BOXOFFICE_VAR": str(instance.var)}, stdout=full,
                              stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1 and "could not be written" in done.stderr
    wait_dead(broker, 1)


@pytest.mark.parametrize("arguments", [
    ["drop"], ["send-back"], ["list", "--id", "x"], ["list", "--limit", "0"], ["list", "--after", "x"],
    ["list", "--all"], ["list", "more"]])
def test_a_mistake_in_the_call(dead, arguments):
    done = dead(*arguments, check=False)
    assert done.returncode == 2 and done.stderr


def test_a_broker_that_is_away_is_told(dead, instance):
    with instance.ctl_settings("amqp_url=amqp://operator:x@127.0.0.1:1/%2f"):
        done = dead("list", check=False)
        assert done.returncode == 1 and "broker" in done.stderr


def limit_memory():
    """Not of a sanitized program, which reserves terabytes."""
    if "sanitize" not in os.environ.get("BOXOFFICE_CONFIGURE", ""):
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))


def test_thousands_are_gone_over_in_bounded_memory(dead, instance, broker):
    filler = "x" * LARGE
    for number in range(MANY):
        broker.publish("dead", "", f"{number} {filler}".encode(), headers={
            "boxoffice-code": "bad-message", "boxoffice-reason": "large", "boxoffice-queue": "account"})
    wait_dead(broker, MANY)
    done = subprocess.run([str(ROOT / "boxoffice"), "ctl", "dead", "list", "--json"], capture_output=True,
                          text=True, check=False, env={**os.environ, "BOXOFFICE_VAR": str(instance.var)},
                          preexec_fn=limit_memory)
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["letters"]) == MANY
    wait_dead(broker, MANY)
    done = dead("drop", "--all", "--yes", "--limit", str(MANY - 1))
    assert done.stdout.count("\n") == MANY - 1
    wait_dead(broker, 1)


def test_ids_are_not_made_up(dead, broker):
    """Random ids tell no time."""
    work = refuse(broker, id=str(uuid.uuid4()))
    wait_dead(broker, 1)
    assert told(dead, "--id", work["id"])[0]["published"] is None
