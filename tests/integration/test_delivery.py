"""Jobs straight on the queues: repeats, refusals, and everything that is no job."""

import json

import pika
import pytest

from amqp import envelope, job, new_id, partition
from api import check, issue
from wait import wait_until


def charge_job(user, amount, **fields):
    return job("charge", userId=user, amount=amount, **fields)


# Repeats -------------------------------------------------------------------------------------


def test_a_charge_delivered_three_times(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 100)
    results = [broker.ask("account", "account", work)[0] for _ in range(3)]
    assert results[0] == {"id": work["id"], "index": 0, "ok": True, "data": {"balance": 100}}
    assert all(again == {**results[0], "replayed": True} for again in results[1:])
    assert db.charges(user) == [100]


def test_a_charge_three_times_in_one_message(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 100)
    results = broker.ask("account", "account", work, work, work)
    assert [each["index"] for each in results] == [0, 1, 2]
    assert all(each["ok"] and each["data"] == {"balance": 100} for each in results)
    assert db.charges(user) == [100]


def test_a_charge_three_times_without_waiting(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 100)
    for _ in range(3):
        broker.publish("account", "account", envelope(work))
    assert broker.ask("account", "account", work)[0]["data"] == {"balance": 100}
    wait_until(lambda: broker.depth("account") == 0, 5, "an empty queue")
    assert db.charges(user) == [100]


def test_a_reservation_and_its_payment_delivered_three_times(site, broker, db, seat):
    fan = site.fan(balance=5000)
    fields = {"userId": fan.user, "ticket": db.ticket(fan.user), "seatId": seat}
    for kind in ("reserve", "pay"):
        work = job(kind, **fields)
        results = [broker.ask("seat", partition(seat), work)[0] for _ in range(3)]
        assert all(each["ok"] and each["data"] == results[0]["data"] for each in results), results
        assert [each.get("replayed", False) for each in results] == [False, True, True]
    assert db.statuses(seat) == ["PAID"]
    assert db.charges(fan.user) == [5000, -1000]


def test_an_issue_delivered_three_times(site, broker, db):
    user = site.users()[0]
    work = job("issue", userId=user)
    results = [broker.ask("gate", "gate", work)[0] for _ in range(3)]
    assert len({each["data"]["ticket"] for each in results}) == 1
    assert not any("token" in each["data"] for each in results)
    assert db.value("SELECT COUNT(*) FROM waiting_queue WHERE user_id = %s", db.user(user)) == 1


def test_a_registration_delivered_three_times(broker, db):
    user = new_id()
    work = job("register", userId=user, name="three times")
    for _ in range(3):
        assert broker.ask("account", "account", work)[0]["data"] == {"userId": user}
    assert db.value("SELECT COUNT(*) FROM user WHERE uuid = UNHEX(%s)", user.replace("-", "")) == 1


def test_a_user_id_that_is_taken(site, broker):
    user = site.users()[0]
    result = broker.ask("account", "account", job("register", userId=user, name="a thief"))[0]
    assert (result["ok"], result["code"]) == (False, "user-exists")


@pytest.mark.parametrize("change", [{"amount": 101}, {"memo": "other"}], ids=["amount", "memo"])
def test_one_id_with_other_content(site, broker, db, change):
    user = site.users()[0]
    work = charge_job(user, 100, memo="a memo")
    assert broker.ask("account", "account", work)[0]["ok"]
    result = broker.ask("account", "account", {**work, **change})[0]
    assert (result["ok"], result["code"]) == (False, "key-reused")
    assert db.charges(user) == [100]


def test_one_id_with_other_content_in_one_message(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 100)
    first, second = broker.ask("account", "account", work, {**work, "amount": 200})
    assert first["ok"] and second["code"] == "key-reused"
    assert db.charges(user) == [100]


