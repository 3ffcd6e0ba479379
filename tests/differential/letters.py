"""Messages as they come: folded headers, several Received, octets beyond ASCII, parts within parts, odd ends."""

from __future__ import annotations

from tests.differential.maker import Maker

WORDS = (
    "hello",
    "alpha",
    "bob",
    "list",
    "Re:",
    "42",
    "x",
    "[spam]",
    "caf\xe9",
    "\xc3\xa9t\xc3\xa9",
    "a@example.org",
    "$HOME",
    "it's",
    "`id`",
    "100%",
    "%h",
    '"q"',
    "a;b",
    "\\n",
    "=?utf-8?q?x?=",
    "<i>",
    "aa",
)
ADDRESSES = (
    "bob@example.org",
    "Bob <bob@example.org>",
    '"Bob, B." <bob@example.org>',
    "bob@example.org (Bob)",
    "o'brien@example.org",
    "bob",
    "bob@",
    "(bob@example.org",
    "Bob <bob@example.org>, amy@example.org",
    '"a@b" <c@d.org> x',
    "undisclosed:;",
    "B\xe9 <b_e.e+x@[127.0.0.1]>",
)
DATES = (
    "Thu, 5 Mar 2020 10:11:12 +0100",
    "5 Mar 2020 10:11:12 -0330",
    "Tue, 01 Jan 2019 00:00:00 GMT",
    "Mon, 29 Feb 2016 23:59:59 UTC",
    "Sat, 31 Feb 2015 05:06:07 +0000",
    "Sun, 22 November 2026 1:02:03 +0000",
    "monday, 2 jul 2035 12:00:00 +0000 (later)",
    "1 Jan 1970 00:00:00 +0100",
    "Wed,  9  Dec  1998  08:07:06  +0175",
    "garbage",
    "",
    "Thu, 5 Mar 2020 25:11:12 +0100",
)
NAMES = ("Subject", "To", "Cc", "X-Seen", "List-Id", "subject", "X-Spam", "Reply-To", "x y", "Status")
IDENTITIES = ("<1@example.org>", "<a.b-c@[x]>", "no angles", "<two> <ids>", "<\xe9@x>", "<blank@x> ")
HEADS = {"Content-Type": "text/plain", "Sender": "amy@example.org"}
LONG = "long " * 400


def message(maker: Maker) -> bytes:
    """One message as it is handed over on standard input."""
    way = maker.number(0, 99)
    if way < 2:
        maker.note("message empty")
        return b""
    if way < 4:
        maker.note("message of one line feed")
        return b"\n"
    text = _head(maker)
    if maker.chance(20):
        maker.note("message multipart")
        text += _multipart(maker)
    else:
        text += "\n" + _body(maker)
    if maker.chance(12):
        maker.note("message with From_")
        text = "From bob@example.org Mon Mar  2 10:00:00 2020\n" + text
    if text.endswith("\n") and not text.endswith("\n\n") and maker.chance(20):
        maker.note("message without last line feed")
        text = text[:-1]
    return text.encode("latin-1")


def stored(maker: Maker) -> bytes:
    """A message as a folder holds it; its last lines are not empty, since an mbox takes them for the gap."""
    return (_head(maker) + "\n" + _body(maker) + "end\n").encode("latin-1")


def _head(maker: Maker) -> str:
    lines = []
    for _ in range(maker.one((0, 0, 1, 2))):
        maker.note("message with Received")
        end = "; Thu, 5 Mar 2020 10:11:12 +0000"
        lines.append(_folded(maker, "Received: from x by y", end))
    if maker.chance(80):
        lines.append("From: " + maker.one(ADDRESSES))
    if maker.chance(70):
        lines.append(maker.one(("Date: ", "Date: ", "date:\t")) + maker.one(DATES))
    if maker.chance(60):
        lines.append(maker.one(("Message-ID: ", "Message-Id:", "message-id:  ")) + maker.one(IDENTITIES))
    for name in maker.some(NAMES, 0, 4):
        left = name + ": " + _words(maker)
        lines.append(_folded(maker, left, _words(maker)))
    if maker.chance(5):
        maker.note("message with a line that is no header")
        lines.append("no colon here")
    if len(lines) > 1 and maker.chance(30):
        lines.append(lines.pop(maker.number(0, len(lines) - 1)))
    return "".join(line + "\n" for line in lines)


def _folded(maker: Maker, left: str, right: str) -> str:
    if maker.domain.folds and maker.chance(50):
        maker.note("message folded")
        return left + maker.one(("\n ", "\n\t", " \n  \t", "\n ")) + right
    return left + " " + right


def _words(maker: Maker) -> str:
    return " ".join(maker.some(WORDS, 0, 4))


def _body(maker: Maker) -> str:
    lines = []
    for _ in range(maker.one((0, 1, 1, 2, 3, 5))):
        way = maker.number(0, 99)
        if way < 70:
            line = _words(maker)
        elif way < 78:
            maker.note("message with From lines")
            line = maker.one(("From ", ">From ", ">>From ", "from ", "From:")) + _words(maker)
        elif way < 84:
            line = maker.one((".", "..x", " ", "\t", "--", "Subject: in the body"))
        elif way < 88:
            maker.note("message with a long line")
            line = LONG * maker.one((1, 1, 20))
        elif way < 94 and maker.domain.returns:
            maker.note("message with CR in its body")
            line = _words(maker) + maker.one(("\r", "\r\r", "a\rb"))
        else:
            line = "".join(chr(maker.number(128, 255)) for _ in range(4)) + "\x01\x7f"
        lines.append(line + "\n")
    return "".join(lines)


def _multipart(maker: Maker, depth: int = 0) -> str:
    """Header fields of a multipart entity, an empty line, its parts; every container ends with a leaf."""
    boundary = maker.one(("b", "=_b1", "b:1")) + "-" * depth + str(depth)
    quoted = f'"{boundary}"' if maker.chance(50) else boundary
    out = f"Content-Type: multipart/{maker.one(('mixed', 'alternative', 'Mixed'))}; boundary={quoted}\n\n"
    out += maker.one(("", "preamble\n", "\n"))
    count = maker.number(1, 3)
    for index in range(count):
        out += f"--{boundary}\n"
        if index < count - 1 and depth < 2 and maker.chance(25):
            maker.note("message with nested multipart")
            out += _multipart(maker, depth + 1)
        else:
            out += _leaf(maker)
    return out + f"--{boundary}--\n" + maker.one(("", "epilogue\n"))


def _leaf(maker: Maker) -> str:
    kind = maker.one(("text/plain", "text/html", "image/png", "application/x", "message/rfc822"))
    name = maker.one(("", "", "; name=a.txt", '; name="picture.png"', '; charset=utf-8; name="a b"', ";\n\tname=A.TXT"))
    text = maker.one(("hello\n", "", "one\ntwo\n", "\xe9\n", "\n"))
    return f"{maker.one(('', 'Content-Transfer-Encoding: 7bit' + chr(10)))}Content-Type: {kind}{name}\n\n{text}"
