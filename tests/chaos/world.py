"""The instance that faults are put into: two fronts, two of each worker, every link through a proxy."""

import contextlib
import getpass
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "integration"))

# pylint: disable=wrong-import-position
from amqp import Broker  # noqa: E402
from api import Site, get  # noqa: E402
from db import Db  # noqa: E402
from instance import Instance  # noqa: E402
from proxy import Proxy  # noqa: E402
from wait import wait_until  # noqa: E402

HERE = Path(__file__).resolve().parent
PROGRAMS = [f"{kind}-{index}" for kind in ("front", "seat-worker", "account-worker", "gate-worker")
            for index in (0, 1)]
HOLD_S = 5
SETTINGS = {
    "nginx_at_once": 1040, "fronts": 2, "seat_workers": 2, "account_workers": 2, "gate_workers": 2,
    "hold_s": HOLD_S, "takeover_ms": 500, "gate_max_active": 100000, "gate_active_s": 3600,
    "gate_show_up_s": 0, "gate_quiet_s": 0,
    # One machine is all the fans.
    "nginx_per_address": 1000, "nginx_issue_rate": 10000, "nginx_issue_burst": 10000,
}


class World:
    def __init__(self):
        self.instance = Instance(SETTINGS)
        self.folder = Path(tempfile.mkdtemp(prefix="boxoffice-chaos-"))
        base = self.instance.port_base
        # The launcher says where it puts sockets once there are some; the path is a link to that.
        self.mysql = self.folder / "mariadb.sock"
        self.proxy = Proxy(self.folder, base + 2, str(self.mysql))
        for name in PROGRAMS:
            self.proxy.add(name)
        os.environ["BOXOFFICE_WRAP"] = f"{HERE / 'through'} {self.folder}"

    def up(self):
        self.mysql.symlink_to(self.instance.var / "run" / "mariadb.sock")
        self.instance.up()
        values = self.instance.values
        socket = Path(values["BOXOFFICE_MYSQL_SOCKET"])
        if socket != self.mysql.readlink():
            self.mysql.unlink()
            self.mysql.symlink_to(socket)
        self.site = Site(values["BOXOFFICE_URL"])
        self.broker = Broker(values["BOXOFFICE_AMQP_ADMIN_URL"], values["BOXOFFICE_MANAGEMENT_URL"])
        self.new_db().set_policy()
        self.await_service()

    def down(self):
        self.instance.down()
        self.proxy.close()
        for path in self.folder.iterdir():
            path.unlink()
        self.folder.rmdir()

    def new_db(self):
        """The admin's connection; one for each thread."""
        return Db(self.instance.values)

    def owner(self):
        """A connection of the account that made the database, which may do everything."""
        return self.new_db().connect(user=getpass.getuser(), password="", database=None)

    # Processes ------------------------------------------------------------------------------

    def start(self, name, fault=""):
        """Starts what does not run."""
        self.instance.run("start", name, BOXOFFICE_FAULT=fault)

    def kill(self, name):
        self.instance.end(name, signal.SIGKILL)

    def restart(self, name, fault=""):
        self.instance.run("stop", name)
        self.start(name, fault)

    @contextlib.contextmanager
    def killed(self, name):
        self.kill(name)
        try:
            yield
        finally:
            self.start(name)

    @contextlib.contextmanager
    def stopped(self, name):
        self.instance.send_signal(name, signal.SIGSTOP)
        try:
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                self.instance.send_signal(name, signal.SIGCONT)

    def consumers(self):
        """{queue: name of the process that is its active consumer}; empty while the broker is away."""
        try:
            active = self.broker.management(f"consumers/{self.broker.vhost}")
            names = {each["name"]: each.get("client_properties", {}).get("connection_name", "").split(" ")[0]
                     for each in self.broker.management("connections")}
        except OSError:
            return {}
        return {each["queue"]["name"]: names.get(each["channel_details"]["connection_name"])
                for each in active if each["active"] and each["channel_details"]}

    def rabbitmqctl(self, *arguments, check=True):
        base = self.instance.port_base
        var = self.instance.var
        done = subprocess.run(
            ["/usr/lib/rabbitmq/bin/rabbitmqctl", *arguments], timeout=60, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(var / "rabbitmq"), "LC_ALL": "C.UTF-8",
                 "ERL_EPMD_PORT": str(base + 3), "ERL_EPMD_ADDRESS": "127.0.0.1",
                 "ERL_INETRC": str(var / "etc/erl_inetrc"), "RABBITMQ_NODENAME": f"boxoffice-{base}@localhost",
                 "RABBITMQ_CONF_ENV_FILE": str(var / "etc/rabbitmq-env.conf")})
        assert done.returncode == 0 or not check, done.stdout + done.stderr
        return done.stdout

    # Waiting --------------------------------------------------------------------------------

    def await_service(self, deadline_s=60):
        """Until every process runs and both fronts have their servers."""
        for name in PROGRAMS:
            wait_until(lambda name=name: self.instance.is_alive(name), deadline_s, f"{name} to run")
        wait_until(self._is_ready, deadline_s, "both fronts to be ready", 0.1)

    def _is_ready(self):
        try:
            return all(self.site.send(get("/readyz")).status == 200 for _ in range(6))
        except (OSError, EOFError):
            return False

    def await_quiet(self, deadline_s=90):
        """Until no hold is live and no job waits anywhere."""
        db = self.new_db()

        def quiet():
            queues = self.broker.management(f"queues/{self.broker.vhost}")
            waiting = {queue["name"]: queue.get("messages") for queue in queues
                       if queue["name"] != "dead" and not queue["name"].startswith("reply.")}
            left = {name: count for name, count in waiting.items() if count != 0}
            assert not left, left
            return db.value("SELECT COUNT(*) FROM seat_reservation WHERE status = 'PENDING'") == 0

        wait_until(quiet, deadline_s, "the end of all jobs and holds", 0.5)

    def ctl(self, *arguments, check=False):
        return self.instance.run("ctl", *arguments, check=check)

    def audit(self):
        """What boxofficectl audit tells, as an object."""
        return json.loads(self.ctl("audit", "--json").stdout)


def now():
    """By the clock of the host, which is the database's: no fault skews it."""
    return time.time()
