"""Files of the site as installed: compressed once, and sent so."""

import gzip
import os
import re
import shutil
import subprocess

import pytest

from api import Site, get
from instance import ROOT, build_folder
from wait import wait_until

KINDS = {".js", ".css", ".html", ".svg", ".yaml"}
FILES = {"/": "index.html", "/web/app.js": "app.js", "/docs": "docs/index.html",
         "/docs/vendor/swagger-ui-bundle.js": "docs/vendor/swagger-ui-bundle.js",
         "/openapi.yaml": "openapi.yaml", "/plain.css": "plain.css"}


def make(*arguments):
    return subprocess.run(["make", "-s", "-C", str(build_folder()), *arguments], capture_output=True, text=True,
                          timeout=120, check=True)


@pytest.fixture(scope="module")
def installed(instance, tmp_path_factory):
    """The folder web/ of an installation."""
    assert instance  # what it starts is built
    folder = tmp_path_factory.mktemp("installed")
    folder.parent.chmod(0o755)
    folder.chmod(0o755)
    make("install", f"DESTDIR={folder}")
    web = next(folder.rglob("index.html")).parent
    yield web if web.name == "web" else web.parent
    make("uninstall", f"DESTDIR={folder}")
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert not left, "make uninstall leaves files"


@pytest.fixture(scope="module")
def installed_site(instance, site, installed):
    """The instance's nginx once more, with the installed files."""
    port, folder = instance.port_base + 7, instance.folder / "installed"
    for name in ("log", "nginx", "run"):
        os.makedirs(folder / name, exist_ok=True)
    text = (instance.var / "etc" / "nginx.conf").read_text()
    text = text.replace(str(ROOT / "web"), str(installed)).replace(f":{site.port}", f":{port}")
    text = re.sub(r"^pid .*$", f"pid {folder}/run/nginx.pid;", text, flags=re.MULTILINE)
    text = re.sub(r"listen unix:.*;", f"listen unix:{folder}/run/nginx.sock;", text)
    text = text.replace(f"access_log {instance.var}", f"access_log {folder}")
    (folder / "nginx.conf").write_text(text)
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    nginx = subprocess.Popen([program, "-e", "stderr", "-p", f"{folder}/nginx/", "-c", f"{folder}/nginx.conf"])
    made = Site(f"http://127.0.0.1:{port}")

    def answers():
        try:
            return made.send(get("/plain.css")).status == 200
        except OSError:
            return False

    try:
        wait_until(answers, 10, "the second nginx")
        yield made
    finally:
        nginx.terminate()
        nginx.wait(10)


def test_every_file_for_browsers_is_compressed(installed):
    files = [path for path in installed.rglob("*") if path.suffix in KINDS]
    assert len(files) > 20
    for path in files:
        packed = path.with_name(path.name + ".gz").read_bytes()
        assert gzip.decompress(packed) == path.read_bytes(), path
    assert {path.suffix for path in installed.rglob("*.gz")} == {".gz"}


@pytest.mark.parametrize("path", FILES)
def test_what_is_sent_is_the_file_that_was_compressed(installed, installed_site, path):
    """Not compressed anew: byte for byte the same, with its length."""
    plain = installed_site.send(get(path))
    packed = installed_site.send(get(path).with_header("Accept-Encoding", "gzip"))
    file = installed / FILES[path]
    assert plain.body == file.read_bytes() and plain.header("Content-Encoding") is None
    assert packed.body == file.with_name(file.name + ".gz").read_bytes()
    assert packed.header("Content-Encoding") == "gzip"
    assert int(packed.header("Content-Length")) == len(packed.body)
    assert plain.header("Content-Type") == packed.header("Content-Type")
    for answer in (plain, packed):
        assert answer.header("Vary") == "Accept-Encoding" and answer.header("Cache-Control") == "no-cache"


def test_without_them_files_are_compressed_when_asked_for(site):
    answer = site.send(get("/web/app.js").with_header("Accept-Encoding", "gzip"))
    assert answer.header("Content-Encoding") == "gzip"
    assert gzip.decompress(answer.body) == site.send(get("/web/app.js")).body
