"""What the README of the old image promises, on one installation with everything in it."""

from __future__ import annotations

import imaplib
import subprocess
from collections.abc import Callable

import pytest

from tests.image.house import ANSWER, Container, quoted, trusting, until

PLAIN = "p:a ss\\\"w'rd $1 `x` ü"
CRYPTED = "another one"
# Names of folders, and so of users.
NAMES = (
    "user@example.com",
    "a b",
    "o'neil",
    'say "x"',
    "joe+lists@example.com",
    "jürgen@exämple.com",
    "$(id)",
    "-f",
    "a%u&b",
)
MESSAGE = b"From: a@example.org\nSubject: %b\n\nHello.\n"


@pytest.fixture(scope="module")
def installed(containers: Callable[[], Container]) -> Container:
    """Every user in NAMES with a plain password, and one with an encrypted one."""
    container = containers()
    for name in NAMES:
        container.user(name, passwd="{PLAIN}" + PLAIN + "\n")
    crypted = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=CRYPTED, capture_output=True, text=True, check=True
    )
    container.user("crypted@example.com", passwd=crypted.stdout)
    container.create()
    until(lambda: all(container.has_user(name) for name in (*NAMES, "crypted@example.com")), "all users")
    return container


@pytest.mark.parametrize("name", NAMES)
def test_mail_reaches_a_user_of_any_name_who_can_read_it(installed: Container, name: str) -> None:
    message = MESSAGE % name.encode()
    assert installed.deliver(name, message, "-m", "Received").status == 0
    assert installed.mailbox(name, PLAIN, "Received") == [message]


def test_a_user_may_be_written_in_capitals(installed: Container) -> None:
    installed.login("USER@Example.com", PLAIN).logout()
    assert installed.deliver("USER@EXAMPLE.COM", MESSAGE % b"capitals", "-m", "Capitals").status == 0
    assert installed.mailbox("user@example.com", PLAIN, "Capitals") == [MESSAGE % b"capitals"]


def test_an_encrypted_password_needs_no_prefix(installed: Container) -> None:
    installed.login("crypted@example.com", CRYPTED).logout()


@pytest.mark.parametrize(("user", "password"), [("user@example.com", "wrong"), ("nobody@example.com", PLAIN)])
def test_a_wrong_password_opens_nothing(installed: Container, user: str, password: str) -> None:
    with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
        installed.login(user, password)


def test_port_143_takes_a_password_only_after_starttls(installed: Container) -> None:
    with imaplib.IMAP4(installed.address, 143, timeout=ANSWER) as client:
        assert "LOGINDISABLED" in client.capabilities
        with pytest.raises(imaplib.IMAP4.error, match="PRIVACYREQUIRED"):
            client.login("crypted@example.com", CRYPTED)
    with imaplib.IMAP4(installed.address, 143, timeout=ANSWER) as client:
        client.starttls(trusting(None))
        client.login("crypted@example.com", CRYPTED)


def test_a_dot_in_the_name_of_a_folder_makes_a_tree(installed: Container) -> None:
    assert installed.deliver("user@example.com", MESSAGE % b"tree", "-m", "A.B").status == 0
    client = installed.login("user@example.com", PLAIN)
    _, folders = client.list()
    assert any(b'"." A.B' in each for each in folders if isinstance(each, bytes))
    assert any(rb"\HasChildren" in each and each.endswith(b" A") for each in folders if isinstance(each, bytes))
    client.logout()
    assert installed.mailbox("user@example.com", PLAIN, "A.B") == [MESSAGE % b"tree"]


def test_the_usual_folders_are_there_and_junk_has_its_mark(installed: Container) -> None:
    client = installed.login("user@example.com", PLAIN)
    _, folders = client.list()
    named = {each.rpartition(b" ")[2]: each for each in folders if isinstance(each, bytes)}
    assert {b"Archive", b"Drafts", b"Sent", b"Trash"} <= named.keys()
    client.create("Junk")
    _, (junk,) = client.list(pattern=quoted("Junk"))
    assert isinstance(junk, bytes)
    assert rb"\Junk" in junk
    client.logout()


def test_an_unknown_user_is_67(installed: Container) -> None:
    assert installed.deliver("nobody@example.com", MESSAGE % b"x").status == 67


def test_the_paths_of_the_old_image_are_there(installed: Container) -> None:
    for program in ("/usr/libexec/dovecot/deliver", "/usr/bin/fdm", "/usr/bin/rspamc", "/usr/bin/fetchmail"):
        assert installed.exec("test", "-x", program).status == 0, program


def test_fdm_loads_what_every_message_needs_from_one_file(installed: Container) -> None:
    said = installed.sh("/usr/bin/python3 -v -IS /usr/bin/fdm -n -f /no/such 2>&1 || true", user="vmail")
    assert "import 'rulesmith.fresh'" in said, said
    assert "import 'rulesmith.fdm'" not in said


def test_commands_work_as_vmail_without_options(installed: Container) -> None:
    scanned = installed.exec("rspamc", "--mime", user="vmail", stdin=MESSAGE % b"scan").out
    assert b"X-Spam-Action: " in scanned, scanned
    assert b"X-Spam-Error" not in scanned
    assert installed.sh("redis-cli ping", user="vmail").strip() == "PONG"
    assert installed.sh("redis-cli save").strip() == "OK"
    assert (installed.folder / "redis" / "dump.rdb").exists()


def test_no_body_of_the_seed_is_lost_on_its_way_through_a_pipe(installed: Container) -> None:
    conf = (
        'account "stdin" disabled stdin\n'
        'action "box" pipe "/usr/libexec/dovecot/deliver -d user@example.com -m Piped"\n'
        'match all action { "box" }\n'
    )
    script = "cd /tmp && umask 077 && cat >m && printf '%s' \"$0\" >fdm.conf && export HOME=/tmp && "
    script += "rspamc --mime <m | /usr/bin/fdm -a stdin -f ~/fdm.conf -l -m -v fetch"
    done = installed.exec("sh", "-c", script, conf, user="vmail", stdin=MESSAGE % b"piped")
    assert done.status == 0, done

    def arrived() -> list[bytes]:
        return installed.mailbox("user@example.com", PLAIN, "Piped")

    (message,) = until(arrived, "the message in Piped")
    assert b"Subject: piped" in message
    assert b"X-Spam-Score" in message


def test_secrets_of_users_are_not_for_everybody(installed: Container) -> None:
    for path in (installed.config, *installed.config.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    assert installed.exec("cat", "/run/mail/passwd", user="vmail").status
    assert installed.exec("ls", "/config", user="vmail").status
    assert installed.exec("ls", "/home/vmail", user="_rspamd").status
    assert PLAIN not in installed.logs()
