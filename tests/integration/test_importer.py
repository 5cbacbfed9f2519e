"""boxoffice-import: a file's way to the accounts, whatever is killed, full, away or lost on the way."""

import contextlib
import csv
import json
import os
import pty
import random
import re
import resource
import signal
import subprocess
import threading
import time
import uuid
from urllib.parse import urlsplit

import pytest

from api import charge
from instance import ROOT, find_program
from wait import wait_until

MANY = 20000
SUM = "SELECT COALESCE(SUM(amount), 0) FROM cash_history WHERE description LIKE %s"
ROWS = "SELECT COUNT(*) FROM cash_history WHERE description LIKE %s"


class Importer:
    """The program with the importer's account; each has a source of its own."""

    def __init__(self, instance, folder):
        self.source = f"s{uuid.uuid4().hex[:12]}"
        self.folder = folder
        self.path = folder / "charges.csv"
        self.rejects = folder / "charges.csv.rejects.csv"
        self.environment = {**{k: v for k, v in os.environ.items() if not k.startswith("BOXOFFICE_")},
                     "BOXOFFICE_AMQP_URL": instance.values["BOXOFFICE_AMQP_IMPORT_URL"]}

    def write(self, rows, header="reference,user,amount", encoding="utf-8"):
        self.path.write_bytes("".join(f"{line}\n" for line in [header, *rows]).encode(encoding))

    def command(self, *options, path=None, named=True):
        name = ["--source", self.source] if named else []
        return [str(find_program("boxoffice-import")), *name, *options, str(path or self.path)]

    def start(self, *options, path=None, **how):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **how}
        return subprocess.Popen(self.command("--json", *options, path=path), env=self.environment,
                                text=True, cwd=self.folder, **pipes)

    def run(self, *options, path=None, named=True, status=0, stdin=None, **how):
        done = subprocess.run(self.command("--json", *options, path=path, named=named),
                              env=self.environment, input=stdin, capture_output=True, timeout=120,
                              text=not isinstance(stdin, bytes), check=False, cwd=self.folder, **how)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout else done.stderr

    def rejected(self, path=None):
        with open(path or self.rejects, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def memo(self):
        return f"{self.source} %"


def ended(process, status=0, deadline_s=90):
    out, err = process.communicate(timeout=deadline_s)
    assert process.returncode == status, (process.returncode, out, err)
    return json.loads(out)


@pytest.fixture
def importer(instance, tmp_path):
    return Importer(instance, tmp_path)


@pytest.fixture(scope="module")
def payees(site):
    return site.users(20)


def lines(users, count, first=1):
    return [f"R-{i:07d},{users[i % len(users)]},{i % 900 + 1}" for i in range(first, first + count)]


def total(count, first=1):
    return sum(i % 900 + 1 for i in range(first, first + count))


# What becomes of a file ----------------------------------------------------------------------


def test_a_file_is_applied_once_however_often_it_is_imported(importer, payees, db):
    importer.write(lines(payees, 2500))
    told = importer.run()
    assert (told["rows"], told["applied"], told["repeated"], told["rejected"]) == (2500, 2500, 0, 0)
    assert told["done"] and told["amountApplied"] == total(2500) == db.value(SUM, importer.memo())
    again = importer.run()
    assert (again["applied"], again["repeated"]) == (0, 2500)
    assert again["amountRepeated"] == total(2500) == db.value(SUM, importer.memo())
    assert not importer.rejects.exists()


def test_rows_added_and_removed_change_no_other(importer, payees, db):
    importer.write(lines(payees, 30))
    importer.run()
    importer.write(["X-1," + payees[0] + ",5", *lines(payees, 10), *lines(payees, 20, 15)])
    told = importer.run()
    assert (told["applied"], told["repeated"], told["rejected"]) == (5, 26, 0)
    assert db.value(ROWS, importer.memo()) == 35


def test_other_content_under_a_reference_is_key_reused(importer, payees, db):
    importer.write(lines(payees, 5))
    importer.run()
    changed = lines(payees, 5)
    changed[2] = f"R-0000003,{payees[3]},77777"
    importer.write(changed)
    told = importer.run(status=1)
    assert told["codes"] == {"key-reused": 1} and told["repeated"] == 4
    assert importer.rejected() == [{
        "row": "3", "code": "key-reused", "reason": "this key was used before with other content",
        "reference": "R-0000003", "user": payees[3], "amount": "77777"}]
    assert db.value(SUM, importer.memo()) == total(5)


def test_a_reference_twice_in_one_file_is_applied_once(importer, payees, db):
    importer.write([f"A-1,{payees[0]},5", f"A-1,{payees[0]},5", f"A-1,{payees[0]},6"])
    told = importer.run(status=1)
    assert (told["applied"], told["repeated"], told["codes"]) == (1, 1, {"key-reused": 1})
    assert db.value(SUM, importer.memo()) == 5


def test_a_refused_row_is_tried_again_with_a_higher_attempt(importer, payees, site, broker):
    stranger = str(uuid.uuid4())
    importer.write([f"A-1,{payees[0]},5", f"A-2,{stranger},7"])
    assert importer.run(status=1)["codes"] == {"unknown-user": 1}
    broker.ask("account", "account", {"id": str(uuid.uuid4()), "kind": "register", "userId": stranger,
                                      "name": "late"})
    assert importer.run(status=1)["codes"] == {"unknown-user": 1}
    told = importer.run("--attempt", "2", path=importer.rejects)
    assert (told["applied"], told["amountApplied"]) == (1, 7)
    told = importer.run("--attempt", "3")
    assert (told["applied"], told["repeated"]) == (0, 2)


def test_a_file_without_references_goes_by_its_rows(importer, payees, db):
    importer.write([f"{user},{i + 1}" for i, user in enumerate(payees)], "user,amount")
    options = ("--file-id", importer.source)
    told = importer.run(*options, named=False)
    assert told["applied"] == len(payees)
    assert importer.run(*options, named=False)["repeated"] == len(payees)
    assert db.value(SUM, importer.memo()) == sum(range(1, len(payees) + 1))


def test_a_corrected_rejects_file_keeps_the_numbers_of_its_rows(importer, payees, db):
    importer.write([f"{payees[0]},1", f"{payees[1]},2.00", f"{payees[2]},3"], "user,amount")
    options = ("--file-id", importer.source)
    importer.run(*options, named=False, status=1)
    corrected = importer.rejects.read_text().replace("2.00", "2")
    importer.rejects.write_text(corrected)
    told = importer.run(*options, named=False, path=importer.rejects)
    assert (told["applied"], told["repeated"]) == (1, 0)
    importer.write([f"{payees[0]},1", f"{payees[1]},2", f"{payees[2]},3"], "user,amount")
    assert importer.run(*options, named=False)["repeated"] == 3


def test_a_row_that_is_rejected_again_keeps_its_number(importer, payees, db):
    """Row 2 has the content of row 1: under the number 1 it would be taken for it and never be applied."""
    importer.write([f"{payees[0]},1000", f"{payees[0]},1,000", f"{payees[0]},x\"y"], "user,amount")
    options = ("--file-id", importer.source)
    again = importer.folder / "charges.csv.rejects.csv.rejects.csv"
    importer.run(*options, named=False, status=1)
    importer.run(*options, named=False, path=importer.rejects, status=1)
    assert [line.split(",")[0] for line in again.read_text().splitlines()] == ["row", "2", "3"]
    again.write_text(f"row,user,amount\n2,{payees[0]},1000\n,{payees[0]},1000\n")
    told = importer.run(*options, named=False, path=again, status=1)
    assert (told["applied"], told["repeated"], told["codes"]) == (1, 0, {"bad-field": 1})
    last = importer.rejected(importer.folder / f"{again.name}.rejects.csv")
    assert [row["row"] for row in last] == [""]
    assert db.value(SUM, importer.memo()) == 2000


def test_ids_are_those_of_the_protocol(importer, payees, db):
    source = (ROOT / "PROTOCOL.md").read_text()
    program = re.search(r"<!-- charge-id.*?```python\n(.*?)^```", source, re.DOTALL | re.MULTILINE)
    known = {}
    exec(program.group(1), known)  # pylint: disable=exec-used
    references = ["A-1", "none", "0001", "참조 7", "x" * 100, "99999999999999999"]
    importer.write([f"{reference},{payees[0]},1" for reference in references])
    importer.run()
    told = {known["charge_id"]("reference", importer.source, each).bytes for each in references}
    found = {job for job, in db.rows("SELECT job_id FROM cash_history WHERE description LIKE %s",
                                     importer.memo())}
    assert found == told


def test_a_dry_run_checks_all_and_sends_nothing(importer, payees, db):
    importer.write([*lines(payees, 1500), f"R-1501,{payees[0]},\"1,000\"", "R-1502,nobody,5"])
    told = importer.run("--dry-run", status=1)
    assert (told["dryRun"], told["valid"], told["codes"]) == (True, 1500, {"bad-field": 2})
    assert [row["row"] for row in importer.rejected()] == ["1501", "1502"]
    assert "thousands" in importer.rejected()[0]["reason"]
    assert db.value(ROWS, importer.memo()) == 0


def test_a_dry_run_that_finds_nothing_leaves_the_rejects_of_an_import(importer, payees):
    importer.write([f"A-1,{uuid.uuid4()},3"])
    assert importer.run(status=1)["codes"] == {"unknown-user": 1}
    before = importer.rejects.read_bytes()
    assert importer.run("--dry-run")["valid"] == 1
    assert importer.rejects.read_bytes() == before
    importer.write(lines(payees, 1))
    importer.run()
    assert not importer.rejects.exists()


@pytest.mark.parametrize("rows", [["R-1,nobody,5"], []])
@pytest.mark.parametrize("content", ["the books of May\n", "row,code,reaso", ""])
def test_a_file_that_is_no_rejects_file_is_never_lost(importer, rows, content):
    importer.write(rows)
    books = importer.folder / "books.csv"
    books.write_text(content)
    assert "no rejects file" in importer.run("--rejects", str(books), status=2)
    assert "no rejects file" in importer.run("--dry-run", "--rejects", str(books), status=2)
    assert "no rejects file" in importer.run("--rejects", str(importer.folder), status=2)
    assert books.read_text() == content
    assert sorted(os.listdir(importer.folder)) == ["books.csv", "charges.csv"]


def test_a_file_put_in_the_place_of_the_rejects_meanwhile_is_not_lost(importer):
    process = importer.start("--dry-run", "--rejects", "r.csv", path="-", stdin=subprocess.PIPE)
    process.stdin.write("reference,user,amount\nR-1,nobody,5\n")
    process.stdin.flush()
    wait_until(lambda: list(importer.folder.glob("r.csv.*.part")), 15, "a rejected row")
    (importer.folder / "r.csv").write_text("books")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2 and "File exists" in err, (out, err)
    assert (importer.folder / "r.csv").read_text() == "books"
    assert os.listdir(importer.folder) == ["r.csv"]


def test_two_imports_at_once_do_not_mix_their_rejects(importer):
    header = "reference,user,amount\n"
    first, second = (importer.start("--dry-run", "--rejects", "r.csv", path="-", stdin=subprocess.PIPE)
                     for _ in range(2))
    for count, (process, name) in enumerate([(first, "A"), (second, "B")], 1):
        process.stdin.write(f"{header}{name}-1,nobody,5\n")
        process.stdin.flush()
        wait_until(lambda: len(list(importer.folder.glob("r.csv.*part"))) == count, 15, "its part")
    for process, name in [(first, "A"), (second, "B")]:
        out, err = process.communicate(f"{name}-2,nobody,5\n", timeout=30)
        assert process.returncode == 1, (out, err)
        told = importer.rejected(importer.folder / "r.csv")
        assert [row["reference"] for row in told] == [f"{name}-1", f"{name}-2"]
    assert os.listdir(importer.folder) == ["r.csv"]


def test_a_bad_row_harms_no_other(importer, payees, db):
    importer.write([f"A-1,{payees[0]},1", f"A-2,{payees[0]},-2", f"A-3,{uuid.uuid4()},3",
                    "\"A-4", f"A-5,{payees[0]},5", "x" * 9000])
    told = importer.run(status=1)
    assert (told["applied"], told["codes"]) == (2, {"bad-field": 3, "unknown-user": 1})
    assert [(row["row"], row["code"]) for row in importer.rejected()] == [
        ("2", "bad-field"), ("3", "unknown-user"), ("4", "bad-field"), ("6", "bad-field")]
    assert db.value(SUM, importer.memo()) == 6
    importer.write([f"A-1,{payees[0]},1"])
    importer.run()
    assert not importer.rejects.exists()


def test_a_file_of_excel_is_read(importer, payees, db):
    body = f"Reference,User ID,Amount\r\n\r\nE-1,{payees[0]},12\r\nE-2,\"{payees[1]}\",\"30\""
    importer.path.write_bytes(b"\xef\xbb\xbf" + body.encode())
    assert importer.run()["applied"] == 2
    assert db.value(SUM, importer.memo()) == 42


def test_standard_input_goes_out_as_it_comes(importer, payees, db):
    process = importer.start(path="-", stdin=subprocess.PIPE)
    process.stdin.write("reference,user,amount\n" + lines(payees, 1)[0] + "\nR-0000002,")
    process.stdin.flush()
    wait_until(lambda: db.value(ROWS, importer.memo()) == 1, 15, "the first row alone")
    out, err = process.communicate(f"{payees[2]},3\n", timeout=30)
    assert process.returncode == 0, err
    assert json.loads(out)["applied"] == 2


@pytest.mark.parametrize("rows, options, part", [
    (["a,b"], (), "userId"), ([], (), "is empty"),
    (["user,amount"], ("--source", "x"), "--file-id"),
    (["ref,user,amount"], ("--file-id", "x"), "--source"), (["ref,user,amount"], (), "--source"),
    (["ref,user,amount"], ("--source", ""), "1 to 64"),
    (["ref,user,amount"], ("--source", "x", "--attempt", "0"), "1 to 1000"),
    (["ref,user,amount"], ("--nonsense",), "nonsense"),
    (["ref,user,amount"], ("--source", "x", "--rejects", "charges.csv"), "into the file itself")])
def test_what_cannot_be_done_is_told(importer, rows, options, part):
    importer.path.write_text("".join(f"{row}\n" for row in rows))
    assert part in importer.run(*options, named=False, status=2)


def test_a_file_that_is_not_there(importer):
    assert "No such file" in importer.run(status=2)


def test_a_header_alone_is_a_file_of_no_rows(importer):
    importer.write([])
    assert importer.run()["rows"] == 0


def test_a_million_rows_take_constant_memory(importer, payees):
    with open(importer.path, "w", encoding="ascii") as file:
        file.write("reference,user,amount\n")
        for i in range(1000000):
            file.write(f"R-{i},{payees[i % 20]},5\n")
    limit = 64 * 1024 * 1024
    if "sanitize" in os.environ.get("BOXOFFICE_CONFIGURE", ""):
        pytest.skip("a sanitized program reserves terabytes of address space")
    told = importer.run("--dry-run", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA,
                                                                          (limit, limit)))
    assert told["valid"] == 1000000


