"""Configurations and messages of given sizes, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

FIELDS = ("From", "List-Id", "(To|Cc)", "Subject", "Sender", "X-Mailer", "Return-Path")
WORDS = (
    "about account answer archive attached because before between calendar change choir company contact customer "
    "decide delivery document earlier evening example following garden holiday however invoice journey kitchen letter "
    "library meeting message morning neighbour number office order parcel people picture please question receipt "
    "regards reminder report service station summer thanks thursday ticket together tomorrow update weather without"
).split()
HEADER = """\
Return-Path: <anna@friends.example>
Delivered-To: user@example.com
Received: from smtp.friends.example (smtp.friends.example [198.51.100.23])
\tby mail.example.com with ESMTPS id 4Yq1bX3tGmz
\tfor <user@example.com>; Tue, 11 Mar 2025 09:02:40 +0100
Date: Tue, 11 Mar 2025 09:02:31 +0100
From: Anna Lind <anna@friends.example>
Sender: anna@friends.example
To: user@example.com
Cc: The choir <choir@lists.example>
List-Id: The choir <choir.lists.example>
Subject: the evening journey and the summer report
X-Mailer: Letter 4.2
Message-ID: <9d1f33c0-7b1e@friends.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=us-ascii

"""


def message(octets: int) -> bytes:
    """A message of about so many octets, in lines of words."""
    chance = random.Random(octets)
    lines = [HEADER]
    size = len(HEADER)
    while size < octets:
        line = " ".join(chance.choices(WORDS, k=9)) + "\n"
        lines.append(line)
        size += len(line)
    return "".join(lines).encode()


def rules(count: int, maildir: Path, body: bool) -> str:
    """So many rules of which none matches but the last; every fifth looks into the body where `body` is set.

    Each looks for a word of the text with a cluster of consonants in it, so that first letters and beginnings of what
    is sought do occur.
    """
    lines = _head(maildir)
    for field, odd in _sought(count, body):
        if field:
            lines.append(f'match "^{field}:.*{odd}" in headers action drop')
        else:
            lines.append(f'match "{odd}" in body action drop')
    return "\n".join([*lines, 'match all action "inbox"\n'])


def worst_rules(count: int, maildir: Path) -> str:
    """So many real regexps, all different, for words that the text has; none stands where it is looked for."""
    chance = random.Random(count)
    lines = _head(maildir)
    for number in range(count - 1):
        word = chance.choice(WORDS)
        lines.append(f'match "(^|[^a-z]){word}[a-z]* +([0-9]+|[^ ]*q){{1,{number + 2}}}$" action drop')
    return "\n".join([*lines, 'match all action "inbox"\n'])


def sieve(count: int) -> str:
    """The same rules as `rules`, as equal as Sieve can say them; what nothing discards is kept."""
    lines = ['require ["regex", "body"];']
    for field, odd in _sought(count, body=True):
        names = ", ".join(f'"{name.lower()}"' for name in field.strip("()").split("|"))
        test = f'header :regex [{names}] "{odd}"' if field else f'body :raw :regex "{odd}"'
        lines.append(f"if {test} {{ discard; stop; }}")
    return "\n".join(lines) + "\n"


def _head(maildir: Path) -> list[str]:
    return ['account "stdin" disabled stdin', f'action "inbox" maildir "{maildir}"', "set no-received"]


def _sought(count: int, body: bool) -> Iterator[tuple[str, str]]:
    """The field, "" for the body, and the word of each rule but the last."""
    chance = random.Random(count)
    for number in range(count - 1):
        word = chance.choice(WORDS)
        cut = chance.randrange(2, len(word))
        odd = word[:cut] + chance.choice(("xq", "zk", "vj", "qh")) + word[cut:] + str(number % 7)
        yield "" if body and number % 5 == 4 else chance.choice(FIELDS), odd
