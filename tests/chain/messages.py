"""Real messages, octet for octet, and how to tell what the way to the mailbox added to them."""

from __future__ import annotations

PLAIN = b"""\
Return-Path: <alice@example.org>
Delivered-To: user@example.com
From: Alice <alice@example.org>
To: user@example.com
Subject: Lunch
Date: Mon, 2 Mar 2026 10:00:00 +0100
Message-ID: <1@example.org>

Shall we?
"""

FOR_ALIAS = PLAIN.replace(b"Delivered-To: user@", b"Delivered-To: alias@").replace(b"<1@", b"<2@")

# What comes from a mail server: trace headers on top, folds, an attachment, text in Latin-1.
MULTIPART = (
    b"""\
Received: from mx.example.org (mx.example.org [192.0.2.1])
\tby mail.example.com with ESMTPS id 4F2
\tfor <user@example.com>; Mon, 2 Mar 2026 10:00:02 +0100 (CET)
DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=a; h=from:to;
  bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
  b=dGhpcyBpcyBub3QgYSBzaWduYXR1cmU=
From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>
To: undisclosed-recipients:;
Subject: a subject that is
  folded
Date: Mon, 2 Mar 2026 10:00:01 +0100
Message-ID: <3@example.org>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="=_b"

--=_b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: 8bit

Gr\xfc\xdfe
.
..
.a line that begins with a dot
From here on it is quoted in an mbox
 trailing blanks  \t
--=_b
Content-Type: application/octet-stream; name=x
Content-Transfer-Encoding: base64

"""
    + b"QUJD" * 19
    + b"\n--=_b--\n\n\n"
)

LONG_LINES = PLAIN.replace(b"<1@", b"<4@") + b"x" * 7000 + b"\n" + bytes(range(0x80, 0x100)) + b"\n"

EVERY = {"plain": PLAIN, "for-alias": FOR_ALIAS, "multipart": MULTIPART, "long-lines": LONG_LINES}


def without_received(raw: bytes, count: int) -> bytes:
    """The message without the first `count` Received fields, which programs on its way have added."""
    kept = []
    lines = raw.splitlines(keepends=True)
    while lines and lines[0] != b"\n":
        field = [lines.pop(0)]
        while lines and lines[0].startswith((b" ", b"\t")):
            field.append(lines.pop(0))
        if count and field[0].lower().startswith(b"received:"):
            count -= 1
        else:
            kept += field
    assert not count, raw
    return b"".join(kept + lines)