def test_one_id_for_two_kinds(site, broker, db, seat):
    fan = site.fan()
    work = charge_job(fan.user, 100)
    assert broker.ask("account", "account", work)[0]["ok"]
    result = broker.ask("seat", partition(seat), {
        "id": work["id"], "kind": "reserve", "userId": fan.user, "ticket": db.ticket(fan.user),
        "seatId": seat})[0]
    assert result["code"] == "key-reused"
    assert db.holds(seat) == []


def test_what_is_not_identity_may_differ_in_a_repeat(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 100, requestId="first")
    assert broker.ask("account", "account", work)[0]["ok"]
    assert broker.ask("account", "account", {**work, "requestId": "second"})[0]["replayed"]
    assert db.charges(user) == [100]


def test_a_refusal_is_decided_afresh_with_a_higher_attempt(broker, site, db):
    user = new_id()
    work = charge_job(user, 100)
    assert broker.ask("account", "account", work)[0]["code"] == "unknown-user"
    assert broker.ask("account", "account", job("register", userId=user, name="late"))[0]["ok"]
    again = broker.ask("account", "account", work)[0]
    assert (again["code"], again["replayed"]) == ("unknown-user", True)
    assert broker.ask("account", "account", {**work, "attempt": 2})[0]["data"] == {"balance": 100}
    # A success is final, whatever the attempt.
    final = broker.ask("account", "account", {**work, "attempt": 3})[0]
    assert final["replayed"] and final["data"] == {"balance": 100}
    assert db.charges(user) == [100]
    assert site.send(check(user)).ok() == {"balance": 100}


# Envelopes -----------------------------------------------------------------------------------


def test_a_bare_job(site, broker, db):
    user = site.users()[0]
    for work in (charge_job(user, 1), {"v": 1, **charge_job(user, 2)}):
        with broker.replies() as replies:
            broker.publish("account", "account", work, replies.name)
            assert replies.next()["results"][0]["ok"]
    assert db.balance(user) == 3


def test_a_reply_carries_correlation_and_type(site, broker):
    with broker.replies() as replies:
        broker.publish("account", "account", envelope(charge_job(site.users()[0], 1)),
                       replies.name, "correlation 7")
        properties, content = replies.next_message()
    assert properties.correlation_id == "correlation 7"
    assert properties.type == "boxoffice.results"
    assert properties.content_type == "application/json"
    assert content["v"] == 1


def test_without_reply_to_the_outcome_is_stored(site, broker, db):
    user = site.users()[0]
    work = charge_job(user, 5)
    broker.publish("account", "account", envelope(work))
    assert broker.ask("account", "account", work)[0]["data"] == {"balance": 5}
    assert db.charges(user) == [5]


def test_without_reply_to_a_refusal_is_a_dead_letter(broker):
    work = charge_job(new_id(), 5)
    broker.publish("account", "account", envelope(work))
    letter = broker.dead_letter(work["id"])
    assert letter.header("boxoffice-code") == "unknown-user"
    assert letter.header("boxoffice-reason") and letter.header("boxoffice-queue") == "account"
    found = json.loads(letter.body)
    assert work.items() <= (found["jobs"][0] if "jobs" in found else found).items()


def test_with_reply_to_a_refusal_is_no_dead_letter(site, broker):
    work = charge_job(new_id(), 5)
    assert broker.ask("account", "account", work)[0]["code"] == "unknown-user"
    assert broker.ask("account", "account", charge_job(site.users()[0], 5))[0]["ok"]
    assert broker.dead_letters_with(work["id"]) == []


def test_a_reply_queue_that_is_gone_harms_nothing(site, broker, db):
    user = site.users()[0]
    broker.publish("account", "account", envelope(charge_job(user, 5)), f"reply.test.{new_id()}")
    wait_until(lambda: db.balance(user) == 5, 5, "the charge")
    assert broker.ask("account", "account", charge_job(user, 5))[0]["data"] == {"balance": 10}


def test_a_thousand_jobs_in_one_message(site, broker, db):
    user = site.users()[0]
    results = broker.ask("account", "account", *(charge_job(user, 1) for _ in range(1000)))
    assert [each["data"]["balance"] for each in results] == list(range(1, 1001))
    assert db.balance(user) == 1000


