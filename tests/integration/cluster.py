"""Three RabbitMQ nodes under load: what is sent, what is seen of it, and how a node is cut off."""

import contextlib
import ctypes
import http.client
import json
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from amqp import Broker
from api import Answer, cancel, charge, get, new_key, reserve
from wait import wait_until

NODES = ("rabbitmq-0", "rabbitmq-1", "rabbitmq-2")
CLONE_NEWNET = 0x40000000
VOID = "void0"  # a device from which nothing comes back
VOID_TABLE = "99"


def address(node):
    return f"127.0.0.{int(node[-1]) + 1}"


def broker_at(instance, node):
    """A node's own broker, as the administrator."""
    return Broker(instance.values["BOXOFFICE_AMQP_ADMIN_URL"].replace("127.0.0.1", address(node)),
                  management_url(instance, node))


def management_url(instance, node):
    return instance.values["BOXOFFICE_MANAGEMENT_URL"].replace("127.0.0.1", address(node))


def ctl_environment(instance, node):
    """For rabbitmqctl, and for what calls it."""
    base, index = instance.port_base, node[-1]
    ctl = "/usr/lib/rabbitmq/bin/rabbitmqctl"
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(instance.var / "rabbitmq"),
            "ERL_EPMD_PORT": str(base + 3), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_INETRC": str(instance.var / "etc/erl_inetrc"),
            "RABBITMQ_CONF_ENV_FILE": str(instance.var / "etc/rabbitmq-env.conf"),
            "RABBITMQ_NODENAME": f"boxoffice-{base}@localhost" if index == "0" else f"boxoffice-{base}-{index}@{node}",
            "RABBITMQCTL": " ".join(instance.command_in_root("rabbitmq", ctl))}


def quorum_queues(broker):
    return [queue for queue in broker.management("queues?columns=name,type,leader,members,online")
            if queue.get("type") == "quorum"]


def is_whole(broker):
    """Every queue has its three members, all of them there, and all nodes have the same view of the cluster."""
    try:
        queues = quorum_queues(broker)
        nodes = broker.management("nodes?columns=name,running,partitions")
    except OSError:
        return False  # it restarts to join the others again
    return (bool(queues) and all(len(queue.get("online") or []) == 3 for queue in queues) and
            len(nodes) == 3 and all(node["running"] and not node.get("partitions") for node in nodes))


# A network of one's own -----------------------------------------------------------------------


