"""docs/THREATS.md: each threat has what stops it and a test that shows it, and those tests are there."""

import re

import pytest

from instance import ROOT

TEXT = (ROOT / "docs" / "THREATS.md").read_text()
# "file: name, name": of tests/integration, tests/unit or tests/fuzz.
REFERENCE = re.compile(r"`([a-z_]+)(?:: ([a-z0-9_, ]+))?`")


def rows():
    """(section, cells) of every row of every table."""
    section = ""
    for line in TEXT.splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and not line.startswith("| who") and not line.startswith("| what"):
            yield section, [cell.strip() for cell in line.strip("|").split("|")]


THREATS = [cells for section, cells in rows() if section != "Who"]


def functions(name):
    """The tests of a file, by its name without the suffix; None when there is no such file."""
    found = None
    for path in (ROOT / "tests/integration" / f"{name}.py", ROOT / "tests/unit" / f"{name}.c", ROOT / "tests/fuzz" / f"{name}.c"):
        if path.exists():
            found = (found or set()) | set(re.findall(r"^def test_(\w+)|^static void (\w+)\(", path.read_text(), re.MULTILINE))
    return found and {one or other for one, other in found}


@pytest.mark.parametrize("cells", THREATS, ids=lambda cells: cells[0][:60])
def test_a_threat_is_stopped_and_a_test_shows_it(cells):
    assert len(cells) == 4 and all(cells)
    references = REFERENCE.findall(cells[3])
    assert references, cells[3]
    for name, wanted in references:
        there = functions(name)
        assert there is not None, f"there is no {name}"
        missing = set(re.split(", ?", wanted)) - there if wanted else set()
        assert not missing, f"{name} has no {missing}"


def test_a_reference_to_nothing_would_be_noticed():
    assert functions("test_of_nothing") is None
    assert "no_such_test" not in functions("test_tls")
    assert "a_sale_goes_through_by_tls_alone" in functions("test_tls")
    assert functions("test_token") >= {"a_token_ends_at_its_second"}


def test_every_table_has_rows():
    assert len(THREATS) >= 30
    assert len({section for section, _ in rows()}) >= 5
