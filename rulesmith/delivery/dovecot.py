"""Dovecot's `deliver` without a process for each message: its LMTP server, over a connection that is kept.

Only what comes out the same goes this way; anything else, and whatever the server does not take, is done by the
command, which also has the words for what is wrong. What Dovecot's own header says of the way is different: LMTP has
Return-Path, Delivered-To and Received on top. docs/serve.md says what "the same" rests on.

All is read by hand: a regexp would cost more than the rest of this way, to load `re` for a single message.
"""

from __future__ import annotations

import time

from rulesmith.delivery import smtp
from rulesmith.delivery.connection import Connection, dial_unix
from rulesmith.delivery.folders import text_of
from rulesmith.delivery.privileges import must_switch
from rulesmith.effects import Failure
from rulesmith.mail import header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rulesmith.delivery.world import World

    User = tuple[bytes, int, int, bytes]

_PROGRAMS = tuple(
    b"/usr/" + folder + b"/dovecot/" + name for folder in (b"libexec", b"lib") for name in (b"deliver", b"dovecot-lda")
)
_BLANKS = b" \t"
_LOWER = b"abcdefghijklmnopqrstuvwxyz0123456789"
_LETTERS = _LOWER + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What a word is made of that means the same to a shell without quotes.
_PLAIN = _LETTERS + b"_@.%+=:,/-"
# What may not stand between quotes: it means something there, or ends the command.
_ODD = {b"'": b"\n", b'"': b'\n"\\$`'}
# A detail begins with `+`, and what else a name may be made to mean by settings is left to the command.
_NAME = _LOWER + b"._-"
_DOMAIN = _LOWER + b".-"
_FOLDER = _LETTERS + b"_-"
# The name of a field: what is printed, but for the colon that ends it (RFC 5322, 3.6.8).
_FIELD = bytes(range(33, 58)) + bytes(range(59, 127))
# What Dovecot takes for an address without any doubt.
_SENDER = _LETTERS + b".!#$&*+/=?^_{}~-"
_HOST = _LETTERS + b".-"
# Seconds without a message after which the server may have closed the connection, or was started anew.
_STALE = 30.0
# Seconds that a server may stand still as long as it has no message, and the command can be run instead. Once it has
# it, `set timeout` counts, as for a command.
_PATIENCE = 30.0


def target(command: bytes) -> tuple[bytes, bytes] | None:
    """The user and the folder (empty: the inbox) that a command delivers to; None where only the command knows.

    It is one simple command, of which a shell would make these very words.
    """
    program, rest = _word(command.lstrip(_BLANKS))
    if program not in _PROGRAMS:
        return None
    values: dict[bytes, bytes] = {}
    while rest:
        option, rest = _word(rest)
        if option not in (b"-d", b"-m") or option in values:
            return None
        quote = rest[:1]
        if quote in _ODD:
            value, end, rest = rest[1:].partition(quote)
            if not end or rest[:1] not in (b"", b" ", b"\t") or _has_any(value, _ODD[quote]):
                return None
            rest = rest.lstrip(_BLANKS)
        else:
            value, rest = _word(rest)
            if not _is_made_of(value, _PLAIN):
                return None
        values[option] = value
    user, folder = values.get(b"-d", b""), values.get(b"-m")
    if not _is_user(user) or not (folder is None or _is_folder(folder)):
        return None
    return user, folder or b""


