"""The line: places, resuming, admission by a policy that changes while the service runs."""

import contextlib
import time

from api import PLACE, cancel, dates, issue, leave, new_key, pay, reserve, seats, status
from wait import wait_until


def places(site, fans):
    return [site.send(status(fan.token)).ok()["position"] for fan in fans]


@contextlib.contextmanager
def waiting(site, db, count):
    """Fans who wait in a line that lets nobody in until the test says so, and nobody else."""
    wait_until(lambda: db.value("SELECT waiting FROM gate_state") == 0, 10, "an empty line")
    with db.policy(state="paused"):
        fans = []
        for _ in range(count):
            fans += site.fans(1, admitted=False)
        yield fans


def actives(db):
    return db.value("SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'")


def statuses(site, fans):
    return [site.send(status(fan.token)).ok()["status"] for fan in fans]


def test_places_count_from_one_in_the_order_of_issue(site, db):
    with waiting(site, db, 4) as fans:
        wait_until(lambda: places(site, fans) == [1, 2, 3, 4], 5, "places 1 to 4")


def test_ahead_is_one_less_than_the_place(site, db):
    with waiting(site, db, 2) as fans:
        def told():
            found = site.send(status(fans[1].token)).ok()
            assert (found["position"], found["ahead"], found["status"]) == (2, 1, "WAITING")
            return True

        wait_until(told, 5, "the second place")


def test_who_was_told_to_be_admitted_is_never_told_to_wait(site):
    """Whichever front answers: the snapshots of two are of different age."""
    for fan in site.fans(20, admitted=False):
        told = []

        def is_admitted():
            told.append(site.send(status(fan.token)).ok()["status"])
            return told[-1] == "ACTIVE"

        wait_until(is_admitted, 10, "admission", 0.01)
        told += statuses(site, [fan] * 10)
        assert told == sorted(told, reverse=True), "WAITING, then ACTIVE"


def test_a_paused_line_admits_nobody(site, db):
    with waiting(site, db, 2) as fans:
        ticked = db.value("SELECT ticked_at FROM gate_state")
        wait_until(lambda: db.value("SELECT ticked_at FROM gate_state") != ticked, 5, "a tick")
        assert statuses(site, fans) == ["WAITING", "WAITING"]
    site.wait_admitted(fans)


def test_an_unknown_rate_is_not_zero(site, db):
    """Nobody knows when a paused line will move."""
    with waiting(site, db, 1) as fans:
        def told():
            found = site.send(status(fans[0].token)).ok()
            assert found["status"] == "WAITING"
            return (found["etaKnown"], found["etaSeconds"]) == (False, None)

        wait_until(told, 5, "an eta that is not known")


def test_who_waits_is_refused_with_the_place(site, db, schedule):
    with waiting(site, db, 2) as fans:
        token = fans[1].token
        wait_until(lambda: places(site, fans) == [1, 2], 5, "places")
        for call in (dates(token), seats(token, schedule.id), reserve(token, schedule.seats[0]),
                     cancel(token, schedule.seats[0]), pay(token, schedule.seats[0])):
            data = site.send(call).refused(403, "not-admitted")["data"]
            assert data["position"] == 2 and data["status"] == "WAITING"
            assert set(data) == PLACE


def test_a_live_ticket_is_not_issued_twice(site, db):
    with waiting(site, db, 1) as fans:
        site.do(issue(fans[0].user)).refused(409, "already-issued")
    site.wait_admitted(fans)
    site.do(issue(fans[0].user)).refused(409, "already-issued")


def test_resume_gives_the_same_place_back(site, db):
    with waiting(site, db, 3) as fans:
        ticket = db.ticket(fans[1].user)
        wait_until(lambda: places(site, fans) == [1, 2, 3], 5, "places")
        again = site.do(issue(fans[1].user, resume=True)).ok()
        assert again["position"] == 2 and again["status"] == "WAITING"
        assert site.send(status(again["token"])).ok()["position"] == 2
        assert db.ticket(fans[1].user) == ticket


def test_resume_of_an_admitted_ticket(site):
    fan = site.fan()
    again = site.do(issue(fan.user, resume=True)).ok()
    assert again["status"] == "ACTIVE"
    site.send(dates(again["token"])).ok()
    site.send(dates(fan.token)).ok()


def test_resume_without_a_ticket_issues_one(site):
    user = site.users()[0]
    assert site.do(issue(user, resume=True)).ok()["token"]


