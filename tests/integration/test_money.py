"""Every charge and every use of money is applied, whatever the interval between them."""

import subprocess

import pytest

from api import charge, check, new_key
from instance import find_program
from wait import wait_until

MANY = 3000


def test_three_thousand_charges_at_once(site, db):
    user = site.users()[0]
    amounts = [1 + number % 7 for number in range(MANY)]
    answers = site.settle_all(site.swarm([charge(user, amount) for amount in amounts], 256), 60)
    balances = sorted(answer.ok()["balance"] for answer in answers)
    assert balances[-1] == sum(amounts) and len(set(balances)) == MANY
    assert sorted(db.charges(user)) == sorted(amounts)
    assert site.send(check(user)).ok() == {"balance": sum(amounts)}


def test_charges_and_uses_of_one_balance_at_once(site, db, instance):
    program = find_program("use_cash")
    if program is None:
        pytest.skip("use_cash is not built")
    user = site.users()[0]
    db.set_balance(user, MANY)
    _, environment, folder = instance.recipes["account-worker-0"]
    with subprocess.Popen([str(program), user, str(MANY), "1", "4"], env=environment, cwd=folder,
                          stdout=subprocess.PIPE, text=True) as uses:
        answers = site.settle_all(site.swarm([charge(user, 2) for _ in range(MANY)], 256), 60)
        printed, _ = uses.communicate(timeout=120)
    assert uses.returncode == 0 and int(printed.split()[-1]) == MANY
    for answer in answers:
        answer.ok()
    assert db.balance(user) == MANY + 2 * MANY - MANY
    assert len(db.charges(user)) == 1 + 2 * MANY


def test_charges_of_many_users_do_not_mix(site):
    users = site.users(50)
    calls = [charge(user, number + 1) for number, user in enumerate(users) for _ in range(20)]
    for answer in site.settle_all(site.swarm(calls, 200)):
        answer.ok()
    assert site.balances(users) == [20 * (number + 1) for number in range(50)]


def test_the_history_replays_to_the_balance(site, db):
    user = site.users()[0]
    site.settle_all(site.swarm([charge(user, 3, new_key()) for _ in range(200)]))
    total = 0
    for amount, after in db.rows("SELECT amount, balance_after FROM cash_history"
                                 " WHERE user_id = %s ORDER BY id", db.user(user)):
        total += amount
        assert after == total
    assert total == db.balance(user) == 600


def test_a_deleted_user_is_unknown_before_long(instance, site, db):
    """A worker remembers users for some time, so that it need not look each of them up."""
    user = site.users()[0]
    instance.stop("account-worker")
    worker = instance.spawn("account-worker-0", BOXOFFICE_KNOWN_USER_S="1")
    try:
        site.do(charge(user, 5)).ok()
        db.run("UPDATE user SET deleted_at = SYSDATE(6) WHERE uuid = UNHEX(%s)", user.replace("-", ""))
        wait_until(lambda: site.do(charge(user, 5)).code == "unknown-user", 20, "the deletion", 0.2)
        assert db.balance(user) == sum(db.charges(user))
    finally:
        worker.terminate()
        worker.wait(20)
        instance.start("account-worker")