def test_a_bad_job_harms_no_other_in_its_message(site, broker, db):
    user = site.users()[0]
    bad = charge_job(user, 0)
    jobs = [charge_job(user, 1), bad, charge_job(user, 2)]
    broker.publish("account", "account", envelope(*jobs))
    letter = broker.dead_letter(bad["id"])
    assert letter.header("boxoffice-code") == "bad-field"
    assert "amount" in letter.header("boxoffice-reason")
    assert jobs[0]["id"].encode() not in letter.body
    wait_until(lambda: db.charges(user) == [1, 2], 5, "the others")


def test_a_bad_job_is_answered_in_its_place(site, broker, db):
    user = site.users()[0]
    results = broker.ask("account", "account", charge_job(user, 1), charge_job(user, "2"),
                         charge_job(user, 3))
    assert [(each["index"], each["ok"]) for each in results] == [(0, True), (1, False), (2, True)]
    assert results[1]["code"] == "bad-field" and "amount" in results[1]["message"]
    assert db.balance(user) == 4
    broker.dead_letter(results[1]["id"])


def test_the_worker_checks_the_ticket_again(site, broker, db, seat):
    """Whoever publishes to a seat queue cannot borrow another's ticket."""
    fan, other = site.fans(2)
    for ticket in (db.ticket(other.user), 9007199254740991):
        result = broker.ask("seat", partition(seat), job(
            "reserve", userId=fan.user, ticket=ticket, seatId=seat))[0]
        assert (result["ok"], result["code"]) == (False, "token-invalid")
    assert db.holds(seat) == []


def test_a_waiting_ticket_cannot_reserve_on_the_queue_either(site, broker, db, seat):
    with db.policy(state="paused"):
        fan = site.fan(admitted=False)
        result = broker.ask("seat", partition(seat), job(
            "reserve", userId=fan.user, ticket=db.ticket(fan.user), seatId=seat))[0]
        assert result["code"] == "not-admitted"
        site.do(issue(fan.user, resume=True)).ok()
    assert db.holds(seat) == []


# What is no job ------------------------------------------------------------------------------


def messages_that_are_no_envelope():
    """name → (body with the mark in it, code)"""
    job_text = '{"id":"%s","kind":"charge","userId":"%s","amount":1,"memo":"MARK"}'
    job_text = job_text % (new_id(), new_id())
    return {
        "no JSON": (b"MARK hello", "bad-message"),
        "cut short": (b'{"v":1,"jobs":[{"id":"MARK', "bad-message"),
        "an array": (b'["MARK"]', "bad-message"),
        "a string": (b'"MARK"', "bad-message"),
        "trailing text": (b'{"v":1,"jobs":[' + job_text.encode() + b"]} MARK", "bad-message"),
        "broken UTF-8": (b'{"v":1,"jobs":[{"id":"MARK","memo":"\xff\xfe"}]}', "bad-message"),
        "jobs is no array": (b'{"v":1,"jobs":{"MARK":1}}', "bad-message"),
        "no jobs": (b'{"v":1,"jobs":[],"MARK":1}', "bad-message"),
        "unknown version": (b'{"v":2,"jobs":[' + job_text.encode() + b"]}", "bad-version"),
        "version as text": (b'{"v":"1","jobs":[' + job_text.encode() + b"]}", "bad-version"),
        "no version": (b'{"jobs":[' + job_text.encode() + b"]}", "bad-version"),
        "unknown member": (b'{"v":1,"MARK":1,"jobs":[' + job_text.encode() + b"]}", "bad-message"),
        "too deep": (b'"MARK"' + b"[" * 5000, "bad-message"),
        "a byte order mark": (b'\xef\xbb\xbf{"v":1,"jobs":[' + job_text.encode() + b"]}",
                              "bad-message"),
        "a NUL byte": (b'{"v":1,\0"jobs":["MARK"]}', "bad-message"),
        "too many jobs": (b'{"v":1,"jobs":[' + b",".join([job_text.encode()] * 1001) + b"]}",
                          "message-too-large"),
        "too long": (b'{"v":1,"jobs":["MARK' + b"x" * (256 * 1024) + b'"]}', "message-too-large"),
    }


