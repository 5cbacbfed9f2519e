"""The front's own door: a peer that stops in the middle of a request is let go, and holds up nobody.
nginx does not do that; whoever else of the host opens the socket may."""

import array
import contextlib
import fcntl
import select
import socket
import struct
import termios
import time

import pytest

from api import get
from wait import wait_until

BEGIN, PARAMS, STDIN = 1, 4, 5
STALL_S = 2  # fcgi.c


def record(kind, content=b""):
    """FastCGI 1.0, section 3.3: version, type, request id, length of content, of padding, reserved."""
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), 0, 0) + content


def param(name, value):
    return struct.pack("BB", len(name), len(value)) + name.encode() + value.encode()


def head(method, path, length=0):
    """What nginx sends first, asking to keep the connection."""
    params = (param("REQUEST_METHOD", method) + param("DOCUMENT_URI", path) +
              param("CONTENT_TYPE", "application/json") + param("CONTENT_LENGTH", str(length)))
    return (record(BEGIN, struct.pack(">HB5x", 1, 1)) + record(PARAMS, params) + record(PARAMS))


@contextlib.contextmanager
def peer(instance):
    with socket.socket(socket.AF_UNIX) as made:
        made.settimeout(10)
        made.connect(instance.settings("front-0")["front_socket"])
        yield made


def is_closed(made):
    """By the other side, whatever is still to be read."""
    poll = select.poll()
    poll.register(made, select.POLLRDHUP)
    return bool(poll.poll(0))


def unread(made):
    size = array.array("i", [0])
    fcntl.ioctl(made, termios.FIONREAD, size)
    return size[0]


def let_go(site, made, began):
    wait_until(lambda: is_closed(made), 10, "the end of the connection", 0.05)
    assert time.monotonic() - began < STALL_S + 2
    site.send(get("/healthz")).ok()


def test_a_whole_request_is_answered_and_its_connection_kept(instance, site):
    assert site
    with peer(instance) as made:
        for _ in range(3):
            made.sendall(head("GET", "/healthz") + record(STDIN))
            assert b"Status: 200 OK" in made.recv(4096)
        assert not is_closed(made)


@pytest.mark.parametrize("piece", [
    head("POST", "/user", 20)[:4], head("POST", "/user", 20)[:30], head("POST", "/user", 20),
    head("POST", "/user", 20) + record(STDIN, b'{"name":"a"'), head("POST", "/user", 20) + record(STDIN, b"{}")[:9],
], ids=["in a record's head", "in the head", "before the body", "in the body", "in a record of the body"])
def test_a_peer_that_stops_sending_is_let_go(instance, site, piece):
    with peer(instance) as made:
        began = time.monotonic()
        made.sendall(piece)
        assert all(answer.status == 200 for answer in site.swarm([get("/healthz")] * 20, 4))
        let_go(site, made, began)


def test_what_comes_after_the_stall_is_no_request(instance, site):
    """The rest of a body must not be read as the beginning of something else."""
    with peer(instance) as made:
        made.sendall(head("POST", "/user", 400) + record(STDIN, b"x" * 10))
        wait_until(lambda: is_closed(made), 10, "the end of the connection")
        with contextlib.suppress(BrokenPipeError):
            made.sendall(head("GET", "/healthz") + record(STDIN))
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := made.recv(65536):
                said += piece
        assert b"200 OK" not in said
    assert site


def fill(made):
    """Asks and never reads, until nothing more fits. True then."""
    before = unread(made)
    made.sendall(head("GET", "/nowhere") + record(STDIN))
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        if unread(made) > before:
            return False
    return True


def test_a_peer_that_stops_reading_is_let_go(instance, site):
    with peer(instance) as made:
        wait_until(lambda: fill(made), 30, "a full socket", 0)
        began = time.monotonic()
        assert all(answer.status == 200 for answer in site.swarm([get("/healthz")] * 20, 4))
        let_go(site, made, began)
