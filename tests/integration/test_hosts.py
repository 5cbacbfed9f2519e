"""Several database hosts: whoever asks goes to the one that is there and takes writes."""

import contextlib
import getpass

import pymysql
import pytest

NOBODY = "127.0.0.1:1"


@pytest.fixture
def hosts(instance):
    """Runs `boxofficectl gate status` with these hosts in place of the instance's own."""
    def ask(*names):
        with instance.ctl_settings("mysql_socket=", f"mysql_host={','.join(names)}"):
            return instance.run("ctl", "gate", "status", check=False)

    return ask


@pytest.fixture
def socket(instance):
    return instance.values["BOXOFFICE_MYSQL_SOCKET"]


@contextlib.contextmanager
def read_only(socket):
    with pymysql.connect(unix_socket=socket, user=getpass.getuser()) as owner, owner.cursor() as cursor:
        cursor.execute("SET GLOBAL read_only = 1")
        try:
            yield
        finally:
            cursor.execute("SET GLOBAL read_only = 0")


def test_an_entry_that_is_not_there_is_passed_over(hosts, socket, instance):
    port = instance.values["BOXOFFICE_MYSQL_PORT"]
    for names in ((NOBODY, socket), (socket, NOBODY), (NOBODY, f"127.0.0.1:{port}"), (NOBODY, NOBODY, socket)):
        done = hosts(*names)
        assert done.returncode == 0 and "max_active" in done.stdout, (names, done.stderr)


def test_one_that_takes_no_writes_is_passed_over(hosts, socket):
    with read_only(socket):
        done = hosts(NOBODY, socket)
        assert done.returncode == 1 and "event=db-read-only" in done.stderr, done.stderr
    assert hosts(NOBODY, socket).returncode == 0


def test_a_host_alone_is_read_though_it_takes_no_writes(hosts, socket):
    """Who names one means that one: preflight can then say what is wrong with it."""
    with read_only(socket):
        assert hosts(socket).returncode == 0


def test_none_there_is_an_error(hosts):
    done = hosts(NOBODY, NOBODY)
    assert done.returncode == 1 and "db-failed" in done.stderr


def test_what_is_no_list_does_not_start(hosts):
    done = hosts("db1", "", "db2")
    assert done.returncode != 0 and "mysql_host" in done.stderr
