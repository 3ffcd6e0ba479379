"""What comes out of an LMTP session: to be sent, to be stored, to be delivered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """Octets for the client."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Begin:
    """The client is told to send a message."""

    sender: bytes


@dataclass(frozen=True, slots=True)
class Piece:
    """The next octets of the message, with LF at the end of lines, as a program finds them on standard input."""

    octets: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """The message is whole; the session goes on with `Session.answer`.

    `recipients` are the accepted ones, in their order, each as the look-up knew it.
    """

    sender: bytes
    recipients: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Discard:
    """What came of the message is not wanted: it is too big."""


@dataclass(frozen=True, slots=True)
class Close:
    """Nothing more will be said."""


Event = Reply | Begin | Piece | Message | Discard | Close