# Progress ------------------------------------------------------------------------------------


def test_a_terminal_gets_a_bar(importer, payees):
    importer.write(lines(payees, MANY))
    ours, theirs = pty.openpty()
    process = subprocess.Popen(importer.command(), env=importer.environment, stdout=subprocess.PIPE,
                               stderr=theirs, cwd=importer.folder)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 4096):
            shown += piece
    os.close(ours)
    summary = process.communicate(timeout=30)[0].decode()
    assert process.returncode == 0
    assert re.search(rb"\r\[#*\.*\] \d+ %, [\d,]+ rows, [\d,]+/s, \d+ s left", shown), shown
    assert shown.endswith(b"\r\x1b[K") and "applied" in summary


def test_a_log_gets_plain_lines(importer, payees, instance):
    importer.write(lines(payees, 100))
    instance.stop("account-worker")
    try:
        process = importer.start()
        line = process.stderr.readline()
    finally:
        instance.start("account-worker")
    assert re.fullmatch(r"0 %, 0 rows, 0/s\n", line), line
    assert ended(process)["applied"] == 100


# What goes wrong on the way ------------------------------------------------------------------


def assert_finished(importer, db, count=MANY):
    told = importer.run("--message-rows", "100")
    assert told["applied"] + told["repeated"] == count and told["rejected"] == 0
    assert db.value(SUM, importer.memo()) == total(count)
    assert db.value(ROWS, importer.memo()) == count
    return told


