"""boxofficectl concert, schedule, seat and import: the catalogue, changed whole and on the record."""

import json
import uuid

import pytest

from api import charge, pay, reserve, seats
from test_audit import audit, broken
from wait import wait_until

TIMES = ["2031-05-01 19:00", "2031-05-01 22:00", "2025-01-01 00:00", "2031-05-01 00:00"]


@pytest.fixture
def ctl(instance, site):
    assert site

    def run(*arguments, check=True):
        done = instance.run("ctl", "--json", *arguments, check=check)
        return json.loads(done.stdout) if check else done

    return run


@pytest.fixture
def name():
    return f"새 콘서트 {uuid.uuid4().hex[:8]}"


@pytest.fixture
def concert(ctl, name):
    return ctl("concert", "add", name)["concert"]


def refused(ctl, *arguments):
    done = ctl(*arguments, check=False)
    assert done.returncode == 1 and "refused" in done.stderr, done
    return done.stderr


def test_a_concert_is_added_once(ctl, concert, name):
    listed = {each["id"]: each for each in ctl("concert", "list")["concerts"]}
    assert listed[concert] == {"id": concert, "schedules": 0, "name": name}
    assert ctl("concert", "add", name) == {"concerts": 0, "schedules": 0, "seats": 0, "concert": concert,
                                           "schedule": 0}


def test_a_schedule_is_added_and_sold_from(ctl, site, concert):
    added = ctl("--by", "kim", "schedule", "add", str(concert), *TIMES, "3", "1200", "Asia/Seoul")
    assert (added["schedules"], added["seats"]) == (1, 3)
    schedule, = ctl("schedule", "list", str(concert))["schedules"]
    assert schedule == {
        "id": added["schedule"], "concert": concert, "open_at": "2031-05-01T10:00:00.000000Z",
        "close_at": "2031-05-01T13:00:00.000000Z", "booking_start_at": "2024-12-31T15:00:00.000000Z",
        "booking_end_at": "2031-04-30T15:00:00.000000Z", "seats": 3, "held": 0, "sold": 0}
    fan = site.fan(balance=1200)
    offered = wait_until(lambda: site.send(seats(fan.token, added["schedule"])).ok(), 5, "the seats")
    assert [(seat["seatNumber"], seat["price"]) for seat in offered] == [("1", 1200), ("2", 1200), ("3", 1200)]
    site.do(reserve(fan.token, offered[0]["id"])).ok()
    assert [seat["state"] for seat in ctl("seat", "list", str(added["schedule"]))["seats"]] == [
        "held", "free", "free"]
    site.do(pay(fan.token, offered[0]["id"])).ok()
    assert ctl("schedule", "list", str(concert))["schedules"][0]["sold"] == 1
    newest = ctl("concert", "history")["changes"][0]
    assert (newest["by"], newest["schedule"], newest["what"]) == ("kim", added["schedule"], "3 seats added")


def test_the_same_schedule_again_is_left_as_it_is(ctl, concert):
    arguments = ["schedule", "add", str(concert), *TIMES, "3", "1200"]
    first = ctl(*arguments)
    again = ctl(*arguments)
    assert again == {**first, "schedules": 0, "seats": 0}
    assert "another price" in refused(ctl, *arguments[:-1], "1300")
    arguments[4] = "2031-05-01 23:00"
    assert "other times" in refused(ctl, *arguments)


@pytest.mark.parametrize("place, value, why", [
    (0, "2031-05-01", "no time like"), (1, "2031-04-01 00:00", "closes before"),
    (3, "2024-01-01 00:00", "ends before"), (2, "2031-05-02 00:00", "ends before"),
    (4, "0", "seats"), (4, "10001", "seats"), (5, "0", "price"), (5, "100000001", "price"),
    (6, "Asia/Nowhere", "no time zone")])
def test_a_schedule_that_makes_no_sense(ctl, concert, place, value, why):
    arguments = [*TIMES, "3", "1200", "UTC"]
    arguments[place] = value
    assert why in refused(ctl, "schedule", "add", str(concert), *arguments)


