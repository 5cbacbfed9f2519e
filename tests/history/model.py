"""What one seat, one balance, one fan and the line do when one thing happens after another.

Each is checked by itself. That is sound: an order of the whole history, if there is one, is an order for each of
them. It is not complete for what binds two of them, so a payment is a step of three: its seat, its fan's hands, its
balance, and what was read at the end is the end of all of them.

A step gives the states that it may lead to: none when what was told is impossible there. Open operations have no
answer: such a step gives what may have come of it.
"""

from typing import NamedTuple


# A seat --------------------------------------------------------------------------------------


class SeatState(NamedTuple):
    phase: str = "free"               # or held, sold
    user: str = ""
    id: object = 0                    # of the hold, or of the payment; ("?", call) while nobody was told
    over: frozenset = frozenset()     # holds that have ended
    late: frozenset = frozenset()     # users whose last hold of it ran out


class Seat:
    """Free, held by a user until a time, or sold to one. The end of a hold is a step of its own, which has its place
    between the earliest and the latest moment that its time can mean (see clock.py)."""

    initial = SeatState()

    def step(self, state, op):
        return getattr(self, "_" + op.kind.replace("-", "_"))(state, op)

    def _hold(self, state, user, hold):
        return state._replace(phase="held", user=user, id=hold, late=state.late - {user})

    def _release(self, state):
        return state._replace(phase="free", user="", id=0, over=with_id(state.over, state.id))

    def _reserve(self, state, op):
        mine = state.phase == "held" and state.user == op.user
        if op.outcome == "unknown":
            return [self._hold(state, op.user, ("?", op.call))] if state.phase == "free" else []
        if op.outcome == "ok":
            hold = op.told["id"]
            if mine and is_same(state.id, hold):
                return [state._replace(id=hold)]
            return [self._hold(state, op.user, hold)] if state.phase == "free" and hold not in state.over else []
        fits = {"seat-held": state.phase == "held" and not mine, "seat-sold": state.phase == "sold",
                "already-holding": state.phase == "free"}
        return [state] if fits.get(op.code) else []

    def _expire(self, state, op):
        """Of a hold that was paid for or given up it changes nothing. It cannot come before the hold."""
        hold = op.told["id"]
        if state.phase == "held" and state.id == hold:
            return [self._release(state)._replace(late=state.late | {state.user})]
        return [state] if hold in state.over else []

    def _cancel(self, state, op):
        mine = state.phase == "held" and state.user == op.user
        if op.outcome == "refused":
            return self._not_mine(state, op)
        if not mine or op.outcome == "ok" and not is_same(state.id, op.told["id"]):
            return []
        released = self._release(state)
        return [released if op.outcome == "unknown" else released._replace(over=released.over | {op.told["id"]})]

    def _pay(self, state, op):
        mine = state.user == op.user
        payment = op.told.get("id", ("?", op.call))
        if op.code == "insufficient-balance":
            return [state] if mine and state.phase == "held" else []
        if op.outcome == "refused":
            return self._not_mine(state, op)
        if mine and state.phase == "held":
            return [state._replace(phase="sold", id=payment, over=with_id(state.over, state.id))]
        if mine and state.phase == "sold" and op.outcome == "ok" and is_same(state.id, payment):
            return [state._replace(id=payment)]
        return []

    def _not_mine(self, state, op):
        """hold-expired to those whose last hold ran out, not-held to all others."""
        if state.phase == "held" and state.user == op.user:
            return []
        if op.code == "hold-expired":
            return [state] if op.user in state.late and op.told.get("seatState") == state.phase else []
        return [state] if op.code == "not-held" and op.user not in state.late else []

    def _refund(self, state, op):
        if state.phase == "sold" and is_same(state.id, op.told["id"]):
            return [state._replace(phase="free", user="", id=0)]
        return []

    def _picture(self, state, op):
        """A map or a list as of some moment within the bound. mine: is it this user's; None when that is not told."""
        mine = op.told.get("mine")
        fits = (state.phase != "free" if op.told["state"] == "taken" else state.phase == op.told["state"]) \
            and (mine is None or mine == (state.user == op.user))
        return [state] if fits else []

    def _final_seat(self, state, op):
        user = op.told.get("user") or ""
        return [state] if (op.told["state"], user) == (state.phase, state.user) else []

    @staticmethod
    def show(state):
        if state.phase == "free":
            return "free"
        what = "hold" if state.phase == "held" else "payment"
        return f"{state.phase} by {short(state.user)} ({what} {show_id(state.id)})"


# A balance -----------------------------------------------------------------------------------


class BalanceState(NamedTuple):
    amount: int = 0
    paid: frozenset = frozenset()      # payments; ("?", seat) of one whose answer nobody knows
    refunded: frozenset = frozenset()


