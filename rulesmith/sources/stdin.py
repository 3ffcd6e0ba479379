"""One message on standard input, as an MDA gets it."""

from __future__ import annotations

import os
import select
import stat

from rulesmith.effects import Failure

_CHUNK = 1 << 18


class TooBig(Failure):
    """The message is larger than `maximum-size`; it was read to its end and thrown away."""


def holds_message() -> bool:
    """Whether something was handed to us on standard input: a pipe, a socket or a file, but no terminal."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISREG(mode) or stat.S_ISSOCK(mode)


def drain(timeout: int) -> None:
    """Read standard input to its end and throw it away.

    The caller (fetchmail) takes a reader that goes away early for a broken pipe and gives up the whole
    mailbox, so whatever else is wrong the message is read.
    """
    try:
        for _ in _chunks(timeout):
            pass
    except Failure:
        return


def read(maximum: int, timeout: int) -> bytes:
    """The message, with a last LF.

    `maximum` is in octets, `timeout` in seconds of silence. Raises TooBig, and Failure with fdm's words when
    there is no message. More than `maximum` is never kept in memory.
    """
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        raise Failure("stdin is invalid") from None
    if os.isatty(0):
        raise Failure("stdin is a tty. ignoring")
    if stat.S_ISDIR(mode):
        raise Failure("io: read: Is a directory")
    kept: list[bytes] = []
    size = 0
    over = 0  # octets up to the end of the line in which the limit was passed
    for chunk in _chunks(timeout):
        if over:
            if over < 0:
                at = chunk.find(b"\n")
                over = size + at + 1 if at >= 0 else -1
            size += len(chunk)
            continue
        if size + len(chunk) > maximum:
            at = chunk.find(b"\n", max(0, maximum - size))
            over = size + at + 1 if at >= 0 else -1
            kept.clear()
        else:
            kept.append(chunk)
        size += len(chunk)
    if over:
        raise TooBig(f"message too big: {over if over > 0 else size + 1} bytes")
    raw = b"".join(kept)
    if not raw:
        raise Failure("empty message")
    if raw[-1:] != b"\n":
        raw += b"\n"
        if len(raw) > maximum:
            raise TooBig(f"message too big: {len(raw)} bytes")
    return raw


def _chunks(timeout: int):  # type: ignore[no-untyped-def]  # Iterator would have to be imported
    poll = select.poll()
    poll.register(0, select.POLLIN)
    while True:
        if not poll.poll(timeout * 1000):
            raise Failure("io: poll: Connection timed out")
        try:
            chunk = os.read(0, _CHUNK)
        except OSError as error:
            raise Failure("io: read: " + os.strerror(error.errno or 0)) from None
        if not chunk:
            return
        yield chunk
