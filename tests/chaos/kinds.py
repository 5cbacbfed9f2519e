"""What can go wrong, as a table: every kind, what it may fall on, and how it is done and undone.

A fault is a context manager: entering makes it, leaving mends it. Targets are fixed by the plan; where
one means a role ("active"), who has it is found out when it happens.
"""

import contextlib
from dataclasses import dataclass
from typing import Callable

from world import PROGRAMS, now

FRONTS = [name for name in PROGRAMS if name.startswith("front-")]
WORKERS = [name for name in PROGRAMS if name not in FRONTS]
# Account workers compete: each is as active as the other.
ROLES = ["seat-worker active", "seat-worker standby", "account-worker active", "gate-worker active",
         "gate-worker standby"]
SERVERS = ("mariadb", "rabbitmq", "nginx")


@dataclass
class Kind:
    name: str
    targets: list
    seconds: tuple      # least and most, from entering to leaving
    inject: Callable    # (scene) → context manager
    weight: int = 1     # how often it comes up beside the others
    is_cheap: bool = True
    is_stale: bool = False  # pictures that a front has may be as old as the fault
    also: tuple = ()    # what it touches beside its target
    what: str = ""

    def meets(self, target):
        """What it touches: two faults that touch the same thing do not overlap."""
        word = target.split()[0]
        named = PROGRAMS if word == "all" else [name for name in PROGRAMS if name.startswith(word)]
        return {*(named or [word]), *self.also}


@dataclass
class Scene:
    """What a fault finds: the world, its load, and itself."""
    world: object
    load: object
    fault: object
    victim: str = ""    # the process it fell on, when that had to be found out
    queues: tuple = ()  # what a victim consumed when it fell
    hit_at: float = 0.0

    @property
    def target(self):
        return self.fault.target

    @property
    def amount(self):
        return self.fault.amount


KINDS = {}


def kind(name, targets, seconds, **options):
    """Enters a function in the table."""
    def enter(function):
        KINDS[name] = Kind(name, targets, seconds, contextlib.contextmanager(function),
                           what=(function.__doc__ or "").strip(), **options)
        return function
    return enter


def find_victim(scene):
    """The process that has a role: of seat workers the one with more or fewer queues."""
    program, role = scene.target.split()
    queue = program.removesuffix("-worker")
    consumers = scene.world.consumers()
    mine = {f"{program}-{index}": tuple(sorted(
        name for name, consumer in consumers.items()
        if consumer == f"{program}-{index}" and name.startswith(queue))) for index in (0, 1)}
    # By number of queues; of two with none the second one.
    by_queues = sorted(mine, key=lambda name: (len(mine[name]), name), reverse=role == "active")
    scene.victim = by_queues[0]
    scene.queues = mine[scene.victim]
    scene.hit_at = now()
    return scene.victim
