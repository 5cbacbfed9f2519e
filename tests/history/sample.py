"""Lines of a history, written by hand: times in milliseconds, in the order of the tests that use them."""

from datetime import datetime, timedelta, timezone

MS = 1_000_000
HOLD_S = 3
PRICE = 1000
META = {"meta": {"hold_s": HOLD_S, "stale_ms": 300}}
START = datetime(2026, 11, 24, 10, tzinfo=timezone.utc)  # by the database's clock, when the history's is 0


def time_of(ms):
    return (START + timedelta(milliseconds=ms)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def line(op, call, end, answer=None, code=None, status=None, **about):
    """end None: no answer came."""
    made = {"process": about.pop("process", "fan"), "op": op, **about, "call": int(call * MS),
            "return": None if end is None else int(end * MS)}
    if end is None:
        return {**made, "outcome": "unknown"}
    made.update(status=status or (409 if code else 200), code=code, answer=answer, outcome="refused" if code else "ok")
    return made


def reserve(user, seat, call, end, hold=None, at=None, code=None, hold_s=HOLD_S, key=None):
    """at: when by the database's clock; half way when left out."""
    answer = None
    if code is None and end is not None:
        at = (call + end) / 2 if at is None else at
        answer = {"id": hold, "price": PRICE, "created_at": time_of(at), "expires_at": time_of(at + hold_s * 1000)}
    return line("reserve", call, end, answer, code, user=user, seat=seat, key=key or f"r{user}{seat}{call}")


def cancel(user, seat, call, end, hold=None, code=None, data=None):
    return line("cancel", call, end, {"id": hold} if code is None else data, code, user=user, seat=seat,
                key=f"c{user}{seat}{call}")


def pay(user, seat, call, end, payment=None, code=None, data=None, key=None):
    answer = data if code else {"id": payment, "totalAmount": PRICE, "created_at": time_of((call + (end or 0)) / 2)}
    return line("pay", call, end, answer, code, 402 if code == "insufficient-balance" else None, user=user, seat=seat,
                key=key or f"p{user}{seat}{call}")


def charge(user, amount, call, end, balance=None, code=None, key=None):
    return line("charge", call, end, None if code else {"balance": balance}, code, 422 if code else None, user=user,
                amount=amount, key=key or f"a{user}{amount}{call}")


def refund(payment, seat, call, end, balance=None, code=None, key=None):
    return line("refund", call, end, {"id": payment, "amount": PRICE, "balance": balance}, code, seat=seat,
                payment=payment, key=key or f"f{payment}{call}", process="operator")


def seat_map(user, call, end, version, *seats):
    """seats: (id, state, mine)."""
    listed = [{"id": seat, "state": state, "mine": mine, "price": PRICE} for seat, state, mine in seats]
    return line("map", call, end, {"version": version, "seats": listed}, user=user, schedule=1)


def free(user, call, end, *seats):
    return line("free", call, end, [{"id": seat} for seat in seats], user=user, schedule=1)


def own(user, call, end, holds=(), payments=()):
    return line("own", call, end, {"holds": [{"seatId": seat} for seat in holds],
                                   "payments": [{"id": payment} for payment in payments]}, user=user)


def balance(user, call, end, amount):
    return line("balance", call, end, {"balance": amount}, user=user)


def issue(user, call, end, number):
    return line("issue", call, end, {"number": number}, user=user, key=f"i{user}{call}")


def status(user, call, end, number, state):
    return line("status", call, end, {"number": number, "status": state}, user=user)


def leave(user, call, end, code=None):
    return line("leave", call, end, None if code else {"status": "LEFT"}, code, user=user, key=f"l{user}{call}")


def final_seat(seat, call, state, user=""):
    return line("final-seat", call, call + 1, {"state": state, "user": user}, seat=seat)


def final_balance(user, call, amount, history=None):
    told = {"balance": amount, "history": amount if history is None else history}
    return line("final-balance", call, call + 1, told, user=user)


def final_line(call, last, count):
    return line("final-line", call, call + 1, {"last": last, "count": count})