def test_an_importer_killed_anywhere_is_started_again(importer, payees, db):
    importer.write(lines(payees, MANY))
    for _ in range(4):
        process = importer.start("--message-rows", "100")
        before = db.value(ROWS, importer.memo())
        wait_until(lambda: db.value(ROWS, importer.memo()) > before or process.poll() is not None,
                   20, "some rows", 0.01)
        time_ms = random.randrange(150)
        threading.Event().wait(time_ms / 1000)
        process.kill()
        process.communicate()
    assert_finished(importer, db)


def test_an_import_outlives_workers_that_are_killed(importer, payees, db, instance):
    importer.write(lines(payees, MANY))
    process = importer.start("--message-rows", "100")
    for _ in range(3):
        before = db.value(ROWS, importer.memo())
        wait_until(lambda: db.value(ROWS, importer.memo()) > before or process.poll() is not None,
                   20, "some rows", 0.01)
        for name in instance.names("account-worker"):
            instance.end(name, signal.SIGKILL)
        instance.start("account-worker")
    told = ended(process)
    assert told["applied"] + told["repeated"] == MANY and told["rejected"] == 0
    assert db.value(SUM, importer.memo()) == total(MANY)
    assert_finished(importer, db)


def test_a_stopped_import_tells_how_to_go_on(importer, payees, db):
    importer.write(lines(payees, MANY))
    process = importer.start("--message-rows", "50")
    wait_until(lambda: db.value(ROWS, importer.memo()) > 0, 20, "some rows", 0.01)
    process.send_signal(signal.SIGINT)
    told = ended(process, status=2)
    assert not told["done"] and 0 < told["applied"] < MANY
    assert db.value(ROWS, importer.memo()) == told["applied"]
    assert_finished(importer, db)


