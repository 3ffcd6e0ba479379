"""The steps of a message's plan: which effects they are, what they are called, what they depend on."""

from __future__ import annotations

from rulesmith.effects import DELIVER, RUN
from rulesmith.mail.identity import digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Octets of a digest that are enough to tell the steps of one message, or the causes in one queue, apart.
_DIGEST = 16


def _essence(effect: tuple[Any, ...]) -> tuple[tuple[bytes, ...], bytes]:
    """What a step does, without what differs between two tries (the time in an mbox separator), and without
    secrets; and the name of the user it does it for."""
    if effect[0] == RUN:
        _, purpose, command, _, user, _ = effect
        return (purpose.encode(), command), user[0]
    _, kind, args, user, _ = effect
    if kind == "mbox":
        args = args[:1]
    elif kind in ("imap", "imaps"):
        host, port, name, _, folder, _ = args
        args = (host, port, name, folder)
    return (kind.encode(), *[arg if isinstance(arg, bytes) else b"" for arg in args]), user[0]


def step_name(effect: tuple[Any, ...]) -> bytes:
    """The name of a step, the same at every try."""
    essence, user = _essence(effect)
    return digest(*essence, user)[:_DIGEST].hex().encode()


def describe(effect: tuple[Any, ...]) -> bytes:
    """A step for people: `pipe COMMAND`, `maildir PATH`, `lmtp HOST PORT RECIPIENT`."""
    essence, _ = _essence(effect)
    return b" ".join(essence)


def cause_of(effect: tuple[Any, ...]) -> bytes:
    """What has to answer for this effect to succeed: a server, a folder, a command. Equal for messages that wait
    for the same."""
    if effect[0] == DELIVER and effect[1] in ("smtp", "lmtp", "imap", "imaps"):
        return digest(effect[1].encode(), *effect[2][:2])[:_DIGEST].hex().encode()
    return step_name(effect)
