"""The draw: places by a lot that nobody knows beforehand and anybody can check afterwards."""

import json
import subprocess
import sys
import threading
import time

import pytest

from api import Call, Fan, get, issue, leave, status
from instance import ROOT
from wait import wait_until

CHECKER = ROOT / "ctl" / "check-draw"


@pytest.fixture
def ctl(instance, site, db):
    """Runs ./boxoffice ctl; afterwards the line is empty, the policy that of the tests, and no draw is
    left to be drawn."""
    assert site
    wait_until(lambda: db.value("SELECT waiting FROM gate_state") == 0, 10, "an empty line")

    def run(*arguments, check=True):
        return instance.run("ctl", *arguments, check=check)

    yield run
    db.run("UPDATE gate_draw SET opens_at = SYSDATE(6) WHERE state = 'joining'")
    wait_until(lambda: db.value("SELECT COUNT(*) FROM gate_draw WHERE state = 'joining'") == 0, 5,
               "the end of joining")
    if db.value("SELECT COUNT(*) FROM gate_draw WHERE live = 1"):
        wait_until(lambda: db.value("SELECT roster IS NOT NULL FROM gate_draw WHERE live = 1"), 5,
                   "the roster")
        run("--yes", "draw", "reveal", "the end of a test", check=False)
        wait_until(lambda: db.value("SELECT COUNT(*) FROM gate_draw WHERE live = 1") == 0, 20,
                   "the draw")
    db.set_policy()
    wait_until(lambda: db.value("SELECT waiting FROM gate_state") == 0, 20, "an empty line")


def at(seconds):
    """A moment so many seconds ahead, as an operator in Seoul writes it."""
    moment = time.gmtime(time.time() + seconds + 9 * 3600)
    return time.strftime("%Y-%m-%d %H:%M:%S", moment), "Asia/Seoul"


def draw(site):
    return site.send(get("/queue/draw")).ok()


def plan(ctl, site, seconds=60):
    """An opening, known to every front."""
    value = f"the value of {time.time()}"
    ctl("draw", "plan", *at(seconds), value)
    seen_by_all(site, lambda found: found and found["publicName"] == value)


def reveal(ctl, site, value):
    ctl("--yes", "draw", "reveal", value)
    seen_by_all(site, lambda found: found["state"] == "drawn" and found["publicValue"] == value)


def seen_by_all(site, is_so):
    """Ten calls go to both fronts, all but surely."""
    wait_until(lambda: all(is_so(draw(site)) for _ in range(10)), 20, "the news at every front")


def open_now(db):
    db.run("UPDATE gate_draw SET opens_at = SYSDATE(6) WHERE state = 'joining'")
    wait_until(lambda: db.value("SELECT roster IS NOT NULL FROM gate_draw WHERE live = 1"), 5,
               "the roster's digest")


def place(site, fan):
    return site.send(status(fan.token)).ok()


def check(site, ctl, tmp_path, *user):
    """What check-draw says about the newest draw: (status, {ticket: place})."""
    (tmp_path / "draw").write_text(json.dumps(site.send(get("/queue/draw")).json))
    (tmp_path / "roster").write_text(ctl("draw", "roster").stdout)
    done = subprocess.run([sys.executable, str(CHECKER), str(tmp_path / "draw"),
                           str(tmp_path / "roster"), *user], capture_output=True, text=True,
                          check=False)
    pairs = [line.split(",") for line in done.stdout.splitlines()]
    return done.returncode, {int(ticket): int(number) for number, ticket in pairs}


