"""The broker side: publishing jobs, reading results and dead letters, looking at queues."""

import base64
import contextlib
import json
import urllib.request
import uuid
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import pika

from wait import wait_until

JOB_TYPE = "boxoffice.jobs"
SEAT_PARTITIONS = 8


@dataclass
class Letter:
    body: bytes
    properties: pika.BasicProperties
    claimed: bool = False

    def header(self, name):
        value = (self.properties.headers or {}).get(name)
        return value.decode() if isinstance(value, bytes) else value


def new_id():
    return str(uuid.uuid4())


def job(kind, **fields):
    return {"id": new_id(), "kind": kind, **fields}


def envelope(*jobs):
    return {"v": 1, "jobs": list(jobs)}


def partition(seat):
    return str(seat % SEAT_PARTITIONS)


class Broker:
    """The broker seen by the admin account."""

    def __init__(self, url, management_url):
        self.url = url
        self._management = management_url.rstrip("/")
        self._connection = None
        self._channel = None
        self._dead = []

    @property
    def channel(self):
        """A confirming channel; a new one when a test restarted the broker or was refused."""
        if self._channel is None or not self._channel.is_open:
            if self._connection is None or not self._connection.is_open:
                self._connection = connect(self.url)
            self._channel = self._connection.channel()
            self._channel.confirm_delivery()
        with contextlib.suppress(pika.exceptions.AMQPError):
            self._connection.process_data_events(0)
        return self._channel if self._channel.is_open else self.channel

    def publish(self, exchange, key, content, reply_to=None, correlation_id=None, **properties):
        """Publishes content (a dict becomes JSON, bytes go as they are), confirmed."""
        publish(self.channel, exchange, key, content, reply_to, correlation_id, **properties)

    def depth(self, queue):
        """Messages ready in a queue."""
        return self.channel.queue_declare(queue, passive=True).method.message_count

    def purge(self, queue):
        self.channel.queue_purge(queue)

    @contextlib.contextmanager
    def replies(self, kind="test"):
        """A reply queue of the test's own; gone at the end."""
        connection = connect(self.url)
        try:
            yield Replies(connection.channel(), f"reply.{kind}.{new_id()}")
        finally:
            connection.close()

    def ask(self, exchange, key, *jobs, deadline_s=20, **properties):
        """Publishes an envelope and returns its results, in the order of the jobs."""
        with self.replies() as replies:
            self.publish(exchange, key, envelope(*jobs), replies.name, new_id(), **properties)
            return replies.next(deadline_s)["results"]

    # Dead letters ---------------------------------------------------------------------------

    def dead_letter(self, text, deadline_s=15):
        """Waits for the dead letter whose body contains text, and claims it."""
        needle = text if isinstance(text, bytes) else text.encode()

        def found():
            self._collect_dead()
            return next((letter for letter in self._dead
                         if not letter.claimed and needle in letter.body), None)

        letter = wait_until(found, deadline_s, f"a dead letter with {text!r}")
        letter.claimed = True
        return letter

    def dead_letters_with(self, text):
        """Those that are there now, claimed."""
        self._collect_dead()
        needle = text if isinstance(text, bytes) else text.encode()
        letters = [letter for letter in self._dead if needle in letter.body]
        for letter in letters:
            letter.claimed = True
        return letters

    def unclaimed_dead(self):
        self._collect_dead()
        left = [letter for letter in self._dead if not letter.claimed]
        self._dead.clear()
        return left

    def _collect_dead(self):
        while True:
            method, properties, body = self.channel.basic_get("dead")
            if method is None:
                return
            self._dead.append(Letter(body, properties))
            self.channel.basic_ack(method.delivery_tag)

    # The management API ---------------------------------------------------------------------

    def management(self, path, method="GET", content=None, login=None):
        """Calls the management API as admin, or with (user, password). HTTPError when refused."""
        parts = urlsplit(self.url)
        user, password = login or (parts.username, parts.password)
        site = urlsplit(self._management)
        request = urllib.request.Request(
            f"http://{site.hostname}:{site.port}/api/{path}", method=method,
            data=None if content is None else json.dumps(content).encode())
        request.add_header("Authorization",
                           "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    @property
    def vhost(self):
        return urlsplit(self.url).path[1:] or quote("/", safe="")

    def consumers(self):
        """{queue: connection name of its active consumer}, without those whose channel is just going.

        Of such a channel the broker knows no details: 3.x says [], 4.x {} (rabbitmq-server #2684).
        """
        return {each["queue"]["name"]: each["channel_details"]["connection_name"]
                for each in self.management(f"consumers/{self.vhost}")
                if each["active"] and each["channel_details"]}


class Replies:
    def __init__(self, channel, name):
        self.name = name
        self._channel = channel
        self._got = []
        channel.queue_declare(name, exclusive=True, auto_delete=True)
        channel.basic_consume(name, self._take, auto_ack=True)

    def _take(self, _channel, _method, properties, body):
        self._got.append((properties, json.loads(body)))

    def next_message(self, deadline_s=20):
        """(properties, content) of the next reply."""
        def arrived():
            self._channel.connection.process_data_events(0.05)
            return self._got

        wait_until(arrived, deadline_s, f"a reply on {self.name}", 0)
        return self._got.pop(0)

    def none(self):
        """True when nothing has come."""
        self._channel.connection.process_data_events(0)
        return not self._got

    def next(self, deadline_s=20):
        return self.next_message(deadline_s)[1]


def connect(url):
    parameters = pika.URLParameters(url)
    parameters.heartbeat = 0  # a test may be busy elsewhere for longer than a heartbeat
    parameters.connection_attempts = 20
    parameters.retry_delay = 0.5
    return pika.BlockingConnection(parameters)


def publish(channel, exchange, key, content, reply_to=None, correlation_id=None, **properties):
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    channel.basic_publish(exchange, key, body, pika.BasicProperties(
        **{"content_type": "application/json", "delivery_mode": 2, "type": JOB_TYPE,
           "reply_to": reply_to, "correlation_id": correlation_id, **properties}), mandatory=True)


class Operator(Broker):
    """The broker seen by the operator's account, which its messages tell."""

    def replies(self, kind="ctl"):
        return super().replies(kind)

    def publish(self, exchange, key, content, reply_to=None, correlation_id=None, **properties):
        super().publish(exchange, key, content, reply_to, correlation_id,
                        **{"user_id": urlsplit(self.url).username, **properties})
