"""ops/systemd: the units are understood, shut in, and allow what the programs call; ops/logrotate rotates."""

import re
import shutil
import subprocess
from functools import cache

import pytest

from api import charge, dates, reserve
from instance import ROOT, build_folder
from wait import wait_until

PROGRAMS = ("front", "seat-worker", "account-worker", "gate-worker")
SBIN = "/usr/sbin:/usr/bin:/sbin:/bin"
MOST_EXPOSED = 20  # of 100, as systemd-analyze counts
# Of newer systemd; older ones say that they do not know them.
NEWER = ("RestartSteps", "RestartMaxDelaySec")

with_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze")


def analyze(*arguments, folder=None):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    if folder is not None:
        environment["SYSTEMD_UNIT_PATH"] = f"{folder}:"
    return subprocess.run(["systemd-analyze", "--no-pager", *arguments], env=environment, capture_output=True,
                          text=True, timeout=60, check=False)


def unit(program):
    return (build_folder() / "ops/systemd" / f"boxoffice-{program}@.service").read_text()


def values(program, name):
    return re.findall(rf"^{name}=(.*)$", unit(program), re.MULTILINE)


@pytest.fixture
def units(tmp_path):
    """As they are built, but starting what is built here."""
    for path in (build_folder() / "ops/systemd").iterdir():
        text = re.sub(r"^ExecStart=.*/", f"ExecStart={build_folder()}/", path.read_text(), flags=re.MULTILINE)
        text = re.sub(r"^Documentation=.*\n", "", text, flags=re.MULTILINE)
        (tmp_path / path.name.replace("@.", "@0.")).write_text(text)
        (tmp_path / path.name).write_text(text)
    return tmp_path


@with_systemd
@pytest.mark.parametrize("name", [*(f"boxoffice-{program}@0.service" for program in PROGRAMS), "boxoffice.target"])
def test_systemd_understands_a_unit(units, name):
    done = analyze("verify", str(units / name), folder=units)
    complaints = [line for line in done.stderr.splitlines() if not any(f"'{key}'" in line for key in NEWER)]
    assert done.returncode == 0 and complaints == []


@with_systemd
def test_a_mistake_in_a_unit_is_noticed(units):
    path = units / "boxoffice-front@0.service"
    path.write_text(path.read_text().replace("Restart=always", "Restart=allways"))
    assert "Restart" in analyze("verify", str(path), folder=units).stderr


@with_systemd
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_process_is_shut_in(units, program):
    path = units / f"boxoffice-{program}@0.service"
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(path), folder=units)
    assert done.returncode == 0, done.stdout
    path.write_text(path.read_text().replace("NoNewPrivileges=yes\n", "").replace("ProtectSystem=strict\n", "")
                    .replace("CapabilityBoundingSet=\n", ""))
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(path), folder=units)
    assert done.returncode != 0, "the test would not notice"


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_has_no_name_left_to_fill_in(program):
    assert not re.search(r"@[a-z]+dir@", unit(program))
    assert values(program, "ExecStart")[0].endswith(f"/bin/boxoffice-{program}")


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_process_has_the_time_to_finish(program):
    """A front takes 10 s for the requests in hand; a worker's batch may wait 3 s for a lock, and again."""
    assert values(program, "KillSignal") == ["SIGTERM"] and values(program, "Restart") == ["always"]
    drain_s = int(re.search(r"#define DRAIN_S (\d+)", (ROOT / "fcgi-front/front.c").read_text()).group(1))
    assert int(values(program, "TimeoutStopSec")[0]) >= 2 * drain_s


@cache
def group(name):
    """The system calls of one of systemd's groups, and of those within it."""
    found = set()
    for word in re.findall(r"^    (@?[a-z0-9_-]+)$", analyze("syscall-filter", name).stdout, re.MULTILINE):
        found |= group(word) if word.startswith("@") else {word}
    assert found, name
    return found


def allowed(program):
    calls = set()
    for line in values(program, "SystemCallFilter"):
        for name in line.lstrip("~").split():
            calls = calls - group(name) if line.startswith("~") else calls | group(name)
    return calls


@with_systemd
@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_unit_allows_what_its_program_calls(site, instance, schedule, tmp_path, program):
    name, trace = f"{program}-0", tmp_path / "trace"
    instance.stop(program)
    try:
        instance.run("start", name, BOXOFFICE_WRAP=f"strace -D -f -q -o {trace}")
        fan = site.fan(balance=10)
        site.do(reserve(fan.token, schedule.seats[0])).ok()
        site.do(charge(fan.user, 1)).ok()
        site.do(dates(fan.token)).ok()
        instance.stop(name)
        wait_until(lambda: "+++ exited with 0 +++" in trace.read_text(), 20, "the end of the trace")
    finally:
        instance.start(program)
    calls = set(re.findall(r"^\d+ +(?:<\.\.\. )?([a-z0-9_]+)[( ]", trace.read_text(), re.MULTILINE)) - {"execve"}
    assert {"futex", "connect", "rt_sigaction"} <= calls
    # Root gives up its capabilities; the unit's account has none.
    calls.discard("capset")
    assert calls <= allowed(program), calls - allowed(program)
    assert not {"reboot", "mount", "setuid", "ptrace"} & allowed(program)


def test_installation_puts_the_units_where_systemd_looks(tmp_path):
    done = subprocess.run(["make", "-s", "-C", str(build_folder()), "install", f"DESTDIR={tmp_path}"],
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "usr/local/lib/systemd/system"
    assert {path.name for path in folder.iterdir()} == {
        "boxoffice.target", *(f"boxoffice-{program}@.service" for program in PROGRAMS)}
    assert (tmp_path / "usr/local/lib/sysusers.d/boxoffice.conf").exists()
    for program in PROGRAMS:
        assert (tmp_path / values(program, "ExecStart")[0].lstrip("/")).exists()
    assert (tmp_path / "usr/local/share/doc/boxoffice/OPERATIONS.md").exists()


# logrotate ---------------------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("logrotate", path=SBIN) is None,
                    reason="there is no logrotate")
def test_the_access_log_is_rotated(tmp_path):
    """nginx is told by its signal: here a shell waits for it."""
    (tmp_path / "log").mkdir()
    (tmp_path / "run").mkdir()
    log = tmp_path / "log" / "nginx-access.log"
    log.write_text("a line\n")
    rules = tmp_path / "rules"
    rules.write_text((ROOT / "ops/logrotate/boxoffice-nginx").read_text().replace("/var/lib/boxoffice",
                                                                                   str(tmp_path)))
    rules.chmod(0o644)

    def logrotate(*arguments):
        done = subprocess.run(["/usr/sbin/logrotate", "--state", str(tmp_path / "state"), *arguments, str(rules)],
                              capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0 and "error" not in done.stderr, done.stderr

    logrotate("-d")
    assert log.exists()
    told = subprocess.Popen(["bash", "-c", "trap 'exit 7' USR1; echo ready; while :; do read -t 0.05 <> <(:); done"],
                            stdout=subprocess.PIPE)
    try:
        assert told.stdout.readline() == b"ready\n"
        (tmp_path / "run" / "nginx.pid").write_text(f"{told.pid}\n")
        logrotate("--force")
        assert told.wait(10) == 7
    finally:
        told.kill()
        told.wait()
    assert not log.exists() and (tmp_path / "log" / "nginx-access.log.1").read_text() == "a line\n"
    log.write_text("another\n")
    (tmp_path / "run" / "nginx.pid").unlink()
    logrotate("--force")
    assert (tmp_path / "log" / "nginx-access.log.2.gz").exists()
