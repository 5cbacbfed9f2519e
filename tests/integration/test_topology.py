"""The broker as it runs is the table in the code, and each account can do its own work alone."""

import json
import subprocess
import urllib.error

import pika
import pytest

from amqp import connect, envelope, job, new_id, publish
from instance import build_folder, find_program
from wait import wait_until


@pytest.fixture(scope="module")
def definitions(instance):
    """What boxoffice-topology prints with the settings of a worker."""
    command, environment, folder = instance.recipes["seat-worker-0"]
    assert command
    printed = subprocess.run([str(find_program("boxoffice-topology")), "--accounts"], env=environment, cwd=folder,
                             check=True, capture_output=True, text=True).stdout
    return json.loads(printed)


@pytest.fixture(scope="module")
def running(broker):
    return broker.management("definitions")


def test_the_exchanges(definitions, running):
    there = {each["name"]: each for each in running["exchanges"]}
    for wanted in definitions["exchanges"]:
        found = there.pop(wanted["name"])
        assert (found["type"], found["durable"]) == (wanted["type"], True)
    assert not there, "exchanges that the table does not know"


def test_the_queues(definitions, running):
    there = {each["name"]: each for each in running["queues"]}
    for wanted in definitions["queues"]:
        found = there.pop(wanted["name"])
        assert found["durable"] and not found["auto_delete"]
        assert found["arguments"] == wanted["arguments"], wanted["name"]
    assert not there, "queues that the table does not know"


def test_the_bindings(definitions, running):
    def bindings(of):
        return {(each["source"], each["destination"], each["routing_key"])
                for each in of["bindings"]}

    assert bindings(running) == bindings(definitions)


def test_the_policies(definitions, running):
    assert sorted(running["policies"], key=lambda policy: policy["name"]) == definitions["policies"]


def test_the_accounts(definitions, running):
    there = {each["name"]: each for each in running["users"]}
    assert set(there) == {each["name"] for each in definitions["users"]} | {"admin"}
    for wanted in definitions["users"]:
        found = there[wanted["name"]]
        tags = found["tags"]
        assert (tags if isinstance(tags, str) else ",".join(tags)) == wanted["tags"]
        assert found["limits"] == wanted["limits"] and found["password_hash"] != ""


def test_the_permissions(definitions, running):
    def rights(of):
        return {(each["user"], each["vhost"], each["configure"], each["write"], each["read"])
                for each in of["permissions"]}

    assert rights(running) == rights(definitions) | {("admin", "/", ".*", ".*", ".*")}


def test_the_file_that_is_installed_is_what_the_program_prints():
    printed = subprocess.run([str(find_program("boxoffice-topology")), "--accounts"], env={}, check=True,
                             capture_output=True, text=True).stdout
    assert (build_folder() / "ops" / "definitions.json").read_text() == printed
    assert {each["password_hash"] for each in json.loads(printed)["users"]} == {""}


def test_a_reply_queue_is_bounded(broker):
    with broker.replies("ctl") as replies:
        def bounded():
            queue = broker.management(f"queues/{broker.vhost}/{replies.name}")
            assert queue.get("policy") == "replies"
            return queue["effective_policy_definition"] == {"max-length-bytes": 67108864}

        wait_until(bounded, 20, "the policy")


def test_an_operator_moves_messages(broker, operator):
    """Publishes what it got to where it belongs, as the RabbitMQ UI does."""
    marker = job("charge", userId=new_id(), amount=1)
    sent = broker.management(f"exchanges/{broker.vhost}/account/publish", "POST", {
        "routing_key": "account", "payload": json.dumps(envelope(marker)), "payload_encoding": "string",
        "properties": {"type": "boxoffice.jobs", "delivery_mode": 2}}, operator)
    assert sent == {"routed": True}
    assert broker.dead_letter(marker["id"]).header("boxoffice-code") == "unknown-user"


