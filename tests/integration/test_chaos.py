"""Faults of a dozen kinds under load, on an instance of their own: the short form of ./boxoffice chaos."""

import json
import os
import re
import subprocess

from instance import ROOT

SEED = os.environ.get("BOXOFFICE_CHAOS_SEED", "5364")


def test_nothing_is_lost_or_done_twice_whatever_fails(tmp_path):
    told = tmp_path / "told.json"
    done = subprocess.run([str(ROOT / "boxoffice"), "chaos", "--short", "--prove", "--seed", SEED, "--json", str(told)],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-8000:]
    # Else the next lines would say nothing.
    proved = re.search(r"of (\d+) things broken afterwards the checks found (\d+)", done.stdout)
    assert proved and proved[1] == proved[2], done.stdout
    found = json.loads(told.read_text())
    assert found["faults"] >= 12 and found["confirmed"] > 200 and found["history"]["ok"] > 20
    assert found["losses"] == found["doubles"] == found["lies"] == found["other"] == found["failed"] == []
