"""`set` statements: what each option accepts, and what holds without it (fdm.conf(5), OPTIONS)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.compiler import dovecot_settings, queue_settings, scan_settings
from rulesmith.compiler.proxy import read_proxy
from rulesmith.compiler.replace import STRIP_CHARACTERS
from rulesmith.syntax.tree import Number, Set, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.compiler.scope import Scope

MEBIBYTE = 1 << 20
_MAXIMUM_SIZE = 1 << 30
_MAXIMUM_QUEUE = 50
_MAXIMUM_TIMEOUT = (2**31 - 1) // 1000
_DIALECTS = ("pcre", "posix")
QUEUE_HIGH = 2

Settings = dict[str, Any]


def defaults() -> Settings:
    """Every setting as it is when nothing is set; program.py says what they are."""
    return {
        "maximum-size": 32 * MEBIBYTE,
        "delete-oversized": False,
        "queue-high": None,
        "queue-low": None,
        "parallel-accounts": None,
        "lock-types": ("flock",),
        "lock-file": None,
        "lock-wait": False,
        "lock-timeout": 10,
        "ignore-errors": False,
        "allow-multiple": False,
        "default-user": None,
        "command-user": None,
        "strip-characters": STRIP_CHARACTERS,
        "timeout": 900,
        "proxy": None,
        "verify-certificates": False,
        "unmatched-mail": None,
        "purge-after": None,
        "no-received": False,
        "no-create": False,
        "file-group": None,
        "file-umask": 0o077,
        "regexp-dialect": "pcre",
        **queue_settings.defaults(),
        **scan_settings.defaults(),
        **dovecot_settings.defaults(),
    }


def apply(statement: Set, settings: Settings, scope: Scope) -> None:
    """Take one `set` into the settings, or report what is wrong with it."""
    option, args = statement.option, statement.args
    if not args and settings.get(option) is False:
        settings[option] = True
        return
    if option == "unmatched-mail":
        (settings[option],) = args
        return
    _OPTIONS[option](statement, settings, scope)


def _maximum_size(statement: Set, settings: Settings, scope: Scope) -> None:
    (size,) = statement.args
    value = scope.known(size)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(size, "with a maximum size of 0 no message would be accepted", "zero maximum size")
    elif value > _MAXIMUM_SIZE:
        scope.out_of_range(
            size, f"the maximum size is at most 1G, not {value} octets", f"maximum size too large: {value}"
        )
    else:
        settings["maximum-size"] = value


def _queue_high(statement: Set, settings: Settings, scope: Scope) -> None:
    (number,) = statement.args
    value = scope.known(number)
    low = settings["queue-low"]
    if value is None:
        return
    if value == 0:
        scope.out_of_range(number, "queue-high cannot be 0", "zero queue-high")
    elif value > _MAXIMUM_QUEUE:
        scope.out_of_range(number, f"queue-high is at most {_MAXIMUM_QUEUE}", f"queue-high too big: {value}")
    elif low is not None and value <= low:
        scope.out_of_range(
            number, f"queue-high must be above queue-low ({low})", "queue-high must be larger than queue-low"
        )
    else:
        settings["queue-high"] = value


def _queue_low(statement: Set, settings: Settings, scope: Scope) -> None:
    (number,) = statement.args
    value = scope.known(number)
    high = settings["queue-high"]
    if value is None:
        return
    if value > _MAXIMUM_QUEUE:
        scope.out_of_range(number, f"queue-low is at most {_MAXIMUM_QUEUE}", f"queue-low too big: {value}")
    elif high is None:
        scope.out_of_range(number, "queue-high must be set above queue-low", "queue-high not specified")
    elif value >= high:
        scope.out_of_range(
            number, f"queue-low must be below queue-high ({high})", "queue-low must be smaller than queue-high"
        )
    else:
        settings["queue-low"] = value


def _parallel_accounts(statement: Set, settings: Settings, scope: Scope) -> None:
    (number,) = statement.args
    value = scope.known(number)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(number, "parallel-accounts cannot be 0", "parallel-accounts cannot be zero")
    elif value > 2**31 - 1:
        scope.out_of_range(number, "parallel-accounts is at most 2147483647", f"parallel-accounts too big: {value}")
    else:
        settings["parallel-accounts"] = value


def _lock_types(statement: Set, settings: Settings, scope: Scope) -> None:
    chosen = set(statement.args)
    if {"fcntl", "flock"} <= chosen:
        scope.error(
            "locks-conflict",
            statement,
            "fcntl and flock cannot both be used: some systems make them the same lock",
            fdm="fcntl and flock locking cannot be used together",
        )
    settings["lock-types"] = tuple(kind for kind in ("fcntl", "flock", "dotlock") if kind in chosen)


def _lock_file(statement: Set, settings: Settings, scope: Scope) -> None:
    settings["lock-file"] = scope.load_path(statement.args[0])


def _lock_timeout(statement: Set, settings: Settings, scope: Scope) -> None:
    value = scope.known(statement.args[0])
    if value is not None:
        settings["lock-timeout"] = value


def _default_user(statement: Set, settings: Settings, scope: Scope) -> None:
    """The first one of a file wins, and -u before it; tags below it know the user."""
    user = scope.verbatim(statement.args[0])
    if "default-user" not in scope.decided:
        scope.decided.add("default-user")
        settings["default-user"] = user
        scope.replacement.default_user = user


def _command_user(statement: Set, settings: Settings, scope: Scope) -> None:
    """The first one of a file wins."""
    user = scope.verbatim(statement.args[0])
    if "command-user" not in scope.decided:
        scope.decided.add("command-user")
        settings["command-user"] = user


def _strip_characters(statement: Set, settings: Settings, scope: Scope) -> None:
    settings["strip-characters"] = scope.replacement.strip = scope.verbatim(statement.args[0])


def _timeout(statement: Set, settings: Settings, scope: Scope) -> None:
    (time,) = statement.args
    value = scope.known(time)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(time, "with a timeout of 0 every command would fail", "zero timeout")
    elif value > _MAXIMUM_TIMEOUT:
        scope.out_of_range(time, f"the timeout is at most {_MAXIMUM_TIMEOUT} seconds", f"timeout too long: {value}")
    else:
        settings["timeout"] = value


def _proxy(statement: Set, settings: Settings, scope: Scope) -> None:
    (text,) = statement.args
    url = scope.load_text(text)
    if text.value is not None and read_proxy(url) is None:
        scope.error(
            "invalid-proxy",
            text,
            "this is not the address of a proxy",
            hint="http://HOST:PORT, https://…, socks5://USER:PASSWORD@HOST:PORT",
            fdm="invalid proxy",
        )
        return
    settings["proxy"] = url


def _purge_after(statement: Set, settings: Settings, scope: Scope) -> None:
    (number,) = statement.args
    if not isinstance(number, Number):
        settings["purge-after"] = None
        return
    value = scope.known(number)
    if value is None:
        return
    if value == 0:
        scope.out_of_range(number, "purge-after cannot be 0", "invalid purge-after value: 0")
    elif value > 2**32 - 1:
        scope.out_of_range(number, "purge-after is at most 4294967295", f"purge-after value too large: {value}")
    else:
        settings["purge-after"] = value


def _file_group(statement: Set, settings: Settings, scope: Scope) -> None:
    (group,) = statement.args
    gid: int | None = None
    if isinstance(group, Text):
        name = scope.load_text(group, "invalid group")
        gid = scope.environment.group(name) if name else None
        if gid is None and name and group.value is not None:
            shown = name.decode("utf-8", "surrogateescape")
            scope.error("unknown-group", group, f'there is no group "{shown}"', fdm=f"unknown group: {shown}")
    elif isinstance(group, Number):
        gid = scope.known(group)
        if gid is not None and gid > 2**32 - 1:
            scope.out_of_range(group, f"{gid} is too large for a group number", f"invalid gid: {gid}")
            return
        if gid is not None and not scope.environment.has_gid(gid):
            scope.error("unknown-group", group, f"there is no group with the number {gid}", fdm=f"unknown gid: {gid}")
    settings["file-group"] = gid


def _file_umask(statement: Set, settings: Settings, scope: Scope) -> None:
    """The decimal digits are read as octal: 22 is 022."""
    (mask,) = statement.args
    if not isinstance(mask, Number):
        settings["file-umask"] = scope.environment.umask()
        return
    value = scope.known(mask)
    if value is None:
        return
    digits = f"{value:03d}"[:7]
    if len(digits) > 3 or set(digits) & {"8", "9"}:
        scope.error(
            "invalid-umask",
            mask,
            f"{value} is no umask: at most three octal digits",
            hint="set file-umask 077",
            fdm=f"invalid umask: {digits}",
        )
        return
    settings["file-umask"] = int(digits, 8)


def _regexp_dialect(statement: Set, settings: Settings, scope: Scope) -> None:
    """Ours. It holds for the whole configuration: compile.py looks for it before anything is lowered."""
    (word,) = statement.args
    dialect = word.value if isinstance(word, Text) else word
    if dialect not in _DIALECTS:
        scope.error(
            "unknown-dialect",
            statement,
            f"there is no regexp dialect {dialect!r}",
            hint="set regexp-dialect pcre, or posix",
            fdm="syntax error",
        )
        return
    settings["regexp-dialect"] = dialect


def _nothing(statement: Set, settings: Settings, scope: Scope) -> None:
    """`lookup-order passwd` is all that fdm knows, and the default; options without argument may be repeated."""


_OPTIONS: dict[str, Callable[[Set, Settings, Scope], None]] = {
    "maximum-size": _maximum_size,
    "delete-oversized": _nothing,
    "queue-high": _queue_high,
    "queue-low": _queue_low,
    "parallel-accounts": _parallel_accounts,
    "lock-types": _lock_types,
    "lock-file": _lock_file,
    "lock-wait": _nothing,
    "lock-timeout": _lock_timeout,
    "ignore-errors": _nothing,
    "allow-multiple": _nothing,
    "default-user": _default_user,
    "command-user": _command_user,
    "strip-characters": _strip_characters,
    "timeout": _timeout,
    "proxy": _proxy,
    "verify-certificates": _nothing,
    "purge-after": _purge_after,
    "no-received": _nothing,
    "no-create": _nothing,
    "file-group": _file_group,
    "file-umask": _file_umask,
    "lookup-order": _nothing,
    "regexp-dialect": _regexp_dialect,
    **queue_settings.OPTIONS,
    **scan_settings.OPTIONS,
    **dovecot_settings.OPTIONS,
}
