"""Opens many streams of GET /queue/events and says what they cost, as one JSON object: memory and CPU of
nginx at a tick a second, and the time from an admission to the last listener. Called by bench/line.

usage: streams.py URL TOKEN STREAMS SECONDS NGINX-PID MYSQL-SOCKET DATABASE USER LAUNCHER
(the password is in BOXOFFICE_MYSQL_ADMIN_PASSWORD)"""

import asyncio
import json
import os
import resource
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pymysql

TICKS = os.sysconf("SC_CLK_TCK")
ADMISSIONS = 5


def processes(master):
    """The master and its workers."""
    children = open(f"/proc/{master}/task/{master}/children", encoding="ascii").read().split()
    return [master, *children]


def memory_mib(pids):
    """Private and shared memory, each page once: proportional set size."""
    total = 0
    for pid in pids:
        for line in open(f"/proc/{pid}/smaps_rollup", encoding="ascii"):
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024


def cpu_s(pids):
    total = 0
    for pid in pids:
        fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


class Listeners:
    def __init__(self):
        self.heard = []     # when each heard the tick that is waited for
        self.ticks = 0
        self.wanted = None  # the number that must have been served

    async def listen(self, host, port, token, number):
        address = f"127.{2 + number // 20000}.{1 + number // 250 % 80}.{1 + number % 250}"
        reader, writer = await asyncio.open_connection(host, port, local_addr=(address, 0))
        writer.write(f"GET /queue/events HTTP/1.1\r\nHost: {host}\r\nqueue-token: {token}\r\n"
                     "Accept: text/event-stream\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n", 1)[0], head
        return reader, writer

    async def follow(self, reader):
        waited_for = None
        while True:
            line = await reader.readline()
            if not line:
                return
            if not line.startswith(b"data: "):
                continue
            self.ticks += 1
            if self.wanted is not None and waited_for != self.wanted \
                    and json.loads(line[6:])["served"] >= self.wanted:
                waited_for = self.wanted
                self.heard.append(time.time())


async def open_all(listeners, host, port, token, count):
    streams = []
    while len(streams) < count:
        group = range(len(streams), min(count, len(streams) + 200))
        streams += await asyncio.gather(*(listeners.listen(host, port, token, n) for n in group))
    return streams


def admit_one(database, launcher):
    """Lets the first of the line in; its place, and when it was admitted by the database's clock."""
    with database.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM waiting_queue WHERE status = 'ACTIVE'")
        active = cursor.fetchone()[0]
        cursor.execute("SELECT MAX(id) FROM waiting_queue WHERE admitted_at IS NOT NULL")
        before = cursor.fetchone()[0]
        subprocess.run([launcher, "ctl", "gate", "set", f"max_active={active + 1}", "quiet_s=0"],
                       check=True, stdout=subprocess.DEVNULL)
        subprocess.run([launcher, "ctl", "gate", "open"], check=True, stdout=subprocess.DEVNULL)
        while True:
            cursor.execute("SELECT place, UNIX_TIMESTAMP(admitted_at) FROM waiting_queue"
                           " WHERE admitted_at IS NOT NULL ORDER BY admitted_at DESC, place DESC LIMIT 1")
            row = cursor.fetchone()
            if row is not None and row[0] != before:
                break
            time.sleep(0.005)
        subprocess.run([launcher, "ctl", "gate", "pause"], check=True, stdout=subprocess.DEVNULL)
    return row[0], float(row[1])


async def measure(url, token, count, seconds, master, database, launcher):
    parts = urlsplit(url)
    listeners = Listeners()
    before = memory_mib(processes(master))
    began = time.monotonic()
    streams = await open_all(listeners, parts.hostname, parts.port, token, count)
    opened = time.monotonic() - began
    tasks = [asyncio.create_task(listeners.follow(reader)) for reader, _ in streams]
    await asyncio.sleep(2)
    pids = processes(master)
    ticks, cpu, at = listeners.ticks, cpu_s(pids), time.monotonic()
    await asyncio.sleep(seconds)
    span = time.monotonic() - at
    memory, used = memory_mib(pids), cpu_s(pids) - cpu
    result = {"streams": count, "openedIn": round(opened, 2), "nginxMiB": round(memory, 1),
              "nginxMiBBefore": round(before, 1), "kibEach": round((memory - before) * 1024 / count, 2),
              "ticksPerSecond": round((listeners.ticks - ticks) / count / span, 2),
              "cpuPercent": round(used / span * 100, 1)}
    spans = []
    for _ in range(ADMISSIONS):
        listeners.heard = []
        with database.cursor() as cursor:
            cursor.execute("SELECT MIN(place) FROM waiting_queue WHERE status = 'WAITING'")
            listeners.wanted = cursor.fetchone()[0]
        _, admitted = await asyncio.to_thread(admit_one, database, launcher)
        deadline = time.monotonic() + 10
        while len(listeners.heard) < count and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        assert len(listeners.heard) == count, f"{len(listeners.heard)} of {count} heard it"
        spans.append((min(listeners.heard) - admitted, max(listeners.heard) - admitted))
    firsts, lasts = (sorted(round(span * 1000) for span in each) for each in zip(*spans))
    result |= {"firstHeardMs": firsts[ADMISSIONS // 2], "lastHeardMs": lasts[ADMISSIONS // 2],
               "longestMs": lasts[-1]}
    for task in tasks:
        task.cancel()
    for _, writer in streams:
        writer.close()
    return result


def main(arguments):
    url, token, count, seconds, master, socket, name, user, launcher = arguments
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    database = pymysql.connect(unix_socket=socket, database=name, user=user, autocommit=True,
                               password=os.environ["BOXOFFICE_MYSQL_ADMIN_PASSWORD"],
                               init_command="SET time_zone = '+00:00'")
    print(json.dumps(asyncio.run(
        measure(url, token, int(count), int(seconds), int(master), database, launcher))))


main(sys.argv[1:])