class Agent:
    """One connection to the server at `socket`; with `folders` a detail of the recipient is a folder there.

    Where `socket` is empty nobody is there, and every command is run.
    """

    def __init__(self, socket: bytes, folders: bool) -> None:
        self._socket = socket
        self._folders = folders
        self._connection: Connection | None = None
        self._used = 0.0

    def deliver(self, commands: Sequence[tuple[bytes, User]], raw: bytes, world: World) -> Iterator[bool | Failure]:
        """Hand over a message for some commands, each with who runs it, in one transaction.

        For each of them, as soon as it is known: True where the message is where it would have put it; False where
        nothing has happened, so that it has to be run; a Failure where nobody can know, since the server was gone
        before it said whether it had the message.
        """
        recipients: list[bytes] = []
        for command, user in commands:
            recipient = self._recipient(command, user)
            # Whether one that is named twice gets two copies is the server's affair.
            if recipient is None or recipient in recipients:
                break
            recipients.append(recipient)
        given: list[bytes] = []
        if recipients and not changes(raw):
            connection = self._offered(sender_of(raw), recipients, world)
            if connection is not None:
                given = [command for command, _ in commands[: len(recipients)]]
                yield from self._given(connection, given, raw, world)
        for _ in commands[len(given) :]:
            yield False

    def _recipient(self, command: bytes, user: User) -> bytes | None:
        """The address that stands for a command; None where only the command will do."""
        found = target(command) if self._socket else None
        if found is None or must_switch(user):
            return None
        name, folder = found
        if folder and not self._folders:
            return None
        local, at, domain = name.partition(b"@")
        return local + (b"+" + folder if folder else b"") + at + domain

    def _given(
        self, connection: Connection, commands: list[bytes], raw: bytes, world: World
    ) -> Iterator[bool | Failure]:
        """Send the message; the outcome for each command, of which each has its reply (RFC 2033, 4.2)."""
        answers: list[bytes] = []
        try:
            # The first answer may come when the last of them has the message.
            connection.have_patience(world.settings["timeout"] * len(commands))
            connection.send(smtp.stuffed(raw) + b".\r\n")
            for command in commands:
                answers.append(_answer(connection))
                yield _outcome(command, answers[-1])
        except Failure as failure:
            for command in commands[len(answers) :]:
                yield _unknown(command, failure.text)
        except BaseException:
            # It goes on without us, and the message comes again.
            self.close()
            world.warn(_account(commands, answers))
            raise
        self._used = time.monotonic()
        taken = sum(map(_is_taken, answers))
        if taken < len(commands):
            self.close()
            if taken:
                # The rules may end before they come to what is stored.
                world.warn(_account(commands, answers))

    def close(self) -> None:
        """Let go of the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _offered(self, sender: bytes, recipients: list[bytes], world: World) -> Connection | None:
        """The connection, where the server waits for the message now; None where it does not want it."""
        if self._connection is not None and time.monotonic() - self._used > _STALE:
            self.close()
        to = b"".join([b"RCPT TO:<%s>\r\n" % recipient for recipient in recipients])
        envelope = b"MAIL FROM:<%s>\r\n%sDATA\r\n" % (sender, to)
        while True:
            kept = self._connection is not None
            try:
                connection = self._ready(world)
                connection.have_patience(min(_PATIENCE, world.settings["timeout"]))
                connection.send(envelope)
                for code in (*[b"250"] * (1 + len(recipients)), b"354"):
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
            connection = dial_unix(self._socket, min(_PATIENCE, world.settings["timeout"]))
            try:
                smtp.expect(connection, b"220")
                connection.send(b"LHLO " + world.hostname + b"\r\n")
                smtp.expect(connection, b"250")
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def changes(raw: bytes) -> bool:
    """Whether LMTP would make another message of it.

    It knows lines only, and all of them end with CR LF. And a message has to begin with a field, not with the separator
    of an mbox, to be one for both ways.
    """
    begins = _is_made_of(raw[: max(0, raw.find(b":"))], _FIELD)
    return not begins or b"\r" in raw or b"\0" in raw or not raw.endswith(b"\n")


def sender_of(raw: bytes) -> bytes:
    """The address that the message says it came from, as the command takes it; empty where there is none."""
    value = (header.first(raw[: header.boundary(raw)], b"Return-Path") or b"").strip()
    if value[:1] != b"<" or value[-1:] != b">":
        return b""
    address = value[1:-1]
    local, _, domain = address.partition(b"@")
    return address if _is_made_of(local, _SENDER) and _is_made_of(domain, _HOST) else b""


def _word(text: bytes) -> tuple[bytes, bytes]:
    """What stands before the first blank, and what stands behind the blanks."""
    word = text.replace(b"\t", b" ").partition(b" ")[0]
    return word, text[len(word) :].lstrip(_BLANKS)


def _is_made_of(word: bytes, signs: bytes) -> bool:
    """Whether there is at least one sign, and no other ones."""
    return bool(word) and not word.translate(None, signs)


def _has_any(word: bytes, signs: bytes) -> bool:
    return len(word.translate(None, signs)) < len(word)


def _is_user(name: bytes) -> bool:
    local, at, domain = name.partition(b"@")
    begins = _is_made_of(local[:1], _LOWER) and _is_made_of(local, _NAME)
    return begins and (not at or _is_made_of(domain, _DOMAIN))


def _is_folder(name: bytes) -> bool:
    return all(_is_made_of(part, _FOLDER) for part in name.replace(b"/", b".").split(b"."))


def _answer(connection: Connection) -> bytes:
    """The last line of a reply. Raises Failure."""
    while (line := connection.line())[3:4] == b"-":
        pass
    return line


def _is_taken(answer: bytes) -> bool:
    return answer[:4] in (b"250", b"250 ")


def _outcome(command: bytes, answer: bytes) -> bool | Failure:
    if _is_taken(answer):
        return True
    if answer[:1] in (b"4", b"5"):
        # It has not taken it; the command finds out why.
        return False
    return _unknown(command, "it answered " + text_of(answer))


def _account(commands: list[bytes], answers: list[bytes]) -> bytes:
    """What Dovecot has said of each command, in one line."""
    said = answers + [b"no answer"] * (len(commands) - len(answers))
    return b"given to Dovecot: " + b"; ".join([b"%s: %s" % each for each in zip(commands, said, strict=True)])


def _unknown(command: bytes, why: str) -> Failure:
    return Failure(f"{text_of(command)}: whether Dovecot has stored it is not known: {why}")
