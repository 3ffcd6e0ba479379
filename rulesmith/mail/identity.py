"""Which message is this? The same answer for every fetch of a message, different answers for different messages.

Between two fetches of one message some fields change: fetchmail, rspamd and fdm add theirs anew, and servers that
keep mail in an mbox write down in the header what was read. Those fields do not count, nor does the order of the
fields or how they are folded. Everything else does, the body to its last octet; so two messages that share
a Message-ID are two messages.

Return-Path, Delivered-To and X-Original-To count: the server has stored them with the message and gives them out
unchanged, and often they alone tell apart the copies of one letter that two mailboxes got.
"""

from __future__ import annotations

try:
    from _sha2 import sha256  # hashlib would load OpenSSL; Python 3.11 has the other name
except ImportError:
    try:
        from _sha256 import sha256
    except ImportError:
        from hashlib import sha256

from rulesmith.limits import IDENTITY_FIELDS
from rulesmith.mail import header

# Names that do not count, in lower case.
CHANGING = frozenset(
    (
        b"received",  # fetchmail and fdm add one at each fetch
        b"status",  # what an mbox server writes down: read, answered, its own number
        b"x-status",
        b"x-keywords",
        b"x-uid",
        b"x-uidl",
        b"x-mozilla-status",
        b"x-mozilla-status2",
    )
)
# ... and how the names of the scan's fields begin: X-Spam, X-Spam-Action, X-Spamd-Result, X-Rspamd-Server …
CHANGING_PREFIXES = (b"x-spam", b"x-rspamd")

_BLOCK = 1 << 20
_SHORT = 1 << 14
# What bytes.split takes for a blank.
_BLANKS = bytes.maketrans(b"\t\n\v\f\r", b"     ")


def digest(*parts: bytes) -> bytes:
    """32 octets for a sequence of octet strings; where one part ends and the next begins counts."""
    found = sha256()
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    octets: bytes = found.digest()
    return octets


def identity(raw: bytes, body_at: int, way: bool = False) -> bytes:
    """The identity of a message (32 octets). `body_at` is where its body begins, 0 without a header area.

    With `way` its way counts too: all Received fields but those at the top that were written when it was fetched.
    So two deliveries of one letter to the provider are two messages, and a program that fetches mail and writes
    a Received field that nobody could know makes a new message of it each time.

    Fields behind the first limits.IDENTITY_FIELDS count as they stand and in their order: no letter has so many,
    and what has shall not cost more memory than it is large.
    """
    found: list[bytes] = []
    at = 0
    fetched = True
    while at < body_at and len(found) < IDENTITY_FIELDS:
        stop = min(header.field_end(raw, at), body_at)
        octets = raw[at:stop]
        if way and fetched and octets[:9].lower() == b"received:":
            fetched = _is_of_fetching(octets)
        field = _field(octets, way and not fetched)
        if field is not None:
            found.append(field)
        at = stop
    found.sort()
    whole = sha256(b"".join(found))
    # An end of the header that no sequence of fields can imitate.
    whole.update(b"%d\n" % len(found))
    while at < len(raw):
        block = raw[at : at + _BLOCK]
        if block[-1:] == b"\r":
            block += raw[at + _BLOCK : at + _BLOCK + 1]
        at += len(block)
        whole.update(block.replace(b"\r\n", b"\n"))
    known: bytes = whole.digest()
    return known


def _is_of_fetching(field: bytes) -> bool:
    """Whether a Received field says that the message was fetched: `with POP3`, `with IMAP`."""
    text = _words(field).lower()
    return b" with imap" in text or b" with pop" in text


def _field(field: bytes, with_received: bool) -> bytes | None:
    """The digest of one field: its name in lower case and its words. None for a field that does not count.

    The empty line that ends the header does not count either: some messages get it only on their way.
    """
    name, colon, value = field.partition(b":")
    if not colon:
        words = _words(name)
        return digest(b"", b"", words) if words else None
    name = name.strip().lower()
    if (name in CHANGING and not (with_received and name == b"received")) or name.startswith(CHANGING_PREFIXES):
        return None
    words = _words(value)
    # As digest() has it, in fewer steps: there are many fields. One may be as large as the mail, and is not copied.
    found = sha256(b"%d:%b%d:" % (len(name), name, len(words)))
    found.update(words)
    octets: bytes = found.digest()
    return octets


def _words(text: bytes) -> bytes:
    """The words of a text with one space between them."""
    if len(text) <= _SHORT:
        return b" ".join(text.split())
    # A list of millions of words would take many times their size.
    text = text.translate(_BLANKS)
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text.strip(b" ")
