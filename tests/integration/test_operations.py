"""OPERATIONS.md: every alert has its section, every finding its line, every command is one."""

import re

from instance import ROOT
from test_ctl_looks import commands, options
from test_prometheus import ALERTS

TEXT = (ROOT / "OPERATIONS.md").read_text()


def section(title):
    return TEXT.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def test_every_alert_has_a_section_and_no_other_has():
    assert re.findall(r"^### (\w+)$", section("Alerts"), re.MULTILINE) == list(
        dict.fromkeys(re.findall(r"- alert: (\w+)", ALERTS)))


def test_every_cause_is_told():
    assert re.findall(r"^- `([a-z-]+)`:", section("Alerts"), re.MULTILINE) == re.findall(r"cause: ([a-z-]+)", ALERTS)


def findings():
    return re.findall(r'^\t(?:BREAKS\(|WARNS\(|\{)"([a-z-]+)"', (ROOT / "ctl/audit_checks.c").read_text(), re.MULTILINE)


def test_every_finding_of_the_audit_is_told():
    names = re.findall(r"`([a-z-]+…?)`", section("What the audit finds"))
    assert len(findings()) > 45
    for finding in findings():
        assert any(finding == name or (name.endswith("…") and finding.startswith(name[:-1])) for name in names), finding


def test_every_command_is_one():
    used = re.findall(r"(?:boxofficectl|`(?=gate |draw |dead )) ?(?:--yes )?([a-z]+(?: [a-z-]+)?)", TEXT)
    known = set(commands()) | {command.split()[0] for command in commands()}
    assert len(used) > 40
    for words in used:
        group = words.split()[0]
        assert words in known or (group in known and group in commands()), words


def test_every_option_is_one():
    for line in re.findall(r"boxofficectl ([^`\n]*)", TEXT):
        for option in re.findall(r"--([a-z]+)", line):
            assert option in options(), line


def test_the_readme_links_to_it():
    assert "](OPERATIONS.md)" in (ROOT / "README.md").read_text()
