"""Configurations and messages of given sizes, the same in every run."""

from __future__ import annotations

import random
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
    chance = random.Random(count)
    lines = ['account "stdin" disabled stdin', f'action "inbox" maildir "{maildir}"', "set no-received"]
    for number in range(count - 1):
        word = chance.choice(WORDS)
        cut = chance.randrange(2, len(word))
        odd = word[:cut] + chance.choice(("xq", "zk", "vj", "qh")) + word[cut:] + str(number % 7)
        if body and number % 5 == 4:
            lines.append(f'match "{odd}" in body action drop')
        else:
            lines.append(f'match "^{chance.choice(FIELDS)}:.*{odd}" in headers action drop')
    lines.append('match all action "inbox"')
    return "\n".join(lines) + "\n"