def test_job_queues_lose_nothing(running):
    for queue in running["queues"]:
        arguments = queue["arguments"]
        assert arguments["x-queue-type"] == "quorum", queue
        if queue["name"] == "dead":
            assert "x-max-length" not in arguments
            continue
        assert arguments["x-overflow"] == "reject-publish", queue
        assert arguments["x-dead-letter-strategy"] == "at-least-once", queue
        if queue["name"].startswith("hold.expiry."):
            assert arguments["x-dead-letter-exchange"] == "seat"
            assert arguments["x-message-ttl"] > 0
        else:
            assert arguments["x-dead-letter-exchange"] == "dead"
            assert arguments["x-delivery-limit"] == 20 and arguments["x-max-length"] > 0
            single = queue["name"] == "gate" or queue["name"].startswith("seat.")
            assert arguments.get("x-single-active-consumer", False) == single


def test_the_delay_is_the_hold(running, hold_s):
    found = [each for each in running["queues"] if each["name"] == f"hold.expiry.{hold_s}s"]
    assert found[0]["arguments"]["x-message-ttl"] == hold_s * 1000


# Accounts ------------------------------------------------------------------------------------


@pytest.fixture
def front(instance):
    connection = connect(instance.settings("front-0")["amqp_url"])
    yield connection
    if connection.is_open:
        connection.close()


def refused(action):
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        action()
    assert caught.value.reply_code == 403


@pytest.mark.parametrize("exchange, key", [("charge.import", ""), ("dead", ""),
                                           ("hold.expiry", "1"), ("", "account")])
def test_a_front_publishes_nowhere_else(front, exchange, key):
    channel = front.channel()
    channel.confirm_delivery()
    refused(lambda: publish(channel, exchange, key, envelope(
        job("charge", userId=new_id(), amount=1))))


@pytest.mark.parametrize("queue", ["account", "seat.1", "gate", "dead", "charge.import"])
def test_a_front_reads_no_job_queue(front, queue):
    refused(lambda: front.channel().basic_get(queue))
    refused(lambda: front.channel().queue_delete(queue))


def test_a_worker_makes_no_queue_of_its_own(instance):
    connection = connect(instance.settings("seat-worker-0")["amqp_url"])
    refused(lambda: connection.channel().queue_declare("another"))
    refused(lambda: connection.channel().queue_declare("reply.front.another"))
    connection.close()


@pytest.fixture(scope="module")
def operator(instance):
    """The login that `up` prints for the RabbitMQ UI."""
    line = next(line for line in instance.printed.splitlines() if "operator" in line)
    return "operator", line.split()[-1]


@pytest.mark.parametrize("path", ["queues", "consumers", "connections", "overview", "exchanges"])
def test_an_operator_looks(broker, operator, path):
    assert broker.management(path, login=operator) is not None


def test_an_operator_gets_messages_and_leaves_them(broker, operator):
    marker = job("charge", userId=new_id(), amount=1)
    broker.publish("account", "account", envelope(marker))
    letter = broker.dead_letter(marker["id"])
    broker.publish("dead", "", letter.body, headers=letter.properties.headers)
    got = broker.management(f"queues/{broker.vhost}/dead/get", "POST", {
        "count": 1, "ackmode": "ack_requeue_true", "encoding": "auto"}, operator)
    assert marker["id"] in got[0]["payload"]
    assert got[0]["properties"]["headers"]["boxoffice-code"] == "unknown-user"
    broker.dead_letter(marker["id"])


@pytest.mark.parametrize("path, method, content", [
    ("users", "GET", None), ("users/x", "PUT", {"password": "x", "tags": "administrator"}),
    ("permissions", "GET", None), ("queues/%2f/account", "DELETE", None),
    ("queues/%2f/another", "PUT", {"durable": True}), ("exchanges/%2f/seat", "DELETE", None),
    ("vhosts/x", "PUT", {}), ("definitions", "POST", {})])
def test_an_operator_does_not_administer(broker, operator, path, method, content):
    with pytest.raises(urllib.error.HTTPError) as caught:
        broker.management(path, method, content, operator)
    assert caught.value.code in (400, 401, 403), caught.value


def test_guest_is_not_let_in(broker):
    with pytest.raises(urllib.error.HTTPError) as caught:
        broker.management("overview", login=("guest", "guest"))
    assert caught.value.code == 401
