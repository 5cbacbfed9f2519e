"""Servers from another root: what the launcher does and refuses; tests/matrix runs all the other tests
on such servers."""

import os
import shutil
import subprocess

import pytest

from instance import ROOT, build_folder, free_port_base

IN_ROOT = str(ROOT / "launcher" / "in-root")
with_mounts = pytest.mark.skipif(subprocess.run(["unshare", "--mount", "--map-root-user", "true"], capture_output=True,
                                                check=False).returncode != 0,
                                 reason="mount namespaces are not to be had: no such right, or in a chroot")


@pytest.fixture
def other(tmp_path):
    """A root whose programs are this system's, told from it by a file of its own."""
    (tmp_path / "root/etc/alternatives").mkdir(parents=True)
    (tmp_path / "root/etc/alternatives/of-the-other").touch()
    shutil.copy("/etc/ld.so.cache", tmp_path / "root/etc")
    (tmp_path / "root/usr").symlink_to("/usr")
    return tmp_path / "root"


@with_mounts
def test_a_command_sees_the_other_root_and_our_files(other, tmp_path):
    shown = subprocess.run([IN_ROOT, str(other), "sh", "-c",
                            f"ls /etc/alternatives; id -u; echo seen >{tmp_path}/file"],
                           check=True, capture_output=True, text=True, timeout=30).stdout.split()
    assert shown == ["of-the-other", str(os.getuid())]
    assert (tmp_path / "file").read_text() == "seen\n"
    assert not os.path.exists("/etc/alternatives/of-the-other")


@with_mounts
def test_a_command_keeps_its_pid(other):
    with subprocess.Popen([IN_ROOT, str(other), "sh", "-c", "echo $$"], stdout=subprocess.PIPE) as running:
        assert int(running.stdout.read()) == running.pid


def test_a_root_that_is_not_there_is_an_error():
    assert subprocess.run([IN_ROOT, "/nonexistent", "true"], capture_output=True, timeout=30,
                          check=False).returncode != 0


def start_database(var, settings):
    return subprocess.run([str(ROOT / "boxoffice"), "start", "mariadb"], check=False, capture_output=True, text=True,
                          timeout=120, stdin=subprocess.DEVNULL,
                          env={**os.environ, "BOXOFFICE_VAR": str(var), "BOXOFFICE_SET": settings,
                               "BOXOFFICE_PORT_BASE": str(free_port_base()),
                               "BOXOFFICE_BUILD": str(build_folder())})


@pytest.mark.parametrize("setting", ["mysql_root", "rabbitmq_root"])
def test_a_root_without_the_server_is_refused(tmp_path, setting):
    done = start_database(tmp_path / "var", f"{setting}={tmp_path}")
    assert done.returncode == 1 and f"boxoffice: {setting}: there is no" in done.stderr
    assert not (tmp_path / "var" / "mysql").exists()


def test_data_of_the_other_kind_is_refused(tmp_path):
    var = tmp_path / "var"
    (var / "mysql").mkdir(parents=True)
    (var / "mysql" / "mysql.ibd").touch()
    done = start_database(var, "mysql_root=")
    assert done.returncode == 1 and "is MySQL's: MariaDB cannot read it" in done.stderr


def test_the_matrix_knows_its_combinations():
    done = subprocess.run([str(ROOT / "tests/matrix"), "make", "oracle"], check=False, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and 'there is no combination "oracle"' in done.stderr
