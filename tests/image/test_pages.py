"""The pages' first steps, done word for word: files as they are printed, commands as a stranger types them."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.certificates import Authority
from tests.image.fetching import letter
from tests.image.house import PATIENCE, ROOT, Container, tool, until
from tests.image.old_volumes import FOLDERS, lay_out
from tests.image.old_volumes import letter as old_letter

USER, SERVER, PASSWORD = "user@example.com", "mail.example.com", "password"
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
LINE = re.escape(f'fetch {USER}: <1@example.org> from bob@example.org "Hello", score ') + (
    rf"[\d.-]+/15.0 → rule 1 \(fdm.conf:6\) → {USER}"
)
RULES = """\
account "stdin" disabled stdin
action "inbox" pipe "/usr/libexec/dovecot/deliver -d user@example.com"
match all action "inbox"
"""


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and text, without what they are indented by."""
    text = (ROOT / page).read_text()
    found = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [(language, re.sub(rf"^{indent}", "", body, flags=re.MULTILINE)) for indent, language, body in found]


def commands(text: str) -> str:
    """What a reader types of a console block."""
    typed, document = [], ""
    for line in text.splitlines():
        if document or line.startswith("$ "):
            typed.append(line if document else line[2:].partition("   # ")[0])
            begun = re.search(r"<<'(\w+)'", line)
            document = begun[1] if begun else "" if line == document else document
    return "\n".join(typed) + "\n"


class Reader:
    """A stranger with an empty folder, a terminal, and `docker`."""

    def __init__(self, container: Container, options: str, programs: Path) -> None:
        self.container = container
        self.folder = container.folder
        (programs / "docker").symlink_to(Path(__file__).with_name("docker"))
        path = f"{programs}:{os.environ['PATH']}"
        self._environment = {
            **os.environ,
            "PATH": path,
            "CONTAINER": container.name,
            "OPTIONS": options,
            "LC_ALL": "C.UTF-8",
        }
        (self.folder / "data").mkdir()
        for volume, name in (("mail", "dovecot"), ("redis", "redis"), ("rspamd", "rspamd")):
            (self.folder / volume).rename(self.folder / "data" / name)
            (self.folder / volume).symlink_to(self.folder / "data" / name)

    def types(self, script: str, until: str = "") -> str:
        """At his terminal, asked for a password he types it; what was shown. He goes when he sees what he waits for."""
        pid, terminal = pty.fork()
        if not pid:
            os.chdir(self.folder)
            os.execvpe("sh", ["sh", "-euc", script], self._environment)
        shown, asked = b"", 0
        end = time.monotonic() + PATIENCE
        try:
            while True:
                assert time.monotonic() < end, shown.decode()
                if not select.select([terminal], [], [], 0.5)[0]:
                    continue
                try:
                    piece = os.read(terminal, 65536)
                except OSError:
                    # The other end is closed.
                    break
                shown += piece
                while shown.count(b"assword:") > asked:
                    asked += 1
                    os.write(terminal, f"{PASSWORD}\n".encode())
                if until and re.search(until, shown.decode(errors="replace")):
                    os.killpg(pid, signal.SIGINT)
                    break
        finally:
            os.close(terminal)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert status == 0 or until, shown.decode()
        return shown.decode(errors="replace").replace("\r\n", "\n")


@pytest.fixture
def provider(containers: Callable[[], Container], tmp_path: Path) -> Container:
    """mail.example.com, with one letter."""
    made = containers()
    made.user(USER, passwd="{PLAIN}" + PASSWORD)
    pair = Authority(tmp_path).issue("good", SERVER)
    own = made.config / "etc/ssl/dovecot"
    own.mkdir(parents=True)
    (own / "server.pem").write_bytes(pair.certificate.read_bytes())
    (own / "server.key").write_bytes(pair.key.read_bytes())
    made.create()
    until(lambda: made.has_user(USER), "the provider's user")
    assert made.deliver(USER, letter("Hello", more="Message-ID: <1@example.org>\n")).status == 0
    return made


@pytest.fixture
def reader(container: Container, provider: Container, tmp_path: Path) -> Reader:
    """His machine finds the provider, and trusts who has signed its certificate."""
    trusted = container.config / f"{BUNDLE[1:]}"
    trusted.parent.mkdir(parents=True)
    trusted.write_text((tmp_path / "authority.pem").read_text())
    (tmp_path / "bin").mkdir()
    return Reader(container, f"--add-host={SERVER}:{provider.address}", tmp_path / "bin")


def test_the_first_screen_of_the_readme(reader: Reader) -> None:
    (_, yaml), (_, console), *_ = blocks("README.md")
    (reader.folder / "compose.yaml").write_text(yaml)
    reader.types(commands(console), until=LINE)
    assert len(reader.container.mailbox(USER, PASSWORD)) == 1


def test_the_page_on_installing(reader: Reader) -> None:
    (_, yaml), (_, passwd), (_, rc), (_, conf), (_, start), (_, check), *_ = blocks("docs/install.md")[1:]
    (reader.folder / "compose.yaml").write_text(yaml)
    reader.types(commands(passwd))
    own = reader.container.config / "users" / USER
    (own / "fetchmailrc").write_text(rc)
    (own / "fdm.conf").write_text(conf)
    up, follow, health = commands(start).splitlines()
    reader.types(up)
    reader.types(follow, until=LINE)
    assert len(reader.container.mailbox(USER, PASSWORD)) == 1
    until(lambda: reader.container.exec("rulesmith", "health").status == 0, "a healthy container")
    assert reader.types(health).startswith("healthy\n")
    reader.types(commands(check))


def test_the_page_on_coming_from_the_old_image(container: Container, tmp_path: Path) -> None:
    text = (ROOT / "docs/upgrade.md").read_text()
    (_, check), *_ = blocks("docs/upgrade.md")
    stop, copy, up, follow, health = re.findall(r"`((?:docker (?!cp)|cp )[^`]*)`", text)[:5]
    (tmp_path / "bin").mkdir()
    reader = Reader(container, "", tmp_path / "bin")
    lay_out(container)
    container.user(USER, passwd="{PLAIN}" + PASSWORD, conf=RULES)
    # A container that can be stopped; which one does not matter to the volumes.
    container.run(command=("sleep", "1000"))
    aside = tmp_path / "aside"
    aside.mkdir()
    (reader.folder / "compose.yaml").write_text(blocks("README.md")[0][1])
    reader.types(stop)
    reader.types(copy.replace("/somewhere/else", str(aside)))
    assert (aside / "data/dovecot" / USER).is_dir()
    reader.types(commands(check))
    reader.types(up)
    reader.types(follow, until="/home/vmail: took over")
    until(lambda: container.exec("rulesmith", "health").status == 0, "a healthy container")
    assert reader.types(health).startswith("healthy\n")
    for folder in FOLDERS:
        assert container.mailbox(USER, PASSWORD, folder) == [old_letter(USER, folder, number) for number in range(3)]
    assert tool("state", container.name).out.startswith(b"running")
