"""PROTOCOL.md: its tables are those of the code, and its example of an importer imports."""

import json
import os
import re
import subprocess
import sys

from amqp import new_id
from instance import ROOT, find_program
from test_readme import routes, rows

PROTOCOL = (ROOT / "PROTOCOL.md").read_text()
FIRST_PLUMBING = "DB_GONE"  # of lib/err.def: from here on nothing is shown to a client


def table(mark):
    """The table that follows a mark."""
    return rows(PROTOCOL.split(f"<!-- {mark}:", 1)[1].split("\n\n", 1)[0])


def test_the_codes_are_those_of_the_code():
    errors = re.findall(r'^ERR\((\w+), "([^"]+)", (\d+), \w+, (true|false), "([^"]+)"\)',
                        (ROOT / "lib/err.def").read_text(), re.MULTILINE)
    symbols = [error[0] for error in errors]
    told = [[f"`{code}`", status, "yes" if settles == "true" else "no", message]
            for _, code, status, settles, message in errors[1:symbols.index(FIRST_PLUMBING)]]
    assert len(told) > 30
    assert table("codes") == told


def queue_row(queue, exchange_types, bindings):
    """What the table says of one queue of the definitions, but for the kinds it takes."""
    arguments = queue["arguments"]
    exchange, key = bindings[queue["name"]]

    def general(name):
        return re.sub(r"^(hold\.expiry\.)\d+s$", r"\1<s>s", re.sub(r"^seat\.\d+$", "seat.<k>", name))

    where = f"`{general(exchange)}` ({exchange_types[exchange]})"
    if key:
        where += f", `{'<k>' if key.isdigit() else key}`"
    dead = arguments.get("x-dead-letter-exchange")
    return [f"`{general(queue['name'])}`", where,
            "yes" if arguments.get("x-single-active-consumer") else "no",
            str(arguments.get("x-delivery-limit", "")), str(arguments.get("x-max-length", "")),
            f"`{dead}`" if dead else ""]


def test_the_queues_are_those_of_the_code():
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("BOXOFFICE_")}
    printed = subprocess.run([str(find_program("boxoffice-topology"))], env=environment, check=True,
                             capture_output=True, text=True).stdout
    definitions = json.loads(printed)
    types = {each["name"]: each["type"] for each in definitions["exchanges"]}
    bindings = {each["destination"]: (each["source"], each["routing_key"])
                for each in definitions["bindings"]}
    told = []
    for queue in definitions["queues"]:
        row = queue_row(queue, types, bindings)
        if row not in told:
            told.append(row)
    assert [row[:6] for row in table("queues")] == told


def test_the_calls_are_those_that_a_front_serves():
    calls = re.findall(r"^\| `(GET|POST) (/[^`{]*)", PROTOCOL, re.MULTILINE)
    assert set(calls) == routes()


def test_the_importer_imports(instance, site, db, tmp_path):
    program = re.search(r'^```python\n(""".*?)^```$', PROTOCOL, re.MULTILINE | re.DOTALL).group(1)
    path = tmp_path / "import.py"
    path.write_text(program)
    users = site.users(3)
    lines = [f"{row},{user},{100 + row}\n" for row, user in enumerate([*users, new_id()])]

    def run(rows_of_file):
        return subprocess.run(
            [sys.executable, str(path), f"file {users[0]}"], input="".join(rows_of_file),
            env={**os.environ, **instance.values}, check=True, capture_output=True, text=True,
            timeout=60).stdout.splitlines()

    assert run(lines[:2]) == ["0,ok,new", "1,ok,new"]
    assert run(lines) == ["0,ok,again", "1,ok,again", "2,ok,new", "3,unknown-user,new"]
    assert run(lines)[3] == "3,unknown-user,again"
    assert [db.balance(user) for user in users] == [100, 101, 102]
