"""Refunds and reversals: money back once, whoever asks and however often."""

import json
import subprocess
import uuid

import pika
import pytest

from amqp import job, new_id, partition
from api import charge, pay, reserve
from test_audit import audit, broken
from wait import wait_until

PRICE = 1000
MOST = 9007199254740991


@pytest.fixture
def ctl(instance, site):
    assert site

    def run(*arguments, check=True):
        return instance.run("ctl", "--yes", "--json", *arguments, check=check)

    yield run
    _, told = audit(instance)
    assert broken(told) == {}


@pytest.fixture
def bought(site, db, seat):
    """(fan, payment id) of somebody who charged 1500 and bought the seat for 1000."""
    fan = site.fan(balance=1500)
    site.do(reserve(fan.token, seat)).ok()
    return fan, site.do(pay(fan.token, seat)).ok()["id"]


def refunded(db, payment, seat, user):
    assert db.value("SELECT status FROM payment WHERE id = %s", payment) == "REFUNDED"
    assert db.statuses(seat)[0] == "REFUNDED"
    assert db.charges(user) == [1500, -PRICE, PRICE] and db.balance(user) == 1500
    return True


def refund_job(seat, payment):
    return job("refund", seatId=seat, payment=payment)


def test_a_refund_gives_the_money_back_and_frees_the_seat(ctl, site, db, seat, bought):
    fan, payment = bought
    told = json.loads(ctl("--by", "kim", "refund", str(payment), "--memo", "wet seats").stdout)
    assert told["replayed"] is False
    assert told["data"] == {"id": payment, "amount": PRICE, "balance": 1500, "status": "REFUNDED"}
    assert refunded(db, payment, seat, fan.user)
    assert db.value("SELECT description FROM cash_history WHERE user_id = %s ORDER BY id DESC LIMIT 1",
                    db.user(fan.user)) == "refund by kim: wet seats"
    other = site.fan(balance=PRICE)
    site.do(reserve(other.token, seat)).ok()
    site.do(pay(other.token, seat)).ok()
    assert db.statuses(seat) == ["REFUNDED", "PAID"]


def test_a_refund_again_is_the_same_one(ctl, db, seat, bought):
    fan, payment = bought
    first = json.loads(ctl("refund", str(payment)).stdout)
    again = json.loads(ctl("--by", "another", "refund", str(payment)).stdout)
    assert (again["job"], again["data"], again["replayed"]) == (first["job"], first["data"], True)
    assert refunded(db, payment, seat, fan.user)


NAMESPACE = uuid.UUID("5b0c8f1e-2d47-4e93-a16a-c47039e8d2b5")


def id_of(*parts):
    """As anybody can work it out: id_from_parts() in lib/id.c."""
    return str(uuid.uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)))


def test_an_id_that_an_importer_took_does_not_stop_a_refund(ctl, broker, site, db, seat, bought):
    fan, payment = bought
    taken = {**job("charge", userId=site.users()[0], amount=1), "id": id_of("refund", str(payment))}
    broker.publish("charge.import", "", taken)
    wait_until(lambda: db.charges(taken["userId"]) == [1], 10, "his charge")
    told = json.loads(ctl("refund", str(payment)).stdout)
    assert told["job"] != taken["id"] and told["data"]["status"] == "REFUNDED"
    again = ctl("refund", str(payment), check=False)
    assert again.returncode == 1 and "already-refunded" in again.stderr
    assert refunded(db, payment, seat, fan.user)


def test_a_refund_whose_job_was_pruned_is_not_made_again(ctl, db, seat, bought):
    fan, payment = bought
    first = json.loads(ctl("refund", str(payment)).stdout)
    db.run("DELETE FROM job WHERE id = UNHEX(%s)", first["job"].replace("-", ""))
    assert json.loads(ctl("refund", str(payment)).stdout)["data"] == first["data"]
    assert refunded(db, payment, seat, fan.user)


