"""Files in, verdicts out: the command as others call it."""

import json
import subprocess
from pathlib import Path

import pytest

from check import check
from history import gather
from sample import META, balance, charge, pay, reserve

CHECK = Path(__file__).with_name("check")
LOST = [META, charge("u", 100, 0, 10, 100), balance("u", 20, 30, 0)]


@pytest.fixture
def write(tmp_path):
    def write_lines(name, lines, end=""):
        path = tmp_path / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + end)
        return path

    return write_lines


def run(*arguments):
    return subprocess.run([CHECK, *arguments], capture_output=True, text=True, check=False, timeout=60)


def test_all_is_well(write):
    done = run("--all", write("h", LOST[:-1]))
    assert done.returncode == 0 and "balance of u: ok" in done.stdout, done


def test_a_contradiction_is_told_as_a_timeline(write):
    done = run(write("h", LOST))
    assert done.returncode == 1, done
    told = done.stdout.splitlines()
    assert told[0] == "balance of u: not ok"
    assert told[2].strip() == "at first: 0"
    assert "charge of 100: ok balance=100" in told[3] and told[4].split()[0] == ">" and "balance=0" in told[4]
    assert told[-1].startswith("3 lines, 2 operations"), told


def test_what_contradicts_nothing_is_marked(write):
    done = run(write("h", [META, charge("u", 5, 0, 1, 5), balance("u", 2, 3, 5), charge("u", 6, 4, 5, 11),
                           balance("u", 6, 7, 12)]))
    assert done.returncode == 1, done
    assert [line.split()[0] for line in done.stdout.splitlines()[3:-1]] == ["~", "~", "~", ">"], done.stdout


def test_half_a_line_at_the_end_is_left_out(write):
    assert run(write("h", LOST[:-1], end='{"op":"cha')).returncode == 0


def test_files_of_one_run_belong_together(write):
    first, second = write("first", LOST[:-1]), write("second", [balance("u", 20, 30, 0)])
    assert run(first).returncode == 0
    assert run(first, second).returncode == 1


@pytest.mark.parametrize("text", ["nonsense\n", "[]\n", '{"op":"charge"}\n'])
def test_what_is_no_history_is_refused(write, text):
    done = run(write("h", [META], end=text))
    assert done.returncode == 2 and done.stderr.startswith("check: "), done


def test_a_file_that_is_not_there():
    assert run("/nowhere/h").returncode == 2


def test_the_bound_of_pictures_can_be_said(write):
    lines = [META, reserve("u", 1, 0, 10, 7),
             {"process": "v", "op": "free", "call": 500_000_000, "return": 510_000_000, "outcome": "ok", "status": 200,
              "schedule": 1, "answer": [{"id": 1}], "user": "v"}]
    path = write("h", lines)
    assert run(path).returncode == 1
    assert run("--stale-ms", "600", path).returncode == 0


def test_what_takes_too_long_is_undecided():
    """Thirty charges of which nobody was told, by amounts whose sums are all different."""
    lines = [META, *(charge("u", 1 << i, 0, None) for i in range(26)), balance("u", 10, 20, (1 << 26) - 1 - (1 << 25)),
             balance("u", 30, 40, 1)]
    report = check(gather(lines))
    assert report.code == 3 and "undecided" in report.text[0], report.text


def test_a_payment_of_an_unknown_price_is_undecided():
    report = check(gather([META, charge("u", 1500, 0, 10, 1500), reserve("u", 1, 20, None), pay("u", 1, 30, None)]))
    assert report.code == 3, report.text