@pytest.fixture(scope="module")
def clerk(broker):
    """An importer's account whose rights a test sets: clerk(configure, write)."""
    name = f"clerk-{uuid.uuid4().hex[:8]}"
    broker.management(f"users/{name}", "PUT", {"password": "right", "tags": ""})

    def grant(configure, write):
        broker.management(f"permissions/{broker.vhost}/{name}", "PUT", {
            "configure": configure, "write": write, "read": ".*"})
        return name

    yield grant
    broker.management(f"users/{name}", "DELETE")


ALL = ".*"
NONE = "^$"


@pytest.mark.parametrize("configure, write, password, vhost", [
    (ALL, ALL, "wrong", ""), (ALL, ALL, "right", "nowhere"), (NONE, ALL, "right", ""),
    (ALL, "^reply[.]import[.]", "right", "")])
def test_an_account_that_the_broker_refuses_ends_the_import(importer, payees, clerk, configure, write,
                                                            password, vhost):
    parts = urlsplit(importer.environment["BOXOFFICE_AMQP_URL"])
    importer.environment["BOXOFFICE_AMQP_URL"] = (
        f"amqp://{clerk(configure, write)}:{password}@{parts.hostname}:{parts.port}{parts.path}{vhost}")
    importer.write(lines(payees, 3))
    process = importer.start()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 2 and not json.loads(out)["done"], err
    assert "the broker refuses this account" in err


