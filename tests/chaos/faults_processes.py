"""Our own processes: killed, stopped, with another clock, at named points of the code."""

import contextlib
import signal

from kinds import FRONTS, ROLES, WORKERS, find_victim, kind
from wait import wait_until
from world import PROGRAMS

POINTS = [(name, point) for name in WORKERS for point in ("before-commit", "after-commit", "after-reply")] + [
    (name, point) for name in FRONTS for point in ("job-published", "result-taken")]
TARGETS_OF_POINTS = [f"{name} {point}" for name, point in POINTS]
POINT_WITHIN_S = 15


@kind("kill worker", ROLES, (1.5, 4), weight=6)
def kill_worker(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed(find_victim(scene)):
        yield


@kind("kill front", FRONTS, (1.5, 4), weight=3, is_stale=True)
def kill_front(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed(scene.target):
        yield


@kind("stop worker", ROLES, (2, 5), weight=6)
def stop_worker(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped(find_victim(scene)):
        yield


@kind("stop worker for long", ROLES, (22, 25), is_cheap=False)
def stop_worker_for_long(scene):
    """SIGSTOP until its heartbeats are missed and its locks are taken from it, then SIGCONT"""
    with scene.world.stopped(find_victim(scene)):
        yield


@kind("stop front", FRONTS, (2, 5), weight=3, is_stale=True)
def stop_front(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped(scene.target):
        yield


@kind("kill importer", ["importer"], (0.3, 1), weight=3)
def kill_importer(scene):
    """SIGKILL in the middle of a file; the same file again"""
    wait_until(scene.load.batch.kill, 20, "an importer to kill", 0.02)
    yield


@kind("skew clock", [*FRONTS, *WORKERS], (2, 4), weight=4, is_stale=True)
def skew_clock(scene):
    """a host whose clock is seconds ahead or behind, from the start of a process on"""
    name, world = scene.target, scene.world
    clock = world.folder / f"{name}.clock"
    clock.write_text(f"{60 * (scene.amount - 0.5):+.1f}\n")
    world.restart(name)
    try:
        yield
    finally:
        clock.unlink()
        world.restart(name)


@kind("jump of a clock", [*FRONTS, *WORKERS], (3, 5), weight=3, is_stale=True)
def jump_clock(scene):
    """a host whose clock is set while a process runs"""
    name, world = scene.target, scene.world
    clock = world.folder / f"{name}.clock"
    clock.write_text("+0\n")
    world.restart(name)
    clock.write_text(f"{60 * (scene.amount - 0.5):+.1f}\n")
    try:
        yield
    finally:
        clock.unlink()
        world.restart(name)


@contextlib.contextmanager
def with_point(scene, action):
    """A process with a named point; a worker is alone until it serves: a standby would pass no point."""
    name, point = scene.target.split()
    program = name.rsplit("-", 1)[0]
    other = next(each for each in PROGRAMS if each.startswith(program) and each != name)
    world = scene.world
    fault = f"{point}:{action}:{1 + int(10 * scene.amount)}"
    if name in FRONTS:
        world.restart(name, fault)
    else:
        world.instance.run("stop", program)
        world.start(name, fault)
        world.start(other)
    scene.victim = name
    try:
        yield name
    finally:
        if world.instance.is_stopped(name):
            world.instance.send_signal(name, signal.SIGCONT)
        world.start(name)


@kind("kill at a point", TARGETS_OF_POINTS, (0.5, 2), weight=6, is_cheap=False, is_stale=True)
def kill_at_point(scene):
    """SIGKILL at a named point of the code (lib/fault.h)"""
    with with_point(scene, "kill") as name:
        wait_until(lambda: not scene.world.instance.is_alive(name), POINT_WITHIN_S, "the point to be passed")
        yield


@kind("stop at a point", TARGETS_OF_POINTS, (1, 4), weight=6, is_cheap=False, is_stale=True)
def stop_at_point(scene):
    """SIGSTOP at a named point, row locks held or not, then SIGCONT"""
    with with_point(scene, "stop") as name:
        wait_until(lambda: scene.world.instance.is_stopped(name), POINT_WITHIN_S, "the point to be passed")
        yield


@kind("lose replies", WORKERS, (2, 4), weight=2, is_cheap=False)
def lose_replies(scene):
    """a worker whose results never arrive"""
    world = scene.world
    world.restart(scene.target, "lose-replies:on")
    try:
        yield
    finally:
        world.restart(scene.target)
