"""Histories whose verdict is known: each bad one is a good one with one thing wrong."""

import pytest

from check import check
from history import gather
from sample import (META, balance, cancel, charge, final_balance, final_line, final_seat, free, issue, leave, own, pay,
                    refund, reserve, seat_map, status)

SHORT = {"balance": 500, "price": 1000, "missing": 500}
BOUGHT = [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7), pay("u", 1, 40, 50, 3)]

GOOD = {
    "nothing": [],
    "a sale": [*BOUGHT, own("u", 60, 70, payments=[3]), balance("u", 60, 70, 500), final_seat(1, 80, "sold", "u"),
               final_balance("u", 80, 500)],
    "who overlaps may come in any order": [reserve("v", 1, 20, 60, code="seat-held"), reserve("u", 1, 30, 50, 7)],
    "a hold ends at its time": [reserve("u", 1, 20, 30, 7), reserve("v", 1, 3020, 3040, 8)],
    "an expired hold": [reserve("u", 1, 20, 30, 7),
                        pay("u", 1, 3040, 3050, code="hold-expired", data={"seatState": "free"})],
    "an expired hold of a seat that is another's now": [
        reserve("u", 1, 20, 30, 7), reserve("v", 1, 3040, 3050, 8),
        cancel("u", 1, 3060, 3070, code="hold-expired", data={"seatState": "held"})],
    "payment against expiry, the payment first": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7),
                                                  pay("u", 1, 3010, 3050, 3)],
    "a picture between a hold's end and its payment": [
        charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7), pay("u", 1, 3010, 3060, 3), own("u", 3040, 3050),
        seat_map("v", 3040, 3050, 1, (1, "free", False)), seat_map("v", 3070, 3080, 2, (1, "sold", False))],
    "a list a little ahead of a hold's end": [reserve("u", 1, 20, 30, 7, at=25), free("v", 2950, 2960, 1)],
    "one's own hold is returned, not extended": [reserve("u", 1, 20, 30, 7), reserve("u", 1, 90, 99, 7, at=25)],
    "a cancelled seat": [reserve("u", 1, 20, 30, 7), cancel("u", 1, 40, 50, 7), reserve("v", 1, 60, 70, 8),
                         cancel("u", 1, 80, 90, code="not-held")],
    "one seat a ticket": [reserve("u", 1, 20, 30, 7), reserve("u", 2, 40, 50, code="already-holding"),
                          leave("u", 60, 70, code="already-holding"), cancel("u", 1, 80, 90, 7), leave("u", 100, 110)],
    "too little money": [charge("u", 500, 0, 10, 500), reserve("u", 1, 20, 30, 7),
                         pay("u", 1, 40, 50, code="insufficient-balance", data=SHORT)],
    "a payment that was never answered": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7),
                                          pay("u", 1, 40, None), balance("u", 60, 70, 1500), balance("u", 80, 90, 500),
                                          final_seat(1, 100, "sold", "u"), final_balance("u", 100, 500)],
    "a reserve that was never answered, and its end": [
        reserve("u", 1, 20, None), reserve("v", 1, 40, 50, code="seat-held"), reserve("v", 1, 3050, 3060, 8)],
    "a charge that was looked up": [charge("u", 100, 0, None, key="k"), balance("u", 50, 60, 100),
                                    charge("u", 100, 90, 99, 100, key="k")],
    "another amount under a used key": [charge("u", 100, 0, 10, 100, key="k"),
                                        charge("u", 200, 20, 30, code="key-reused", key="k"), balance("u", 50, 60, 100)],
    "a refund": [*BOUGHT, refund(3, 1, 60, 70, 1500), refund(3, 1, 80, 90, code="already-refunded"),
                 final_seat(1, 100, "free"), balance("u", 100, 110, 1500), own("u", 100, 110, payments=[3])],
    "a picture within the bound": [seat_map("v", 10, 11, 1, (1, "free", False)), reserve("u", 1, 20, 30, 7),
                                   seat_map("v", 300, 310, 1, (1, "free", False)), free("v", 300, 310, 1),
                                   seat_map("v", 400, 410, 2, (1, "held", False)),
                                   seat_map("u", 400, 410, 2, (1, "held", True)), free("v", 400, 410)],
    "an old picture while the database is away": [
        reserve("u", 1, 20, 30, 7), {"note": "stale", "from": 20_000_000, "until": 2000_000_000},
        seat_map("v", 1500, 1510, 1, (1, "free", False))],
    "a line": [issue("u", 0, 10, 1), issue("v", 5, 30, 3), issue("w", 8, 20, 2), status("u", 40, 41, 1, "ACTIVE"),
               status("v", 40, 41, 3, "WAITING"), status("v", 50, 51, 3, "ACTIVE"), final_line(60, 3, 3)],
}

