"""rspamd's web interface on 11334: with each form of the password, and closed without one."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest

from tests.image.house import ANSWER, Container

PASSWORD = 'pä ss"w\\rd$'


def ask(container: Container, path: str, password: str | None = None) -> int:
    """The status of an answer to somebody outside."""
    link = http.client.HTTPConnection(container.address, 11334, timeout=ANSWER)
    try:
        headers = {} if password is None else {"Password": password.encode()}
        link.request("GET", path, headers=headers)
        return link.getresponse().status
    finally:
        link.close()


@pytest.mark.parametrize("form", ["RSPAMD_PASSWORD", "RSPAMD_PASSWORD_FILE"])
def test_a_plain_password_opens_it(container: Container, form: str) -> None:
    opened(container, form, PASSWORD)


@pytest.mark.parametrize("form", ["RSPAMD_PASSWORD_ENC", "RSPAMD_PASSWORD_ENC_FILE"])
def test_an_encrypted_password_opens_it(container: Container, form: str) -> None:
    container.run(command=("rspamadm", "pw", "-p", PASSWORD))
    opened(container, form, container.saw("$2$").strip())


def opened(container: Container, form: str, value: str) -> None:
    container.remove()
    if form.endswith("_FILE"):
        (container.config / "secret").write_text(value + "\n")
        (container.config / "secret").chmod(0o600)
        container.create(environment={form: "/config/secret"})
    else:
        container.create(environment={form: value})
    assert ask(container, "/") == 200
    assert ask(container, "/stat") == 401
    assert ask(container, "/stat", "wrong") in (401, 403)
    assert ask(container, "/stat", PASSWORD) == 200
    nobody_sees(container, value)


def nobody_sees(container: Container, secret: str) -> None:
    """Neither the log nor the list of processes has it, nor any process's environment."""
    assert secret not in container.logs()
    seen = container.exec(
        "sh", "-c", "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /proc/self/environ | tr '\\0' '\\n'"
    )
    # The engine gives the variable to what is started by `exec` as well.
    mine = container.exec("cat", "/proc/self/environ").out.split(b"\0")
    others = seen.out.decode(errors="replace").split("\n")
    assert others.count(secret) == 0
    assert [line for line in others if secret in line and line.encode() not in mine] == []


def test_without_a_password_nobody_outside_reaches_it(container: Container) -> None:
    container.create()
    with pytest.raises(ConnectionRefusedError):
        ask(container, "/")
    assert container.exec("rspamc", "stat").status == 0


def test_a_hash_that_compose_has_eaten_is_said(container: Container) -> None:
    container.create(environment={"RSPAMD_PASSWORD_ENC": "$rhpb4naqyco"})
    assert "$$" in container.saw("RSPAMD_PASSWORD_ENC")
    with pytest.raises(ConnectionRefusedError):
        ask(container, "/")


def test_an_own_configuration_keeps_the_socket_that_learning_needs(container: Container) -> None:
    own = container.config / "etc/rspamd/local.d/worker-controller.inc"
    own.parent.mkdir(parents=True)
    own.write_text('bind_socket = "*:11334";\npassword = "mine";\n')
    container.create()
    assert ask(container, "/stat", "mine") == 200
    assert container.sh("rspamc -h /run/rspamd/controller.sock stat", user="vmail")


def test_the_documented_command_makes_a_hash(container: Container) -> None:
    container.create()
    assert container.sh("rspamadm pw -p password").startswith("$2$")
    assert Path("/run/rspamd/controller.sock").name in container.sh("ls /run/rspamd")