def test_a_concert_that_is_not_there(ctl):
    assert "there is no concert" in refused(ctl, "schedule", "add", "99999999", *TIMES, "3", "1200")
    refused(ctl, "schedule", "add", "x", *TIMES, "3", "1200")
    refused(ctl, "concert", "add", "x" * 201)
    refused(ctl, "concert", "add", "a\nb")


def test_seats_get_another_price_and_go_off_sale(ctl, site, concert):
    schedule = ctl("schedule", "add", str(concert), *TIMES, "12", "1200")["schedule"]
    holder = site.fan(balance=1200)
    first = ctl("seat", "list", str(schedule))["seats"][0]["id"]
    wait_until(lambda: site.send(seats(holder.token, schedule)).status == 200, 5, "the schedule")
    site.do(reserve(holder.token, first)).ok()
    assert ctl("seat", "set", str(schedule), "1-2,12", "price=1500", "on-sale=no") == {
        "schedule": schedule, "seats": 3}
    listed = {seat["number"]: (seat["price"], seat["on_sale"])
              for seat in ctl("seat", "list", str(schedule))["seats"]}
    assert listed["1"] == listed["2"] == listed["12"] == (1500, False) and listed["3"] == (1200, True)
    # A hold keeps the price of its moment.
    assert site.do(pay(holder.token, first)).ok()["totalAmount"] == 1200
    assert ctl("concert", "history")["changes"][0]["what"] == \
        "3 seats from 1 to 12: price=1500 on-sale=no"
    ctl("seat", "set", str(schedule), "2", "on-sale=yes")
    assert ctl("seat", "list", str(schedule))["seats"][1]["on_sale"] is True


@pytest.mark.parametrize("arguments", [
    ["1-13", "price=1"], ["0", "price=1"], ["3-2", "price=1"], ["1,", "price=1"], ["", "price=1"],
    ["1", "price=0"], ["1", "price=x"], ["1", "on-sale=perhaps"], ["1", "colour=red"]])
def test_seats_that_are_not_set(ctl, concert, arguments):
    schedule = ctl("schedule", "add", str(concert), *TIMES, "12", "1200")["schedule"]
    refused(ctl, "seat", "set", str(schedule), *arguments)
    assert {seat["price"] for seat in ctl("seat", "list", str(schedule))["seats"]} == {1200}


def test_a_seat_is_set_while_it_is_sold(ctl, site, db, schedule):
    """Both want the seats' rows: nobody's change is lost."""
    fans = site.fans(20, balance=2000)
    calls = [reserve(fan.token, seat) for fan, seat in zip(fans, schedule.seats)]
    for _ in range(3):
        site.settle_all(site.swarm(calls, 20))
        ctl("seat", "set", str(schedule.id), "1-50", "price=1100")
    assert db.value("SELECT COUNT(*) FROM seat WHERE concert_schedule_id = %s AND price = 1100",
                    schedule.id) == 50
    assert site.do(charge(fans[0].user, 1)).ok()


# Importing -----------------------------------------------------------------------------------------


@pytest.fixture
def described(name):
    return {"concerts": [
        {"name": name, "schedules": [
            {"open": "2031-05-01 19:00", "close": "2031-05-01 22:00", "bookingStart": "2025-01-01 00:00",
             "bookingEnd": "2031-05-01 00:00", "zone": "Asia/Seoul",
             "seats": [{"numbers": "1-10", "price": 154000}, {"numbers": "11-50", "price": 88000},
                       {"numbers": "51", "price": 1, "onSale": False}]},
            {"open": "2031-05-02 19:00", "close": "2031-05-02 22:00", "bookingStart": "2025-01-01 00:00",
             "bookingEnd": "2031-05-01 00:00", "seats": [{"numbers": "1-50", "price": 99000}]}]},
        {"name": name + " II", "schedules": []}]}


def write(tmp_path, content):
    path = tmp_path / "catalogue.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return str(path)


