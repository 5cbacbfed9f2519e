"""Holds a recorded history against the models, object by object.

usage: check [--stale-ms N] [--all] FILE …

The files of one run belong together. A line for each object that is not ok, with the part of its history that
contradicts itself; --all names those that are ok as well. Exit code 0: all ok; 1: something is not; 2: usage; 3:
nothing is wrong that was found, but something is undecided, since the search took too long.
"""

import argparse
import sys
import time

import order
from history import NEVER, read
from model import short
from objects import Objects
from search import NOT_OK, OK, UNDECIDED, search, shorten

# "Changes are told within a second", and no picture is to be older (PROTOCOL.md, Seats as they change).
STALE_MS = 1000
MS = 1_000_000
MOST_OTHERS = 8      # that are shown beside a contradiction
MOST_EXPLAINED = 10  # objects: to explain takes longer than to judge


class Report:
    """counts: of verdicts; text: what is wrong, as lines."""

    def __init__(self):
        self.counts = {OK: 0, NOT_OK: 0, UNDECIDED: 0}
        self.operations = 0
        self.text = []

    @property
    def code(self):
        return 1 if self.counts[NOT_OK] else 3 if self.counts[UNDECIDED] else 0

    def say(self, state, name, *lines):
        self.counts[state] += 1
        self.text += [f"{name}: {state}", *(f"    {line}" for line in lines)]


def check(history, stale_ms=None, all_objects=False):
    """Returns a Report."""
    stale_ns = (stale_ms or history.meta.get("stale_ms", STALE_MS)) * MS
    report = Report()
    begin = min((op.call for op in history.operations), default=0)
    objects = Objects(history, stale_ns)
    for name, complaints in (("keys", history.complaints), ("holds", objects.complaints),
                             ("line", order.check_line(history)),
                             ("admissions", order.check_admission(history, stale_ns)),
                             ("maps", order.check_versions(history, stale_ns))):
        if not complaints:
            report.counts[OK] += 1
        for what, shown in complaints[:3]:
            report.say(NOT_OK, name, what, *timeline(shown, begin, keys=name == "keys"))
    for name in objects.unclear:
        report.say(UNDECIDED, name, "it was to pay, and nobody was told how much")
    explained = 0
    for name, model, ops in objects.each():
        report.operations += len(ops)
        verdict = search(model, ops)
        if verdict.state == NOT_OK:
            explained += 1
            report.say(NOT_OK, name, *(explain(model, verdict, begin) if explained <= MOST_EXPLAINED else ()))
        elif verdict.state == UNDECIDED or all_objects:
            report.say(verdict.state, name, f"{len(ops)} operations, {verdict.steps} steps")
        else:
            report.counts[OK] += 1
    return report


def explain(model, verdict, begin):
    """The contradiction as a timeline; with what else happened meanwhile when that is little."""
    states = sorted({model.show(state) for state in verdict.begin})
    needed, last = shorten(model, verdict)
    others = [op for op in verdict.since if op not in needed]
    yield (f"no order of these {len(needed)} has a place for the one marked, whatever became of {len(others)} others"
           " (~) since then")
    yield f"at first: {' or '.join(states[:4])}{' or …' if len(states) > 4 else ''}"
    yield from timeline(needed + (others if len(others) <= MOST_OTHERS else []), begin, last, others)


def timeline(shown, begin, marked=None, others=(), keys=False):
    for op in sorted(shown, key=lambda each: (each.call, each.end)):
        what = " ".join([op.kind, *(str(op.seat),) * bool(op.seat), *(f"of {op.amount}",) * bool(op.amount),
                         *(f"by key {op.key}",) * keys])
        told = {"ok": "ok", "refused": op.code, "unknown": "never answered"}[op.outcome]
        mark = ">" if op is marked else "~" if op in others else " "
        yield (f"{mark} {moment(op.call, begin)} … {moment(op.end, begin)}  {op.process:9} "
               f"{short(op.user):9} {what}: {told} {facts(op.told)}").rstrip()


def moment(when, begin):
    return f"{(when - begin) / 1e9:10.6f}" if when != NEVER else "       …  "


def facts(told):
    """The members that say most; a list or a whole map would fill the page."""
    if not isinstance(told, dict):
        return ""
    wanted = ("id", "number", "status", "state", "mine", "seatState", "user", "balance", "history", "price", "version",
              "seats", "payments", "expires_at", "created_at", "last", "count")
    found = {name: told[name] for name in wanted if name in told}
    if len(str(found.get("seats", ""))) > 60:
        found["seats"] = len(found["seats"])
    return " ".join(f"{name}={value}" for name, value in found.items())


def main(arguments):
    parser = argparse.ArgumentParser(prog="check", description=__doc__.split("\n", 1)[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--stale-ms", type=int, help="how old a picture of seats may be; else as recorded")
    parser.add_argument("--all", action="store_true", help="name the objects that are ok too")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        history = read(options.files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"check: {error!r}", file=sys.stderr)
        return 2
    report = check(history, options.stale_ms, options.all)
    print("\n".join(report.text + [
        f"{history.lines} lines, {len(history.operations)} operations, {report.operations} of objects: "
        + ", ".join(f"{count} {state}" for state, count in report.counts.items())
        + f", {time.monotonic() - start:.1f} s"]))
    return report.code