@pytest.mark.parametrize("name", messages_that_are_no_envelope())
def test_no_envelope(broker, name):
    mark = new_id()
    body, code = messages_that_are_no_envelope()[name]
    body = body.replace(b"MARK", mark.encode())
    broker.publish("account", "account", body)
    letter = broker.dead_letter(mark)
    assert letter.header("boxoffice-code") == code, letter
    assert letter.header("boxoffice-reason") and letter.header("boxoffice-queue") == "account"
    assert letter.body == body
    assert letter.properties.delivery_mode == 2


def test_an_empty_message(broker):
    broker.publish("account", "account", b"")
    letter = broker.dead_letter(b"")
    assert letter.body == b"" and letter.header("boxoffice-code") == "bad-message"


BAD_CHARGES = {
    "amount 0": {"amount": 0},
    "negative amount": {"amount": -1},
    "amount too large": {"amount": 100000001},
    "amount beyond 64 bits": {"amount": 99999999999999999999},
    "amount as text": {"amount": "1"},
    "amount with fraction": {"amount": 1.5},
    "amount with exponent": {"amount": 1e300},
    "amount null": {"amount": None},
    "amount true": {"amount": True},
    "amount a list": {"amount": [1]},
    "user id no UUID": {"userId": "42"},
    "user id a number": {"userId": 42},
    "user id too long": {"userId": "0" * 400},
    "memo too long": {"memo": "m" * 201},
    "memo a number": {"memo": 7},
    "memo with control character": {"memo": "a\u0007b"},
    "memo with NUL": {"memo": "a\u0000b"},
    "unknown member": {"bonus": 1},
    "a member of another kind": {"seatId": 1},
    "attempt 0": {"attempt": 0},
    "attempt too large": {"attempt": 1001},
    "attempt as text": {"attempt": "2"},
    "request id too long": {"requestId": "r" * 65},
    "request id not visible": {"requestId": "r r"},
    "kind a number": {"kind": 7},
}


@pytest.mark.parametrize("name", BAD_CHARGES)
def test_a_bad_charge(site, broker, db, name):
    user = site.users()[0]
    work = {**charge_job(user, 1), **BAD_CHARGES[name]}
    broker.publish("account", "account", envelope(work))
    letter = broker.dead_letter(work["id"])
    assert letter.header("boxoffice-code") in ("bad-field", "bad-kind"), letter
    field = next(iter(BAD_CHARGES[name]))
    # NUL is refused while reading, before there are members.
    assert field in letter.header("boxoffice-reason") or "NUL" in name, letter
    assert db.charges(user) == []


@pytest.mark.parametrize("field", ["kind", "userId", "amount"])
def test_a_charge_with_a_field_missing(broker, field):
    work = charge_job(new_id(), 1)
    del work[field]
    broker.publish("account", "account", envelope(work))
    letter = broker.dead_letter(work["id"])
    assert letter.header("boxoffice-code") in ("bad-field", "bad-kind")
    assert field in letter.header("boxoffice-reason")


@pytest.mark.parametrize("bad", [None, 7, "", "abc", "0" * 36, "{00000000-0000-4000-8000-000000000000}"])
def test_a_job_without_a_usable_id(broker, bad):
    memo = new_id()
    work = {**charge_job(new_id(), 1, memo=memo), "id": bad}
    if bad is None:
        del work["id"]
    broker.publish("account", "account", envelope(work))
    letter = broker.dead_letter(memo)
    assert letter.header("boxoffice-code") == "bad-field"
    assert "id" in letter.header("boxoffice-reason")


def test_a_job_that_is_no_object(broker):
    mark = new_id()
    broker.publish("account", "account", {"v": 1, "jobs": [mark]})
    assert broker.dead_letter(mark).header("boxoffice-code") in ("bad-field", "bad-message")


