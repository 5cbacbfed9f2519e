"""Broker, database and nginx: killed, stopped, short of memory or disk, held up by somebody else."""

import contextlib
import os
import signal
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote

from amqp import SEAT_PARTITIONS
from kinds import FRONTS, WORKERS, kind

# RabbitMQ ---------------------------------------------------------------------------------------


@kind("kill broker", ["rabbitmq"], (0.5, 2), weight=3, is_cheap=False)
def kill_broker(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed("rabbitmq"):
        yield


@kind("restart broker", ["rabbitmq"], (0.2, 1), weight=2, is_cheap=False)
def restart_broker(scene):
    """told to end; started again afterwards"""
    scene.world.instance.stop("rabbitmq")
    try:
        yield
    finally:
        scene.world.start("rabbitmq")


@kind("stop broker", ["rabbitmq"], (1.5, 4), weight=3)
def stop_broker(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped("rabbitmq"):
        yield


@kind("close broker's app", ["rabbitmq"], (0.5, 2), weight=2, is_cheap=False)
def close_broker_app(scene):
    """rabbitmqctl stop_app, start_app"""
    scene.world.rabbitmqctl("stop_app")
    try:
        yield
    finally:
        scene.world.rabbitmqctl("start_app")


@kind("close connections", [*FRONTS, *WORKERS], (0.2, 1), weight=5, also=("rabbitmq",))
def close_connections(scene):
    """those of a process are closed by the broker, by force"""
    broker = scene.world.broker
    for each in broker.management("connections"):
        if each.get("client_properties", {}).get("connection_name", "").split(" ")[0] == scene.target:
            with contextlib.suppress(HTTPError):  # gone by itself
                broker.management(f"connections/{quote(each['name'])}", "DELETE")
    yield


@kind("memory alarm", ["rabbitmq"], (1, 4), weight=3, is_cheap=False)
def memory_alarm(scene):
    """set_vm_memory_high_watermark to next to nothing"""
    scene.world.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        yield
    finally:
        scene.world.rabbitmqctl("set_vm_memory_high_watermark", "absolute", "1GB")


@kind("disk alarm", ["rabbitmq"], (1, 4), weight=3, is_cheap=False)
def disk_alarm(scene):
    """set_disk_free_limit to more than there is"""
    scene.world.rabbitmqctl("set_disk_free_limit", "100000GB")
    try:
        yield
    finally:
        scene.world.rabbitmqctl("set_disk_free_limit", "512MB")


@kind("kill queue", ["account", "gate", *(f"seat.{k}" for k in range(SEAT_PARTITIONS))], (0.2, 1), weight=4,
      is_cheap=False, also=("rabbitmq",))
def kill_queue(scene):
    """the broker's process of one work queue dies"""
    scene.world.rabbitmqctl("eval", f"exit(whereis('%2F_{scene.target}'), kill).")
    yield


# MariaDB ----------------------------------------------------------------------------------------


@kind("kill database", ["mariadb"], (0.5, 2), weight=4, is_cheap=False, is_stale=True)
def kill_database(scene):
    """SIGKILL; started again afterwards"""
    with scene.world.killed("mariadb"):
        yield


@kind("restart database", ["mariadb"], (0.2, 1), weight=2, is_cheap=False, is_stale=True)
def restart_database(scene):
    """told to end; started again afterwards"""
    scene.world.instance.stop("mariadb")
    try:
        yield
    finally:
        scene.world.start("mariadb")


@kind("stop database", ["mariadb"], (1.5, 4), weight=3, is_stale=True)
def stop_database(scene):
    """SIGSTOP, then SIGCONT"""
    with scene.world.stopped("mariadb"):
        yield


@kind("kill sessions", ["mariadb"], (0.2, 1), weight=4, is_stale=True)
def kill_sessions(scene):
    """KILL of every connection of ours"""
    with scene.world.owner() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id FROM information_schema.processlist WHERE user IN"
                       " ('boxoffice_front', 'boxoffice_worker')")
        for session, in cursor.fetchall():
            with contextlib.suppress(Exception):  # gone by itself
                cursor.execute(f"KILL {session}")
    yield


@kind("read-only", ["mariadb"], (1, 4), weight=4)
def read_only(scene):
    """the database takes no writes"""
    with scene.world.owner() as connection, connection.cursor() as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
        try:
            yield
        finally:
            cursor.execute("SET GLOBAL read_only = 0")


@kind("no commits", ["mariadb"], (1, 3), weight=3, is_stale=True)
def no_commits(scene):
    """somebody takes a backup under FLUSH TABLES WITH READ LOCK"""
    with scene.world.owner() as connection, connection.cursor() as cursor:
        cursor.execute("FLUSH TABLES WITH READ LOCK")
        try:
            yield
        finally:
            cursor.execute("UNLOCK TABLES")


@kind("hot lock", ["mariadb gate_state", "mariadb seat", "mariadb cash", "mariadb waiting_queue"], (1, 5), weight=5)
def hot_lock(scene):
    """somebody else holds the locks of hot rows"""
    table = scene.target.split()[1]
    order = "" if table == "gate_state" else f" ORDER BY {'user_id' if table == 'cash' else 'id'} DESC LIMIT 60"
    with scene.world.new_db().connect(autocommit=False) as connection, connection.cursor() as cursor:
        cursor.execute("SET innodb_lock_wait_timeout = 10")
        cursor.execute(f"SELECT * FROM {table}{order} FOR UPDATE")
        try:
            yield
        finally:
            connection.rollback()


# nginx ------------------------------------------------------------------------------------------


@kind("kill nginx", ["nginx"], (0.3, 1.5), weight=2)
def kill_nginx(scene):
    """SIGKILL to all of it; started again afterwards"""
    os.killpg(scene.world.instance.pid("nginx"), signal.SIGKILL)
    try:
        yield
    finally:
        scene.world.start("nginx")


@kind("kill nginx's worker", ["nginx"], (0.2, 1), weight=2)
def kill_nginx_worker(scene):
    """SIGKILL to the process that has the connections"""
    pid = scene.world.instance.pid("nginx")
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    yield


@kind("reload nginx", ["nginx"], (0.2, 1), weight=2)
def reload_nginx(scene):
    """SIGHUP"""
    scene.world.instance.send_signal("nginx", signal.SIGHUP)
    yield