def test_issue_repeated_with_its_key_is_the_first_answer(site, db):
    user, key = site.users()[0], new_key()
    with db.policy(state="paused"):
        site.do(issue(user, key=key)).ok()
        ticket = db.ticket(user)
        again = site.send(issue(user, key=key))
        assert again.replayed
        assert site.send(status(again.ok()["token"])).status == 200
        assert db.ticket(user) == ticket


def test_a_closed_line_issues_nothing(site, db):
    user, key = site.users()[0], new_key()
    with db.policy(state="closed"):
        answer = site.do(issue(user, key=key))
        answer.refused(503, "closed")
        assert int(answer.header("Retry-After")) >= 1
        assert db.ticket(user) is None
    # 503 is never replayed: the same key gets in once the line is open.
    site.do(issue(user, key=key)).ok()


def test_no_more_than_max_active(site, db):
    with waiting(site, db, 4) as fans:
        with db.policy(max_active=actives(db) + 2):
            wait_until(lambda: statuses(site, fans) == ["ACTIVE", "ACTIVE", "WAITING", "WAITING"],
                       5, "two admissions")
            ticked = db.value("SELECT ticked_at FROM gate_state")
            wait_until(lambda: db.value("SELECT ticked_at FROM gate_state") != ticked, 5, "a tick")
            assert statuses(site, fans) == ["ACTIVE", "ACTIVE", "WAITING", "WAITING"]
            wait_until(lambda: places(site, fans)[2:] == [1, 2], 5, "the line moves up")
    site.wait_admitted(fans)


def test_no_more_than_n_per_window(site, db):
    recent = "SELECT COUNT(*) FROM waiting_queue WHERE admitted_at > SYSDATE(6) - INTERVAL 600 SECOND"
    with waiting(site, db, 3) as fans:
        with db.policy(window_limit=db.value(recent) + 1, window_s=600):
            wait_until(lambda: statuses(site, fans) == ["ACTIVE", "WAITING", "WAITING"], 5,
                       "one admission")
    site.wait_admitted(fans)


def test_the_smaller_of_the_two_limits_counts(site, db):
    recent = "SELECT COUNT(*) FROM waiting_queue WHERE admitted_at > SYSDATE(6) - INTERVAL 600 SECOND"
    with waiting(site, db, 3) as fans:
        with db.policy(max_active=actives(db) + 1, window_limit=db.value(recent) + 2,
                       window_s=600):
            wait_until(lambda: statuses(site, fans) == ["ACTIVE", "WAITING", "WAITING"], 5,
                       "one admission")
    site.wait_admitted(fans)


def test_a_window_slides(site, db):
    recent = "SELECT COUNT(*) FROM waiting_queue WHERE admitted_at > SYSDATE(6) - INTERVAL 2 SECOND"
    with waiting(site, db, 2) as fans:
        wait_until(lambda: db.value(recent) == 0, 10, "a quiet window")
        with db.policy(window_limit=1, window_s=2):
            site.wait_admitted(fans)
    first, second = [db.value("SELECT UNIX_TIMESTAMP(admitted_at) FROM waiting_queue WHERE id = %s",
                              db.ticket(fan.user)) for fan in fans]
    assert second - first >= 2


def test_an_admitted_ticket_expires_and_the_next_gets_in(site, db):
    with waiting(site, db, 2) as (first, second):
        with db.policy(max_active=actives(db) + 1, active_s=1):
            site.wait_admitted([second], 10)
            site.send(dates(first.token)).refused(401, "token-expired")
            site.send(status(first.token)).refused(401, "token-expired")


def test_who_expired_may_join_again(site, db):
    with db.policy(active_s=1):
        fan = site.fan()
        wait_until(lambda: site.send(status(fan.token)).status == 401, 5, "expiry")
    fan.token = site.do(issue(fan.user)).ok()["token"]
    site.wait_admitted([fan])


def test_a_hold_extends_the_life_of_its_ticket(site, db, seat, hold_s):
    with db.policy(active_s=hold_s - 1):
        fan = site.fan()
        before = site.send(status(fan.token)).ok()["expiresAt"]
        held = site.do(reserve(fan.token, seat)).ok()
        assert before < held["expires_at"]

        def covered():
            return site.send(status(fan.token)).ok()["expiresAt"] >= held["expires_at"]

        wait_until(covered, 2, "a longer life")