def test_an_import_again_changes_nothing(ctl, instance, db, tmp_path, described, name):
    path = write(tmp_path, described)
    done = ctl("import", path)
    assert (done["concerts"], done["schedules"], done["seats"]) == (2, 2, 101)
    changes = db.value("SELECT COUNT(*) FROM catalogue_change")
    again = ctl("import", path)
    assert (again["concerts"], again["schedules"], again["seats"]) == (0, 0, 0)
    assert db.value("SELECT COUNT(*) FROM catalogue_change") == changes
    concert = db.value("SELECT id FROM concert WHERE name = %s", name)
    assert [each["seats"] for each in ctl("schedule", "list", str(concert))["schedules"]] == [51, 50]
    # More of it is added.
    described["concerts"][0]["schedules"][1]["seats"].append({"numbers": "60", "price": 5})
    assert ctl("import", write(tmp_path, described))["seats"] == 1
    assert broken(audit(instance)[1]) == {}


def change(described, path, value):
    at = described
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return described


FIRST = ["concerts", 0, "schedules", 0]


@pytest.mark.parametrize("path, value, why", [
    (["concerts", 0, "name"], "", "name"), (["concerts", 0, "name"], None, "name"),
    (["concerts"], {}, "concerts"), (["concerts", 0, "schedules"], None, "schedules"),
    (["concerts", 0, "colour"], "red", "colour"), (["colour"], "red", "colour"),
    ([*FIRST, "open"], "tomorrow", "schedules 1"), ([*FIRST, "open"], None, "open"),
    ([*FIRST, "zone"], "Asia/Nowhere", "no time zone"),
    ([*FIRST, "open"], "2031-05-02 04:00", "closes before"),
    ([*FIRST, "seats", 0, "price"], 0, "price"), ([*FIRST, "seats", 0, "price"], "1", "price"),
    ([*FIRST, "seats", 1, "numbers"], "10-50", "twice"), ([*FIRST, "seats", 1, "numbers"], "x", "numbers"),
    ([*FIRST, "seats"], None, "seats"), ([*FIRST, "seats", 0, "onSale"], 1, "onSale")])
def test_an_import_with_a_mistake_does_nothing(ctl, db, tmp_path, described, name, path, value, why):
    said = refused(ctl, "import", write(tmp_path, change(described, path, value)))
    assert why in said, said
    assert db.value("SELECT COUNT(*) FROM concert WHERE name LIKE %s", name + "%") == 0


@pytest.mark.parametrize("content", ["{", "[]", '{"concerts":[],"concerts":[]}', '{"concerts":[{"name":"\\ud800"}]}'])
def test_a_file_that_is_none(ctl, tmp_path, content):
    refused(ctl, "import", write(tmp_path, content))


def test_all_or_nothing(ctl, db, tmp_path, described, name):
    """What contradicts the catalogue at its end undoes what came before."""
    ctl("import", write(tmp_path, {"concerts": [{"name": name + " II", "schedules": [
        {**described["concerts"][0]["schedules"][1]}]}]}))
    described["concerts"][1]["schedules"] = [
        {**described["concerts"][0]["schedules"][1], "seats": [{"numbers": "1", "price": 1}]}]
    assert "another price" in refused(ctl, "import", write(tmp_path, described))
    assert db.value("SELECT COUNT(*) FROM concert WHERE name = %s", name) == 0


def test_files_that_cannot_be_read(ctl, tmp_path):
    for path in (str(tmp_path / "none"), write(tmp_path, ""), str(tmp_path)):
        assert ctl("import", path, check=False).returncode == 1


def test_an_operator_changes_the_catalogue_and_no_more(instance, db):
    import pymysql
    values = instance.ctl_values()
    with db.connect(user=values["mysql_user"], password=values["mysql_password"]) as connection, \
            connection.cursor() as cursor:
        for sql in ("DELETE FROM seat", "UPDATE seat SET seat_number = '1'", "DELETE FROM concert",
                    "UPDATE concert_schedule SET open_at = close_at", "UPDATE catalogue_change SET what = ''",
                    "DELETE FROM catalogue_change", "UPDATE concert SET name = ''"):
            with pytest.raises(pymysql.err.MySQLError) as caught:
                cursor.execute(sql)
            assert caught.value.args[0] in (1142, 1143), sql
