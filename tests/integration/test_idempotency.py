"""Idempotency-Key: one effect and one answer, however often a request is sent."""

import uuid
from collections import Counter

import pytest

from api import cancel, charge, check, issue, new_key, pay, register, reserve
from wait import wait_until

TEN = range(10)



def test_the_same_charge_ten_times_at_once(site, db):
    user, key = site.users()[0], new_key()
    answers = site.swarm([charge(user, 100, key) for _ in TEN], 10)
    settled = site.settle_all(answers)
    assert {answer.ok()["balance"] for answer in settled} == {100}
    assert sum(1 for answer in answers if answer.status == 200 and not answer.replayed) <= 1
    assert {answer.header("Idempotency-Key") for answer in answers} == {key}
    assert db.charges(user) == [100]


def test_the_same_registration_ten_times_at_once(site, db):
    key = new_key()
    answers = site.settle_all(site.swarm([register("once", key) for _ in TEN], 10))
    assert len({answer.ok()["userId"] for answer in answers}) == 1
    assert db.value("SELECT COUNT(*) FROM user WHERE uuid = UNHEX(%s)",
                    answers[0].ok()["userId"].replace("-", "")) == 1


def test_the_same_issue_ten_times_at_once(site, db):
    user, key = site.users()[0], new_key()
    for answer in site.settle_all(site.swarm([issue(user, key=key) for _ in TEN], 10)):
        answer.ok()
    assert db.value("SELECT COUNT(*) FROM waiting_queue WHERE user_id = %s", db.user(user)) == 1


def test_the_same_reservation_ten_times_at_once(site, db, seat):
    fan, key = site.fan(), new_key()
    answers = site.settle_all(site.swarm([reserve(fan.token, seat, key) for _ in TEN], 10))
    assert len({answer.ok()["id"] for answer in answers}) == 1
    assert db.statuses(seat) == ["PENDING"]


def test_the_same_payment_ten_times_at_once(site, db, seat):
    fan, key = site.fan(balance=3000), new_key()
    site.do(reserve(fan.token, seat)).ok()
    answers = site.settle_all(site.swarm([pay(fan.token, seat, key) for _ in TEN], 10))
    assert len({answer.ok()["id"] for answer in answers}) == 1
    assert db.charges(fan.user) == [3000, -1000]


def test_a_lost_payment_is_repeated_with_the_token_that_it_finished(site, db, seat):
    fan, key = site.fan(balance=3000), new_key()
    site.do(reserve(fan.token, seat)).ok()
    first = site.do(pay(fan.token, seat, key)).ok()
    again = site.send(pay(fan.token, seat, key))
    assert again.ok() == first and again.replayed
    assert db.charges(fan.user) == [3000, -1000]
    # Another key is another payment, and the token is used up: the front sees it in a moment.
    wait_until(lambda: site.send(pay(fan.token, seat, new_key())).status == 401, 5, "the end")
    site.send(pay(fan.token, seat, new_key())).refused(401, "token-finished")


def test_a_repeat_is_recognised_before_the_queue_check(site, db, seat):
    """Also of a reservation, whose ticket has expired since."""
    fan, key = site.fan(), new_key()
    first = site.do(reserve(fan.token, seat, key)).ok()
    db.run("UPDATE waiting_queue SET status = 'EXPIRED', expired_at = SYSDATE(6) WHERE id = %s",
           db.ticket(fan.user))
    wait_until(lambda: site.send(reserve(fan.token, seat, new_key())).status == 401, 5, "expiry")
    again = site.send(reserve(fan.token, seat, key))
    assert again.ok() == first and again.replayed


def test_the_key_with_other_content_is_refused(site, db):
    user, key = site.users()[0], new_key()
    site.do(charge(user, 100, key)).ok()
    site.do(charge(user, 101, key)).refused(422, "key-reused")
    assert db.charges(user) == [100]


def test_a_reservation_key_with_another_seat_is_refused(site, schedule):
    fan, key = site.fan(), new_key()
    site.do(reserve(fan.token, schedule.seats[0], key)).ok()
    site.do(reserve(fan.token, schedule.seats[1], key)).refused(422, "key-reused")


def test_a_registration_key_with_another_name_is_refused(site):
    key = new_key()
    site.do(register("one", key)).ok()
    site.do(register("another", key)).refused(422, "key-reused")


def test_one_key_sent_at_once_with_different_contents(site, db):
    user, key = site.users()[0], new_key()
    answers = site.settle_all(site.swarm([charge(user, 10 + n, key) for n in TEN], 10))
    assert Counter(answer.status for answer in answers) == {200: 1, 422: 9}
    assert len(db.charges(user)) == 1


