"""Breaks what a clean run left, one thing after the other, to see that verify.py finds each."""

from collections.abc import Callable
from dataclasses import dataclass

from verify import Verdict, check_rows, job_id

_NEWEST = "ORDER BY id DESC LIMIT 1"
_AGAIN = ("INSERT INTO cash_history (user_id, job_id, amount, balance_after, description, created_at)"
          " SELECT user_id, UNHEX(REPLACE(UUID(), '-', '')), amount, balance_after, description, created_at"
          " FROM cash_history")


@dataclass
class Sabotage:
    name: str         # what is broken
    found_in: str     # the list of the verdict that must grow
    statement: str    # SQL with one parameter:
    choose: Callable  # gives it, of a load


def _granted(load, kind):
    return [act for act in load.ledger.acts if act.kind == kind and act.is_granted()]


def _charge(nth):
    """Of another user each: what is gone from one is not made up for by what another has twice."""
    def choose(load):
        charges = {act.user: act for act in reversed(_granted(load, "charge"))}
        return job_id(list(charges.values())[nth])

    return choose


SABOTAGE = [
    Sabotage("a balance that is one too high", "other",
             "UPDATE cash c JOIN cash_history h ON h.user_id = c.user_id SET c.balance = c.balance + 1 WHERE h.job_id = %s",
             _charge(0)),
    Sabotage("a charge that was never stored", "losses", "DELETE FROM job WHERE id = %s", _charge(0)),
    Sabotage("a charge that moved no money", "losses", "DELETE FROM cash_history WHERE job_id = %s", _charge(1)),
    Sabotage("a charge that moved it twice", "doubles", f"{_AGAIN} WHERE job_id = %s", _charge(2)),
    Sabotage("an answer that is not the stored one", "lies", "UPDATE job SET code = 'seat-held' WHERE id = %s",
             lambda load: job_id(_granted(load, "reserve")[0])),
    Sabotage("a payment that is another's", "losses",
             "UPDATE payment SET user_id = (SELECT MIN(u.id) FROM user u WHERE u.id <> payment.user_id) WHERE job_id = %s",
             lambda load: job_id(_granted(load, "pay")[0])),
    Sabotage("a row of a file that is gone", "losses", f"DELETE FROM cash_history WHERE description LIKE %s {_NEWEST}",
             lambda load: f"{load.batch.files[0][0]} %"),
    Sabotage("a row of a file that is there twice", "doubles", f"{_AGAIN} WHERE description LIKE %s {_NEWEST}",
             lambda load: f"{load.batch.files[-1][0]} %"),
    Sabotage("a refund that gave nothing back", "losses",
             "DELETE h FROM cash_history h JOIN payment p ON p.refund_job_id = h.job_id WHERE p.id = %s",
             lambda load: next(payment for payment in load.operator.refunded
                               if payment != _granted(load, "pay")[0].decision[1]["data"]["id"])),
]


def missed(world, load):
    """Of SABOTAGE, what the checks do not find: names."""
    db = world.new_db()
    before, names = _verdict(db, load), []
    for each in SABOTAGE:
        db.run(each.statement, each.choose(load))
        after = _verdict(db, load)
        if len(getattr(after, each.found_in)) <= len(getattr(before, each.found_in)):
            names.append(each.name)
        before = after
    return names


def _verdict(db, load):
    verdict = Verdict()
    check_rows(db, load, verdict)
    return verdict