def test_an_import_without_a_broker_is_stopped_by_one_signal(importer, payees):
    importer.environment.update(BOXOFFICE_AMQP_URL="amqp://a:b@127.0.0.1:1/%2f",
                                BOXOFFICE_LOG_LEVEL="warn")
    importer.write(lines(payees, 3))
    process = importer.start("--quiet")
    away = [next(line for line in process.stderr if "broker-away" in line) for _ in range(2)]
    assert len(away) == 2 and process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert not ended(process, status=2, deadline_s=15)["done"]


@contextlib.contextmanager
def short_queue(broker, length):
    name = f"policies/{broker.vhost}/short"
    broker.management(name, "PUT", {"pattern": "^charge[.]import$", "apply-to": "queues",
                                    "definition": {"max-length": length}})
    try:
        yield
    finally:
        broker.management(name, "DELETE")


def test_a_full_queue_is_waited_for(importer, payees, db, broker, instance):
    importer.write(lines(payees, 2000))
    instance.stop("account-worker")
    try:
        with short_queue(broker, 2):
            process = importer.start("--message-rows", "100")
            wait_until(lambda: broker.depth("charge.import") >= 2, 20, "a full queue")
            instance.start("account-worker")
            assert ended(process)["applied"] == 2000
    finally:
        instance.start("account-worker")
    assert db.value(SUM, importer.memo()) == total(2000)


