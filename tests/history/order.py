"""What is told in the order of a number: the line, and the versions of the maps. No search is needed for these."""

from collections import defaultdict

def check_line(history):
    """A number belongs to one fan; who had one before another asked has the lesser; at the end there are no gaps.
    Returns complaints."""
    issues = [op for op in history.operations if op.kind == "issue"]
    # One that was never answered may have made the ticket that a later one got back.
    asked = {}
    for op in issues:
        if op.is_open:
            asked[op.user] = min(op.call, asked.get(op.user, op.call))
    first, complaints = {}, []
    for op in issues:
        if op.outcome == "ok" and op.told["number"] is not None:
            known = first.setdefault(op.told["number"], [op.user, asked.get(op.user, op.call), op.end, op])
            if known[0] != op.user:
                complaints.append((f"number {op.told['number']} was given to two fans", [known[3], op]))
            known[1], known[2] = min(known[1], op.call), min(known[2], op.end)
    later = None  # of the higher numbers, the one that was told first
    for number in sorted(first, reverse=True):
        _, call, end, op = first[number]
        if later is not None and later[2] < call:
            complaints.append((f"number {number} was asked for after a higher one was told", [later[3], op]))
        if later is None or end < later[2]:
            later = first[number]
    for op in history.operations:
        if op.kind == "final-line" and not (op.told["count"] == op.told["last"] >= max(first, default=0)):
            complaints.append(("the line has gaps, or lost somebody", [op]))
    return complaints


def check_admission(history, stale_ns):
    """Who is seen to wait is not behind somebody who was seen to be admitted before. Returns complaints."""
    seen = [op for op in history.operations if op.kind == "status" and op.told["number"] is not None]
    admitted = [op for op in seen if op.told["status"] == "ACTIVE"]
    waiting = [op for op in seen if op.told["status"] == "WAITING"]
    pairs = overtaken(history, admitted, waiting, lambda op: op.told["number"], stale_ns)
    return [("somebody waits behind whose number was higher", list(pair)) for pair in pairs]


def check_versions(history, stale_ns):
    """Equal versions of a map are equal maps, and a map that was told before another was taken is not the newer one.
    Returns complaints."""
    maps = defaultdict(list)
    for op in history.operations:
        if op.kind == "map":
            maps[op.schedule].append(op)
    complaints = []
    for found in maps.values():
        known = {}
        for op in found:
            same = known.setdefault(op.told["version"], op)
            if states(same) != states(op):
                complaints.append((f"two maps of version {op.told['version']}", [same, op]))
        pairs = overtaken(history, found, found, lambda op: op.told["version"], stale_ns)
        complaints += [("a map went back", list(pair)) for pair in pairs]
    return complaints


def overtaken(history, told, asked, number, stale_ns):
    """(one of told, one of asked): the former has the higher number, and was told before the other was taken."""
    told = sorted(told, key=lambda op: op.end)
    highest, i = None, 0
    for taken, op in sorted(((history.taken(op, stale_ns), op) for op in asked), key=lambda pair: pair[0]):
        while i < len(told) and told[i].end < taken:
            if highest is None or number(told[i]) > number(highest):
                highest = told[i]
            i += 1
        if highest is not None and number(highest) > number(op):
            yield highest, op


def states(op):
    return [(seat["id"], seat["state"]) for seat in op.told["seats"]]
