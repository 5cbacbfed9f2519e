"""Afterwards: is every confirmed write there once, and does every answer given agree with the database?"""

import json
import uuid
from collections import Counter

from traffic import DECISIONS, PRICE  # first: it says where those of tests/history are

import check
import history
from final import record_final

NAMESPACE = uuid.UUID("5b0c8f1e-2d47-4e93-a16a-c47039e8d2b5")
CALLS = {"register": "POST /user", "issue": "POST /queue/issue", "reserve": "POST /reservation",
         "cancel": "POST /reservation/cancel", "charge": "POST /user/charge", "pay": "POST /payment"}
# Where a granted write leaves its one row, by the id of its job.
ROWS = {"register": "user", "charge": "cash_history", "pay": "payment"}


def job_id(act):
    """The id of an act's job, as PROTOCOL.md tells it."""
    parts = (act.user, CALLS[act.kind], act.key)
    return uuid.uuid5(NAMESPACE, "".join(f"{len(part)}:{part}" for part in parts)).bytes


class Verdict:
    def __init__(self):
        self.confirmed = 0    # writes that were answered 200
        self.looked_up = 0    # acts of which at least one sending got no answer or no decision
        self.losses = []      # confirmed, and not there
        self.doubles = []     # there more than once
        self.lies = []        # answers that do not agree with the database or with each other
        self.other = []       # everything else
        self.history = {}     # what the checker of histories counted

    def is_clean(self):
        return not (self.losses or self.doubles or self.lies or self.other)

    def faults(self):
        return {name: getattr(self, name) for name in ("losses", "doubles", "lies", "other")}


def verify(world, load):
    verdict = Verdict()
    db = world.new_db()
    check_rows(db, load, verdict)
    verdict.other += load.ledger.wrong
    verdict.other += [f"{write.op} {write.about} was never decided" for write in load.crowd.open]
    _check_statuses(load.crowd.path, verdict)
    _check_history(db, load.crowd, verdict)
    _check_audit(world, verdict)
    _check_dead(world, verdict)
    return verdict


def check_rows(db, load, verdict):
    """What the load was told, held against what is there now."""
    _check_acts(db, load.ledger.acts, verdict)
    _check_money(db, load, verdict)
    _check_seats(db, load.ledger.acts, verdict)
    _check_batches(db, load.batch, verdict)
    _check_refunds(db, load.operator, verdict)
    verdict.other += [f"broken: {name}: {rows}" for name, rows in db.broken_invariants().items()]


def _check_acts(db, acts, verdict):
    jobs = {row[0]: row[1:] for row in db.rows("SELECT id, kind, code, data FROM job")}
    rows = {kind: Counter(found for found, in db.rows(f"SELECT job_id FROM {table}"))
            for kind, table in ROWS.items()}
    holds = {row[0]: row[1:] for row in db.rows("SELECT r.id, r.seat_id, LOWER(HEX(u.uuid)) FROM seat_reservation r"
                                                " JOIN user u ON u.id = r.user_id")}
    for act in acts:
        name = f"{act.kind} {act.key} of {act.user or 'nobody'}"
        answers = [(number, json.dumps(body, sort_keys=True)) for _, number, body in act.answers
                   if number in DECISIONS]
        verdict.looked_up += act.lost > 0 or any(number not in DECISIONS for _, number, _ in act.answers)
        if len({_essence(act, body) for _, body in answers}) > 1:
            verdict.lies.append(f"{name}: different answers: {sorted(set(answers))}")
        job = jobs.get(job_id(act))
        if act.decision is None:
            if job is not None:
                verdict.lies.append(f"{name}: done as {job}, but never told")
            continue
        number, body = act.decision
        there = rows[act.kind][job_id(act)] if act.kind in rows else (job is not None)
        verdict.confirmed += number == 200
        if job is None:
            verdict.losses.append(f"{name}: answered {number}, but there is no such job")
        elif job[1] != ("ok" if number == 200 else body["code"]):
            verdict.lies.append(f"{name}: answered {number} {body.get('code')}, stored as {job}")
        elif number == 200 and there == 0:
            verdict.losses.append(f"{name}: answered 200, but its row is not there")
        elif there > 1:
            verdict.doubles.append(f"{name}: {there} rows")
        elif number != 200 and act.kind in rows and there:
            verdict.lies.append(f"{name}: refused {body['code']}, but done")
        # Who reserves what he holds gets the hold that is there.
        elif number == 200 and act.kind == "reserve" and \
                holds.get(body["data"]["id"]) != (act.content["seat"], act.user.replace("-", "")):
            verdict.losses.append(f"{name}: hold {body['data']['id']} is {holds.get(body['data']['id'])}")


