"""Fans under load while workers are killed; what they were told is held against models of a seat, a balance, a fan
and the line (tests/history)."""

import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from wait import wait_for_moment

HISTORY = Path(__file__).resolve().parents[1] / "history"
sys.path.insert(0, str(HISTORY))

from final import record_final  # noqa: E402
from history import read  # noqa: E402
from load import Load  # noqa: E402
from record import Recorder  # noqa: E402
from refund import refund  # noqa: E402

CLIENTS = 24
SECONDS = 20
KILLED = ("seat-worker-0", "account-worker-0", "seat-worker-1")
# "Changes are told within a second" (PROTOCOL.md): no picture is to be older.
STALE_MS = 1000


@pytest.fixture
def recorded(instance, site, db, operator, hold_s, tmp_path):
    """The file of a run, whose last lines are what the database holds."""
    path = tmp_path / "history.jsonl"
    recorder = Recorder(path, hold_s=hold_s, stale_ms=STALE_MS)
    schedules = [db.schedule(seats=12) for _ in range(4)]
    load = Load(site, random.randrange(1 << 30), CLIENTS, recorder, schedules)
    start = time.monotonic()
    load.start()
    for i, name in enumerate(KILLED):
        refund_until(recorder, operator, load, start + SECONDS * (i + 1) / (len(KILLED) + 1))
        instance.end(name, signal.SIGKILL)
        instance.start(name)
    refund_until(recorder, operator, load, start + SECONDS)
    load.stop()
    assert load.settle() == []
    record_final(recorder, db, schedules, [fan.user for fan in load.fans()])
    recorder.close()
    return path


def refund_until(recorder, operator, load, moment):
    """Gives payments back, each more than once: by the same job, and by another."""
    wait_for_moment(min(moment, time.monotonic() + 1))
    while time.monotonic() < moment:
        for payment, seat in list(load.world.payments.items())[:1]:
            first = refund(recorder, operator, seat, payment)
            refund(recorder, operator, seat, payment, first["id"])
            refund(recorder, operator, seat, payment)
            load.refunded(payment)
        wait_for_moment(min(moment, time.monotonic() + 0.2))


def test_what_fans_were_told_has_an_order(recorded):
    told = read([recorded]).operations
    operations, codes = Counter((op.kind, op.outcome) for op in told), Counter(op.code for op in told)
    # There was something to be told.
    for kind in ("reserve", "cancel", "pay", "charge", "issue", "map", "own", "balance", "refund"):
        assert operations[kind, "ok"] >= 5, operations
    for code in ("seat-held", "hold-expired", "already-refunded"):
        assert codes[code] >= 1, codes
    done = subprocess.run([HISTORY / "check", recorded], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
