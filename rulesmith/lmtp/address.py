"""Addresses of an LMTP envelope, and the names that a recipient's user may have. Pure."""

from __future__ import annotations

import re

# What stands between the brackets of a path; a quoted local part may hold brackets of its own (RFC 5321, 4.1.2).
_PATH = re.compile(rb'\s*<((?:"(?:[^"\\]|\\.)*"|[^<>"])*)>', re.DOTALL)
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"@?', re.DOTALL)
_CONTROL = re.compile(rb"[\0-\x1f\x7f]")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
# A name is that of a folder.
_LONGEST_NAME = 255


def path(text: bytes) -> tuple[bytes, bytes] | None:
    """The address of `<address> PARAMETERS`, and the parameters; None where there is none.

    A source route is left out (RFC 5321, appendix C). Control characters are no part of any address.
    """
    found = _PATH.match(text)
    if found is None:
        return None
    address, rest = found[1], text[found.end() :]
    if rest[:1] not in (b"", b" ") or _CONTROL.search(address):
        return None
    if address[:1] == b"@":
        address = address.partition(b":")[2]
    return address, rest.strip(b" ")


def names(address: bytes, delimiter: bytes = b"+") -> list[bytes]:
    """The names by which an address may be known, the most exact first.

    For `user+detail@example.com`: itself, `user@example.com`, `user+detail`, `user`; then the same in lower case. None
    of them leads out of a folder of users.
    """
    quoted = _QUOTED.match(address)
    if quoted and quoted[0].endswith(b"@"):
        local, domain = _ESCAPE.sub(rb"\1", quoted[1]), address[quoted.end() :]
    else:
        local, at, domain = address.rpartition(b"@")
        if not at:
            local, domain = domain, b""
    bare = local.partition(delimiter)[0] if delimiter else local
    found = [each + b"@" + domain for each in (local, bare) if domain] + [local, bare]
    found += [each.lower() for each in found]
    return [each for each in dict.fromkeys(found) if may_be_a_file(each)]


def may_be_a_file(name: bytes) -> bool:
    """Whether it can be the name of a file, or of a folder, which does not lead elsewhere."""
    return 0 < len(name) <= _LONGEST_NAME and name[:1] not in (b".", b"@") and not (b"/" in name or b"\0" in name)
