"""Writes down what clients asked and what they were told: one JSON object a line.

    {"process","op","key","user","seat","schedule","amount","call","return","outcome","status","code",
     "answer","content"}

`call` and `return` are nanoseconds of the host's monotonic clock, the same one for all processes of a host.
`outcome` is ok, refused or unknown: no answer, or one that decides nothing (202, 429, 503; `return` is null).
What has no meaning for an operation is left out. A write is written down twice: before it is sent, as unknown,
and when its answer came; so one whose client is killed is not missing. Lines of the same user, call and key are
the same operation, sent again; `content` tells apart what was sent under one key (see check.py).

The first line is {"meta": {...}}: the settings that a model needs. {"note": "stale", "from", "until"} says that
pictures taken in between may be as old as its beginning: the database was away, or a front was stopped.
"""

import http.client
import json
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from api import Answer  # noqa: E402

UNDECIDED = (202, 429, 500, 502, 503, 504)
READS = ("status", "map", "free", "own", "balance")


def now():
    return time.monotonic_ns()


class Recorder:
    """One file; any number of threads. A process has a file of its own."""

    def __init__(self, path, **meta):
        """meta: hold_s, and stale_ms: how old a picture of seats may be when nothing is broken."""
        self._file = open(path, "a", encoding="utf-8")
        self._lock = threading.Lock()
        self.write({"meta": meta})

    def write(self, line):
        text = json.dumps({name: value for name, value in line.items() if value is not None or name == "return"},
                          separators=(",", ":"))
        with self._lock:
            self._file.write(text + "\n")
            self._file.flush()

    def note_stale(self, since, until):
        self.write({"note": "stale", "from": since, "until": until})

    def close(self):
        with self._lock:
            self._file.close()


class Client:
    """A process of the history: one call at a time, over one kept connection."""

    def __init__(self, site, recorder, process, patience_s=5.0):
        self.process = process
        self._site = site
        self._recorder = recorder
        self._patience_s = patience_s
        self._socket = None

    def send(self, op, call, **about):
        """Sends, and returns the Answer, or None when there was none. about: user, key, seat, …"""
        line = {"process": self.process, "op": op, **about}
        start = now()
        if op not in READS:
            self._recorder.write({**line, "call": start, "return": None, "outcome": "unknown"})
        answer = self._exchange(call)
        if answer is not None or op in READS:
            self._recorder.write({**line, "call": start, **describe(answer, now())})
        return answer

    def follow(self, op, call, handle, **about):
        """Asks what became of a 202. Returns the Answer of the call itself once there is one."""
        found = self._exchange(handle)
        if found is None or found.status != 200 or found.json["data"]["status"] != "done":
            return None
        state = found.json["data"]
        answer = Answer(state["httpStatus"], [], json.dumps(state["response"]).encode(), found.seconds)
        end = now()
        self._recorder.write({"process": self.process, "op": op, **about, "call": end,
                              **describe(answer, end), "handle": True})
        return answer

    def close(self):
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, call):
        start = time.monotonic()
        try:
            if self._socket is None:
                self._socket = socket.create_connection((self._site.host, self._site.port), self._patience_s,
                                                        (self._site.next_address(), 0))
            self._socket.sendall(call.encode(self._site.host))
            response = http.client.HTTPResponse(self._socket, method=call.method)
            response.begin()
            body = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None
        if response.will_close:
            self.close()
        return Answer(response.status, response.getheaders(), body, time.monotonic() - start)


def describe(answer, end):
    """How a line ends."""
    if answer is None:
        return {"return": None, "outcome": "unknown"}
    try:
        envelope = answer.json
    except ValueError:
        envelope = {}
    found = {"return": end, "status": answer.status, "code": envelope.get("code"), "answer": envelope.get("data")}
    if answer.status in UNDECIDED:
        return {**found, "return": None, "outcome": "unknown", "told": end}
    return {**found, "outcome": "ok" if answer.status == 200 else "refused"}
