"""/config/etc over /etc, and the certificate: an own one, a broken one, one that survives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.image.house import CAREFUL, Container, until

ROOMS = pytest.mark.parametrize("options", [(), CAREFUL], ids=["plain", "read-only"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def put(container: Container, authority: Authority, kind: str = "good") -> bytes:
    """An own certificate into /config; its text."""
    folder = container.config / "etc/ssl/dovecot"
    folder.mkdir(parents=True, exist_ok=True)
    pair = authority.issue(kind)
    shutil.copyfile(pair.certificate, folder / "server.pem")
    shutil.copyfile(pair.key, folder / "server.key")
    return pair.certificate.read_bytes()


@ROOMS
def test_own_files_come_over_etc_and_leave_with_the_next_start(container: Container, options: tuple[str, ...]) -> None:
    own = container.config / "etc/dovecot/local.conf"
    own.parent.mkdir(parents=True)
    own.write_text("login_greeting = Hello from my own file\n")
    (container.config / "etc/new").mkdir()
    (container.config / "etc/new/file").write_text("x\n")
    container.create(*options)
    assert container.sh("doveconf -h login_greeting").strip() == "Hello from my own file"
    assert container.sh("cat /etc/new/file") == "x\n"
    shutil.rmtree(container.config / "etc")
    container.stop()
    container.start()
    container.wait()
    assert container.sh("doveconf -h login_greeting").strip() == "Dovecot ready."
    assert container.exec("test", "-e", "/etc/new/file").status


@ROOMS
def test_the_certificate_is_made_once_for_an_installation(container: Container, options: tuple[str, ...]) -> None:
    container.create(*options)
    first = container.certificate()
    container.remove()
    container.create(*options)
    assert container.certificate() == first


def test_two_installations_have_two_certificates(container: Container) -> None:
    container.create()
    other = Container()
    try:
        other.create()
        assert other.certificate() != container.certificate()
    finally:
        other.close()


@ROOMS
def test_an_own_certificate_is_used(container: Container, authority: Authority, options: tuple[str, ...]) -> None:
    own = put(container, authority)
    container.create(*options)
    assert container.certificate() == own
    assert container.exec("cat", "/etc/ssl/dovecot/server.key", user="vmail").status


def test_a_broken_one_is_refused_and_the_last_good_one_used(container: Container, authority: Authority) -> None:
    own = put(container, authority)
    container.create()
    container.remove()
    (container.config / "etc/ssl/dovecot/server.key").write_text("garbage\n")
    container.create()
    assert "server.key is no PEM file" in container.saw("the last good one is used")
    assert container.certificate() == own


def test_no_key_of_the_image_itself_is_used(container: Container) -> None:
    container.run(command=("find", "/etc", "-name", "*.key"))
    ended = until(lambda: (state := container.state()).startswith("exited") and state, "it has looked")
    assert ended == "exited 0", container.logs()
    assert ".key" not in container.logs()
