"""The way between a process and its servers: cut, silent, slow, broken off within a frame."""

from kinds import kind
from world import PROGRAMS

SERVERS = ("broker", "database")
TARGETS = [f"{name} {server}" for name in PROGRAMS for server in SERVERS] + [f"all {server}" for server in SERVERS] * 2


def ends(scene):
    """(names, server)"""
    name, server = scene.target.split()
    return PROGRAMS if name == "all" else [name], server


@kind("cut link", TARGETS, (1, 4), weight=8, is_stale=True)
def cut_link(scene):
    """connections break, and none can be made for a while"""
    with scene.world.proxy.cut_off(*ends(scene)):
        yield


@kind("cut connections", TARGETS, (0.2, 1), weight=6, is_stale=True)
def cut_connections(scene):
    """connections break; new ones can be made at once"""
    scene.world.proxy.cut(*ends(scene))
    yield


@kind("stall link", TARGETS, (1.5, 5), weight=8, is_stale=True)
def stall_link(scene):
    """nothing passes, and nobody is told"""
    with scene.world.proxy.stalled(*ends(scene)):
        yield


@kind("stall link for long", TARGETS, (22, 26), is_cheap=False, is_stale=True)
def stall_link_for_long(scene):
    """the same beyond heartbeats and time-outs"""
    with scene.world.proxy.stalled(*ends(scene)):
        yield


@kind("slow link", TARGETS, (2, 4), weight=4, is_stale=True)
def slow_link(scene):
    """each piece of data takes up to 150 ms longer, either way"""
    with scene.world.proxy.delayed(*ends(scene), 0.02 + 0.13 * scene.amount):
        yield


@kind("break off link", TARGETS, (1, 3), weight=8, is_stale=True)
def break_off_link(scene):
    """connections break after up to 3,000 bytes more, most likely within a frame"""
    with scene.world.proxy.broken_off(*ends(scene), int(3000 ** scene.amount)):
        yield
