"""A message out of the fields that a test gives, as a mail program would send it."""

from __future__ import annotations

import re
import time
from email.header import Header
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HEADERS = ("from", "to", "cc", "reply-to", "sender", "delivered-to", "list-id", "subject", "date", "message-id")
FIELDS = (*_HEADERS, "headers", "body", "attachments", "size")
_SPELT = {"message-id": "Message-ID", "list-id": "List-Id"}
_NAME = re.compile(r"[!-9;-~]+")
_SIZE = re.compile(r"(\d+)\s*([BKMG]?)", re.IGNORECASE)
_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_BOUNDARY = "=-rulesmith-test"
_FILLING = b"So that the message is as large as the test says.\n"


class BadLetter(Exception):
    """No message can be made; the text says why."""


def compose(said: Mapping[str, Any], now: int | None) -> bytes:
    """The message. Date and Message-ID are added where they are not given; text beyond ASCII is encoded as in mail."""
    lines = list(_header(said, now))
    body = said.get("body", "")
    if not isinstance(body, str):
        raise BadLetter("`body` is a text in quotes")
    if not body.endswith("\n"):
        body += "\n"
    attachments = said.get("attachments", [])
    if isinstance(attachments, str):
        attachments = [attachments]
    if attachments:
        lines += ["MIME-Version: 1.0", f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"']
        body = _multipart(body, attachments)
    elif not body.isascii():
        lines += ["MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    raw = "\n".join([*lines, "", body]).encode()
    return _filled(raw, said.get("size"))


def _header(said: Mapping[str, Any], now: int | None) -> Iterator[str]:
    others = said.get("headers", {})
    if not isinstance(others, dict):
        raise BadLetter('`headers` is a table: { "X-Name" = "value" }')
    given = {name.lower() for name in (*said, *others)}
    for name in _HEADERS:
        if name in said:
            yield from _fields(_SPELT.get(name, name.title()), said[name])
    if "date" not in given:
        yield f"Date: {formatdate(time.time() if now is None else now, localtime=True)}"
    if "message-id" not in given:
        yield "Message-ID: <test@rulesmith.invalid>"
    for name, value in others.items():
        yield from _fields(name, value)


def _fields(name: str, value: Any) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        raise BadLetter(f"{name!r} is no name of a header field")
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, str):
            raise BadLetter(f"`{name}` is a text in quotes, or a list of them for several fields")
        text = " ".join(each.split("\n"))
        yield f"{name}: {text}" if text.isascii() else f"{name}: {_encoded(text)}"


def _encoded(text: str) -> str:
    """Only the words that need it, so that addresses stay what they are."""
    words = re.split(r"(\s*[!-~]*[<>][!-~]*\s*)", text)
    return "".join(each if each.isascii() else Header(each.strip(), "utf-8").encode() + _blank(each) for each in words)


def _blank(text: str) -> str:
    return " " if text.endswith(" ") else ""


def _multipart(body: str, attachments: Any) -> str:
    parts = [f"--{_BOUNDARY}\nContent-Type: text/plain; charset=utf-8\n\n{body}"]
    for name in attachments:
        if not isinstance(name, str) or '"' in name or "\n" in name:
            raise BadLetter("`attachments` is a list of file names")
        kind = f'application/octet-stream; name="{name}"'
        disposition = f'attachment; filename="{name}"'
        parts.append(
            f"--{_BOUNDARY}\nContent-Type: {kind}\nContent-Disposition: {disposition}\n"
            "Content-Transfer-Encoding: base64\n\nbm90aGluZw==\n"
        )
    return "".join([*parts, f"--{_BOUNDARY}--\n"])


def _filled(raw: bytes, size: Any) -> bytes:
    if size is None:
        return raw
    found = _SIZE.fullmatch(str(size))
    if found is None:
        raise BadLetter(f"`size` is a number of bytes, or a text like 2M, not {size!r}")
    missing = int(found[1]) * _UNITS[found[2].upper()] - len(raw)
    if missing <= 0:
        return raw
    return raw + (_FILLING * (missing // len(_FILLING) + 1))[: missing - 1] + b"\n"