def _essence(act, body):
    """What must be the same in each answer to one key: all of it, but a token is signed anew."""
    if act.kind != "issue":
        return body
    return json.loads(body).get("code", "granted")


def _check_money(db, load, verdict):
    """Every user's history is what was granted, and nothing else, each once."""
    wanted = {}
    for act in load.ledger.acts:
        if act.is_granted() and act.kind == "charge":
            wanted.setdefault(act.user, Counter())[act.content["amount"]] += 1
    for user, amounts in wanted.items():
        found = Counter(amount for amount in db.charges(user) if amount > 0 and amount != PRICE)
        for amount in (amounts - found).elements():
            verdict.losses.append(f"a charge of {amount} to {user}")
        for amount in (found - amounts).elements():
            verdict.doubles.append(f"a charge of {amount} to {user} that nobody was told of")


def _check_seats(db, acts, verdict):
    """A seat that was paid for, and not given back, is its buyer's."""
    paid = {}
    for act in acts:
        if act.kind == "pay" and act.is_granted():
            paid.setdefault(act.content["seat"], []).append((act.user, act.decision[1]["data"]["id"]))
    for seat, payments in paid.items():
        live = []
        for user, payment in payments:
            rows = db.rows("SELECT p.status, r.status, r.seat_id FROM payment p JOIN seat_reservation r"
                           " ON r.id = p.reservation_id WHERE p.id = %s AND p.user_id = %s", payment, db.user(user))
            if len(rows) != 1 or rows[0][2] != seat:
                verdict.losses.append(f"payment {payment} of {user} for seat {seat}: {rows}")
            elif rows[0][0] == "PAID":
                live.append(user)
        if len(live) > 1:
            verdict.doubles.append(f"seat {seat} is sold to {live}")


def _check_statuses(path, verdict):
    """What the crowd was told: the checker of histories judges what is in it."""
    for text in path.read_text().splitlines():
        line = json.loads(text)
        number, code = line.get("status"), line.get("code")
        if number is not None and (number in (500, 502, 504) or (number >= 400 and code is None)):
            verdict.other.append(f"{line['op']} {line.get('key')}: {number} {code}")


def _check_history(db, crowd, verdict):
    """What the crowd was told, held against a sequential model of seats, balances and the line."""
    record_final(crowd.recorder, db, crowd.load.world.schedules, crowd.users())
    report = check.check(history.read([crowd.path]))
    verdict.history = {"operations": report.operations, **report.counts}
    if report.code == 1:
        verdict.other += [f"history: {line}" for line in report.text]


def _check_batches(db, batch, verdict):
    for source, rows in batch.files:
        found = db.value("SELECT COUNT(*) FROM cash_history WHERE description LIKE %s", f"{source} %")
        if found < rows:
            verdict.losses.append(f"{rows - found} rows of {source}")
        elif found > rows:
            verdict.doubles.append(f"{found - rows} rows of {source}")


def _check_refunds(db, operator, verdict):
    for payment in operator.refunded:
        back = db.value("SELECT COUNT(*) FROM payment p JOIN cash_history h ON h.job_id = p.refund_job_id"
                        " WHERE p.id = %s AND p.status = 'REFUNDED' AND h.user_id = p.user_id"
                        " AND h.amount = p.total_amount", payment)
        if back == 0:
            verdict.losses.append(f"the refund of payment {payment}")


def _check_audit(world, verdict):
    told = world.audit()
    verdict.other += [f"audit: {check}" for check in told["checks"] if check["count"]]


def _check_dead(world, verdict):
    for letter in world.broker.unclaimed_dead():
        verdict.other.append(f"dead letter: {letter.header('boxoffice-code')} {letter.header('boxoffice-reason')}"
                             f" {letter.properties.headers} {letter.body[:300]}")
