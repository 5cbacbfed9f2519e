"""A recorded history, read back: lines become operations, and what holds between the lines of one key is checked.

An operation begins with the first time that its request was sent, and ends with the first answer that decided it.
One that was never decided is open: it may have happened at any time since, or never.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field

NEVER = 1 << 62  # when an open operation ends
DECISIONS = (200, 402, 404, 409)
# A token that is over stays over: what was sent with it has no effect any more.
OVER = ("token-finished", "token-expired", "token-left")
CONTENT = ("seat", "amount", "name", "payment")  # what tells two contents under a key apart
READS = ("status", "map", "free", "own", "balance", "final-seat", "final-balance", "final-line")


@dataclass
class Operation:
    kind: str
    call: int
    end: int
    user: str = ""
    seat: int = 0
    amount: int = 0
    schedule: int = 0
    process: str = ""
    key: str = ""
    outcome: str = "ok"     # or refused, unknown
    code: str = ""          # of a refusal
    told: dict = field(default_factory=dict)
    is_open: bool = False   # it need not have happened
    is_read: bool = False   # it changes nothing, wherever it stands


@dataclass
class History:
    meta: dict = field(default_factory=dict)
    operations: list = field(default_factory=list)
    complaints: list = field(default_factory=list)  # (what, the sendings that show it)
    stale: list = field(default_factory=list)       # (from, until)
    lines: int = 0

    def taken(self, op, stale_ns):
        """The earliest moment of which a picture can be: older when it was taken in times of trouble."""
        earliest = op.call - stale_ns
        for since, until in self.stale:
            if since <= op.end and op.call - stale_ns <= until:
                earliest = min(earliest, since - stale_ns)
        return earliest


def read_lines(paths):
    """Every whole line; the last one of a client that was killed may be half a line."""
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for text in file:
                if text.endswith("\n"):
                    yield json.loads(text)


def read(paths):
    return gather(read_lines(paths))


def gather(lines):
    history = History()
    writes = defaultdict(list)
    for line in lines:
        history.lines += 1
        if "meta" in line:
            history.meta.update(line["meta"])
        elif "note" in line:
            if line["note"] == "stale":
                history.stale.append((line["from"], line["until"]))
        elif line["op"] in READS:
            if line["outcome"] == "ok":
                history.operations.append(operation([line], line))
        else:
            # Without a key every sending is an operation of its own.
            key = line.get("key") or f"{line['process']}-{line['call']}"
            writes[line["op"], line.get("user"), key].append(line)
    for sendings in writes.values():
        history.operations += merge(sendings, history.complaints)
    history.operations.sort(key=lambda each: (each.call, each.end))
    return history


def operation(sendings, decided=None):
    """What these lines say together; decided: the first of them that has an outcome."""
    first = min(sendings, key=lambda line: line["call"])
    made = Operation(first["op"], first["call"], NEVER, first.get("user", ""), first.get("seat", 0),
                     first.get("amount", 0), first.get("schedule", 0), first["process"], first.get("key", ""))
    if decided is None:
        made.outcome, made.is_open = "unknown", True
    else:
        made.end, made.outcome = decided["return"], decided["outcome"]
        made.code = decided.get("code") or ""
        made.told = decided.get("answer") or {}
    made.is_read = first["op"] in READS or made.outcome == "refused"
    if first["op"] == "refund":
        made.told = {"id": first["payment"], **made.told}
    return made


def merge(sendings, complaints):
    """The operations behind the lines of one key: one, since only one content can have it."""
    contents = defaultdict(list)
    for line in sendings:
        contents[tuple(line.get(name) for name in CONTENT)].append(line)
    made, decided = [], []
    for lines in contents.values():
        decisions = [line for line in lines if line["outcome"] != "unknown" and line["status"] in DECISIONS]
        if decisions:
            decided += decisions
            made.append(operation(lines, min(decisions, key=lambda line: line["return"])))
            if any(comparable(line) != comparable(decisions[0]) for line in decisions):
                complain(complaints, "one key, one content, two answers", decisions)
        elif may_have_happened(lines):
            made.append(operation(lines))
        for line in lines:
            others = any(other["call"] < (line["return"] or 0) for other in sendings if other not in lines)
            if line.get("code") == "key-reused" and not others:
                complain(complaints, "a key that nobody had used was refused as used", [line])
    if sum(not each.is_open for each in made) > 1:
        complain(complaints, "one key, two contents, both decided", decided)
    # The key belongs to the one that was decided: the others never happened.
    return [each for each in made if not each.is_open] if decided else made


def complain(complaints, what, lines):
    complaints.append((what, [operation([line], line) for line in lines]))


def may_have_happened(lines):
    """False when every sending was refused for good, without a decision."""
    answered = {(line["process"], line["call"]) for line in lines if line["outcome"] == "refused"}
    unknown = [line for line in lines if line["outcome"] == "unknown"
               and (line["process"], line["call"]) not in answered]
    over = [line["call"] for line in lines if line.get("code") in OVER]
    return any(not over or line["call"] > max(over) for line in unknown)


def comparable(line):
    """What must not change when an answer is repeated. Of a place in line only its number stays."""
    answer = line.get("answer")
    if line["op"] == "issue" and answer:
        answer = {"number": answer.get("number")}
    return json.dumps([line["status"], line.get("code"), answer], sort_keys=True)
