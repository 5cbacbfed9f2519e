"""Tests written in C that need a running broker: each of their cases is a test here."""

import contextlib
import os
import re
import subprocess
from urllib.parse import urlsplit, urlunsplit

import pytest

from instance import ROOT, find_program

SOURCE = ROOT / "tests" / "integration" / "test_broker.c"
VHOST = "test-broker"


def cases():
    return re.findall(r"cmocka_unit_test\w*\((\w+)", SOURCE.read_text())


@contextlib.contextmanager
def vhost(broker):
    """A virtual host that nobody else uses."""
    user = urlsplit(broker.url).username
    broker.management(f"vhosts/{VHOST}", "PUT", {})
    try:
        broker.management(f"permissions/{VHOST}/{user}", "PUT",
                          {"configure": ".*", "write": ".*", "read": ".*"})
        yield urlunsplit(urlsplit(broker.url)._replace(path=f"/{VHOST}"))
    finally:
        broker.management(f"vhosts/{VHOST}", "DELETE")


@pytest.fixture(scope="module")
def results(instance, broker):
    """{case: its lines of TAP} of one run."""
    program = find_program("test_broker")
    if program is None:
        pytest.skip("test_broker is not built")
    with vhost(broker) as url:
        done = subprocess.run([str(program)], capture_output=True, text=True, timeout=180,
                              check=False, env={
                                  **os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP",
                                  "BOXOFFICE_AMQP_ADMIN_URL": url, "BOXOFFICE_MANAGEMENT_URL":
                                  instance.values["BOXOFFICE_MANAGEMENT_URL"]})
    found = {}
    for line in (done.stdout + done.stderr).splitlines():
        told = re.match(r"(ok|not ok) \d+ - (\w+)", line)
        if told:
            found[told.group(2)] = told.group(1)
    return found, done


@pytest.mark.parametrize("case", cases())
def test_broker_module(results, case):
    found, done = results
    assert found.get(case) == "ok", f"{done.stdout}\n{done.stderr}"
