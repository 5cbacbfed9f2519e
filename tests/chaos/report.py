"""When the database committed what, beside which fault; and the table of it."""

import statistics
import time
from dataclasses import dataclass

import pymysql

from amqp import SEAT_PARTITIONS
from kinds import KINDS
from wait import wait_until
from world import now

AFTER_S = 1.0  # pictures may be old for so long after a fault was mended


@dataclass
class Event:
    """A fault as it went, by the host's clock."""
    fault: object
    began: float = 0.0   # being made
    made: float = 0.0
    undone: float = 0.0  # being mended
    mended: float = 0.0
    victim: str = ""
    queues: tuple = ()
    hit_at: float = 0.0  # a victim that had to be found out


class Recorder:
    def __init__(self, world):
        self._db = world.new_db()
        self.events = []
        self.world = world

    def open(self, fault):
        event = Event(fault)
        self.events.append(event)
        return event

    def await_commit(self, deadline_s=60):
        """Until a write of now is committed."""
        begin = now()

        def committed():
            try:
                return self._db.value("SELECT UNIX_TIMESTAMP(MAX(created_at)) FROM job") > begin
            except (OSError, pymysql.MySQLError):
                return False

        wait_until(committed, deadline_s, "a committed write", 0.05)

    def commits(self):
        """When each write was committed, as its transaction read the clock: after its locks."""
        return [float(when) for when, in self._db.rows("SELECT UNIX_TIMESTAMP(created_at) FROM job ORDER BY 1")]

    def commits_of(self, queues, since):
        """When jobs of these queues were committed from a moment on."""
        kinds = {"gate": "kind IN ('issue', 'leave')", "account": "kind IN ('register', 'charge')"}
        found = []
        for queue in queues:
            if queue in kinds:
                found += self._db.rows(f"SELECT UNIX_TIMESTAMP(MIN(created_at)) FROM job WHERE {kinds[queue]}"
                                       " AND created_at > FROM_UNIXTIME(%s)", since)
        partitions = [int(queue[5:]) for queue in queues if queue.startswith("seat.")]
        if partitions:
            # Not what ended: a sweeper does that for any seat.
            found += self._db.rows("SELECT UNIX_TIMESTAMP(MIN(created_at)) FROM seat_reservation"
                                   f" WHERE MOD(seat_id, {SEAT_PARTITIONS}) IN %s AND created_at > FROM_UNIXTIME(%s)",
                                   partitions, since)
        return [float(when) for when, in found if when is not None]

    def note_stale(self, history):
        """Tells a history between when pictures of seats may have been old."""
        offset = time.monotonic_ns() - time.time_ns()
        for event in self.events:
            if KINDS[event.fault.kind].is_stale:
                history.note_stale(int(event.began * 1e9) + offset, int((event.mended + AFTER_S) * 1e9) + offset)


def silences(commits, events):
    """{event index: longest time without a committed write that has to do with it}"""
    found = {}
    for index, event in enumerate(events):
        longest = 0.0
        for before, after in zip(commits, commits[1:]):
            if after > event.began and before < event.mended:
                longest = max(longest, after - before)
        found[index] = longest
    return found


def takeovers(recorder):
    """Seconds from the kill of a worker with queues to the next committed job of them."""
    found = {}
    for event in recorder.events:
        if event.fault.kind != "kill worker" or not event.queues or event.fault.overlaps:
            continue
        after = recorder.commits_of(event.queues, event.hit_at)
        if after:
            found.setdefault(event.victim.rsplit("-", 1)[0], []).append(min(after) - event.hit_at)
    return found


def summary(seed, recorder, load, verdict, failed, seconds):
    events = recorder.events
    quiet = silences(recorder.commits(), events)
    kinds = {}
    for index, event in enumerate(events):
        alone = not event.fault.overlaps and not (index + 1 < len(events) and events[index + 1].fault.overlaps)
        row = kinds.setdefault(event.fault.kind, {"faults": 0, "overlapping": 0, "silences": []})
        row["faults"] += 1
        row["overlapping"] += not alone
        row["silences"].append({"seconds": round(quiet[index], 3), "alone": alone, "target": event.fault.target,
                                "victim": event.victim, "lasted": round(event.mended - event.began, 2)})
    return {
        "seed": seed, "seconds": round(seconds, 1), "faults": len(events), "kinds": kinds,
        "requests": load.ledger.requests, "writes": len(load.ledger.acts), "confirmed": verdict.confirmed,
        "lookedUp": verdict.looked_up, "imports": len(load.batch.files), "importerStarts": load.batch.starts,
        "importedRows": sum(rows for _, rows in load.batch.files), "refunds": len(load.operator.refunded),
        "statuses": {f"{number} {code or ''}".strip(): count
                     for (number, code), count in sorted(load.ledger.statuses.items(), key=str)},
        "takeovers": {name: [round(each, 3) for each in found] for name, found in sorted(takeovers(recorder).items())},
        "history": verdict.history, "failed": failed, **verdict.faults(),
        "clean": verdict.is_clean() and not failed,
    }


def merge(runs):
    """Several runs as one: numbers add up, lists follow each other."""
    first, *others = runs
    for run in others:
        first = {name: _add(value, run[name]) for name, value in first.items()}
    return {**first, "seed": ", ".join(str(run["seed"]) for run in runs), "clean": all(run["clean"] for run in runs)}


def _add(one, other):
    if isinstance(one, dict):
        return {name: _add(one[name], other[name]) if name in one and name in other else one.get(name, other.get(name))
                for name in {**one, **other}}
    return round(one + other, 1) if isinstance(one, float) else one + other


def print_table(told):
    print(f"\n{'fault':26} {'count':>5} {'overlapping':>11}   longest time without a committed write, s")
    print(f"{'':26} {'':5} {'':11}   {'median':>8} {'most':>8} {'most, alone':>12}")
    for name, row in sorted(told["kinds"].items()):
        every = [each["seconds"] for each in row["silences"]]
        alone = [each["seconds"] for each in row["silences"] if each["alone"]]
        print(f"{name:26} {row['faults']:5} {row['overlapping']:11}   {statistics.median(every):8.2f}"
              f" {max(every):8.2f} {max(alone) if alone else float('nan'):12.2f}")
    print(f"\nfaults {told['faults']}, seconds {told['seconds']}, requests {told['requests']}, writes {told['writes']},"
          f" confirmed {told['confirmed']}, without an answer at first {told['lookedUp']}")
    print(f"imports {told['imports']} of {told['importedRows']} rows in {told['importerStarts']} starts,"
          f" refunds {told['refunds']}")
    print("answers: " + ", ".join(f"{name}: {count}" for name, count in told["statuses"].items()))
    for name, found in told["takeovers"].items():
        print(f"kill of an active {name} to the next committed job of its queues: median {statistics.median(found):.3f}"
              f" s, most {max(found):.3f} s, of {len(found)}")
    print("history: " + ", ".join(f"{count} {name}" for name, count in told["history"].items()))
    print(f"losses {len(told['losses'])}, doubles {len(told['doubles'])}, wrong answers {len(told['lies'])},"
          f" other {len(told['other'])}, faults that could not be made or mended {len(told['failed'])}")
    for name in ("losses", "doubles", "lies", "other", "failed"):
        for sentence in told[name][:20]:
            print(f"  {name}: {sentence}")
    print("clean" if told["clean"] else "NOT CLEAN")
