"""A history taken apart: the operations of each seat, each balance and each fan."""

from collections import defaultdict
from dataclasses import replace

from clock import Clock, nanoseconds
from history import NEVER, Operation
from model import Balance, Fan, Seat

S = 1_000_000_000
EARLY = S // 10  # by which a list of free seats may be ahead of the end of a hold (PROTOCOL.md, A hold)


class Objects:
    def __init__(self, history, stale_ns):
        self._history, self._stale = history, stale_ns
        self._seats, self._balances, self._fans = (defaultdict(list) for _ in range(3))
        self._clock = Clock(history.operations)
        self.complaints = []
        self._prices = prices(history.operations)
        self.unclear = []  # objects that cannot be judged
        self._payers = {op.told["id"]: op for op in history.operations if op.kind == "pay" and op.outcome == "ok"}
        self._askers = defaultdict(set)  # seat → users whose payment for it was never answered
        for op in history.operations:
            if op.kind == "pay" and op.is_open:
                self._askers[op.seat].add(op.user)
        self._schedules = self._seats_of_schedules()
        if not self._clock.is_sound:
            self.complaints.append(("times were told that lie outside their operations", []))
            return
        for op in history.operations:
            take = getattr(self, "_take_" + op.kind.replace("-", "_"), None)
            if take:
                take(op)
        self._end_holds()
        self._leave_out_what_fell_between()

    def each(self):
        """(name, model, operations) of each object."""
        for kind, model, found in (("seat", Seat(), self._seats), ("balance of", Balance(), self._balances),
                                   ("fan", Fan(), self._fans)):
            for name in sorted(found):
                if f"{kind} {name}" not in self.unclear:
                    yield f"{kind} {name}", model, found[name]

    def _seats_of_schedules(self):
        seats = defaultdict(set)
        for op in self._history.operations:
            if op.kind in ("map", "free"):
                listed = op.told["seats"] if op.kind == "map" else op.told
                seats[op.schedule].update(seat["id"] for seat in listed)
        return seats

    # Writes -----------------------------------------------------------------------------------

    def _take_reserve(self, op):
        self._seats[op.seat].append(op)
        if op.outcome != "refused" or op.code == "already-holding":
            self._fans[op.user].append(op)

    def _take_cancel(self, op):
        self._seats[op.seat].append(op)
        if op.outcome != "refused":
            self._fans[op.user].append(op)

    def _take_pay(self, op):
        self._seats[op.seat].append(op)
        if op.is_open and op.seat not in self._prices:
            self.unclear.append(f"balance of {op.user}")
        if op.outcome != "refused" or op.code == "insufficient-balance":
            op = replace(op, amount=op.told.get("totalAmount", self._prices.get(op.seat, 0)))
            self._fans[op.user].append(op)
            self._balances[op.user].append(op)

    def _take_refund(self, op):
        """Whose payment it was is told by the payment; when that was never answered, it is one of those who asked."""
        if op.outcome == "refused":
            return
        self._seats[op.seat].append(op)
        payment = self._payers.get(op.told["id"])
        users = [payment.user] if payment else sorted(self._askers[op.seat])
        price = payment.told["totalAmount"] if payment else self._prices.get(op.seat, 0)
        for user in users:
            self._balances[user].append(replace(op, user=user, amount=op.told.get("amount", price),
                                                is_open=op.is_open or len(users) > 1))

    def _take_charge(self, op):
        self._balances[op.user].append(op)

    def _take_leave(self, op):
        self._fans[op.user].append(op)

    def _end_holds(self):
        """The end of each hold, as an operation between the moments that its time can mean."""
        lasts = self._history.meta.get("hold_s")
        seen = {}
        for op in [op for op in self._history.operations if op.kind == "reserve" and not op.outcome == "refused"]:
            if op.outcome == "unknown":
                # It lasts as long as any other, from a moment that nobody knows.
                hold, call, end = ("?", op.call), op.call + (lasts or 0) * S, NEVER
            else:
                hold = op.told["id"]
                call, end = self._clock.span(op.told["expires_at"])
            if hold in seen:
                if comparable(seen[hold]) != comparable(op):
                    self.complaints.append(("one hold, told in two ways", [seen[hold], op]))
                continue
            seen[hold] = op
            if lasts and op.outcome == "ok" and length_ns(op) != lasts * S:
                self.complaints.append((f"a hold that does not last {lasts} s", [op]))
            ends = Operation("expire", call, end, op.user, op.seat, process="time", told={"id": hold},
                             is_open=op.is_open)
            self._seats[op.seat].append(ends)
            self._fans[op.user].append(ends)

    def _leave_out_what_fell_between(self):
        """A payment in a hold's last moment may be committed after its end, and a picture that is a little old does not
        know of it. Who reads in between sees a hold that is over, and no payment: no order has that, and no lock is
        taken to prevent it (PROTOCOL.md, A hold)."""
        for seat, ops in self._seats.items():
            ends = [op for op in ops if op.kind == "expire"]
            between = [(end, op.end) for op in ops if op.kind == "pay" and op.outcome != "refused" for end in ends
                       if end.user == op.user and end.call <= op.end + self._stale and op.call <= end.end]
            for end, until in between:
                self._seats[seat] = [op for op in self._seats[seat] if op.told.get("state") != "free"
                                     or op.end < end.call or until < op.call]
                self._fans[end.user] = [op for op in self._fans[end.user] if op.kind not in ("holds", "bought")
                                        or op.end < end.call or until < op.call]

    # Reads ------------------------------------------------------------------------------------

    def _picture(self, op):
        return replace(op, kind="picture", call=self._history.taken(op, self._stale))

    def _take_map(self, op):
        picture = self._picture(op)
        for seat in op.told["seats"]:
            self._seats[seat["id"]].append(replace(picture, seat=seat["id"], told=seat))

    def _take_free(self, op):
        """The free ones are told; the others of the schedule are not free. A front judges by a clock of its own, which
        follows the database's and may be a little ahead of it."""
        picture = self._picture(op)
        picture.end += EARLY
        free = {seat["id"] for seat in op.told}
        for seat in self._schedules[op.schedule]:
            state = "free" if seat in free else "taken"
            self._seats[seat].append(replace(picture, seat=seat, told={"state": state}))

    def _take_own(self, op):
        """Two lists, each as of a moment of its own within the call."""
        held = sorted(hold["seatId"] for hold in op.told["holds"])
        self._fans[op.user].append(replace(op, kind="holds", told={"seats": held}))
        self._fans[op.user].append(replace(op, kind="bought", told={"payments": [each["id"] for each in
                                                                                  op.told["payments"]]}))

    def _take_balance(self, op):
        self._balances[op.user].append(op)

    _take_final_balance = _take_balance

    def _take_final_seat(self, op):
        self._seats[op.seat].append(op)


def prices(operations):
    """Of the seats whose price anybody was told."""
    found = {}
    for op in operations:
        if op.kind == "map":
            found.update((seat["id"], seat["price"]) for seat in op.told["seats"])
        elif op.kind in ("reserve", "pay", "refund"):
            price = next((op.told[name] for name in ("price", "totalAmount", "amount") if name in op.told), None)
            if price is not None:
                found[op.seat] = price
    return found


def length_ns(op):
    return nanoseconds(op.told["expires_at"]) - nanoseconds(op.told["created_at"])


def comparable(op):
    return {name: op.told[name] for name in ("created_at", "expires_at", "price")}