BAD = {
    "a lost write": [charge("u", 100, 0, 10, 100), balance("u", 20, 30, 0)],
    "a lost write, seen at the end": [charge("u", 100, 0, 10, 100), final_balance("u", 20, 0)],
    "a lost write between others": [charge("u", 100, 0, 10, 100), charge("u", 50, 20, 30, 50)],
    "a lost hold": [reserve("u", 1, 20, 30, 7), reserve("v", 1, 40, 50, 8)],
    "a lost payment": [*BOUGHT, own("u", 60, 70)],
    "a lost sale, seen at the end": [*BOUGHT, final_seat(1, 80, "free")],
    "a double sale": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7), pay("u", 1, 40, 50, 3),
                      charge("v", 1500, 0, 10, 1500), pay("v", 1, 40, 50, 4)],
    "a seat sold to two": [*BOUGHT, reserve("v", 1, 60, 70, 8)],
    "a double charge": [charge("u", 100, 0, 10, 100), balance("u", 20, 30, 200)],
    "a charge applied with each sending": [charge("u", 100, 0, None, key="k"), charge("u", 100, 20, 30, 200, key="k")],
    "a double debit": [charge("u", 2500, 0, 10, 2500), reserve("u", 1, 20, 30, 7), pay("u", 1, 40, 50, 3),
                       balance("u", 60, 70, 500)],
    "a debit without a seat": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7), cancel("u", 1, 40, 50, 7),
                               pay("u", 1, 60, 70, 3)],
    "a payment for the last time's hold": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7),
                                           pay("u", 1, 3040, 3050, 3)],
    "a payment that the balance does not cover": [charge("u", 500, 0, 10, 500), reserve("u", 1, 20, 30, 7),
                                                  pay("u", 1, 40, 50, 3)],
    "a refusal for want of money that is there": [charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7),
                                                  pay("u", 1, 40, 50, code="insufficient-balance", data=SHORT)],
    "an answer that changed on retry": [charge("u", 100, 0, 10, 100, key="k"), charge("u", 100, 20, 30, 200, key="k")],
    "a refusal that became a success": [reserve("u", 1, 0, 10, code="seat-held", key="k"),
                                        reserve("u", 1, 20, 30, 7, key="k")],
    "another amount under a used key, applied": [charge("u", 100, 0, 10, 100, key="k"),
                                                 charge("u", 200, 20, 30, 300, key="k")],
    "a fresh key refused as used": [charge("u", 100, 0, 10, code="key-reused", key="k")],
    "a refund that came twice": [*BOUGHT, refund(3, 1, 60, 70, 1500), refund(3, 1, 80, 90, 2500)],
    "a refund without money": [*BOUGHT, refund(3, 1, 60, 70, 1500), balance("u", 80, 90, 500)],
    "a refund that leaves the seat sold": [*BOUGHT, refund(3, 1, 60, 70, 1500), final_seat(1, 90, "sold", "u")],
    "a hold released before its end": [reserve("u", 1, 20, 30, 7), reserve("v", 1, 2000, 2010, 8)],
    "a hold that ran out too soon": [reserve("u", 1, 20, 30, 7),
                                     cancel("u", 1, 2000, 2010, code="hold-expired", data={"seatState": "free"})],
    "a hold that does not end": [reserve("u", 1, 20, 30, 7), reserve("v", 1, 3050, 3060, code="seat-held")],
    "a hold that is too short": [reserve("u", 1, 20, 30, 7, hold_s=1)],
    "one's own hold, extended": [reserve("u", 1, 20, 30, 7), reserve("u", 1, 90, 99, 7, at=95)],
    "a second hold of the same fan": [reserve("u", 1, 20, 30, 7), reserve("u", 2, 40, 50, 8)],
    "held by nobody": [reserve("u", 1, 20, 30, code="seat-held")],
    "sold to nobody": [reserve("u", 1, 20, 30, code="seat-sold")],
    "another's hold given up": [reserve("u", 1, 20, 30, 7), cancel("v", 1, 40, 50, 7)],
    "not held, by its holder": [reserve("u", 1, 20, 30, 7), cancel("u", 1, 40, 50, code="not-held")],
    "not held, though it ran out": [reserve("u", 1, 20, 30, 7), cancel("u", 1, 3040, 3050, code="not-held")],
    "a stale picture": [reserve("u", 1, 20, 30, 7), seat_map("v", 340, 350, 1, (1, "free", False))],
    "a stale list": [reserve("u", 1, 20, 30, 7), seat_map("v", 340, 350, 1, (1, "held", False)), free("v", 340, 350, 1)],
    "a sold seat shown as free": [*BOUGHT, seat_map("v", 360, 370, 1, (1, "free", False))],
    "a picture after a payment in the last moment": [
        charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, 30, 7), pay("u", 1, 3010, 3060, 3),
        seat_map("v", 3370, 3380, 1, (1, "free", False))],
    "a list far ahead of a hold's end": [reserve("u", 1, 20, 30, 7, at=25), free("v", 2850, 2860, 1)],
    "a picture of what never was": [seat_map("v", 340, 350, 1, (1, "sold", False))],
    "another's seat shown as mine": [reserve("u", 1, 20, 30, 7), seat_map("v", 100, 110, 1, (1, "held", True))],
    "a stale look at one's own": [reserve("u", 1, 20, 30, 7), own("u", 40, 50)],
    "a balance that goes back": [charge("u", 100, 0, 50, 100), balance("u", 10, 20, 100), balance("u", 25, 30, 0)],
    "two maps of one version": [reserve("u", 1, 20, 30, 7), seat_map("v", 10, 40, 5, (1, "free", False)),
                                seat_map("v", 10, 41, 5, (1, "held", False))],
    "a map that goes back": [seat_map("v", 10, 20, 5, (1, "free", False)), seat_map("v", 400, 410, 4, (1, "free", False))],
    "a number twice": [issue("u", 0, 10, 1), issue("v", 20, 30, 1)],
    "a later comer in front": [issue("u", 0, 10, 2), issue("v", 20, 30, 1)],
    "a gap in the line": [issue("u", 0, 10, 1), issue("v", 20, 30, 3), final_line(40, 3, 2)],
    "admitted out of turn": [issue("u", 0, 10, 1), issue("v", 20, 30, 2), status("v", 40, 50, 2, "ACTIVE"),
                             status("u", 400, 410, 1, "WAITING")],
    "a time outside its operation": [reserve("u", 1, 20, 30, 7, at=25), reserve("v", 2, 40, 50, 8, at=90)],
    "a balance that is not its history": [charge("u", 100, 0, 10, 100), final_balance("u", 20, 100, 200)],
    "a write in the future": [final_balance("u", 10, 100), charge("u", 100, 20, 30, 100)],
}


@pytest.mark.parametrize("name", GOOD)
def test_good(name):
    report = check(gather([META, *GOOD[name]]))
    assert report.code == 0, "\n".join(report.text)


@pytest.mark.parametrize("name", BAD)
def test_bad(name):
    report = check(gather([META, *BAD[name]]))
    assert report.code == 1, f"{name} passed"
    assert len(report.text) > 1 and all(len(text) < 260 for text in report.text), report.text
