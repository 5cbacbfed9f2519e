"""TLS to broker and database: an instance whose servers take nothing else over TCP, and who is refused."""

import os
import socket
import subprocess

import pymysql
import pytest

from amqp import Broker
from api import Site, charge, pay, reserve
from db import Db
from instance import Instance, find_program
from wait import wait_until

SETTINGS = {"tls": 1, "account_workers": 1, "gate_max_active": 100, "takeover_ms": 100}


@pytest.fixture(scope="module")
def shut():
    """An instance with tls=1: its own authority, certificates for localhost."""
    made = Instance(SETTINGS)
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def shut_db(shut):
    return Db(shut.values)


@pytest.fixture(scope="module")
def another_authority(tmp_path_factory):
    """The certificate of an authority that has signed nothing here."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=another", "-keyout", os.devnull, "-out", str(path)], check=True, capture_output=True)
    return str(path)


def run(values, program, *arguments):
    """One of our programs with these settings; what it says is in its stderr and stdout."""
    environment = {f"BOXOFFICE_{name.upper()}": str(value) for name, value in values.items()}
    return subprocess.run([str(find_program(program)), *arguments], env={**environment, "PATH": os.environ["PATH"]},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def looks_at_database(values):
    return run(values, "boxofficectl", "gate", "status")


def looks_at_broker(values):
    return run(values, "boxofficectl", "dead", "list")


LOOKS = (looks_at_database, looks_at_broker)


def test_a_sale_goes_through_by_tls_alone(shut, shut_db):
    site = Site(shut.values["BOXOFFICE_URL"])
    seat = shut_db.schedule(seats=1).seats[0]
    fan = site.fan(balance=1000)
    site.do(reserve(fan.token, seat)).ok()
    assert site.do(pay(fan.token, seat)).ok()["status"] == "PAID"
    site.do(charge(fan.user, 5)).ok()


def test_every_connection_to_the_broker_is_by_tls(shut):
    url = shut.values["BOXOFFICE_MANAGEMENT_URL"]
    connections = wait_until(lambda: Broker(shut.values["BOXOFFICE_AMQP_ADMIN_URL"], url).management("connections"),
                             20, "the broker's list of connections")
    assert {each["user"] for each in connections} >= {"front", "worker"}
    assert all(each["ssl"] and each["ssl_protocol"] in ("tlsv1.2", "tlsv1.3") for each in connections), connections


def test_every_connection_to_the_database_is_by_tls(shut_db):
    assert shut_db.value("SELECT @@require_secure_transport") == 1
    ours = shut_db.rows("SELECT user, host FROM information_schema.processlist WHERE user IN"
                        " ('boxoffice_front', 'boxoffice_worker')")
    assert ours and all(host.startswith("127.0.0.1:") for _, host in ours), ours


def test_who_speaks_plainly_is_turned_away(shut):
    with socket.create_connection(("127.0.0.1", shut.port_base + 2), 10) as plain:
        plain.sendall(b"AMQP\x00\x00\x09\x01")
        plain.settimeout(10)
        assert not plain.recv(100).startswith(b"\x01\x00\x00"), "the broker began to talk"
    account = {"host": "localhost", "port": int(shut.values["BOXOFFICE_MYSQL_PORT"]), "user": "boxoffice_admin",
               "password": shut.values["BOXOFFICE_MYSQL_ADMIN_PASSWORD"]}
    with pytest.raises(pymysql.err.OperationalError):
        pymysql.connect(**account, ssl_disabled=True)
    with pymysql.connect(**account, ssl={"ca": shut.ctl_values()["tls_ca"]}) as by_tls, by_tls.cursor() as cursor:
        cursor.execute("SHOW STATUS LIKE 'Ssl_version'")
        assert cursor.fetchone()[1] in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("look", LOOKS)
def test_the_operators_command_goes_by_tls(shut, look):
    assert look(shut.ctl_values()).returncode == 0


@pytest.mark.parametrize("look", LOOKS)
def test_a_certificate_of_another_authority_is_refused(shut, another_authority, look):
    done = look({**shut.ctl_values(), "tls_ca": another_authority})
    assert done.returncode != 0
    assert "certificate" in done.stderr or "SSL" in done.stderr or "TLS" in done.stderr, done.stderr


@pytest.mark.parametrize("look", LOOKS)
def test_a_certificate_of_another_name_is_refused(shut, look):
    values = shut.ctl_values()
    values.update(mysql_host=values["mysql_host"].replace("localhost", "127.0.0.1"),
                  amqp_url=values["amqp_url"].replace("@localhost:", "@127.0.0.1:"))
    done = look(values)
    assert done.returncode != 0
    assert "certificate" in done.stderr or "hostname" in done.stderr or "SSL" in done.stderr or "TLS" in done.stderr, \
        done.stderr


@pytest.mark.parametrize("look", LOOKS)
def test_a_server_without_tls_is_refused(shut, instance, look):
    """A server in the middle that says that it has no TLS gets neither passwords nor jobs."""
    values = {**instance.ctl_values(), "tls_ca": shut.ctl_values()["tls_ca"], "mysql_tls": 1, "mysql_socket": "",
              "mysql_host": "localhost", "mysql_port": instance.values["BOXOFFICE_MYSQL_PORT"]}
    values["amqp_url"] = values["amqp_url"].replace("amqp://", "amqps://").replace("@127.0.0.1:", "@localhost:")
    assert look(values).returncode != 0


@pytest.mark.parametrize("change", ({"tls_ca": ""}, {"tls_ca": "/nowhere"}, {"mysql_socket": "/x"}))
def test_half_a_setting_does_not_start(shut, change):
    done = looks_at_database({**shut.ctl_values(), **change})
    assert done.returncode != 0 and "tls" in done.stderr
