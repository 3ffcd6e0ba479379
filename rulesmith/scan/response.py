"""An HTTP/1.1 response (RFC 9112), read from whatever gives octets; how much of it there may be is bounded."""

from __future__ import annotations

from rulesmith.limits import SCAN_REPLY_OCTETS
from rulesmith.scan.no_verdict import NoVerdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_OCTETS = 65536
_LENGTH_DIGITS = 9


def read(receive: Callable[[], bytes]) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, fields (names in lower case) and body. `receive` gives some octets, none at the end.

    Raises NoVerdict ("error") for what is no response, or more than anyone may say.
    """
    source = _Source(receive)
    status, fields = _head(source)
    while 100 <= status < 200:
        status, fields = _head(source)
    if fields.get(b"content-encoding", b"identity").lower() != b"identity":
        raise NoVerdict("error", "the answer is encoded, which nobody asked for")
    if status in (204, 304):
        return status, fields, b""
    if fields.get(b"transfer-encoding"):
        if fields[b"transfer-encoding"].lower() != b"chunked":
            raise NoVerdict("error", "the answer comes in a transfer encoding that HTTP does not know")
        return status, fields, _chunks(source)
    length = fields.get(b"content-length")
    if length is None:
        return status, fields, source.rest()
    if not length.isdigit() or len(length) > _LENGTH_DIGITS:
        raise NoVerdict("error", "the answer has no sensible length")
    return status, fields, source.octets(int(length))


def _head(source: _Source) -> tuple[int, dict[bytes, bytes]]:
    first = source.line()
    words = first.split(None, 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or len(words[1]) != 3 or not words[1].isdigit():
        raise NoVerdict("error", "no HTTP answer: " + first[:60].decode("latin-1"))
    fields = {}
    size = 0
    while line := source.line():
        size += len(line)
        if size > _HEAD_OCTETS:
            raise NoVerdict("error", "the header of the answer does not end")
        name, colon, value = line.partition(b":")
        if not colon:
            raise NoVerdict("error", "the header of the answer is garbled")
        fields[name.strip().lower()] = value.strip()
    return int(words[1]), fields


def _chunks(source: _Source) -> bytes:
    """RFC 9112, 7.1; extensions and trailers mean nothing to us."""
    body = bytearray()
    while True:
        size = source.line().partition(b";")[0].strip()
        if not size or len(size) > _LENGTH_DIGITS or size.strip(b"0123456789abcdefABCDEF"):
            raise NoVerdict("error", "the pieces of the answer are garbled")
        length = int(size, 16)
        if not length:
            while source.line():
                pass
            return bytes(body)
        body += source.octets(length)
        if source.line():
            raise NoVerdict("error", "the pieces of the answer are garbled")


class _Source:
    """Octets in the order they came; all in all there may be so many."""

    __slots__ = ("_kept", "_left", "_receive")

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._kept = bytearray()
        self._left = SCAN_REPLY_OCTETS + _HEAD_OCTETS

    def _more(self) -> bool:
        data = self._receive()
        self._left -= len(data)
        if self._left < 0:
            raise _too_long()
        self._kept += data
        return bool(data)

    def line(self) -> bytes:
        """The next line without its end."""
        at = 0
        while (end := self._kept.find(b"\n", at)) < 0:
            at = len(self._kept)
            if at > _HEAD_OCTETS:
                raise NoVerdict("error", "a line of the answer does not end")
            if not self._more():
                raise _broken_off()
        line = bytes(self._kept[:end]).removesuffix(b"\r")
        del self._kept[: end + 1]
        return line

    def octets(self, count: int) -> bytes:
        if count > SCAN_REPLY_OCTETS:
            raise _too_long()
        while len(self._kept) < count:
            if not self._more():
                raise _broken_off()
        data = bytes(self._kept[:count])
        del self._kept[:count]
        return data

    def rest(self) -> bytes:
        while self._more():
            pass
        return bytes(self._kept)


def _too_long() -> NoVerdict:
    return NoVerdict("error", f"the answer is longer than {SCAN_REPLY_OCTETS} bytes")


def _broken_off() -> NoVerdict:
    return NoVerdict("error", "the connection was closed before the answer was complete")