class Balance:
    """Every charge once, every payment once, every refund once; each told as of its own moment."""

    initial = BalanceState()

    def step(self, state, op):
        return getattr(self, "_" + op.kind.replace("-", "_"))(state, op)

    def _charge(self, state, op):
        after = state.amount + op.amount
        if op.outcome == "refused" or op.outcome == "ok" and op.told["balance"] != after:
            return []
        return [state._replace(amount=after)]

    def _pay(self, state, op):
        if op.outcome == "refused":
            told = op.told
            fits = told["balance"] == state.amount < told["price"] and told["missing"] == told["price"] - state.amount
            return [state] if fits else []
        payment, unknown = op.told.get("id"), ("?", op.seat)
        if payment in state.paid:
            return [state]
        found = []
        if payment and unknown in state.paid:
            found.append(state._replace(paid=state.paid - {unknown} | {payment}))
        if op.amount <= state.amount:
            found.append(state._replace(amount=state.amount - op.amount, paid=state.paid | {payment or unknown}))
        return found

    def _refund(self, state, op):
        payment = op.told["id"]
        known = payment if payment in state.paid else ("?", op.seat)
        if known not in state.paid or payment in state.refunded:
            return []
        after = state.amount + op.amount
        if op.outcome == "ok" and op.told["balance"] != after:
            return []
        return [state._replace(amount=after, paid=state.paid - {known} | {payment},
                               refunded=state.refunded | {payment})]

    def _balance(self, state, op):
        return [state] if op.told["balance"] == state.amount else []

    def _final_balance(self, state, op):
        return [state] if op.told["balance"] == op.told["history"] == state.amount else []

    @staticmethod
    def show(state):
        return str(state.amount)


# A fan ---------------------------------------------------------------------------------------


class FanState(NamedTuple):
    seat: int = 0
    hold: object = 0
    over: frozenset = frozenset()
    bought: frozenset = frozenset()    # payments; ("?", seat) as above


class Fan:
    """At most one live hold, whatever the seats; what it holds and has bought, as it is told itself."""

    initial = FanState()

    def step(self, state, op):
        return getattr(self, "_" + op.kind.replace("-", "_"))(state, op)

    def _let_go(self, state):
        return state._replace(seat=0, hold=0, over=with_id(state.over, state.hold))

    def _reserve(self, state, op):
        if op.code == "already-holding":
            return [state] if state.seat not in (0, op.seat) else []
        hold = op.told.get("id", ("?", op.call))
        if state.seat == op.seat and op.outcome == "ok" and is_same(state.hold, hold):
            return [state._replace(hold=hold)]
        if state.seat or hold in state.over:
            return []
        return [state._replace(seat=op.seat, hold=hold)]

    def _expire(self, state, op):
        if state.seat and state.hold == op.told["id"]:
            return [self._let_go(state)]
        return [state] if op.told["id"] in state.over else []

    def _cancel(self, state, op):
        if state.seat != op.seat or op.outcome == "ok" and not is_same(state.hold, op.told["id"]):
            return []
        left = self._let_go(state)
        return [left if op.outcome == "unknown" else left._replace(over=left.over | {op.told["id"]})]

    def _pay(self, state, op):
        payment, unknown = op.told.get("id"), ("?", op.seat)
        if op.outcome == "refused":
            return [state] if state.seat == op.seat else []
        if payment in state.bought:
            return [state]
        found = []
        if payment and unknown in state.bought:
            found.append(state._replace(bought=state.bought - {unknown} | {payment}))
        if state.seat == op.seat:
            found.append(self._let_go(state)._replace(bought=state.bought | {payment or unknown}))
        return found

    def _leave(self, state, op):
        """Who holds a seat cannot leave."""
        if op.outcome == "unknown":
            return []
        return [state] if bool(state.seat) == (op.code == "already-holding") else []

    def _holds(self, state, op):
        return [state] if op.told["seats"] == ([state.seat] if state.seat else []) else []

    def _bought(self, state, op):
        told = set(op.told["payments"])
        known = {payment for payment in state.bought if not isinstance(payment, tuple)}
        fits = known <= told and len(told) == len(state.bought)
        return [state] if fits else []

    @staticmethod
    def show(state):
        held = f"holds seat {state.seat} (hold {show_id(state.hold)})" if state.seat else "holds nothing"
        return f"{held}, has bought {len(state.bought)}"


# Words ---------------------------------------------------------------------------------------


def is_same(known, told):
    """One of the two may be that of an operation that was never answered."""
    return known == told or isinstance(known, tuple)


def with_id(over, number):
    """Nobody asks for the end of a hold of which nobody was told."""
    return over if isinstance(number, tuple) else over | {number}


def short(user):
    return user[:8] or "nobody"


def show_id(number):
    return "of an open operation" if isinstance(number, tuple) else str(number)