def test_a_member_given_twice(site, broker, db):
    user = site.users()[0]
    mark = new_id()
    body = (f'{{"v":1,"jobs":[{{"id":"{mark}","kind":"charge","userId":"{user}","amount":1,'
            f'"amount":1000}}]}}').encode()
    broker.publish("account", "account", body)
    broker.dead_letter(mark)
    assert db.charges(user) == []


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00\\ud800"'])
def test_a_lone_surrogate(broker, text):
    mark = new_id()
    body = (f'{{"v":1,"jobs":[{{"id":"{mark}","kind":"charge","userId":"{new_id()}","amount":1,'
            f'"memo":{text}}}]}}').encode()
    broker.publish("account", "account", body)
    assert broker.dead_letter(mark).header("boxoffice-code") in ("bad-field", "bad-message")


@pytest.mark.parametrize("exchange, key, kind, fields", [
    ("account", "account", "reserve", {"userId": new_id(), "ticket": 1, "seatId": 1}),
    ("account", "account", "expire", {"seatId": 1, "hold": new_id()}),
    ("account", "account", "issue", {"userId": new_id()}),
    ("gate", "gate", "charge", {"userId": new_id(), "amount": 1}),
    ("seat", "1", "charge", {"userId": new_id(), "amount": 1}),
    ("charge.import", "", "register", {"userId": new_id(), "name": "by import"}),
    ("charge.import", "", "pay", {"userId": new_id(), "ticket": 1, "seatId": 1}),
    ("account", "account", "refund", {"userId": new_id()}),
])
def test_a_queue_takes_its_own_kinds_alone(broker, exchange, key, kind, fields):
    work = job(kind, **fields)
    broker.publish(exchange, key, envelope(work))
    letter = broker.dead_letter(work["id"])
    assert letter.header("boxoffice-code") == "bad-kind"
    assert letter.header("boxoffice-queue") in (exchange, f"{exchange}.{key}")


@pytest.mark.parametrize("reply_to", ["account", "seat.1", "dead", "replies", "reply"])
def test_a_reply_goes_to_reply_queues_alone(broker, site, db, reply_to):
    """Else a producer could have the worker write to queues that he may not write to."""
    user = site.users()[0]
    work = charge_job(user, 1)
    broker.publish("account", "account", envelope(work), reply_to)
    letter = broker.dead_letter(work["id"])
    assert letter.header("boxoffice-code") == "bad-reply-to"
    assert db.charges(user) == []


@pytest.mark.parametrize("properties", [
    {"type": "something.else"}, {"type": None}, {"content_type": "text/plain"},
    {"content_type": None}, {"headers": {"x": "y" * 1000, "n": 7, "t": {"u": [1, 2]}}},
    {"priority": 200, "expiration": "60000", "app_id": "x" * 255}, {"delivery_mode": 1}],
    ids=str)
def test_strange_properties_do_no_harm(site, broker, db, properties):
    """Whether such a message is taken or refused, it is one or the other, and nothing breaks."""
    user = site.users()[0]
    work = charge_job(user, 1)
    broker.publish("account", "account", envelope(work), **properties)

    def settled():
        return db.charges(user) == [1] or broker.dead_letters_with(work["id"])

    wait_until(settled, 5, "an end")
    assert broker.ask("account", "account", charge_job(user, 5))[0]["ok"]


def test_an_unroutable_job_comes_back(broker):
    with pytest.raises(pika.exceptions.UnroutableError):
        broker.publish("seat", "4711", envelope(charge_job(new_id(), 1)))


def test_values_come_through_the_queue_as_they_went_in(site, broker, db):
    """JSON_TABLE spoils what is not checked and re-encoded before it."""
    for memo in ("m" * 200, "\U0001f600" * 200, "'\"\\%_`$?", "12x", "가나다", "\u00e9 e\u0301"):
        user = site.users()[0]
        assert broker.ask("account", "account", charge_job(user, 1, memo=memo))[0]["ok"]
        assert db.value("SELECT description FROM cash_history WHERE user_id = %s",
                        db.user(user)) == memo