def test_lost_results_are_asked_for_again(importer, payees, db, instance):
    importer.write(lines(payees, 300))
    instance.start("account-worker", fault="lose-replies:on")
    try:
        process = importer.start("--message-rows", "100", "--answer-s", "1")
        wait_until(lambda: db.value(ROWS, importer.memo()) == 300, 20, "all rows")
    finally:
        instance.start("account-worker")
    told = ended(process)
    assert (told["applied"], told["repeated"]) == (0, 300)
    assert db.value(SUM, importer.memo()) == total(300)


def test_an_import_outlives_its_broker(importer, payees, db, instance, site):
    importer.write(lines(payees, MANY))
    process = importer.start("--message-rows", "50")
    wait_until(lambda: db.value(ROWS, importer.memo()) > 0, 20, "some rows", 0.01)
    instance.stop("rabbitmq")
    instance.start("rabbitmq")
    told = ended(process)
    assert told["applied"] + told["repeated"] == MANY and told["rejected"] == 0
    assert db.value(SUM, importer.memo()) == total(MANY)
    instance.run("up")
    site.await_ready()


def test_interactive_charges_flow_during_an_import(importer, payees, site, db):
    importer.write(lines(payees, MANY))
    user = site.users()[0]
    process = importer.start()
    wait_until(lambda: db.value(ROWS, importer.memo()) > 0, 20, "some rows", 0.01)
    count = 0
    slowest = 0.0
    while process.poll() is None and count < 200:
        begin = time.monotonic()
        site.send(charge(user, 1)).ok()
        slowest = max(slowest, time.monotonic() - begin)
        count += 1
    assert ended(process)["applied"] == MANY
    assert count >= 3 and slowest < 1.5
    assert db.charges(user) == [1] * count


def test_the_launcher_runs_it_as_the_importer(instance, payees, importer):
    importer.write(lines(payees, 3))
    done = instance.run("import", "--json", "--source", importer.source, str(importer.path))
    assert json.loads(done.stdout)["applied"] == 3
    settings = (instance.var / "etc" / "import.settings").read_text()
    assert "//importer:" in settings and "mysql" not in settings


def test_help_and_manual_tell_the_same_options():
    told = subprocess.run([str(find_program("boxoffice-import")), "--help"], check=True,
                          capture_output=True, text=True).stdout
    manual = (ROOT / "man/boxoffice-import.1").read_text().replace("\\-", "-")
    options = set(re.findall(r"^  (--[a-z-]+)", told, re.MULTILINE))
    assert len(options) == 10
    assert options == set(re.findall(r"^\.BI? (--[a-z-]+)", manual, re.MULTILINE))
