#!/usr/bin/env python3
"""Puts faults into a running instance under load, and looks afterwards whether all is there once."""

import argparse
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from faults import KINDS, Scene
from traffic import Load
from plan import plan
from report import Recorder, merge, print_table, summary
from sabotage import SABOTAGE, missed
from verify import verify
from wait import wait_for_moment
from world import World, now

FANS = 16
SHORT = 12  # faults of the short form


def arguments():
    parser = argparse.ArgumentParser(prog="./boxoffice chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="the same seed gives the same faults (default: any)")
    parser.add_argument("--faults", type=int, default=60, help="how many (default: 60)")
    parser.add_argument("--minutes", type=float, help="no further fault after so many")
    parser.add_argument("--only", metavar="KIND,…", help="of these kinds alone")
    parser.add_argument("--short", action="store_true", help="one of each cheap kind, some 45 s in all")
    parser.add_argument("--prove", action="store_true",
                        help="break what a clean run left, thing by thing, and see that the checks find each")
    parser.add_argument("--json", metavar="FILE", help="the same as an object")
    parser.add_argument("--merge", metavar="FILE", nargs="+",
                        help="print what several runs wrote, as one; runs nothing")
    parser.add_argument("--plan", action="store_true", help="say what a seed would do, and do nothing")
    parser.add_argument("--kinds", action="store_true", help="say what can go wrong")
    return parser.parse_args()


def chosen_kinds(options):
    if options.only:
        names = [name.strip() for name in options.only.split(",")]
        unknown = [name for name in names if name not in KINDS]
        if unknown:
            sys.exit(f"boxoffice: there is no kind {', '.join(unknown)}; there are: {', '.join(KINDS)}")
        return names
    return [name for name, each in KINDS.items() if each.is_cheap or not options.short]


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    """Faults one after the other, some beside each other."""

    def __init__(self, world, load, recorder):
        self.world = world
        self.load = load
        self.recorder = recorder
        self.failed = []

    def put_in(self, fault, event):
        """One fault from entering to leaving; in a thread of its own when one lasts beside it."""
        scene = Scene(self.world, self.load, fault)
        try:
            event.began = now()
            with KINDS[fault.kind].inject(scene):
                event.made = now()
                event.victim, event.queues, event.hit_at = scene.victim, scene.queues, scene.hit_at
                wait_for_moment(time.monotonic() + fault.seconds)
                event.undone = now()
            event.mended = now()
        except Exception as error:  # a fault that cannot be made or mended is a failure of the run
            self.failed.append(f"{fault}: {error!r}")
            event.mended = now()

    def go(self, faults, until):
        beside = None
        for fault in faults:
            if time.monotonic() > until:
                break
            if not fault.overlaps:
                if beside is not None:
                    beside.join()
                self.recorder.await_commit()
                wait_for_moment(time.monotonic() + fault.pause_s)
            say(str(fault))
            event = self.recorder.open(fault)
            thread = threading.Thread(target=self.put_in, args=(fault, event))
            thread.start()
            if fault.overlaps:
                thread.join()
                beside.join()
            else:
                # The next one may begin while this one lasts.
                wait_for_moment(time.monotonic() + fault.seconds / 2)
            beside = thread
        if beside is not None:
            beside.join()


def main():
    options = arguments()
    if options.merge:
        told = merge([json.loads(Path(name).read_text(encoding="utf-8")) for name in options.merge])
        print(f"seeds {told['seed']}")
        print_table(told)
        return 0 if told["clean"] else 1
    names = chosen_kinds(options)
    if options.kinds:
        for name in names:
            print(f"{name:24} {KINDS[name].what}")
        return 0
    seed = options.seed if options.seed is not None else int.from_bytes(os.urandom(4), "big")
    count = SHORT if options.short else options.faults
    faults = plan(seed, count, names, options.short)
    print(f"seed {seed}", flush=True)
    if options.plan:
        print(*faults, sep="\n")
        return 0
    world = World()
    try:
        world.up()
        return run(world, options, seed, faults)
    finally:
        world.down()


def run(world, options, seed, faults):
    load = Load(world, FANS, seed)
    recorder = Recorder(world)
    began = now()
    load.start()
    recorder.await_commit()
    running = Run(world, load, recorder)
    running.go(faults, time.monotonic() + 60 * (options.minutes or 1e6))
    say("mended; what is not decided is sent again")
    world.await_service()
    recorder.await_commit()
    load.stop()
    ended = now()
    recorder.note_stale(load.crowd.recorder)
    load.settle()
    world.await_quiet()
    verdict = verify(world, load)
    told = summary(seed, recorder, load, verdict, running.failed, ended - began)
    print_table(told)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=1)
            file.write("\n")
    if told["clean"]:
        return prove(world, load) if options.prove else 0
    kept = f"/tmp/boxoffice-chaos-{seed}.jsonl"
    shutil.copy(load.crowd.path, kept)
    say(f"the history is kept in {kept}: tests/history/check {kept}")
    for name, text in world.instance.log_since({}, 1000).items():
        telling = [line for line in text.splitlines() if " level=info " not in line]
        say("\n".join([f"--- log of {name}", *telling[-30:]]))
    return 1


def prove(world, load):
    names = missed(world, load)
    print(f"of {len(SABOTAGE)} things broken afterwards the checks found {len(SABOTAGE) - len(names)}")
    for name in names:
        print(f"  missed: {name}")
    return 1 if names else 0


if __name__ == "__main__":
    sys.exit(main())
