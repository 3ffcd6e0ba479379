"""What became of the messages of a trial, by content."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, fields

from tests.faults.ledger import original

_ID = re.compile(rb"^Message-ID: <(\S+)>", re.MULTILINE)


def identity(text: bytes) -> bytes:
    """What tells one message of a trial from the others, also when it was altered; empty when nothing is left."""
    found = _ID.search(text)
    return found[1] if found else b""


@dataclass
class Tally:
    """Numbers of messages. The names are the words of the table."""

    lost: int = 0
    duplicated: int = 0
    altered: int = 0
    unscanned: int = 0
    spam_as_ham: int = 0
    held_up: int = 0

    def __str__(self) -> str:
        words = [
            f"{word.name.replace('_', ' ')} {number}"
            for word, number in zip(fields(self), astuple(self), strict=True)
            if number
        ]
        return ", ".join(words) or "0"


def tally(
    plans: Mapping[bytes, tuple[str, ...]],
    handed: Mapping[bytes, set[bytes]],
    waiting: Collection[bytes],
    targets: Mapping[str, Iterable[bytes]],
) -> Tally:
    """Compare `plans` (messages and their mailboxes) with what is there.

    `handed` are the texts that count as unaltered, by identity; `waiting` the identities of what will come again.
    """
    result = Tally()
    found: dict[bytes, dict[str, list[bytes]]] = {}
    for name, texts in targets.items():
        for text in texts:
            found.setdefault(identity(text), {}).setdefault(name, []).append(text)
    # Empty mail, or without its header: something of a message, but nobody can say of which.
    result.altered += sum(map(len, found.pop(b"", {}).values()))
    for message, plan in plans.items():
        who = identity(message)
        boxes = found.pop(who, {})
        copies = [text for texts in boxes.values() for text in texts]
        misplaced = boxes.keys() - set(plan)
        result.altered += any(original(text) not in handed[who] for text in copies)
        result.duplicated += any(len(texts) > 1 for texts in boxes.values())
        inbox = [text for box, texts in boxes.items() if not box.endswith("/Junk") for text in texts]
        result.unscanned += any(not _scanned(text) for text in inbox)
        result.spam_as_ham += bool(misplaced) and all(box.endswith("/Junk") for box in plan)
        if who in waiting:
            result.held_up += 1
        elif not misplaced:
            result.lost += bool(set(plan) - boxes.keys())
    assert not found, found
    return result


def _scanned(text: bytes) -> bool:
    """Whether rspamd's own verdict is in the header: rspamc puts it there in this form, and so does rulesmith."""
    scan = text.partition(b"\n\n")[0].partition(b"\nX-Spam-Scanner: rspamc")[2]
    return b"\nX-Spam-Score: " in scan
