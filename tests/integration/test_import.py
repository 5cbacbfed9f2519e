"""charge.import: what a batch producer may do, and what his account must not."""

import contextlib
import json
import urllib.error
from urllib.parse import urlsplit

import pika
import pytest

from amqp import Replies, connect, envelope, job, new_id, publish
from wait import wait_until


@pytest.fixture
def importer(instance):
    connection = connect(instance.values["BOXOFFICE_AMQP_IMPORT_URL"])
    yield connection
    if connection.is_open:
        connection.close()


def confirming(connection):
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


@contextlib.contextmanager
def denied():
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        yield
    assert caught.value.reply_code == 403


def charges(users, amount=10):
    return [job("charge", userId=user, amount=amount, memo="file 7") for user in users]


def test_an_import_with_results(site, importer, db):
    users = site.users(5)
    replies = Replies(importer.channel(), f"reply.import.{new_id()}")
    publish(confirming(importer), "charge.import", "", envelope(*charges(users)), replies.name, "1")
    properties, content = replies.next_message()
    assert properties.correlation_id == "1"
    assert [each["data"] for each in content["results"]] == [{"balance": 10}] * 5
    assert [db.charges(user) for user in users] == [[10]] * 5


def test_a_row_that_cannot_be_granted_is_told_by_its_index(site, importer):
    rows = charges([site.users()[0], new_id(), site.users()[0]])
    replies = Replies(importer.channel(), f"reply.import.{new_id()}")
    publish(confirming(importer), "charge.import", "", envelope(*rows), replies.name)
    results = replies.next()["results"]
    assert [each["ok"] for each in results] == [True, False, True]
    assert results[1]["code"] == "unknown-user" and results[1]["index"] == 1


def test_a_file_sent_again_changes_nothing(site, importer, db):
    users = site.users(20)
    rows = charges(users)
    channel = confirming(importer)
    replies = Replies(importer.channel(), f"reply.import.{new_id()}")
    for again in (False, True):
        publish(channel, "charge.import", "", envelope(*rows), replies.name)
        results = replies.next()["results"]
        assert all(each["ok"] and each.get("replayed", False) == again for each in results)
    assert [db.balance(user) for user in users] == [10] * 20


def test_an_import_without_a_reply_queue(site, importer, broker, db):
    user, stranger = site.users()[0], new_id()
    rows = charges([user, stranger])
    publish(confirming(importer), "charge.import", "", envelope(*rows))
    letter = broker.dead_letter(rows[1]["id"])
    assert letter.header("boxoffice-code") == "unknown-user"
    assert letter.header("boxoffice-queue") == "charge.import"
    wait_until(lambda: db.charges(user) == [10], 5, "the charge")


def test_a_reply_queue_of_somebody_else_gets_nothing(site, importer, broker, db):
    """Results of an import go to reply.import.* alone, not to a front's replies."""
    user = site.users()[0]
    rows = charges([user])
    with broker.replies("front") as replies, broker.replies("import") as ours:
        publish(confirming(importer), "charge.import", "", envelope(*rows), replies.name)
        letter = broker.dead_letter(rows[0]["id"])
        assert letter.header("boxoffice-code") == "bad-reply-to"
        # A reply that goes where it may overtakes none: what was to come would be here by now.
        publish(confirming(importer), "charge.import", "", envelope(*charges([user])), ours.name)
        assert ours.next()["results"][0]["ok"]
        assert replies.none()
    assert db.charges(user) == [10]


@pytest.mark.parametrize("exchange, key", [
    ("account", "account"), ("seat", "1"), ("gate", "gate"), ("dead", ""), ("hold.expiry", "1"),
    ("", "account"), ("", "charge.import"), ("", "seat.1"), ("amq.direct", "account")])
def test_an_importer_publishes_nowhere_else(importer, exchange, key):
    with denied():
        publish(confirming(importer), exchange, key, envelope(*charges([new_id()])))


@pytest.mark.parametrize("queue", ["charge.import", "account", "seat.1", "gate", "dead"])
def test_an_importer_reads_no_queue(importer, queue):
    with denied():
        importer.channel().basic_get(queue)
    with denied():
        importer.channel().basic_consume(queue, lambda *_: None)


@pytest.mark.parametrize("queue", ["charge.import", "account", "seat.1"])
def test_an_importer_cannot_empty_or_delete_a_queue(importer, queue):
    with denied():
        importer.channel().queue_purge(queue)
    with denied():
        importer.channel().queue_delete(queue)


@pytest.mark.parametrize("queue", ["reply.front.stolen", "imports", "seat.99"])
def test_an_importer_declares_only_his_reply_queues(importer, queue):
    with denied():
        importer.channel().queue_declare(queue, exclusive=True)


def test_an_importer_cannot_listen_in_on_charges(importer):
    channel = importer.channel()
    name = f"reply.import.{new_id()}"
    channel.queue_declare(name, exclusive=True)
    with denied():
        channel.queue_bind(name, "charge.import")
    with denied():
        other = importer.channel()
        other.queue_bind(name, "account", "account")


