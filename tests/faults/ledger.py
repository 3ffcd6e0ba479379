"""Conservation of mail, by content: where every message is, how often, and whether it is still itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# What programs on the way put into a header: fetchmail's, fdm's and deliver's trace, rspamd's verdict.
_ADDED = re.compile(
    rb"(?:Received: by \S+ \((?:fdm|rulesmith) "
    rb"|Received: from [^\n]*\s+by \S+ with (?:IMAP|POP3|LMTP)\b"
    rb"|X-Spam[A-Za-z-]*:)"
    rb".*(?:\n[ \t].*)*\n"
)
_FIELD = re.compile(rb".*(?:\n[ \t].*)*\n?")


def original(raw: bytes) -> bytes:
    """A delivered message as it was before the chain added to its header."""
    at, kept = 0, []
    while at < len(raw) and raw[at] != 10:
        found = _FIELD.match(raw, at)
        assert found
        if not _ADDED.fullmatch(found[0]):
            kept.append(found[0])
        at = found.end()
    return b"".join(kept) + raw[at:]


@dataclass
class Balance:
    """What became of the messages; all lists are empty when nothing went wrong."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    altered: list[str] = field(default_factory=list)
    astray: list[str] = field(default_factory=list)
    waiting: int = 0
    done: int = 0

    @property
    def wrong(self) -> list[str]:
        return [*self.lost, *self.duplicated, *self.altered, *self.astray]


def balance(
    plans: Mapping[bytes, tuple[str, ...]],
    kept: Iterable[bytes],
    targets: Mapping[str, Iterable[bytes]],
) -> Balance:
    """Compare what was sent (`plans`: for each message its mailboxes) with what is there.

    `kept` are the messages that will come again, from the source or from the queue; `targets` are the mailboxes.
    A message may be in both: some of its copies are made. None may be in neither.
    """
    result = Balance()
    again = {original(each) for each in kept}
    found: dict[str, Counter[bytes]] = {}
    for name, raws in targets.items():
        found[name] = Counter(map(original, raws))
        for message, number in found[name].items():
            where = f"{name}: {message[:200]!r} ({len(message)} octets)"
            if message not in plans:
                result.altered.append(where)
            elif name not in plans[message]:
                result.astray.append(where)
            elif number > 1:
                result.duplicated.append(f"{number} times in {where}")
    for message, plan in plans.items():
        if message in again:
            result.waiting += 1
        elif missing := [name for name in plan if not found.get(name, Counter())[message]]:
            result.lost.append(f"not in {', '.join(missing)}: {message[:200]!r}")
        else:
            result.done += 1
    return result
