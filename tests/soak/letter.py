"""The letters of a soak: each another one, and drawn from the seed, so that a run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from tests.faults.house import ALIAS, USER

INBOX, RECEIVED, PROBLEM = f"{USER}/INBOX", f"{USER}/Received", f"{USER}/Problem"
BOX = "box"  # a maildir that rulesmith writes itself
RULES = f"""\
account "stdin" disabled stdin
action "alias" pipe "/config/deliver -d {ALIAS}"
action "alias:Received" pipe "/config/deliver -d {ALIAS} -m Received"
action "user" pipe "/config/deliver -d {USER}"
action "user:Received" pipe "/config/deliver -d {USER} -m Received"
action "poison" pipe "/config/deliver -d {USER} -m Poison"
action "box" maildir "/small/mail/box"
match "^Delivered-To: {ALIAS}" in headers action {{ "alias" "alias:Received" }}
match "^Subject: poison" in headers action {{ "user" "poison" }}
match "^Subject: list" in headers action {{ "user" "box" "user:Received" }}
match all action {{ "user" "user:Received" }}
"""
_BLOCKS = (
    b"From here on\n",
    b".\n",
    b"..\n",
    b"Gr\xfc\xdfe \xe4\xf6\n",
    b"trailing \t\n",
    b"\n\n",
    b"y" * 7000 + b"\n",
)


@dataclass(frozen=True)
class Letter:
    """A message, and the mailboxes that its rules name. A poisonous one can never reach the last of them."""

    number: int
    raw: bytes
    plan: tuple[str, ...]
    poison: bool

    @property
    def name(self) -> str:
        """What fetchmail tells the door about it: the local part of its sender."""
        return name_of(self.number)


def name_of(number: int) -> str:
    return f"m{number:06}"


def draw(seed: int, number: int, poison: bool) -> Letter:
    """Letter `number` of a run."""
    rng = Random(f"{seed}/{number}")
    kind = rng.choices(("letter", "list", "alias"), (6, 2, 3))[0]
    to = USER
    plan: tuple[str, ...] = (INBOX, RECEIVED)
    if poison:
        kind, plan = "poison", (INBOX,)
    elif kind == "list":
        plan = (INBOX, BOX, RECEIVED)
    elif kind == "alias":
        to, plan = ALIAS, (f"{ALIAS}/INBOX", f"{ALIAS}/Received")
    # Some share a Message-ID with the letter before.
    ident = number - (rng.random() < 0.05)
    head = (
        f"Return-Path: <{name_of(number)}@example.org>\nDelivered-To: {to}\nFrom: Alice <alice@example.org>\n"
        f"To: {to}\nSubject: {kind} {number}\nDate: Mon, 2 Mar 2026 10:00:00 +0100\n"
        f"Message-ID: <{ident}@example.org>\n\n"
    )
    return Letter(number, head.encode() + _body(rng, number), plan, poison)


def _body(rng: Random, number: int) -> bytes:
    size = rng.choices((1_000, 20_000, 150_000), (15, 4, 1))[0]
    wanted = rng.randrange(size)
    parts = [b"This is %d.\n" % number]
    at = 0
    while at < wanted:
        block = rng.choice(_BLOCKS) if rng.random() < 0.2 else b"%x\n" % rng.getrandbits(280)
        parts.append(block)
        at += len(block)
    return b"".join((*parts, b"The end of %d.\n" % number))