def test_from_joining_to_a_place(site, ctl, db, tmp_path):
    ctl("gate", "pause")
    plan(ctl, site)
    planned = draw(site)
    assert planned["state"] == "joining" and planned["zone"] == "Asia/Seoul"
    assert len(planned["commitment"]) == 64 and planned["secret"] is None and planned["seed"] is None

    fans = site.fans(30, admitted=False)
    for fan in fans[:3]:
        found = place(site, fan)
        assert found["status"] == "WAITING" and found["opensAt"] == planned["opensAt"]
        assert (found["number"], found["position"], found["ahead"]) == (None, None, None)
        assert not found["etaKnown"] and found["pollAfterMs"] >= 1000
    site.do(leave(fans[4].token)).ok()

    open_now(db)
    late = site.fans(2, admitted=False)
    late.sort(key=lambda fan: db.ticket(fan.user))
    seen_by_all(site, lambda found: found["roster"] is not None)
    closed = draw(site)
    assert closed["state"] == "closed" and closed["seed"] is None
    assert closed["lastTicket"] - closed["firstTicket"] == 29
    # Later comers have their numbers, behind all who joined and are still there.
    assert [place(site, fan)["position"] for fan in late] == [30, 31]

    reveal(ctl, site, "0xfeed")
    status_code, places = check(site, ctl, tmp_path)
    assert status_code == 0
    first = closed["firstTicket"]
    assert sorted(places) == sorted(places.values()) == list(range(first, first + 30))
    assert sorted(places, key=places.get) != sorted(places), "as they came"
    staying = [fan for fan in fans if fan is not fans[4]]
    numbers = [places[db.ticket(fan.user)] for fan in staying]
    wait_until(lambda: [place(site, fan)["number"] for fan in staying] == numbers, 5, "places")
    positions = {fan.token: place(site, fan)["position"] for fan in staying}
    by_number = [fan for _, fan in sorted(zip(numbers, staying), key=lambda pair: pair[0])]
    assert [positions[fan.token] for fan in by_number] == list(range(1, 30))
    assert [place(site, fan)["position"] for fan in late] == [30, 31]
    # One's own line alone.
    assert check(site, ctl, tmp_path, staying[0].user)[1] == {db.ticket(staying[0].user): numbers[0]}

    ctl("gate", "open")
    site.wait_admitted(staying + late)
    order = [number for number, in db.rows(
        "SELECT place FROM waiting_queue WHERE place >= %s AND admitted_at IS NOT NULL"
        " ORDER BY admitted_at, place", first)]
    assert order == sorted(order)


def test_a_changed_roster_value_or_secret_is_noticed(site, ctl, db, tmp_path):
    ctl("gate", "pause")
    plan(ctl, site)
    site.fans(4, admitted=False)
    open_now(db)
    reveal(ctl, site, "7")
    published = draw(site)
    roster = ctl("draw", "roster").stdout.splitlines()

    def verdict(changed, lines):
        (tmp_path / "draw").write_text(json.dumps(changed))
        (tmp_path / "roster").write_text("".join(f"{line}\n" for line in lines))
        return subprocess.run([sys.executable, str(CHECKER), str(tmp_path / "draw"),
                               str(tmp_path / "roster")], capture_output=True, check=False).returncode

    other = "00" * 32
    assert verdict(published, roster) == 0
    assert verdict({**published, "publicValue": "8"}, roster) == 1
    assert verdict({**published, "secret": other}, roster) == 1
    assert verdict({**published, "commitment": other}, roster) == 1
    assert verdict({**published, "seed": other}, roster) == 1
    assert verdict(published, roster[:-1]) == 1
    assert verdict(published, [roster[0].split(",")[0] + "," + other, *roster[1:]]) == 1


def test_a_join_that_races_the_opening_is_in_the_draw_or_behind_it(site, ctl, db):
    """Never both, never neither: by the database's clock, under the lock on the line."""
    ctl("gate", "pause")
    users = site.users(300)
    plan(ctl, site)
    opens = threading.Timer(0.15, open_now, (db,))
    opens.start()
    answers = site.settle_all(site.swarm([issue(user) for user in users], 20))
    opens.join()
    fans = [Fan(user, answer.ok()["token"]) for user, answer in zip(users, answers)]
    site.fan(admitted=False)  # the opening is past: whoever comes now is behind
    first, last = db.row("SELECT first_ticket, last_ticket FROM gate_draw WHERE live = 1")
    tickets = db.rows("SELECT id, place, created_at < (SELECT opens_at FROM gate_draw WHERE live = 1)"
                      " FROM waiting_queue WHERE id >= %s ORDER BY id", first)
    assert [number for number, _, _ in tickets] == list(range(first, first + 301))
    for number, given, was_before in tickets:
        assert (given is None) == (number <= last) == bool(was_before)
        assert given in (None, number)
    in_draw = [fan for fan in fans if place(site, fan)["number"] is None]
    assert len(in_draw) == last - first + 1


def test_nobody_passes_a_draw_that_is_not_drawn(site, ctl, db):
    plan(ctl, site)
    fans = site.fans(2, admitted=False)
    open_now(db)
    late = site.fan(admitted=False)
    ticked = db.value("SELECT ticked_at FROM gate_state")
    wait_until(lambda: (db.value("SELECT ticked_at FROM gate_state") - ticked).total_seconds() > 1,
               5, "some ticks")
    assert {place(site, fan)["status"] for fan in [*fans, late]} == {"WAITING"}
    ctl("--yes", "draw", "reveal", "now")
    site.wait_admitted([*fans, late])


