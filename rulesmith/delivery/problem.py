"""The problem mailbox: where a message goes that its rules cannot deliver, whole, with a note beside it.

`set problem-mailbox` names a maildir (a path) or a folder. A folder is one of the mailbox that the failed delivery
was for: `deliver -d bob` becomes `deliver -m Problem -d bob`, a maildir gets a subfolder as Maildir++ has them, an
mbox a neighbour, an IMAP server another folder.
"""

from __future__ import annotations

import os
import re

from rulesmith.delivery import folders
from rulesmith.effects import DELIVER, RUN, Failure
from rulesmith.mail import date, header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    User = tuple[bytes, int, int, bytes]
    Effect = tuple[Any, ...]

# Delivery agents that take the folder after -m.
_AGENTS = (b"deliver", b"dovecot-lda")
# What a shell takes for one word; what ends a command; what only redirects.
_TOKENS = re.compile(
    rb"""((?:[^\s'"\\|&;<>()]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+)|([<>]&?)|([|&;()\n])|[ \t]+|[\\'"]""", re.DOTALL
)


def target(setting: bytes, failed: Effect | None, me: User, now: int) -> Callable[[bytes], Effect]:
    """What delivers a text to the problem mailbox: a function from octets to the effect that does it.

    `failed` is the delivery that failed, None where there is none. Raises Failure where there is no such place.
    """
    if not setting:
        raise Failure("there is no problem mailbox (set problem-mailbox)")
    user: User = me if failed is None else failed[-2]
    if setting[:1] in (b"/", b"~"):
        path = user[3] + setting[1:] if setting[:1] == b"~" else setting
        return lambda raw: (DELIVER, "maildir", (path,), user, raw)
    if failed is not None and failed[0] == RUN:
        command = with_folder(failed[2], setting)
        if command is not None:
            return lambda raw: (RUN, "pipe", command, raw, user, None)
    elif failed is not None:
        kind, args = failed[1], failed[2]
        if kind == "maildir":
            path = _subfolder(args[0], setting)
            return lambda raw: (DELIVER, "maildir", (path,), user, raw)
        if kind == "mbox":
            path = folders.parent_of(args[0]) + b"/" + setting
            line = b"From rulesmith " + date.ctime(now)
            return lambda raw: (DELIVER, "mbox", (path, args[1], line), user, raw)
        if kind in ("imap", "imaps"):
            host, port, name, password, _, flags = args
            return lambda raw: (DELIVER, kind, (host, port, name, password, setting, flags), user, raw)
    raise Failure("there is no folder beside this delivery; name a maildir with: set problem-mailbox")


def with_folder(command: bytes, folder: bytes) -> bytes | None:
    """The command with its delivery agent told another folder; None where it runs none."""
    agent = -1  # where the agent's word ends
    drop: list[tuple[int, int]] = []
    value_next = False
    for token in _TOKENS.finditer(command):
        word, _, end = token.groups()
        if agent < 0:
            if word is not None and os.path.basename(word.translate(None, b"'\"\\")) in _AGENTS:
                agent = token.end()
        elif end is not None:
            break
        elif word is not None:
            if value_next:
                drop.append(token.span())
                value_next = False
            elif word.startswith(b"-m"):
                drop.append(token.span())
                value_next = word == b"-m"
    if agent < 0:
        return None
    rest = command
    for start, end_at in reversed(drop):
        rest = rest[:start] + rest[end_at:]
    quoted = b"'" + folder.replace(b"'", b"'\\''") + b"'"
    return rest[:agent] + b" -m " + quoted + rest[agent:]


def _subfolder(path: bytes, name: bytes) -> bytes:
    """The Maildir++ folder beside or below a maildir: `~/Maildir/.Lists` and `~/Maildir` have the same."""
    base = folders.parent_of(path) if folders.name_of(path).startswith(b".") else path.rstrip(b"/")
    return base + b"/." + name.replace(b"/", b".")


def note(raw: bytes, reason: bytes, tries: int, since: int, now: int, done: list[bytes], host: bytes) -> bytes:
    """The message beside it: what failed, what is stored already, what to do."""
    head = raw[: header.boundary(raw)]
    lines = [b"The message before this one could not be delivered by its rules.", b""]
    for name in (b"From", b"Subject", b"Date", b"Message-ID"):
        value = header.first(head, name)
        if value:
            lines.append(b"  %s: %s" % (name, value[:200]))
    lines += [
        b"",
        b"It was tried %d times since %s, and each time something failed. The last time:" % (tries, date.rfc822(since)),
        b"",
        b"  " + reason,
        b"",
    ]
    if done:
        lines += [b"These deliveries of it had been made, and are not made again:", b""]
        lines += [b"  " + each for each in done]
    else:
        lines.append(b"Nothing of it had been delivered anywhere.")
    lines += [
        b"",
        b"It is whole, as it came. It counts as delivered now and is not tried again.",
        b"What to do: mend what failed; `rulesmith dry-run` shows what the rules would do with the message.",
        b"Then move it where it belongs, or hand it to `fdm` again.",
        b"",
    ]
    text = b"\n".join([line.translate(_VISIBLE) for line in lines])
    host = host or b"localhost"
    return b"\n".join(
        (
            b"From: rulesmith <rulesmith@%s>" % host,
            b"To: undisclosed-recipients:;",
            b"Subject: A message that could not be delivered",
            b"Date: " + date.rfc822(now),
            b"Message-ID: <%d.%d.problem@%s>" % (now, os.getpid(), host),
            b"Auto-Submitted: auto-generated",
            b"MIME-Version: 1.0",
            b"Content-Type: text/plain; charset=utf-8",
            b"Content-Transfer-Encoding: 8bit",
            b"",
            text,
        )
    )


# Nothing of a stranger's mail may look like a header or a command to a terminal.
_VISIBLE = bytes(octet if octet >= 32 and octet != 127 else 63 for octet in range(256))
