#!/usr/bin/env python3
"""Starts an instance, runs a command that finds it in its environment, ends the instance.

usage: with_instance.py COMMAND [ARGUMENT…]

The exit status is the command's. When that is not 0 the logs of the processes are shown on stderr.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

from instance import Instance  # noqa: E402

# Short enough to wait for the end of a hold, long enough to pay within it on a busy machine.
HOLD_S = 15
SETTINGS = {
    "nginx_at_once": 1040, "fronts": 2, "seat_workers": 2, "hold_s": HOLD_S, "reply_deadline_ms": 2000,
    "gate_max_active": 100000, "gate_active_s": 3600, "signs_ms": 200,
}


def main():
    instance = Instance(SETTINGS)
    try:
        instance.up()
        environment = {**os.environ, **instance.values, "BOXOFFICE_VAR": str(instance.var),
                       "BOXOFFICE_PORT_BASE": str(instance.port_base), "BOXOFFICE_SET": instance.set,
                       "BOXOFFICE_HOLD_S": str(HOLD_S)}
        status = subprocess.run(sys.argv[1:], env=environment, stdin=subprocess.DEVNULL, check=False).returncode
        if status != 0:
            for name, text in instance.log_since({}).items():
                print(f"--- log of {name}\n{text}", file=sys.stderr)
    finally:
        instance.down()
    return status


if __name__ == "__main__":
    sys.exit(main())
