"""Dovecot's `deliver` without a process for each message: its LMTP server, over a connection that is kept.

Only what comes out the same goes this way; anything else, and whatever the server does not take, is done by the
command, which also has the words for what is wrong. What Dovecot's own header says of the way is different: LMTP has
Return-Path, Delivered-To and Received on top. docs/serve.md says what "the same" rests on.
"""

from __future__ import annotations

import re
import time

from rulesmith.delivery import smtp
from rulesmith.delivery.connection import Connection, dial_unix
from rulesmith.delivery.folders import text_of
from rulesmith.delivery.privileges import must_switch
from rulesmith.effects import Failure
from rulesmith.mail import header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.delivery.world import World

    User = tuple[bytes, int, int, bytes]

# One simple command: a shell would make these very words of it.
_COMMAND = re.compile(
    rb"[ \t]*/usr/(?:libexec|lib)/dovecot/(?:deliver|dovecot-lda)"
    rb"((?:[ \t]+-[dm][ \t]+(?:[\w@.%+=:,/-]+|'[^'\n]*'|\"[^\"\\$`\n]*\"))+)[ \t]*",
    re.ASCII,
)
_OPTION = re.compile(rb"-([dm])[ \t]+(?:'([^']*)'|\"([^\"]*)\"|([^ \t]+))")
# A detail begins with `+`, and what else a name may be made to mean by settings is left to the command.
_USER = re.compile(rb"[a-z0-9][a-z0-9._-]*(?:@[a-z0-9.-]+)?")
_FOLDER = re.compile(rb"[A-Za-z0-9_-]+(?:[./][A-Za-z0-9_-]+)*")
# A message that begins like this is one for both ways: a field, and not the separator of an mbox.
_BEGIN = re.compile(rb"[!-9;-~]+:")
# What Dovecot takes for an address without any doubt.
_SENDER = re.compile(rb"<([A-Za-z0-9.!#$&*+/=?^_{}~-]+@[A-Za-z0-9.-]+)>")
# Seconds without a message after which the server may have closed the connection, or was started anew.
_STALE = 30.0


def target(command: bytes) -> tuple[bytes, bytes] | None:
    """The user and the folder (empty: the inbox) that a command delivers to; None where only the command knows."""
    found = _COMMAND.fullmatch(command)
    if found is None:
        return None
    values: dict[bytes, bytes] = {}
    for option, single, double, plain in _OPTION.findall(found[1]):
        if option in values:
            return None
        values[option] = single or double or plain
    user, folder = values.get(b"d", b""), values.get(b"m", b"")
    if not _USER.fullmatch(user) or not (b"m" not in values or _FOLDER.fullmatch(folder)):
        return None
    return user, folder


class Agent:
    """One connection to the server at `socket`; with `folders` a detail of the recipient is a folder there."""

    def __init__(self, socket: bytes, folders: bool) -> None:
        self._socket = socket
        self._folders = folders
        self._connection: Connection | None = None
        self._used = 0.0

    def deliver(self, command: bytes, raw: bytes, user: User, world: World) -> bool:
        """Whether the message is where the command would have put it. False: nothing has happened, run the command.

        Raises Failure where nobody can know: the server was gone before it said whether it had the message.
        """
        found = target(command)
        if found is None or must_switch(user) or _changes(raw):
            return False
        name, folder = found
        if folder and not self._folders:
            return False
        local, at, domain = name.partition(b"@")
        recipient = local + (b"+" + folder if folder else b"") + at + domain
        connection = self._offered(_sender(raw), recipient, world)
        if connection is None:
            return False
        try:
            connection.send(smtp.stuffed(raw) + b".\r\n")
            answer = _answer(connection)
        except Failure as failure:
            self.close()
            raise _unknown(command, failure.text) from None
        except BaseException:
            self.close()
            raise
        self._used = time.monotonic()
        if answer[:4] in (b"250", b"250 "):
            return True
        self.close()
        if answer[:1] in (b"4", b"5"):
            # It has not taken it; the command finds out why.
            return False
        raise _unknown(command, "it answered " + text_of(answer))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _offered(self, sender: bytes, recipient: bytes, world: World) -> Connection | None:
        """The connection, where the server waits for the message now; None where it does not want it."""
        if self._connection is not None and time.monotonic() - self._used > _STALE:
            self.close()
        envelope = b"MAIL FROM:<%s>\r\nRCPT TO:<%s>\r\nDATA\r\n" % (sender, recipient)
        while True:
            kept = self._connection is not None
            try:
                connection = self._ready(world)
                connection.send(envelope)
                for code in (b"250", b"250", b"354"):
                    smtp.expect(connection, code)
                return connection
            except Failure:
                self.close()
                if not kept:
                    return None
                # One that was kept may have been closed meanwhile.
            except BaseException:
                self.close()
                raise

    def _ready(self, world: World) -> Connection:
        """The connection, after the greeting. Raises Failure."""
        if self._connection is None:
            connection = dial_unix(self._socket, world.settings["timeout"])
            try:
                smtp.expect(connection, b"220")
                connection.send(b"LHLO " + world.hostname + b"\r\n")
                smtp.expect(connection, b"250")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _changes(raw: bytes) -> bool:
    """Whether LMTP would make another message of it: it knows lines only, and all of them end with CR LF."""
    return not _BEGIN.match(raw) or b"\r" in raw or b"\0" in raw or not raw.endswith(b"\n")


def _answer(connection: Connection) -> bytes:
    """The last line of a reply. Raises Failure."""
    while (line := connection.line())[3:4] == b"-":
        pass
    return line


def _unknown(command: bytes, why: str) -> Failure:
    return Failure(f"{text_of(command)}: whether Dovecot has stored it is not known: {why}")


def _sender(raw: bytes) -> bytes:
    """The address that the message says it came from, as the command takes it; empty where there is none."""
    value = header.first(raw[: header.boundary(raw)], b"Return-Path")
    found = _SENDER.fullmatch(value.strip()) if value else None
    return found[1] if found else b""