def test_an_importer_declares_no_exchange(importer):
    with denied():
        importer.channel().exchange_declare("charges", "fanout")


def test_an_importer_binds_nothing(importer):
    channel = importer.channel()
    name = f"reply.import.{new_id()}"
    channel.queue_declare(name, exclusive=True)
    for source in ("seat", "account", "gate", "dead", "amq.direct", "amq.topic"):
        with denied():
            other = importer.channel()
            other.queue_bind(name, source, "1")
    with denied():
        importer.channel().queue_unbind("account", "account", "account")
    with denied():
        importer.channel().exchange_bind("charge.import", "account")


def test_an_importer_deletes_no_exchange_or_queue(importer):
    for exchange in ("charge.import", "account", "seat"):
        with denied():
            importer.channel().exchange_delete(exchange)
    for queue in ("gate", "dead", "hold.expiry.3s"):
        with denied():
            importer.channel().queue_delete(queue)
        with denied():
            importer.channel().queue_purge(queue)


def test_an_importer_does_not_see_replies_of_others(importer, instance):
    other = connect(instance.values["BOXOFFICE_AMQP_IMPORT_URL"])
    theirs = f"reply.import.{new_id()}"
    other.channel().queue_declare(theirs, exclusive=True)
    for attempt in (lambda channel: channel.basic_get(theirs),
                    lambda channel: channel.basic_consume(theirs, lambda *_: None),
                    lambda channel: channel.queue_purge(theirs),
                    lambda channel: channel.queue_delete(theirs)):
        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
            attempt(importer.channel())
        assert caught.value.reply_code == 405  # exclusive to its connection
    other.close()


def test_an_importer_may_not_log_in_to_the_management_api(broker, instance):
    parts = urlsplit(instance.values["BOXOFFICE_AMQP_IMPORT_URL"])
    with pytest.raises(urllib.error.HTTPError) as caught:
        broker.management("overview", login=(parts.username, parts.password))
    assert caught.value.code == 401


def publish_by_http(broker, content):
    return broker.management(f"exchanges/{broker.vhost}/charge.import/publish", "POST", {
        "properties": {"delivery_mode": 2, "content_type": "application/json",
                       "type": "boxoffice.jobs"},
        "routing_key": "", "payload": json.dumps(content), "payload_encoding": "string"})


def test_a_charge_by_the_management_api(site, broker, db):
    user = site.users()[0]
    row = job("charge", userId=user, amount=25)
    assert publish_by_http(broker, row) == {"routed": True}
    wait_until(lambda: db.charges(user) == [25], 5, "the charge")
    publish_by_http(broker, envelope(row))
    publish_by_http(broker, {**row, "amount": 26})
    assert broker.dead_letter(row["id"]).header("boxoffice-code") == "key-reused"
    assert db.charges(user) == [25]


BAD = {
    "no amount": {"amount": None}, "a fraction": {"amount": 1.5}, "a text": {"amount": "5"},
    "too much": {"amount": 100000001}, "nothing": {"amount": 0}, "less": {"amount": -1},
    "no user": {"userId": "nobody"}, "no id": {"id": "7"}, "an unknown member": {"colour": "red"},
    "another kind": {"kind": "register"}, "a long memo": {"memo": "x" * 201},
    "a tab": {"memo": "a\tb"}, "an attempt of none": {"attempt": 0},
}


@pytest.mark.parametrize("fault", BAD)
def test_one_bad_job_harms_no_other(site, importer, broker, db, fault):
    users = site.users(3)
    rows = charges(users)
    rows[1] = {**rows[1], "requestId": f"r{new_id()}", **BAD[fault]}
    replies = Replies(importer.channel(), f"reply.import.{new_id()}")
    publish(confirming(importer), "charge.import", "", envelope(*rows), replies.name)
    results = replies.next()["results"]
    assert [each["ok"] for each in results] == [True, False, True]
    assert results[1]["code"] in ("bad-field", "bad-kind") and results[1]["message"]
    letter = broker.dead_letter(rows[1]["requestId"])
    assert letter.header("boxoffice-code") == results[1]["code"]
    assert letter.header("boxoffice-queue") == "charge.import"
    assert [db.charges(user) for user in users] == [[10], [], [10]]


@pytest.mark.parametrize("body, code", [
    (b"{", "bad-message"), (b"[]", "bad-message"), (b'{"v":2,"jobs":[]}', "bad-version"),
    (b'{"v":1,"jobs":[]}', "bad-message"), (b" " * (256 * 1024 + 1), "message-too-large")])
def test_a_message_that_is_no_envelope(importer, broker, body, code):
    replies = Replies(importer.channel(), f"reply.import.{new_id()}")
    mark = new_id()
    publish(confirming(importer), "charge.import", "", body, replies.name, mark)
    results = replies.next()["results"]
    assert [(each["id"], each["index"], each["code"]) for each in results] == [(None, 0, code)]
    letter = broker.dead_letter(body[:100])
    assert letter.header("boxoffice-code") == code
    assert letter.properties.correlation_id == mark
