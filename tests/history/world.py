"""A made-up service that does one thing after another, and a history of it whose operations overlap at random.

It knows nothing of model.py: what it answers follows from PROTOCOL.md alone, so that the two hold each other to it."""

import random

import sample

SEATS, USERS = (1, 2, 3), ("u", "v", "w", "x")
HOLD_MS = sample.HOLD_S * 1000


class World:
    def __init__(self, seed, operations=60):
        self._dice = random.Random(seed)
        self._count = operations
        self._holds, self._sold = {}, {}      # seat → [user, id, from, price], (user, payment)
        self._past = {}                       # (seat, user) → was its last hold one that ran out
        self._balances = {user: 0 for user in USERS}
        self._bought = {user: [] for user in USERS}
        self._next = 1
        self._version = 1
        self._now = 0.0
        self.lines = [sample.META]

    def run(self):
        acts = (self._reserve, self._reserve, self._reserve, self._pay, self._pay, self._cancel, self._charge,
                self._charge, self._map, self._own, self._balance, self._refund)
        for _ in range(self._count):
            # Long enough now and then for holds to run out.
            self._now += self._dice.choice((0.5, 1, 5, 20, 20, 400))
            self._expire()
            self._dice.choice(acts)()
        self._now += 100
        self._expire()
        for seat in SEATS:
            holder = self._holds.get(seat, self._sold.get(seat))
            state = "held" if seat in self._holds else "sold" if seat in self._sold else "free"
            self.lines.append(sample.final_seat(seat, self._now, state, holder[0] if holder else ""))
        for user in USERS:
            self.lines.append(sample.final_balance(user, self._now, self._balances[user]))
        return self.lines

    def _expire(self):
        for seat, (user, _, begun) in list(self._holds.items()):
            if begun + HOLD_MS <= self._now:
                del self._holds[seat]
                self._past[seat, user] = True

    def _span(self):
        """(call, end) around now; some answers never come."""
        call = self._now - self._dice.choice((0.2, 1, 10, 50)) * self._dice.random() - 0.01
        return call, self._now + self._dice.choice((0.2, 1, 10, 50)) * self._dice.random() + 0.01

    def _write(self, make, *about, **answer):
        call, end = self._span()
        self._next += 1
        # The second sending of the same is answered as the first was; or the first never was.
        lines = [make(*about, call, end, **answer, key=f"k{self._next}")]
        if self._dice.random() < 0.08:
            lost = {**lines[0], "return": None, "outcome": "unknown"}
            lines = [{name: value for name, value in lost.items() if name not in ("status", "code", "answer")}]
        elif self._dice.random() < 0.1:
            later = self._dice.random() * 200
            lines.append({**lines[0], "call": lines[0]["return"] + int(later * sample.MS),
                          "return": lines[0]["return"] + int((later + 1) * sample.MS)})
        self.lines += lines

    def _reserve(self):
        seat, user = self._dice.choice(SEATS), self._dice.choice(USERS)
        held = self._holds.get(seat)
        if held and held[0] == user:
            self._write(sample.reserve, user, seat, hold=held[1], at=held[2])
        elif seat in self._sold:
            self._write(sample.reserve, user, seat, code="seat-sold")
        elif held:
            self._write(sample.reserve, user, seat, code="seat-held")
        elif any(user == holder for holder, _, _ in self._holds.values()):
            self._write(sample.reserve, user, seat, code="already-holding")
        else:
            self._next += 1
            self._holds[seat] = (user, self._next, self._now)
            self._past[seat, user] = False
            self._version += 1
            self._write(sample.reserve, user, seat, hold=self._next, at=self._now)

    def _cancel(self):
        seat, user = self._whose()
        held = self._holds.get(seat)
        if held and held[0] == user:
            del self._holds[seat]
            self._version += 1
            self._write(_cancel, user, seat, hold=held[1])
        else:
            self._write(_cancel, user, seat, **self._why(seat, user))

    def _pay(self):
        seat, user = self._whose()
        held, sold = self._holds.get(seat), self._sold.get(seat)
        if sold and sold[0] == user:
            self._write(_pay_at(sold[2]), user, seat, payment=sold[1])
        elif not held or held[0] != user:
            self._write(sample.pay, user, seat, **self._why(seat, user))
        elif self._balances[user] < sample.PRICE:
            balance = self._balances[user]
            self._write(sample.pay, user, seat, code="insufficient-balance",
                        data={"balance": balance, "price": sample.PRICE, "missing": sample.PRICE - balance})
        else:
            self._next += 1
            del self._holds[seat]
            self._sold[seat] = (user, self._next, self._now)
            self._balances[user] -= sample.PRICE
            self._bought[user].append(self._next)
            self._version += 1
            self._write(_pay_at(self._now), user, seat, payment=self._next)

    def _whose(self):
        """Mostly a seat and who holds it."""
        if self._holds and self._dice.random() < 0.7:
            seat = self._dice.choice(sorted(self._holds))
            return seat, self._holds[seat][0]
        return self._dice.choice(SEATS), self._dice.choice(USERS)

    def _why(self, seat, user):
        if not self._past.get((seat, user)):
            return {"code": "not-held"}
        state = "held" if seat in self._holds else "sold" if seat in self._sold else "free"
        return {"code": "hold-expired", "data": {"seatState": state}}

    def _charge(self):
        user, amount = self._dice.choice(USERS), self._dice.randint(1, 900)
        self._balances[user] += amount
        self._write(sample.charge, user, amount, balance=self._balances[user])

    def _refund(self):
        if self._sold and self._dice.random() < 0.5:
            seat = self._dice.choice(sorted(self._sold))
            user, payment, _ = self._sold.pop(seat)
            self._past[seat, user] = False
            self._balances[user] += sample.PRICE
            self._version += 1
            self._write(sample.refund, payment, seat, balance=self._balances[user])

    def _map(self):
        call, end = self._span()
        user = self._dice.choice(USERS)
        seats = []
        for seat in SEATS:
            state = "held" if seat in self._holds else "sold" if seat in self._sold else "free"
            owner = self._holds.get(seat, self._sold.get(seat, ("",)))[0]
            seats.append((seat, state, owner == user))
        # Made now, told later; no two of these are made at one moment.
        late = self._dice.random() * 250
        self._version += 1
        self.lines.append(sample.seat_map(user, call + late, end + late, self._version, *seats))

    def _own(self):
        user = self._dice.choice(USERS)
        held = [seat for seat, (holder, _, _) in self._holds.items() if holder == user]
        self.lines.append(sample.own(user, *self._span(), held, list(self._bought[user])))

    def _balance(self):
        user = self._dice.choice(USERS)
        self.lines.append(sample.balance(user, *self._span(), self._balances[user]))


