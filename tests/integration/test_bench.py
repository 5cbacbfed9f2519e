"""./boxoffice bench in its smallest form: what it leaves behind, and what it refuses."""

import json
import os
import subprocess

import jsonschema
import pytest

from instance import ROOT, build_folder

SCHEMA = json.loads((ROOT / "bench" / "results.schema.json").read_text())
ALONE = {name: value for name, value in os.environ.items() if not name.startswith("BOXOFFICE_")}


def call(*command):
    return subprocess.run([str(part) for part in command], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=150, check=False,
                          env={**ALONE, "BOXOFFICE_BUILD": str(build_folder())})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Of a run of three benches on an instance of its own."""
    made = tmp_path_factory.mktemp("bench")
    done = call("./boxoffice", "bench", "--least", "--only", "http,crowd,memory", "--output", made)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The whole service over HTTP, 8 clients" in done.stdout
    return made


@pytest.fixture
def results(folder):
    return json.loads((folder / "results.json").read_text())


def test_results_are_as_their_schema_says(results):
    jsonschema.validate(results, SCHEMA)
    assert list(results["benches"]) == ["http", "crowd", "memory"] and results["failed"] == []
    assert {target["bench"] for target in results["targets"]} == {"http", "crowd"}
    assert results["settings"]["database"]["innodb_flush_log_at_trx_commit"] == "1"


def test_pictures_and_a_report_are_made(folder):
    for name in ("http-charges", "http-sale", "crowd-charges", "memory"):
        assert (folder / f"{name}.svg").read_text().startswith("<?xml")
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    report = (folder / "report.md").read_text()
    assert "| hello |" in report and "![Charges over HTTP of 8 clients" in report
    assert "| charges on one balance ÷ hello |" in report and "| charges on one balance ÷ hello, 40 clients |" in report


def test_a_page_gets_the_tables_between_its_marks(folder, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- measured: begin -->\nwhat was there\n<!-- measured: end -->\nafter\n")
    done = call("bench/report", "--into", page, folder / "results.json", folder / "results.json")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "what was there" not in text and "| hello |" in text
    assert (tmp_path / "docs" / "benchmarks" / "http-charges.svg").is_file()


def test_a_run_of_few_arms_has_a_report_too(results, tmp_path):
    http = results["benches"]["http"]["result"]
    http["arms"] = [arm for arm in http["arms"] if arm["arm"] == "idle"]
    (tmp_path / "results.json").write_text(json.dumps(results))
    done = call("bench/report", "--folder", tmp_path, tmp_path / "results.json")
    assert done.returncode == 0, done.stderr
    assert "The whole service over HTTP" in done.stdout and not list(tmp_path.glob("http-*"))


def test_runs_of_two_versions_are_not_put_together(folder, results, tmp_path):
    other = tmp_path / "other.json"
    other.write_text(json.dumps({**results, "versions": {**results["versions"], "nginx": "0.1"}}))
    done = call("bench/report", folder / "results.json", other)
    assert done.returncode != 0 and "not of one version" in done.stderr


@pytest.mark.parametrize("options", [("--only", "nothing"), ("--arguments", "--rounds 1"), ("--plots", "/nowhere"),
                                     ("--only", "http,memory", "--arguments", "--rounds 1")])
def test_options_that_make_no_sense_are_refused(options):
    done = call("./boxoffice", "bench", *options)
    assert done.returncode != 0 and done.stderr
