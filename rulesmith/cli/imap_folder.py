"""The messages of a folder on an IMAP server: the folder is examined and its messages are peeked at, so that no flag
changes.
"""

from __future__ import annotations

import asyncio
import os
import re
import ssl
import sys
from base64 import b64encode
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from rulesmith.explain.mails import Mail

if TYPE_CHECKING:
    from collections.abc import Generator

    from aioimaplib import IMAP4

_PORTS = {"imap": 143, "imaps": 993}
_LOCAL = ("localhost", "127.0.0.1", "::1")
# Seconds for one answer: a large message on a slow line.
_SECONDS = 120.0
# Messages asked for at once.
_BATCH = 20
_UNREACHABLE = 75
_TURNS = 10


@dataclass(frozen=True)
class Place:
    """What a URL says."""

    host: str
    port: int
    encrypted: bool
    user: str
    folder: str


def read_url(url: str) -> Place:
    """`imap[s]://USER@HOST[:PORT]/FOLDER`; click.UsageError for anything else."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise click.UsageError(f"--imap: {error}") from None
    if parts.password is not None:
        raise click.UsageError("--imap: no password in the URL: everybody here can read it; use --password-file")
    if parts.scheme not in _PORTS or not parts.hostname or not parts.username:
        raise click.UsageError("--imap: the URL must be imaps://USER@HOST/FOLDER (or imap://…)")
    encrypted = parts.scheme == "imaps"
    if not encrypted and parts.hostname not in _LOCAL:
        raise click.UsageError(
            "--imap: imap:// sends the password unencrypted, so it is for this machine only: imaps://"
        )
    folder = unquote(parts.path.strip("/")) or "INBOX"
    return Place(parts.hostname, port or _PORTS[parts.scheme], encrypted, unquote(parts.username), folder)


def from_imap(
    url: str, password_file: str | None, newest: int | None, hidden: bool | None = None
) -> Generator[Mail, None, None]:
    """Each message of the folder. Ends the command where the server does not let us.

    Whoever stops early closes it, which ends the connection. The progress bar is shown unless `hidden`; without a word
    about that, unless it would stand between lines of results.
    """
    place = read_url(url)
    password = _password(place, password_file)
    runner = asyncio.Runner()
    connection: IMAP4 | None = None
    hidden = no_terminal() or sys.stdout.isatty() if hidden is None else hidden
    try:
        connection = runner.run(_connect(place))
        runner.run(_log_in(connection, place.user, password))
        wanted = runner.run(_numbers(connection, place))
        wanted = wanted if newest is None else wanted[-newest:]
        with click.progressbar(length=len(wanted), label=place.folder, file=sys.stderr, hidden=hidden) as bar:
            for start in range(0, len(wanted), _BATCH):
                batch = wanted[start : start + _BATCH]
                for number, raw in runner.run(_fetch(connection, batch)):
                    yield Mail(f"{place.folder}#{number}", raw, 1)
                bar.update(len(batch))
        runner.run(connection.logout())
    except (OSError, TimeoutError, _Refused) as error:
        click.echo(f"{place.host}:{place.port}: {str(error) or 'no answer'}", err=True)
        sys.exit(_UNREACHABLE)
    finally:
        if connection is not None:
            runner.run(_hang_up(connection))
        runner.close()


class _Refused(Exception):
    pass


def no_terminal() -> bool:
    """Whether nobody would see a progress bar."""
    return not sys.stderr.isatty()


def _password(place: Place, path: str | None) -> str:
    if path is None:
        asked: str = click.prompt(f"Password of {place.user} at {place.host}", hide_input=True, err=True)
        return asked
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except OSError as error:
        raise click.UsageError(f"{path}: {os.strerror(error.errno or 0)}") from None
    except UnicodeDecodeError:
        raise click.UsageError(f"{path}: the password is not UTF-8") from None


async def _connect(place: Place) -> IMAP4:
    from aioimaplib import IMAP4, IMAP4_SSL  # few dry runs ask a server

    client: IMAP4
    if place.encrypted:
        context = ssl.create_default_context()
        client = IMAP4_SSL(place.host, place.port, timeout=_SECONDS, ssl_context=context)
    else:
        client = IMAP4(place.host, place.port, timeout=_SECONDS)
    try:
        await client.wait_hello_from_server()
    except BaseException:
        await _hang_up(client)
        raise
    return client


async def _log_in(client: IMAP4, user: str, password: str) -> None:
    _accepted(await client.login(user, password), "the login")


async def _hang_up(client: IMAP4) -> None:
    transport = client.protocol.transport
    if transport is not None:
        transport.abort()
    # It lets go of its socket in one of the next turns of the loop; an encrypted one has another below it.
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def _numbers(client: IMAP4, place: Place) -> list[str]:
    """The UIDs of the folder, the oldest first."""
    from aioimaplib import SELECTED

    _accepted(await client.examine(f'"{_quoted(place.folder)}"'), f"the folder {place.folder}")
    # The library knows only SELECT as a way to here.
    client.protocol.state = SELECTED
    lines = _accepted(await client.uid_search("ALL", charset=None), "the search")
    return [word.decode() for word in (lines[0] if lines else b"").split() if word.isdigit()]


def _quoted(folder: str) -> str:
    """What stands between the quotes: modified UTF-7 (RFC 3501, 5.1.3)."""
    written = "".join(map(_shifted, re.findall(r"[ -~]+|[^ -~]+", folder.replace("&", "&-"))))
    return written.replace("\\", "\\\\").replace('"', '\\"')


def _shifted(run: str) -> str:
    if run.isascii() and run.isprintable():
        return run
    return f"&{b64encode(run.encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"


async def _fetch(client: IMAP4, numbers: list[str]) -> list[tuple[str, bytes]]:
    """UID and octets of each, with LF as line end, as fetchmail hands them on."""
    lines = _accepted(await client.uid("fetch", ",".join(numbers), "(UID BODY.PEEK[])"), "reading")
    found: list[tuple[str, bytes]] = []
    for about, content in pairwise(lines):
        if isinstance(content, bytearray) and b"FETCH" in about:
            words = about.replace(b"(", b" ").split()
            number = words[words.index(b"UID") + 1].decode() if b"UID" in words else words[0].decode()
            found.append((number, bytes(content).replace(b"\r\n", b"\n")))
    return found


def _accepted(response: object, what: str) -> list[bytes]:
    result, lines = response.result, response.lines  # type: ignore[attr-defined]
    if result != "OK":
        said = lines[-1].decode("utf-8", "replace") if lines else result
        raise _Refused(f"{what} was refused: {said}")
    return list(lines)