def _cancel(user, seat, call, end, key, **answer):
    return {**sample.cancel(user, seat, call, end, **answer), "key": key}


def _pay_at(at):
    def make(*about, **answer):
        line = sample.pay(*about, **answer)
        line["answer"]["created_at"] = sample.time_of(at)
        return line

    return make


# One thing wrong -----------------------------------------------------------------------------


def corrupt(lines, dice):
    """The same history with one answer changed, or None when what was drawn cannot be. Returns (what, lines)."""
    told = [i for i, line in enumerate(lines) if line.get("outcome") in ("ok", "refused")]
    i = dice.choice(told)
    line = lines[i]
    what, changed = dice.choice(CORRUPTIONS)(line, dice)
    # An answer that was given twice is changed both times: else it would be found by its key alone.
    same = [j for j, other in enumerate(lines) if line.get("key") and other.get("key") == line["key"]]
    if changed is None:
        return None
    made = list(lines)
    for j in same or [i]:
        if changed == "":
            made[j] = {"note": "lost"}
        elif lines[j]["outcome"] != "unknown":
            made[j] = {**lines[j], **changed}
    return what, made


def _other_amount(line, dice):
    answer = line.get("answer") or {}
    if "balance" not in answer:
        return "", None
    return "another balance", {"answer": {**answer, "balance": answer["balance"] + dice.choice((-1, 1, 50))}}


def _other_state(line, dice):
    answer = line.get("answer") or {}
    if line["op"] == "map":
        seats = [dict(seat) for seat in answer["seats"]]
        seat = dice.choice(seats)
        seat["state"] = dice.choice([state for state in ("free", "held", "sold") if state != seat["state"]])
        return "another state in a map", {"answer": {**answer, "seats": seats}}
    if line["op"] == "final-seat":
        state = dice.choice([state for state in ("free", "held", "sold") if state != answer["state"]])
        return "another state at the end", {"answer": {**answer, "state": state}}
    return "", None


def _other_code(line, dice):
    codes = {"reserve": ("seat-held", "seat-sold", "already-holding"), "cancel": ("not-held",), "pay": ("not-held",)}
    left = [code for code in codes.get(line["op"], ()) if code != line.get("code")]
    return ("another refusal", {"code": dice.choice(left), "status": 409, "outcome": "refused", "answer": None}) \
        if left else ("", None)


def _lost(line, _dice):
    """A success that nobody asked for: its effect comes from nowhere."""
    return ("a write from nowhere", "") if line["op"] in ("charge", "reserve", "pay", "refund") \
        and line["outcome"] == "ok" else ("", None)


def _other_fan(line, dice):
    if line["op"] not in ("reserve", "pay", "cancel", "charge", "balance", "own"):
        return "", None
    return "another fan", {"user": dice.choice([user for user in USERS if user != line["user"]])}


def _later(line, _dice):
    """A read that is two seconds old."""
    if line["op"] not in ("map", "own", "balance"):
        return "", None
    return "two seconds late", {"call": line["call"] + 2000 * sample.MS, "return": line["return"] + 2000 * sample.MS}


CORRUPTIONS = (_other_amount, _other_state, _other_code, _lost, _other_fan, _later)
