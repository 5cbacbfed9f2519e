"""When nothing is left to buy, everybody is told so, nobody is let in, and a sold-out line closes."""

import pytest

from api import TIMESTAMP, issue, pay, reserve, status
from wait import wait_until


@pytest.fixture
def one_seat(site, db):
    """A seat of the test's own that is the only one there is; the others come back afterwards."""
    others = [number for number, in db.rows("SELECT id FROM concert_schedule WHERE deleted_at IS NULL")]
    seat = db.schedule(seats=1).seats[0]
    marks = ", ".join(["%s"] * len(others))
    db.run(f"UPDATE concert_schedule SET deleted_at = SYSDATE(6) WHERE id IN ({marks})", *others)
    try:
        yield seat
    finally:
        db.run(f"UPDATE concert_schedule SET deleted_at = NULL WHERE id IN ({marks})", *others)
        wait_until(lambda: db.value("SELECT stock FROM gate_state") == "free", 5, "free seats")


def sale(site, fan):
    return site.send(status(fan.token)).ok()["sale"]


def test_all_held_then_free_again(site, db, one_seat, hold_s):
    holder, other = site.fans(2)
    wait_until(lambda: sale(site, other) == {"state": "available"}, 5, "a free seat")
    held = site.do(reserve(holder.token, one_seat)).ok()
    wait_until(lambda: sale(site, other)["state"] == "all-held", 2, "the news")
    found = sale(site, other)
    assert found == {"state": "all-held", "held": 1, "nextAt": held["expires_at"]}
    assert TIMESTAMP.match(found["nextAt"])
    wait_until(lambda: db.value("SELECT stock FROM gate_state") == "held", 3, "the gate to know")
    waiting = site.fan(admitted=False)
    ticked = db.value("SELECT ticked_at FROM gate_state")
    wait_until(lambda: db.value("SELECT ticked_at FROM gate_state") != ticked, 3, "a tick")
    if db.value("SELECT stock FROM gate_state") == "held":
        assert site.send(status(waiting.token)).ok()["status"] == "WAITING"
    site.wait_admitted([waiting], hold_s + 5)
    wait_until(lambda: sale(site, other) == {"state": "available"}, 5, "a free seat again")


def test_sold_out(site, db, one_seat):
    buyer, other = site.fans(2, balance=1000)
    site.do(reserve(buyer.token, one_seat)).ok()
    site.do(pay(buyer.token, one_seat)).ok()
    wait_until(lambda: sale(site, other) == {"state": "sold-out"}, 2, "the news")
    wait_until(lambda: db.value("SELECT stock FROM gate_state") == "sold", 3, "the gate to know")
    user = site.users()[0]
    refused = site.do(issue(user)).refused(503, "closed")
    assert refused["message"] == "everything is sold"
    # Who is in the line keeps the ticket, and can have it back.
    site.do(issue(other.user, resume=True)).ok()
    # More seats open the line again.
    db.schedule(seats=1)
    wait_until(lambda: db.value("SELECT stock FROM gate_state") == "free", 5, "a new seat")
    site.do(issue(user)).ok()
