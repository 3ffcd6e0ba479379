"""Own settings of Dovecot 2.3 in /config/etc, and what the image makes of them."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rulesmith.container.dovecot_names import GONE, PARTS_OF_LOCATION, RENAMED
from tests.image.house import CAREFUL, Container, until

# Tries lines, given as JSON, each as the only own setting; prints what doveconf ends with.
_TRY = """
import json, pathlib, subprocess, sys
base = pathlib.Path('/etc/dovecot')
folder = pathlib.Path('/tmp/try')
folder.mkdir()
for file in base.glob('*.conf'):
    (folder / file.name).write_text(file.read_text())
found = {}
for line in json.load(sys.stdin):
    (folder / 'local.conf').write_text(line + '\\n')
    found[line] = subprocess.run(['doveconf', '-n', '-c', folder / 'dovecot.conf'], capture_output=True).returncode
print(json.dumps(found))
"""
# A value that the new name takes.
_VALUES = {"ssl_server_request_client_cert": "no", "ssl_server_require_crl": "no"}


@pytest.fixture(scope="module")
def house(containers: Callable[[], Container]) -> Container:
    made = containers()
    made.create()
    return made


def _tried(house: Container, lines: list[str]) -> dict[str, int]:
    house.sh("rm -rf /tmp/try")
    done = house.exec("python3", "-I", "-c", _TRY, stdin=json.dumps(lines).encode())
    assert done.status == 0, done
    found: dict[str, int] = json.loads(done.out)
    return found


def test_dovecot_refuses_every_old_name(house: Container) -> None:
    old = [f"{name} = x" for name in (*RENAMED, *GONE, "mail_location", "disable_plaintext_auth")]
    old += [
        "plugin {\n}",
        "passdb {\n}",
        "userdb {\n}",
        "imapsieve_mailbox1_name = x",
        "sieve_before = x",
        "quota_rule = x",
    ]
    old += ["service imap-login {\n  inet_listener imap {\n    address = x\n  }\n}"]
    assert {line for line, status in _tried(house, old).items() if status != 89} == set()


def test_dovecot_takes_every_new_name(house: Container) -> None:
    new = [f"{name} = {_VALUES.get(name, '/x')}" for name in RENAMED.values()]
    new += [f"{name} = x" for name in PARTS_OF_LOCATION.values()]
    new += [
        line.strip("`").replace("…", "1")
        for words in GONE.values()
        for line in words.split(", or ")
        if line.startswith("`") and line.count("`") == 2 and " = " in line
    ]
    new += ["mail_driver = mdbox", "mail_path = ~/m", "auth_allow_cleartext = no", "mail_plugins {\n  quota = yes\n}"]
    new += ["auth_username_format = %{user | username | lower}", "mail_home = /x/%{user | domain | upper}"]
    refused = {line for line, status in _tried(house, new).items() if status != 0}
    # These want another kind of value than the one tried here.
    assert {line.split(" = ")[0] for line in refused} <= {"fts_search_add_missing", "mailbox_autoexpunge"}


def test_dovecot_takes_what_it_does_not_understand(house: Container) -> None:
    # So it is we who have to say it.
    lines = ["auth_username_format = %Lu", "mail_plugins = $mail_plugins quota", "mail_home = /x/%d/%n"]
    assert set(_tried(house, lines).values()) == {0}


def _own(house: Container, text: str) -> None:
    folder = house.config / "etc" / "dovecot"
    folder.mkdir(parents=True)
    (folder / "local.conf").write_text(text)
    house.user("u@example.com", passwd="{PLAIN}pw")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "mail_debug = yes\nmail_location = maildir:~/M\n",
            "local.conf:2: `mail_location` is gone in Dovecot 2.4; write `mail_driver = maildir`, `mail_path = ~/M`",
        ),
        (
            "auth_username_format = %Lu\n",
            "local.conf:1: `%Lu` is taken for these very letters in Dovecot 2.4; write `%{user | lower}`",
        ),
        ("bogus_setting = 1\n", "Dovecot refuses it: "),
    ],
)
def test_a_configuration_that_cannot_be_used_is_named_and_dovecot_serves(
    container: Container, text: str, said: str
) -> None:
    _own(container, text)
    container.create(*CAREFUL)
    container.saw(said)
    container.saw("Dovecot runs with the image's own configuration until that is repaired")
    until(lambda: container.has_user("u@example.com"), "the user")
    assert container.deliver("u@example.com", b"Subject: x\n\nhello\n").status == 0
    assert len(container.mailbox("u@example.com", "pw")) == 1
    health = container.exec("rulesmith", "health")
    assert health.status == 1, health
    assert said in health.text


def test_a_configuration_that_is_right_is_used(container: Container) -> None:
    _own(container, "login_greeting = hello from the host\n")
    container.create(*CAREFUL)
    assert "hello from the host" in container.sh("doveconf -h login_greeting")
    assert "image's own configuration" not in container.logs()
