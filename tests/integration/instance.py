"""One running boxoffice, started by ./boxoffice with its own folder, ports and settings."""

import contextlib
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from wait import wait_until

ROOT = Path(__file__).resolve().parents[2]
PORT_BLOCK = 30  # the servers', and the metrics ports of five processes of each kind
# What the caller of the tests may say: which build, and what to run the processes under.
KEPT = {"BOXOFFICE_BUILD", "BOXOFFICE_CONFIGURE", "BOXOFFICE_WRAP"}
UP_DEADLINE_S = 600  # the first start of a checkout builds everything


def build_folder():
    return Path(os.environ.get("BOXOFFICE_BUILD", ROOT / "build")).resolve()


def find_program(name):
    """A program of ours in the build folder, or None while it is not built."""
    for path in (build_folder() / name, build_folder() / "tests" / "integration" / name):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def _is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port_base():
    """The first of PORT_BLOCK free ports, below the range that the kernel hands out itself."""
    for _ in range(200):
        base = random.randrange(12000, 30000, PORT_BLOCK)
        if all(_is_free(base + offset) for offset in range(PORT_BLOCK)):
            return base
    raise RuntimeError("no block of free ports found")


def _stat(pid):
    """The fields of /proc/PID/stat from the state on; none when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def process_birth(pid):
    """When a process was born, which tells it from a later one with its number; None when it is
    gone. A zombie is gone too: nobody may be there to reap what the launcher started."""
    stat = _stat(pid)
    return stat[19] if stat and stat[0] not in "ZX" else None


class Instance:
    def __init__(self, settings):
        self.folder = Path(tempfile.mkdtemp(prefix="boxoffice-test-"))
        # The database and the broker refuse to run as root: their accounts must get in here.
        self.folder.chmod(0o755)
        self.var = self.folder / "var"
        self.port_base = free_port_base()
        # Which servers, the caller of the tests says (tests/matrix).
        self.set = " ".join([*(f"{name}={value}" for name, value in settings.items()),
                             os.environ.get("BOXOFFICE_TEST_SET", "")])
        self.printed = ""  # by up
        self.values = {}   # of env
        self.recipes = {}  # name → (command, environment, folder) of our own programs

    def environment(self):
        """That of ./boxoffice on this instance, and of what calls it."""
        return {**{k: v for k, v in os.environ.items()
                   if not k.startswith("BOXOFFICE_") or k in KEPT},
                "BOXOFFICE_VAR": str(self.var), "BOXOFFICE_PORT_BASE": str(self.port_base),
                "BOXOFFICE_SET": self.set}

    def run(self, *arguments, check=True, timeout_s=120, **environment):
        """Runs ./boxoffice; keyword arguments in capitals go to its environment."""
        env = {**self.environment(), **environment}
        # To files, not pipes: a daemon that inherits a pipe would keep it open.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            done = subprocess.run([str(ROOT / "boxoffice"), *arguments], env=env, cwd=ROOT,
                                  stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                  timeout=timeout_s, check=False)
            out.seek(0)
            err.seek(0)
            done.stdout = out.read().decode(errors="replace")
            done.stderr = err.read().decode(errors="replace")
        if check and done.returncode != 0:
            raise AssertionError(f"./boxoffice {' '.join(arguments)} ended with "
                                 f"{done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def up(self):
        self.printed = self.run("up", timeout_s=UP_DEADLINE_S).stdout
        self.values = dict(assignment.split("=", 1)
                           for assignment in shlex.split(self.run("env").stdout)
                           if "=" in assignment)
        self.recipes = {name: self._recipe(name) for name in self.names()
                        if name.startswith("front-") or "-worker-" in name}

    def down(self):
        pids = {name: self.pid(name) for name in self.names()}
        births = {name: process_birth(pid) for name, pid in pids.items()}
        self.run("down")
        left = [name for name, pid in pids.items()
                if births[name] and process_birth(pid) == births[name]]
        assert not left, f"./boxoffice down left {left}"
        shutil.rmtree(self.folder)

    # Processes ------------------------------------------------------------------------------

    def names(self, prefix=""):
        return sorted(path.stem for path in (self.var / "run").glob(f"{prefix}*.pid"))

    def pid(self, name):
        try:
            return int((self.var / "run" / f"{name}.pid").read_text().strip() or 0)
        except FileNotFoundError:
            return 0

    def is_alive(self, name):
        return process_birth(self.pid(name)) is not None

    def is_stopped(self, name):
        """True after a SIGSTOP."""
        return _stat(self.pid(name))[:1] == ["T"]

    def send_signal(self, name, number):
        os.kill(self.pid(name), number)

    def end(self, name, number=signal.SIGTERM, deadline_s=30):
        """Ends a process and waits until it is gone."""
        pid = self.pid(name)
        birth = process_birth(pid)
        if birth:
            os.kill(pid, number)
            wait_until(lambda: process_birth(pid) != birth, deadline_s, f"the end of {name}")

    def stop(self, *names):
        """Stops processes, or all of a kind ("seat-worker")."""
        self.run("stop", *names)

    def start(self, *names, fault=""):
        """Starts processes, or all of a kind, anew: without the faults they may have had."""
        self.run("stop", *names)
        self.run("start", *names, BOXOFFICE_FAULT=fault)

    def _recipe(self, name):
        proc = Path(f"/proc/{self.pid(name)}")
        command = [os.fsdecode(word) for word in (proc / "cmdline").read_bytes().split(b"\0")[:-1]]
        environ = dict(os.fsdecode(word).split("=", 1)
                       for word in (proc / "environ").read_bytes().split(b"\0") if b"=" in word)
        return command, environ, os.readlink(proc / "cwd")

    def spawn(self, name, **environment):
        """A process like the launcher's NAME with other settings; its end is the caller's. Without
        a metrics port, which NAME itself may have."""
        command, environ, folder = self.recipes[name]
        environment = {"BOXOFFICE_METRICS_PORT": "0", **environment}
        with open(self.var / "log" / f"{name}.log", "ab") as log:
            return subprocess.Popen(command, env={**environ, **environment}, cwd=folder,
                                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def as_owner(self, sql):
        """Statements as the operating system's user who made the database."""
        subprocess.run(["mariadb", "--no-defaults", f"--socket={self.values['BOXOFFICE_MYSQL_SOCKET']}",
                        "--batch", "-e", sql], check=True, capture_output=True, timeout=30)

    def command_in_root(self, server, *command):
        """A command of a server's package ("mysql", "rabbitmq"), where that server's programs come from."""
        for line in (self.var / "settings").read_text().splitlines():
            if line.startswith(f"{server}_root="):
                return [str(ROOT / "launcher" / "in-root"), line.split("=", 1)[1], *command]
        return list(command)

    def ctl_values(self):
        """The settings that boxofficectl runs with."""
        lines = (self.var / "etc" / "boxofficectl.settings").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    @contextlib.contextmanager
    def ctl_settings(self, *lines):
        """Other settings for boxofficectl alone, for the length of a test."""
        path = self.var / "etc" / "boxofficectl.settings"
        before = path.read_text()
        path.write_text(before + "".join(f"{line}\n" for line in lines))
        try:
            yield
        finally:
            path.write_text(before)

    def settings(self, name):
        """The settings a process was started with: file, BOXOFFICE_SET, then its variables."""
        environ = self.recipes[name][1]
        found = {}
        if environ.get("BOXOFFICE_SETTINGS"):
            for line in Path(environ["BOXOFFICE_SETTINGS"]).read_text().splitlines():
                if "=" in line and not line.lstrip().startswith("#"):
                    key, value = line.split("=", 1)
                    found[key.strip()] = value.strip()
        for word in environ.get("BOXOFFICE_SET", "").split():
            found.update([word.split("=", 1)])
        found.update((key[len("BOXOFFICE_"):].lower(), value) for key, value in environ.items()
                     if key.startswith("BOXOFFICE_"))
        return found

    # Logs -----------------------------------------------------------------------------------

    def log_sizes(self):
        return {path: path.stat().st_size for path in (self.var / "log").glob("*.log")}

    def log_since(self, sizes, lines=15):
        """What each log gained since log_sizes(), the last lines of it."""
        news = {}
        for path in sorted((self.var / "log").glob("*.log")):
            with open(path, "rb") as log:
                size = path.stat().st_size
                log.seek(max(min(sizes.get(path, 0), size), size - 64 * 1024))
                text = log.read().decode(errors="replace").splitlines()
            if text:
                news[path.stem] = "\n".join(text[-lines:])
        return news