class Network:
    """Loopback, and a way out of it that leads nowhere."""

    def __init__(self):
        self._ip("link", "set", "lo", "up")
        self._ip("link", "add", VOID, "type", "veth", "peer", "name", "void1")
        self._ip("link", "set", VOID, "arp", "off", "up")
        self._ip("link", "set", "void1", "arp", "off", "up")
        Path(f"/proc/sys/net/ipv4/conf/{VOID}/route_localnet").write_text("1")
        self._ip("route", "add", "default", "dev", VOID, "table", VOID_TABLE)
        # Local addresses are looked up first of all, but for a rule that stands before that one.
        self._ip("rule", "add", "pref", "100", "lookup", "local")
        self._ip("rule", "del", "pref", "0")

    @contextlib.contextmanager
    def cut(self, host):
        """What goes to this address or comes from it is lost: no refusal, no reset."""
        for side in ("to", "from"):
            self._ip("rule", "add", "pref", "50", side, host, "lookup", VOID_TABLE)
        try:
            yield
        finally:
            for side in ("to", "from"):
                self._ip("rule", "del", "pref", "50", side, host, "lookup", VOID_TABLE)

    @staticmethod
    def _ip(*words):
        subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def own_network():
    """All that this thread starts from now on has a network of its own; None where that may not be."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net", "rb") as before:
        if libc.unshare(CLONE_NEWNET) != 0:
            yield None
            return
        try:
            yield Network()
        finally:
            assert libc.setns(before.fileno(), CLONE_NEWNET) == 0


# Load -----------------------------------------------------------------------------------------


@dataclass
class Event:
    """An answer."""
    queue: str  # account or seat
    sent: float
    came: float
    status: int


@dataclass
class Client:
    """A fan who charges 1, reserves a seat and cancels, again and again, each with a key."""
    user: str
    token: str
    seat: int
    charged: int = 0
    reserved: int = 0
    events: list = field(default_factory=list)
    strange: list = field(default_factory=list)  # answers that no client expects


class Load:
    """Clients at work until the end of the block. What is answered 503 is sent again with its key; what is
    answered 202 is confirmed, so it is not sent again but followed to its answer."""

    def __init__(self, site, fans, seats, pace_s=0.02):
        self.site = site
        self.clients = [Client(fan.user, fan.token, seat) for fan, seat in zip(fans, seats)]
        self._pace_s = pace_s
        self._ended = threading.Event()
        self._threads = []

    def __enter__(self):
        self._threads = [threading.Thread(target=self._work, args=[client])
                         for client in self.clients]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        for thread in self._threads:
            thread.join(90)
        assert not any(thread.is_alive() for thread in self._threads), "a client waits for ever"

    def _work(self, client):
        while not self._ended.wait(self._pace_s):
            self._settle(client, "account", charge(client.user, 1, new_key()))
            client.charged += 1
            self._settle(client, "seat", reserve(client.token, client.seat, new_key()))
            client.reserved += 1
            self._settle(client, "seat", cancel(client.token, client.seat, new_key()))

    def _settle(self, client, queue, call):
        """Until it has its answer."""
        while True:
            sent = time.monotonic()
            answer = self._send(call)
            client.events.append(Event(queue, sent, time.monotonic(), answer.status))
            if answer.status == 202:
                answer = self._follow(answer.header("Location"))
            if answer.status == 200:
                return
            if answer.status != 503:
                client.strange.append((call, answer))
                return
            self._ended.wait(0.05)

    def _follow(self, location):
        found = []

        def is_done():
            answer = self._send(get(location))
            found[:] = [answer.ok()] if answer.status == 200 else [{"status": ""}]
            return found[0]["status"] == "done"

        wait_until(is_done, 60, "the result of a job that was confirmed", 0.1)
        return Answer(found[0]["httpStatus"], [], json.dumps(found[0]["response"]).encode(), 0)

    def _send(self, call):
        connection = http.client.HTTPConnection(self.site.host, self.site.port, timeout=60,
                                                source_address=(self.site.next_address(), 0))
        start = time.monotonic()
        with contextlib.closing(connection):
            connection.request(call.method, call.path, call.body, dict(call.headers))
            answer = connection.getresponse()
            return Answer(answer.status, answer.getheaders(), answer.read(), time.monotonic() - start)

    # Looking --------------------------------------------------------------------------------

    def events(self, since=0.0):
        """In the order of their answers."""
        return sorted((event for client in self.clients for event in list(client.events)
                       if event.came >= since), key=lambda event: event.came)

    def await_flow(self, since, deadline_s=60):
        """Waits until every client has had three answers of each queue in a row, in less than a second,
        to what it sent after a moment."""
        def flows():
            for client in self.clients:
                assert not client.strange, client.strange[:3]
                for queue in ("account", "seat"):
                    last = [event for event in list(client.events)
                            if event.queue == queue and event.sent >= since][-3:]
                    assert len(last) == 3 and all(event.status == 200 and event.came - event.sent < 1
                                                  for event in last), last
            return True

        wait_until(flows, deadline_s, "writes to go on")

    def figures(self, since):
        """What a fault at that moment was to clients, in seconds: the longest time in which nobody had a
        write confirmed, by queue, and the time after which every write was confirmed at once."""
        events = self.events(since)
        figures = {}
        for queue in ("account", "seat"):
            confirmed = [since] + [event.came for event in events
                                   if event.queue == queue and event.status in (200, 202)]
            figures[queue] = max(b - a for a, b in zip(confirmed, confirmed[1:]))
        troubled = [event.came - since for event in events
                    if event.status not in (200, 202) or event.came - max(event.sent, since) >= 1]
        figures["all well after"] = max(troubled, default=0.0)
        figures["refused"] = sum(event.status == 503 for event in events)
        return {name: round(value, 2) for name, value in figures.items()}
