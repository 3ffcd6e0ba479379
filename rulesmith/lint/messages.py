"""Header areas of imagined messages: what a regexp finds in all of these, it finds in every message."""

from __future__ import annotations

# As little as mail can have; no two say the same.
BARE = (
    b"From: q@x.zz\nDate: Mon, 2 Mar 2020 10:00:00 +0000\n\n",
    b"Date: Fri, 31 Jan 2025 23:59:59 -0800\nFrom: <1@2.kz>\n\n",
    b'DATE: 9 Sep 2017 04:05:06 GMT\nFROM: "W" <w@v.io>\n\n',
    b"From: hugo@jfk.br\nDate: Thu, 17 Jul 2031 15:16:17 +0530\n\n",
)
# What nearly all mail has.
_USUAL = (
    b"Received: from q by z; Tue, 4 Feb 2020 01:02:03 +0000\nMessage-ID: <q1@x.zz>\nTo: z@y.xx\nSubject: qzx\n",
    b"Received: by 10.2.3.4; Wed, 5 Aug 2020 11:12:13 +02\nTo: <w@k.jp>\nSubject: 7\nMessage-Id: <7@v>\n",
    b"RECEIVED: from [1.2.3.4]; Sat, 6 Jun 2020 21:22:23\nTO: K <k@j.fi>\nSUBJECT: Hugo\nMESSAGE-ID: <k>\n",
    b"Received: from j; Sun, 7 Nov 2021 07:08:09 +0\nMessage-Id: <9$8@w>\nSubject: \nTo: undisclosed-recipients:;\n",
)
ORDINARY = tuple(usual + bare for usual, bare in zip(_USUAL, BARE, strict=True))


def with_received(areas: tuple[bytes, ...], account: bytes) -> tuple[bytes, ...]:
    """The same below the line that rulesmith puts on top of each message, unless `no-received` is set."""
    hosts = (b"q", b"mail.x.zz", b"10", b"w")
    line = b'Received: by %s (fdm 2.2, account "%s") \twith stdin (unencrypted) \tWed, 1 Apr 2020 08:09:10 +0000\n'
    return tuple(line % (host, account) + area for host, area in zip(hosts, areas, strict=True))
