"""Settings of the spam scan: who scans, what happens when it fails, and which hops are ours. fdm has none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.compiler.scope import Scope
    from rulesmith.syntax.tree import Set, Text

    Settings = dict[str, Any]

CAUSES = ("unreachable", "timeout", "error", "oversized")
_TWO_HOURS = 2 * 3600
# Octets: its `max_message` where nothing else is set. On more it hangs up, without a word.
_RSPAMD_TAKES = 50 << 20
_LONGEST_TIMEOUT = 3600
_LARGEST_PORT = 65535
_HTTP = re.compile(rb"http://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?/?")
_UNIX = re.compile(rb"unix:/[^\0-\x1f]+")
# What an address, or a part of a host name with wildcards, is made of.
_HOST = re.compile(r"[A-Za-z0-9._*?\[\]!:-]+")


def defaults() -> Settings:
    """What holds when nothing is set; program.py says what they are."""
    return {
        "scan": None,
        "scan-timeout": 10,
        "scan-maximum-size": _RSPAMD_TAKES,
        # What is too large now is too large for ever: to wait would only make it late.
        "scan-failure": dict.fromkeys(CAUSES, ("defer", _TWO_HOURS)) | {"oversized": ("deliver", None)},
        "trusted-hops": (),
    }


def _scan(statement: Set, settings: Settings, scope: Scope) -> None:
    """An empty address takes back what an earlier statement, or the site file, has set."""
    (text,) = statement.args
    address = scope.load_text(text)
    if text.value is None:
        scope.unknown(text, text.span.text)
        return
    if text.value and not is_address(address):
        scope.error(
            "invalid-scan",
            text,
            "this is not the address of a spam scanner",
            hint='"http://HOST:PORT" (without a port, rspamd\'s own, 11333) or "unix:/PATH"',
            fdm="invalid scan",
        )
        return
    settings["scan"] = (address.rstrip(b"/") if address.startswith(b"http:") else address) or None


def is_address(address: bytes) -> bool:
    """Whether a scanner can be reached so: `http://HOST[:PORT]` or `unix:/PATH`."""
    found = _HTTP.fullmatch(address)
    return 0 < int(found[1] or b"1") <= _LARGEST_PORT if found else _UNIX.fullmatch(address) is not None


def _scan_timeout(statement: Set, settings: Settings, scope: Scope) -> None:
    (time,) = statement.args
    value = scope.known(time)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(time, "with a scan-timeout of 0 every scan would fail", "zero scan-timeout")
    elif value > _LONGEST_TIMEOUT:
        scope.out_of_range(
            time, f"scan-timeout is at most {_LONGEST_TIMEOUT} seconds", f"scan-timeout too long: {value}"
        )
    else:
        settings["scan-timeout"] = value


def _scan_maximum_size(statement: Set, settings: Settings, scope: Scope) -> None:
    (size,) = statement.args
    value = scope.known(size)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(size, "with a scan-maximum-size of 0 nothing would be scanned", "zero scan-maximum-size")
    else:
        settings["scan-maximum-size"] = value


def _scan_failure(statement: Set, settings: Settings, scope: Scope) -> None:
    """For one cause, or for all of them."""
    cause, word, *after = statement.args
    time = after[0] if after else None
    seconds = None
    if time is not None:
        seconds = scope.known(time)
        if seconds is None:
            return
        if seconds == 0:
            scope.out_of_range(time, "to defer for no time is to deliver: write `deliver`", "zero scan-failure")
            return
    chosen = dict.fromkeys(CAUSES if cause is None else (cause,), (word, seconds))
    settings["scan-failure"] = settings["scan-failure"] | chosen


def _trusted_hops(statement: Set, settings: Settings, scope: Scope) -> None:
    """The last list counts: for all accounts, and for each that has one as well."""
    _, name, texts = statement.args
    account = None if name is None else scope.load_text(name, "invalid account name")
    hops = tuple(hop for hop in (_hop(text, scope) for text in texts) if hop is not None)
    others = tuple(each for each in settings["trusted-hops"] if each[0] != account)
    settings["trusted-hops"] = (*others, (account, hops))


def _hop(text: Text, scope: Scope) -> bytes | None:
    hop = scope.load_text(text)
    if text.value is None:
        scope.unknown(text, text.span.text)
        return None
    shown = hop.decode("utf-8", "backslashreplace")
    if not _is_hop(shown):
        scope.error(
            "invalid-hop",
            text,
            f'"{shown}" is no address, network or host name',
            hint='"192.0.2.1", "192.0.2.0/24", "2001:db8::/32", "mx.example.com" or "*.example.com"',
            fdm="invalid trusted-hops",
        )
        return None
    return hop


def _is_hop(hop: str) -> bool:
    _, slash, bits = hop.partition("/")
    if not slash:
        return _HOST.fullmatch(hop) is not None
    if not bits.isdecimal():
        return False
    import ipaddress  # few name a network

    try:
        ipaddress.ip_network(hop, strict=False)
    except ValueError:
        return False
    return True


OPTIONS: dict[str, Callable[[Set, Settings, Scope], None]] = {
    "scan": _scan,
    "scan-timeout": _scan_timeout,
    "scan-maximum-size": _scan_maximum_size,
    "scan-failure": _scan_failure,
    "trusted-hops": _trusted_hops,
}