def test_an_expired_ticket_cannot_pay_its_hold(site, db, seat, hold_s):
    """The worker checks the ticket again inside its transaction."""
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    db.run("UPDATE waiting_queue SET status = 'EXPIRED', expired_at = SYSDATE(6) WHERE id = %s",
           db.ticket(fan.user))
    site.do(pay(fan.token, seat)).refused(401, "token-expired")
    assert db.balance(fan.user) == 1000


def test_polling_is_told_when_to_come_again(site, db):
    with waiting(site, db, 1) as fans:
        answers = [site.send(status(fans[0].token)) for _ in range(20)]
        delays = {answer.ok()["pollAfterMs"] for answer in answers}
        assert min(delays) >= 1000 and max(delays) <= 60000
        assert len(delays) > 1, "no jitter: all would come at once"
        for answer in answers:
            assert int(answer.header("Retry-After")) == -(-answer.ok()["pollAfterMs"] // 1000)


def test_served_is_the_highest_number_admitted(site, db):
    site.fan()
    wait_until(lambda: db.value("SELECT served FROM gate_state") == db.value(
        "SELECT MAX(id) FROM waiting_queue WHERE admitted_at IS NOT NULL"), 5, "served")


def test_admission_follows_within_a_tick_or_two(site, db):
    with waiting(site, db, 1) as fans:
        pass
    begin = time.monotonic()
    site.wait_admitted(fans, 5)
    assert time.monotonic() - begin < 2


# Leaving -------------------------------------------------------------------------------------


def test_who_leaves_makes_everybody_behind_move_up(site, db):
    with waiting(site, db, 4) as fans:
        wait_until(lambda: places(site, fans) == [1, 2, 3, 4], 5, "places 1 to 4")
        assert site.do(leave(fans[1].token)).ok() == {"status": "LEFT"}
        rest = [fans[0], *fans[2:]]
        wait_until(lambda: places(site, rest) == [1, 2, 3], 5, "two moved up")
        site.do(leave(fans[0].token)).ok()
        wait_until(lambda: places(site, fans[2:]) == [1, 2], 5, "two moved up again")
    site.wait_admitted(fans[2:])


def test_a_ticket_that_left_is_over(site, db, seat):
    with waiting(site, db, 1) as (fan,):
        key = new_key()
        first = site.do(leave(fan.token, key)).ok()
        wait_until(lambda: site.send(status(fan.token)).status == 401, 5, "the end")
        site.send(status(fan.token)).refused(401, "token-left")
        site.send(reserve(fan.token, seat)).refused(401, "token-left")
        site.send(leave(fan.token)).refused(401, "token-left")
        again = site.send(leave(fan.token, key))
        assert again.replayed and again.ok() == first
        # The user may join again, at the end.
        ticket = db.ticket(fan.user)
        assert site.do(issue(fan.user)).ok()["status"] == "WAITING"
        assert db.ticket(fan.user) > ticket


def test_an_admitted_one_that_leaves_frees_its_slot(site, db):
    with waiting(site, db, 2) as (first, second):
        with db.policy(max_active=actives(db) + 1):
            site.wait_admitted([first])
            site.do(leave(first.token)).ok()
            site.wait_admitted([second], 3)


def test_who_holds_a_seat_pays_or_cancels_before_leaving(site, seat):
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    site.do(leave(fan.token)).refused(409, "already-holding")
    site.do(cancel(fan.token, seat)).ok()
    site.do(leave(fan.token)).ok()


def test_leaving_needs_a_token_of_ours(site):
    site.send(leave("nonsense")).refused(401, "token-invalid")


# Who does not come ---------------------------------------------------------------------------


def silent_ticket(site, db, user):
    """A ticket whose user makes no call after it was issued."""
    site.do(issue(user)).ok()
    return db.ticket(user)


def ticket_status(db, ticket):
    return db.value("SELECT status FROM waiting_queue WHERE id = %s", ticket)


def age(db, ticket, seconds):
    """As if the last sign of life were so much older."""
    wait_until(lambda: db.value("SELECT near FROM gate_state") >= ticket, 5, "its clock's start")
    db.run("UPDATE waiting_queue SET seen_at = seen_at - INTERVAL %s SECOND WHERE id = %s",
           seconds, ticket)


def test_a_no_show_makes_room(site, db):
    absent, present = site.users(2)
    reclaimed = db.value("SELECT reclaimed FROM gate_state")
    with waiting(site, db, 0), db.policy(state="paused"):
        ticket = silent_ticket(site, db, absent)
        token = site.do(issue(present)).ok()["token"]
        with db.policy(max_active=actives(db) + 1, show_up_s=5):
            def no_show_ends():
                """The other one calls meanwhile: it may be let in before, when somebody else goes."""
                site.send(status(token)).ok()
                return ticket_status(db, ticket) == "EXPIRED"

            wait_until(no_show_ends, 10, "the no-show's end", 0.1)
            wait_until(lambda: site.send(status(token)).ok()["status"] == "ACTIVE", 3, "the next")
            # Whoever made a call has come.
            wait_until(lambda: db.value("SELECT arrived_at FROM waiting_queue WHERE id = %s",
                                        db.ticket(present)) is not None, 6, "the arrival")
            assert db.value("SELECT show_up_by FROM waiting_queue WHERE id = %s",
                            db.ticket(present)) is None
    assert db.value("SELECT reclaimed FROM gate_state") >= reclaimed + 1


def test_who_is_silent_when_its_turn_comes_is_passed_by(site, db):
    """And comes back to its place with the next call, the first of the line."""
    with waiting(site, db, 3) as fans:
        tickets = [db.ticket(fan.user) for fan in fans]
        age(db, tickets[0], 100)
        age(db, tickets[2], 100)
        with db.policy(max_active=actives(db) + 1, quiet_s=30, grace_s=300):
            wait_until(lambda: [ticket_status(db, ticket) for ticket in tickets] ==
                       ["ASIDE", "ACTIVE", "WAITING"], 5, "the second is let in")
            # It waits on, in its place, which nobody else sees shrink and grow.
            wait_until(lambda: places(site, [fans[0], fans[2]]) == [1, 2], 2, "their places")
            wait_until(lambda: ticket_status(db, tickets[0]) == "WAITING", 6, "its return")
        with db.policy(max_active=actives(db) + 1, quiet_s=30, grace_s=300):
            wait_until(lambda: ticket_status(db, tickets[0]) == "ACTIVE", 5, "its turn")


def test_who_does_not_come_back_in_time_is_out(site, db):
    abandoned = db.value("SELECT abandoned FROM gate_state")
    with waiting(site, db, 2) as fans:
        wait_until(lambda: places(site, fans) == [1, 2], 5, "places")
        tickets = [db.ticket(fan.user) for fan in fans]
        age(db, tickets[0], 100)
        with db.policy(max_active=actives(db) + 1, quiet_s=30, grace_s=1):
            wait_until(lambda: ticket_status(db, tickets[0]) == "EXPIRED", 6, "the end of its grace")
            assert ticket_status(db, tickets[1]) == "ACTIVE"
            wait_until(lambda: site.send(status(fans[0].token)).status == 401, 3, "the token's end")
            site.send(status(fans[0].token)).refused(401, "token-expired")
    assert db.value("SELECT abandoned FROM gate_state") == abandoned + 1


# What everybody is told ----------------------------------------------------------------------


def test_a_message_reaches_every_poll_within_a_second(site, db):
    with waiting(site, db, 1) as (fan,):
        with db.policy(state="paused", message='back at 20:00 "sharp" 곧'):
            begin = time.monotonic()
            wait_until(lambda: site.send(status(fan.token)).ok()["message"]
                       == 'back at 20:00 "sharp" 곧', 5, "the message", 0.02)
            assert time.monotonic() - begin < 1
            assert site.send(status(fan.token)).ok()["gate"] == "paused"
        wait_until(lambda: site.send(status(fan.token)).ok()["message"] is None, 5, "its end")


def test_a_closed_line_says_why(site, db):
    with db.policy(state="closed", reason="the hall is being cleared"):
        answer = site.do(issue(site.users()[0])).refused(503, "closed")
        assert answer["message"] == "the hall is being cleared"


def test_a_policy_that_makes_no_sense_does_not_rule(site, db):
    with waiting(site, db, 1) as (fan,):
        with db.policy(max_active=0, window_limit=0):
            ticked = db.value("SELECT ticked_at FROM gate_state")
            wait_until(lambda: db.value("SELECT ticked_at FROM gate_state") != ticked, 5, "a tick")
            assert site.send(status(fan.token)).ok()["status"] == "WAITING"
            assert db.value("SELECT policy_state FROM gate_state") == "paused"