def test_a_key_belongs_to_its_user(site):
    first, second = site.users(2)
    key = new_key()
    site.do(charge(first, 10, key)).ok()
    site.do(charge(second, 20, key)).ok()
    assert site.balances([first, second]) == [10, 20]


def test_a_key_belongs_to_its_call(site, seat):
    fan, key = site.fan(), new_key()
    site.do(charge(fan.user, 1000, key)).ok()
    site.do(reserve(fan.token, seat, key)).ok()
    site.do(pay(fan.token, seat, key)).ok()
    assert site.balances([fan.user]) == [0]


def test_parts_of_a_key_do_not_run_into_each_other(site):
    user = site.users()[0]
    for key in ("a", "aa", "a:a", "A", "/user/charge"):
        site.do(charge(user, 1, key)).ok()
    assert site.balances([user]) == [5]


def test_without_a_key_every_request_counts(site):
    user = site.users()[0]
    answers = [site.do(charge(user, 5)) for _ in range(3)]
    assert site.balances([user]) == [15]
    assert not any(answer.replayed for answer in answers)


def test_the_key_that_the_front_made_is_told_and_works(site):
    user = site.users()[0]
    first = site.send(charge(user, 5))
    key = first.header("Idempotency-Key")
    assert key
    again = site.send(charge(user, 5, key))
    assert again.ok() == {"balance": 5} and again.replayed
    assert site.balances([user]) == [5]


def test_the_key_that_the_front_made_for_a_registration_works(site):
    first = site.send(register("again"))
    key = first.header("Idempotency-Key")
    assert uuid.UUID(key)
    assert site.send(register("again", key)).ok() == first.ok()


def test_a_conflict_is_replayed(site, seat):
    first, second = site.fans(2)
    key = new_key()
    site.do(reserve(first.token, seat)).ok()
    refused = site.do(reserve(second.token, seat, key)).refused(409, "seat-held")
    site.do(cancel(first.token, seat)).ok()
    again = site.send(reserve(second.token, seat, key))
    assert again.refused(409, "seat-held") == refused and again.replayed
    site.do(reserve(second.token, seat, new_key())).ok()


def test_an_unknown_user_is_replayed(site):
    user, key = str(uuid.uuid4()), new_key()
    site.do(charge(user, 1, key)).refused(404, "unknown-user")
    again = site.send(charge(user, 1, key))
    again.refused(404, "unknown-user")
    assert again.replayed


def test_a_payment_refused_for_money_needs_a_new_key(site, seat):
    fan, key = site.fan(), new_key()
    site.do(reserve(fan.token, seat)).ok()
    site.do(pay(fan.token, seat, key)).refused(402, "insufficient-balance")
    site.do(charge(fan.user, 1000)).ok()
    again = site.send(pay(fan.token, seat, key))
    again.refused(402, "insufficient-balance")
    assert again.replayed
    site.do(pay(fan.token, seat, new_key())).ok()


def test_not_admitted_is_not_replayed(site, db, seat):
    key = new_key()
    with db.policy(state="paused"):
        fan = site.fan(admitted=False)
        site.send(reserve(fan.token, seat, key)).refused(403, "not-admitted")
    site.wait_admitted([fan])
    answer = site.do(reserve(fan.token, seat, key))
    answer.ok()
    assert not answer.replayed


def test_a_refused_token_is_not_replayed(site, seat):
    fan, key = site.fan(), new_key()
    site.send(reserve("nonsense", seat, key)).refused(401, "token-invalid")
    answer = site.do(reserve(fan.token, seat, key))
    answer.ok()
    assert not answer.replayed


def test_a_bad_request_is_not_replayed(site):
    user, key = site.users()[0], new_key()
    site.send(charge(user, 0, key)).refused(400, "bad-field")
    site.do(charge(user, 7, key)).ok()
    assert site.balances([user]) == [7]


@pytest.mark.parametrize("length", [1, 255])
def test_shortest_and_longest_key(site, length):
    user = site.users()[0]
    key = "k" * length
    site.do(charge(user, 7, key)).ok()
    again = site.send(charge(user, 7, key))
    assert again.ok() == {"balance": 7} and again.replayed
    assert again.header("Idempotency-Key") == key


def test_all_visible_characters_make_a_key(site):
    user = site.users()[0]
    key = "".join(chr(code) for code in range(0x21, 0x7f))
    site.do(charge(user, 7, key)).ok()
    assert site.send(charge(user, 7, key)).header("Idempotency-Key") == key
    assert site.send(check(user)).ok() == {"balance": 7}


def test_a_spoiled_last_letter_is_another_key(site):
    user = site.users()[0]
    for last in "ab":
        site.do(charge(user, 7, "k" * 254 + last)).ok()
    assert site.balances([user]) == [14]
