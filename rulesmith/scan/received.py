"""One Received field, as the well-known servers write it.

Postfix, Sendmail   from HELO (NAME [ADDRESS]) by …        NAME "unknown" or missing: not looked up
Exim                from NAME ([ADDRESS] helo=HELO) by …   from [ADDRESS] (helo=HELO) by …
qmail               from NAME (HELO HELO) (ADDRESS) by …
Exchange            from HELO (ADDRESS) by …
Google              from HELO (NAME. [ADDRESS]) by …
fetchmail           from NAME [ADDRESS] by … with IMAP (fetchmail-6.4.37) for …
"""

from __future__ import annotations

from rulesmith.scan import network

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_KEYWORDS = (b"by", b"via", b"with", b"id", b"for")
_BLANKS = b" \t\r\n"
_SPACED = bytes.maketrans(_BLANKS, b"    ")


class Received:
    """`address`, `helo` and `hostname` of the giving host, each empty where the field does not tell; `date` as it
    stands there; `pulled` if a program wrote it that fetched the mail (POP3, IMAP).

    Where a name could be either, it is taken for the one in HELO, which nobody trusts.
    """

    __slots__ = ("address", "date", "helo", "hostname", "pulled")

    def __init__(self, value: bytes) -> None:
        words, self.date = _split(value)
        self.address = self.helo = self.hostname = b""
        giver: list[bytes] = []
        if words and words[0].lower() == b"from":
            # The giver may call itself what it likes, a keyword too.
            giver = words[1:2] + words[2 : _keyword(words, 2, _KEYWORDS)]
            words = words[1 + len(giver) :]
        at = _keyword(words, 0, (b"with",)) + 1
        self.pulled = b"".join(words[at : at + 1]).upper().startswith((b"POP", b"IMAP"))
        if giver:
            self._read(giver)

    def _read(self, giver: list[bytes]) -> None:
        name = giver[0] if giver[0][:1] != b"(" else b""
        self.helo = name
        for word in giver:
            if word[:1] != b"(":
                continue
            comment = word[1:-1].strip(_BLANKS)
            lower = comment.lower()
            at = lower.find(b"helo=")
            if lower[:5] == b"helo " or at >= 0:
                said = comment[at + 5 if at >= 0 else 5 :].split(None, 1)
                self.hostname, self.helo = name, said[0] if said else b""
                comment = comment[: max(at, 0)]
            if not self.address:
                self._read_address(comment)
        if not self.address and len(giver) > 1:
            self.address = _literal(giver[1])
        if not self.address:
            # Exim's form, or a host that has no name but its address.
            self.address = _literal(name) or (name if network.address(name) else b"")
        if self.hostname[:1] == b"[" or self.hostname.lower() == b"unknown":
            self.hostname = b""

    def _read_address(self, comment: bytes) -> None:
        """`NAME [ADDRESS]` with whatever may stand around it, or `ADDRESS` alone."""
        if network.address(comment):
            self.address = comment
            return
        before, bracket, rest = comment.partition(b"[")
        address = _literal(b"[" + rest.partition(b"]")[0] + b"]") if bracket else b""
        if not address:
            return
        self.address = address
        names = before.split()
        if names:
            # Behind `@` where the host also asked who it was (RFC 1413); behind a dot where it is written out.
            self.hostname = names[-1].rpartition(b"@")[2].removesuffix(b".")


def _keyword(words: list[bytes], at: int, wanted: tuple[bytes, ...]) -> int:
    """Where the first of the keywords stands, from `at` on; behind the last word where none does."""
    for place in range(at, len(words)):
        if words[place].lower() in wanted:
            return place
    return max(at, len(words))


def _literal(word: bytes) -> bytes:
    """The address in `[192.0.2.1]` or `[IPv6:2001:db8::1]`, maybe with a port behind it; or nothing."""
    if word[:1] != b"[":
        return b""
    inner = word[1:].partition(b"]")[0]
    if inner[:5].lower() == b"ipv6:":
        inner = inner[5:]
    return inner if network.address(inner) else b""


def _split(value: bytes) -> tuple[list[bytes], bytes]:
    """Words and whole comments, up to the last semicolon outside of comments; and what follows it."""
    words: list[bytes] = []
    count = None
    when = b""
    rest = value
    while rest:
        text = rest.partition(b"(")[0]
        rest = rest[len(text) :]
        before, semicolon, behind = text.rpartition(b";")
        if semicolon:
            words += _words(before.replace(b";", b" "))
            count = len(words)
            when = behind + rest
        words += _words(behind)
        if rest:
            end = _comment_end(rest)
            words.append(rest[:end])
            rest = rest[end:]
    return words[:count], when


def _words(text: bytes) -> Iterator[bytes]:
    return filter(None, text.translate(_SPACED).split(b" "))


def _comment_end(text: bytes) -> int:
    """Where the comment ends with which the text begins; others may be in it."""
    at = depth = 0
    while end := text.find(b")", at) + 1:
        depth += text.count(b"(", at, end) - 1
        if not depth:
            return end
        at = end
    return len(text)