def test_who_is_in_a_draw_resumes_there(site, ctl, db):
    plan(ctl, site)
    fan = site.fan(admitted=False)
    again = site.do(issue(fan.user, resume=True)).ok()
    assert again["number"] is None and again["opensAt"] is not None
    assert db.value("SELECT COUNT(*) FROM waiting_queue WHERE user_id = %s AND live_user_id IS NOT NULL",
                    db.user(fan.user)) == 1


def test_the_opening_can_be_moved(site, ctl, db):
    plan(ctl, site, 3600)
    fan = site.fan(admitted=False)
    before = wait_until(lambda: place(site, fan)["opensAt"], 2, "the opening")
    wait_until(lambda: json.loads(ctl("--json", "draw", "status").stdout)["joined"] == 1, 5, "one")
    moved = json.loads(ctl("--json", "draw", "move", *at(7200)).stdout)
    wait_until(lambda: place(site, fan)["opensAt"] == moved["opens_at"] > before, 2, "the new one")


@pytest.mark.parametrize("arguments, why", [
    (["plan", "soon", "UTC", "x"], "no time like"),
    (["plan", "2026-12-01 20:00", "Asia/Soul", "x"], "no time zone"),
    (["plan", "2020-01-01 20:00", "UTC", "x"], "past"),
    (["plan", "2050-01-01 20:00", "UTC", ""], "needs a name"),
    (["move", "2050-01-01 20:00", "UTC"], "no draw can be joined"),
    (["reveal", "5"], "no roster is closed"),
    (["reveal", "a\nb"], "1 to 200 characters"),
])
def test_what_makes_no_sense_is_refused(ctl, arguments, why):
    done = ctl("--yes", "draw", *arguments, check=False)
    assert done.returncode == 1 and why in done.stderr


def test_one_draw_at_a_time_and_one_value(site, ctl, db):
    plan(ctl, site, 3600)
    done = ctl("draw", "plan", *at(7200), "another", check=False)
    assert done.returncode == 1 and "another draw" in done.stderr
    site.fan(admitted=False)
    early = ctl("--yes", "draw", "reveal", "5", check=False)
    assert early.returncode == 1 and "no roster is closed" in early.stderr
    open_now(db)
    asked = ctl("draw", "reveal", "5", check=False)
    assert asked.returncode == 1 and "--yes" in asked.stderr
    reveal(ctl, site, "5")
    again = ctl("--yes", "draw", "reveal", "6", check=False)
    assert again.returncode == 1


def test_a_draw_that_nobody_joined_is_over(site, ctl, db):
    plan(ctl, site)
    db.run("UPDATE gate_draw SET opens_at = SYSDATE(6) WHERE state = 'joining'")
    seen_by_all(site, lambda found: found["state"] == "drawn")
    site.wait_admitted([site.fan(admitted=False)])


def test_a_front_that_starts_after_the_draw_knows_the_places(site, ctl, db, instance):
    ctl("gate", "pause")
    plan(ctl, site)
    fans = site.fans(6, admitted=False)
    open_now(db)
    reveal(ctl, site, "9")
    numbers = [db.value("SELECT place FROM waiting_queue WHERE id = %s", db.ticket(fan.user))
               for fan in fans]
    wait_until(lambda: [place(site, fan)["number"] for fan in fans] == numbers, 5, "places")
    instance.run("restart", "front")
    assert [place(site, fan)["number"] for fan in fans] == numbers
    assert sorted(place(site, fan)["position"] for fan in fans) == [1, 2, 3, 4, 5, 6]


def test_a_gate_worker_killed_while_it_draws_is_followed_by_another(site, ctl, db, instance):
    ctl("gate", "pause")
    plan(ctl, site)
    fans = site.fans(5, admitted=False)
    open_now(db)
    instance.end("gate-worker-0", 9)
    try:
        reveal(ctl, site, "9")
    finally:
        instance.start("gate-worker-0")
    assert len({place(site, fan)["number"] for fan in fans}) == 5


def test_the_draw_is_public_and_needs_no_token(site):
    site.send(get("/queue/draw")).ok()
    site.send(Call("POST", "/queue/draw", b"", [])).refused(405, "method-not-allowed")