def test_refunds_at_once_are_one(ctl, instance, db, seat, bought):
    fan, payment = bought
    from instance import ROOT
    import os
    environment = {**os.environ, "BOXOFFICE_VAR": str(instance.var)}
    running = [subprocess.Popen([str(ROOT / "boxoffice"), "ctl", "--yes", "refund", str(payment)],
                                env=environment, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [each.wait() for each in running] == [0] * 4
    assert refunded(db, payment, seat, fan.user)


def test_refunds_with_ids_of_their_own_are_refused(operator, ctl, db, seat, bought):
    fan, payment = bought
    ctl("refund", str(payment))
    results = operator.ask("seat", partition(seat), refund_job(seat, payment), refund_job(seat, payment + 1000),
                         refund_job(seat + 16, payment))
    assert [each["code"] for each in results] == ["already-refunded", "unknown-payment", "unknown-payment"]
    assert refunded(db, payment, seat, fan.user)


def test_two_refunds_of_one_batch_are_one(operator, ctl, db, seat, bought):
    fan, payment = bought
    assert ctl
    results = operator.ask("seat", partition(seat), refund_job(seat, payment), refund_job(seat, payment))
    assert [each["ok"] for each in results] == [True, False]
    assert refunded(db, payment, seat, fan.user)


def test_a_refund_beyond_the_limit_of_a_balance_is_decided_afresh(ctl, db, seat, bought):
    fan, payment = bought
    db.set_balance(fan.user, MOST)
    done = ctl("refund", str(payment), check=False)
    assert done.returncode == 1 and "balance-limit" in done.stderr
    db.run("DELETE FROM cash_history WHERE user_id = %s AND description = 'by a test'", db.user(fan.user))
    db.run("UPDATE cash SET balance = 500 WHERE user_id = %s", db.user(fan.user))
    ctl("refund", str(payment))
    assert refunded(db, payment, seat, fan.user)


def test_a_refund_of_a_seat_that_was_taken_off(ctl, db, seat, bought):
    fan, payment = bought
    db.run("UPDATE seat SET deleted_at = SYSDATE(6), is_active = FALSE WHERE id = %s", seat)
    db.run("UPDATE concert_schedule SET total_seats = 0 WHERE id ="
           " (SELECT concert_schedule_id FROM seat WHERE id = %s)", seat)
    ctl("refund", str(payment))
    assert refunded(db, payment, seat, fan.user)


def test_a_refund_waits_for_its_worker(ctl, instance, db, seat, bought):
    fan, payment = bought
    instance.stop("seat-worker")
    try:
        done = ctl("refund", str(payment), "--timeout", "1", check=False)
        assert done.returncode == 1 and "is queued" in done.stderr
    finally:
        instance.start("seat-worker")
    wait_until(lambda: refunded(db, payment, seat, fan.user), 20, "the refund")
    assert json.loads(ctl("refund", str(payment)).stdout)["replayed"] is True


@pytest.mark.parametrize("arguments", [["refund", "999999999"], ["charge", "reverse", "999999999"],
                                       ["charge", "reverse", new_id()]])
def test_what_is_not_there(ctl, arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode == 1 and "there is no" in done.stderr


@pytest.mark.parametrize("arguments", [
    ["refund"], ["refund", "x"], ["refund", "0"], ["refund", "1", "--timeout", "0"],
    ["refund", "1", "--memo", "x" * 201], ["charge", "reverse", "x"], ["charge", "fly", "1"]])
def test_a_mistake_in_the_call(ctl, arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode in (1, 2) and done.stderr


def test_both_ask_first(instance, db, seat, bought):
    fan, payment = bought
    done = instance.run("ctl", "refund", str(payment), check=False)
    assert done.returncode == 1 and "--yes" in done.stderr
    row = db.value("SELECT MIN(id) FROM cash_history WHERE user_id = %s", db.user(fan.user))
    done = instance.run("ctl", "charge", "reverse", str(row), check=False)
    assert done.returncode == 1 and "--yes" in done.stderr
    assert db.charges(fan.user) == [1500, -PRICE]


# Reversals ---------------------------------------------------------------------------------------


@pytest.fixture
def charged(site, broker):
    """(user, job id) of a charge of 500."""
    user = site.users()[0]
    work = job("charge", userId=user, amount=500)
    assert broker.ask("account", "account", work)[0]["ok"]
    return user, work["id"]


def row_of(db, user):
    return db.value("SELECT MIN(id) FROM cash_history WHERE user_id = %s", db.user(user))


def test_a_charge_is_taken_back_once(ctl, db, charged):
    user, work = charged
    first = json.loads(ctl("charge", "reverse", work).stdout)
    assert (first["replayed"], first["data"]) == (False, {"balance": 0})
    again = json.loads(ctl("charge", "reverse", str(row_of(db, user))).stdout)
    assert (again["job"], again["replayed"]) == (first["job"], True)
    assert db.charges(user) == [500, -500]
    assert db.value("SELECT reverses FROM cash_history WHERE user_id = %s AND amount < 0",
                    db.user(user)) == row_of(db, user)
    db.run("DELETE FROM job WHERE id = UNHEX(%s)", first["job"].replace("-", ""))
    ctl("charge", "reverse", work)
    assert db.charges(user) == [500, -500]


def test_a_reversals_id_is_no_other_reversals_after_its_job_was_pruned(operator, db, broker, charged):
    user, first = charged
    second = job("charge", userId=user, amount=70)
    reversal = job("reverse", userId=user, charge=first)
    broker.ask("account", "account", second)
    assert operator.ask("account", "account", reversal)[0]["ok"]
    db.run("DELETE FROM job WHERE id = UNHEX(%s)", reversal["id"].replace("-", ""))
    told = operator.ask("account", "account", {**reversal, "charge": second["id"]})[0]
    assert told["code"] == "key-reused"
    assert db.charges(user) == [500, 70, -500]


def test_what_was_spent_is_not_taken_back_until_it_is_there_again(ctl, site, db, seat):
    fan = site.fan(balance=1500)
    site.do(reserve(fan.token, seat)).ok()
    site.do(pay(fan.token, seat)).ok()
    row = row_of(db, fan.user)
    done = ctl("charge", "reverse", str(row), check=False)
    assert done.returncode == 1 and "balance-spent" in done.stderr
    assert db.charges(fan.user) == [1500, -PRICE]
    site.do(charge(fan.user, 1000)).ok()
    ctl("charge", "reverse", str(row))
    assert db.charges(fan.user) == [1500, -PRICE, 1000, -1500] and db.balance(fan.user) == 0


def test_reversals_that_are_none(operator, ctl, site, db, seat, bought, charged):
    fan, payment = bought
    user, work = charged
    ctl("refund", str(payment))
    credit = db.value("SELECT LOWER(HEX(refund_job_id)) FROM payment WHERE id = %s", payment)
    debit = db.value("SELECT LOWER(HEX(job_id)) FROM payment WHERE id = %s", payment)
    ctl("charge", "reverse", work)
    stranger = site.users()[0]
    asked = [(fan.user, credit), (fan.user, debit), (stranger, work), (new_id(), work), (user, work),
             (user, new_id())]
    results = operator.ask("account", "account", *(
        job("reverse", userId=whose, charge=str(uuid.UUID(which))) for whose, which in asked))
    assert [each["code"] for each in results] == [
        "unknown-charge", "unknown-charge", "unknown-charge", "unknown-user", "already-reversed",
        "unknown-charge"]
    done = ctl("charge", "reverse", str(uuid.UUID(credit)), check=False)
    assert done.returncode == 1 and "unknown-charge" in done.stderr


def test_charges_and_reversals_of_one_batch_replay(operator, ctl, db, charged):
    """The history's order is that of the jobs, whichever statement wrote it."""
    user, work = charged
    assert ctl
    results = operator.ask("account", "account", job("charge", userId=user, amount=1),
                         job("reverse", userId=user, charge=work), job("charge", userId=user, amount=2),
                         job("reverse", userId=user, charge=work))
    assert [each.get("data") or each["code"] for each in results] == [
        {"balance": 501}, {"balance": 1}, {"balance": 3}, "already-reversed"]
    assert db.charges(user) == [500, 1, -500, 2]


def test_an_importer_takes_nothing_back(ctl, broker, charged):
    user, work = charged
    assert ctl
    lost = job("reverse", userId=user, charge=work)
    broker.publish("charge.import", "", {"v": 1, **lost})
    assert broker.dead_letter(lost["id"]).header("boxoffice-code") == "bad-kind"


@pytest.mark.parametrize("whose", ["", "admin"])
def test_money_goes_back_for_the_operator_alone(ctl, broker, db, seat, bought, charged, whose):
    """Whoever else may publish to these queues, a front among them, sends it in vain."""
    assert ctl
    fan, payment = bought
    user, work = charged
    properties = {"user_id": whose} if whose else {}
    for exchange, key, lost in (("seat", partition(seat), refund_job(seat, payment)),
                                ("account", "account", job("reverse", userId=user, charge=work))):
        told = broker.ask(exchange, key, lost, **properties)[0]
        assert told["code"] == "not-the-operator"
        assert broker.dead_letter(lost["id"]).header("boxoffice-code") == "not-the-operator"
    assert db.charges(user) == [500] and db.charges(fan.user) == [1500, -PRICE]


def test_nobody_passes_for_the_operator(broker, seat):
    """The broker refuses a message that tells another account than its connection's."""
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as caught:
        broker.publish("seat", partition(seat), refund_job(seat, 1), user_id="operator")
    assert caught.value.reply_code == 406
