"""README.md: what it tells a new user to type works as it stands there, and its tables are true."""

import os
import re
import subprocess

import pytest

from instance import ROOT, find_program

README = (ROOT / "README.md").read_text()
SCRIPT_WITHIN_S = 120
# Everything as a new user pastes it, but each curl leaves a line about its answer.
PRELUDE = """set -eu -o pipefail
curl() { command curl -w '%{stderr}%{http_code} %{method} %{url_effective}\\n' "$@" 2>>"$answers"; }
"""


def section(title):
    return README.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def routes():
    """(method, path) of every call that a front serves."""
    return set(re.findall(r'^ROUTE\((\w+), "([^"]+)"', (ROOT / "fcgi-front/routes.def").read_text(),
                          re.MULTILINE))


def run_as_written(instance, script, answers):
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("BOXOFFICE_") or name == "BOXOFFICE_BUILD"}
    environment.update(BOXOFFICE_VAR=str(instance.var), answers=str(answers))
    return subprocess.run(["timeout", str(SCRIPT_WITHIN_S), "bash", "-c", PRELUDE + script],
                          cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def session(instance, site, tmp_path_factory):
    """What bash said to the commands of "Every call", and (status, method, path) of each call."""
    assert site
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```$", section("Every call"),
                                  re.MULTILINE | re.DOTALL))
    answers = tmp_path_factory.mktemp("readme") / "answers"
    try:
        done = run_as_written(instance, script, answers)
    finally:
        instance.run("start", "account-worker")
    assert done.returncode == 0, done.stdout + done.stderr
    calls = []
    for line in answers.read_text().splitlines():
        status, method, url = line.split()
        path = url.removeprefix(instance.values["BOXOFFICE_URL"]).split("?")[0]
        calls.append((int(status), method, re.sub("^/jobs/.*", "/jobs/", path)))
    return done, calls


def test_every_command_is_answered_with_success(session):
    done, calls = session
    assert [call for call in calls if not (200 <= call[0] <= 202 or call[0] == 303)] == [], done.stdout + done.stderr


def test_every_call_is_shown(session):
    assert {(method, path) for _, method, path in session[1]} == routes()


def test_the_repeated_payment_is_the_first_one(session):
    first, again = re.findall(r'^{"success":true,"data":{.*"status":"PAID".*$', session[0].stdout,
                              re.MULTILINE)
    assert first == again
    assert session[0].stdout.lower().count("idempotency-replayed: true") == 1


def test_without_a_worker_the_answer_is_a_handle(session):
    assert (202, "POST", "/user/charge") in session[1]
    assert '"status": "queued"' in session[0].stdout
    assert '"httpStatus":200' in session[0].stderr


def rows(text):
    """The rows of the tables in a text, without head and ruler."""
    found = [line for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in row.strip("|").split(" |")] for row in found]


def test_the_settings_are_those_of_the_programs():
    printed = subprocess.run([str(find_program("boxoffice-front")), "--help"], check=True,
                             capture_output=True, text=True).stdout
    told = []
    for line in printed.splitlines()[1:]:
        name, text, number, least, most, what = re.fullmatch(
            r'BOXOFFICE_([A-Z_]+) +(?:"(.*?)"|(\d+) \((\d+) to (\d+)\)|\(secret\)): (.*)',
            line).groups()
        told.append([f"`{name.lower()}`", number or (f"`{text}`" if text else ""),
                     f"{least} to {most}" if number else "secret" if text is None else "text", what])
    assert [row for row in rows(section("Settings")) if len(row) == 4] == told


def test_the_launchers_settings_are_those_of_the_launcher():
    source = (ROOT / "launcher/settings.sh").read_text()
    table = source.split("launcher_settings=(", 1)[1].split("\n)", 1)[0]
    told = [[f"`{name}`", value] for name, value in re.findall(r"\[(\w+)\]=(\d*)", table)]
    assert [row[:2] for row in rows(section("Settings")) if len(row) == 3] == told


def test_every_folder_is_there():
    for names in (row[0] for row in rows(section("Folders"))):
        for name in re.findall("`([^`]+)`", names):
            assert (ROOT / name).exists(), name
