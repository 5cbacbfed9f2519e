"""What attackers meet once they are inside: how the programs are built, and what their processes may do."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from instance import ROOT, build_folder

PROGRAMS = ("boxoffice-front", "boxoffice-seat-worker", "boxoffice-account-worker", "boxoffice-gate-worker",
            "boxofficectl", "boxoffice-import", "boxoffice-topology")
PROCESSES = ("front-0", "seat-worker-0", "account-worker-0", "gate-worker-0")
FLAGS = ("-fPIE", "-fstack-protector-strong", "-fstack-clash-protection", "-fcf-protection")


def is_sanitized():
    return "sanitizers" in (build_folder() / ".flags").read_text()


def readelf(program, *options):
    return subprocess.run(["readelf", "-W", *options, str(build_folder() / program)], capture_output=True, text=True,
                          timeout=60, check=True).stdout


def faults_of(program):
    """What an attacker would be glad of."""
    dynamic, headers = readelf(program, "--dynamic"), readelf(program, "--program-headers", "--file-header")
    symbols = readelf(program, "--dyn-syms")
    found = {
        "not position-independent": not re.search(r"Type:\s+DYN", headers) or "PIE" not in dynamic,
        "symbols are bound late, so the table of addresses stays writable":
            not re.search(r"FLAGS.*(BIND_NOW|NOW)", dynamic) or "GNU_RELRO" not in headers,
        "its stack can be executed": not re.search(r"GNU_STACK.* RW +0x", headers),
        "memory is writable and executable": bool(re.search(r"LOAD.* RWE ", headers)),
        "text relocations": "TEXTREL" in dynamic,
        "libraries from a folder of its own": bool(re.search(r"R(UN)?PATH", dynamic)),
        "stacks are not guarded": "__stack_chk_fail" not in symbols,
        "copies are not checked": not is_sanitized() and not re.search(r"__\w+_chk@", symbols),
    }
    return [fault for fault, is_so in found.items() if is_so]


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_is_hardened(program):
    assert faults_of(program) == []


def test_a_program_that_is_not_hardened_is_noticed(tmp_path):
    source = tmp_path / "soft.c"
    source.write_text("#include <string.h>\nint main(int c, char **v) { char b[9]; strcpy(b, v[c - 1]); return b[0]; }\n")
    subprocess.run(["gcc", "-O2", "-fno-stack-protector", "-U_FORTIFY_SOURCE", "-no-pie", "-Wl,-z,norelro", "-Wl,-z,lazy",
                    "-z", "execstack", "-o", str(tmp_path / "soft"), str(source)], check=True, capture_output=True, timeout=60)
    assert len(faults_of(tmp_path / "soft")) >= 5


@pytest.mark.skipif(not os.uname().machine == "x86_64", reason="other machines have fewer of them")
def test_every_file_is_compiled_with_every_flag():
    makefile = (build_folder() / "Makefile").read_text()
    hardening = re.search(r"^HARDENING = (.*)$", makefile, re.MULTILINE).group(1).split()
    assert set(FLAGS) <= set(hardening)
    assert is_sanitized() or "-D_FORTIFY_SOURCE=3" in hardening
    assert "$(HARDENING)" in re.search(r"^AM_CFLAGS = (.*)$", makefile, re.MULTILINE).group(1)


def status_of(instance, name):
    lines = Path(f"/proc/{instance.pid(name)}/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_has_no_privileges_whoever_starts_it(instance, name):
    found = status_of(instance, name)
    # CAP_DAC_READ_SEARCH may stay with root: the way to its files.
    assert all(int(found[each], 16) in (0, 1 << 2) for each in ("CapEff", "CapPrm"))
    assert int(found["CapInh"], 16) == int(found["CapAmb"], 16) == 0
    assert found["NoNewPrivs"] == "1"


@pytest.fixture
def secrets(instance):
    """Every password and key of the instance."""
    found = {path.read_text().strip() for path in (instance.var / "secrets").iterdir()}
    assert len(found) > 5 and all(len(each) >= 32 for each in found)
    return found


def test_no_process_of_the_machine_shows_a_secret(instance, site, secrets):
    """Not while the service is used, nor while the launcher works."""
    site.fan(balance=1)
    seen = 0
    with subprocess.Popen(["./boxoffice", "status"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          env={**os.environ, "BOXOFFICE_VAR": str(instance.var)}) as launcher:
        while launcher.poll() is None or seen == 0:
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    text = process.read_bytes().decode(errors="replace")
                except (FileNotFoundError, ProcessLookupError):
                    continue
                seen += 1
                assert not [each for each in secrets if each in text], process


def test_no_log_shows_a_secret(instance, site, secrets):
    site.fan(balance=1)
    instance.run("ctl", "dead", "list")
    instance.run("logs")
    logs = [path for path in (instance.var / "log").rglob("*") if path.is_file()]
    assert len(logs) > 5
    shown = [path for path in logs if any(each in path.read_text(errors="replace") for each in secrets)]
    assert shown == []


def test_what_holds_a_secret_is_its_owners_alone(instance, secrets):
    """Wherever a password or key stands, others cannot read it."""
    holders = [path for path in instance.var.rglob("*")
               if path.is_file() and not path.is_relative_to(instance.var / "mysql") and path.stat().st_size < 1 << 20
               and any(secret in path.read_text(errors="replace") for secret in secrets)]
    assert instance.var / "etc" / "front-0.settings" in holders
    open_to_others = [path for path in holders if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_secrets_are_compared_in_one_place_each():
    """No memcmp() or strcmp() tells by its time how much of a secret was right: signatures are compared by
    libjwt, keys by the server that owns them, and our sources compare none."""
    suspicious = []
    for path in [*ROOT.glob("fcgi-front/*.c"), *ROOT.glob("lib/*.c"), *ROOT.glob("workers/*.c")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\b(mem|str|strn|strcase)cmp\(", line) and re.search(r"secret|password|signature|bytes, key", line):
                suspicious.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()}")
    assert suspicious == []
