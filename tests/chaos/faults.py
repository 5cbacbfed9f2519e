"""What can go wrong, a table: how each kind is done to a running instance, and undone.

A fault is a context manager: entering makes it, leaving mends it. Targets are fixed by the plan; where
one means a role ("active"), who has it is found out when it happens.
"""

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from world import PROGRAMS
from wait import wait_until

FRONTS = ["front-0", "front-1"]
WORKERS = [name for name in PROGRAMS if name not in FRONTS]
# Account workers compete: each is as active as the other.
ROLES = ["seat-worker active", "seat-worker standby", "account-worker active", "gate-worker active",
         "gate-worker standby"]
GROUPS = [*PROGRAMS, "all"]


@dataclass
class Kind:
    name: str
    targets: list
    seconds: tuple      # least and most, from entering to leaving
    inject: Callable    # (scene) → context manager
    weight: int = 1     # how often it comes up beside the others
    is_cheap: bool = True
    what: str = ""

    def meets(self, target):
        """What it touches: two faults that touch the same thing do not overlap."""
        word = target.split()[0]
        if word in PROGRAMS or word in ("mariadb", "rabbitmq", "nginx", "importer"):
            return {word}
        if word == "all":
            return set(PROGRAMS)
        return {name for name in PROGRAMS if name.startswith(word)} or {word}


@dataclass
class Scene:
    """What a fault finds: the world, its load, and itself."""
    world: object
    load: object
    fault: object
    victim: str = ""    # the process it fell on, when that had to be found out
    queues: tuple = ()  # what a victim consumed when it was killed

    @property
    def target(self):
        return self.fault.target

    def names(self):
        return PROGRAMS if self.target == "all" else [self.target]


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
    by_queues = sorted(mine, key=lambda name: (len(mine[name]), name), reverse=role == "active")
    scene.victim = by_queues[0]
    scene.queues = mine[scene.victim]
    return scene.victim


# Processes --------------------------------------------------------------------------------------


@kind("kill worker", ROLES, (1.5, 4), weight=6)
def kill_worker(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed(find_victim(scene)):
        yield


@kind("kill front", FRONTS, (1.5, 4), weight=2)
def kill_front(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed(scene.target):
        yield


@kind("stop worker", ROLES, (2, 5), weight=6)
def stop_worker(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped(find_victim(scene)):
        yield


@kind("stop front", FRONTS, (2, 5), weight=2)
def stop_front(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped(scene.target):
        yield


@kind("kill importer", ["importer"], (0.3, 1), weight=3)
def kill_importer(scene):
    """SIGKILL in the middle of a file; the same file again"""
    wait_until(scene.load.batch.kill, 20, "an importer to kill", 0.02)
    yield
