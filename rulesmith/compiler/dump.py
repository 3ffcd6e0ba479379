"""The configuration as `fdm -nvv` prints it: what the parser made of the file, tags and defaults filled in.

People compare with it, so every blank is fdm's. Only starts that ask for it compile afresh to have it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.actions import action
from rulesmith.compiler import dovecot_settings, queue_settings, scan_settings
from rulesmith.compiler.accounts import explain_fetch
from rulesmith.compiler.names import flatten
from rulesmith.compiler.proxy import read_proxy
from rulesmith.compiler.settings import QUEUE_HIGH, Settings, defaults
from rulesmith.conditions import condition
from rulesmith.program import shown
from rulesmith.syntax import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith import program
    from rulesmith.compiler.compile import Compiled
    from rulesmith.source import Source, Span

Line = tuple[int, bytes]  # the number of -v that shows it, and the text

# In the order in which fdm prints them.
_FLAGS = ("allow-multiple", "no-received", "keep-all", "delete-oversized", "verify-certificates", "ignore-errors")
_JOINS = (b"", b"and ", b"or ")
_OWN = (*queue_settings.defaults(), *scan_settings.defaults(), *dovecot_settings.defaults())


def dump(
    compiled: Compiled,
    invoker: bytes,
    *,
    keep_all: bool = False,
    allow_multiple: bool = False,
    scan: bytes | None = None,
) -> list[Line]:
    """The lines from the first definition to `options are:`, or to the statement that is refused.

    `invoker` is the name of the user that stands for users not set; the others are -k, -m and --scan.
    """
    lines = list(_Walk(compiled).lines())
    if compiled.refusal is not None:
        return lines
    lines.append((2, b"configuration loaded"))
    settings = compiled.lowered.settings
    if scan is not None:
        settings = {**settings, "scan": scan or None}
    if settings["proxy"] is not None:
        found = read_proxy(settings["proxy"])
        if found is not None:
            lines.append((2, b"using proxy: %s on %s:%s" % found))
    kinds = b"".join(kind.encode() + b" " for kind in settings["lock-types"]) or b"none"
    lines.append((2, b"locking using: " + kinds))
    lines.append((2, b"options are: " + _options(settings, invoker, keep_all, allow_multiple)))
    return lines


def _options(settings: Settings, invoker: bytes, keep_all: bool, allow_multiple: bool) -> bytes:
    usual = defaults()
    high = settings["queue-high"] or QUEUE_HIGH
    low = settings["queue-low"]
    low = min(high * 3 // 4, high - 1) if low is None else low
    chosen = {**settings, "keep-all": keep_all, "allow-multiple": allow_multiple or settings["allow-multiple"]}
    parts = [flag.encode() for flag in _FLAGS if chosen[flag]]
    if settings["purge-after"] is not None:
        parts.append(b"purge-after=%d" % settings["purge-after"])
    parts.append(b"maximum-size=%d" % settings["maximum-size"])
    parts.append(b"timeout=%d" % settings["timeout"])
    for user in ("default-user", "command-user"):
        name = settings[user]
        parts.append(b'%s="%s"' % (user.encode(), invoker if name is None else name))
    if settings["unmatched-mail"] is not None:
        parts.append(b"unmatched-mail=" + settings["unmatched-mail"].encode())
    parts.append(b"file-umask=%03o" % settings["file-umask"])
    if settings["file-group"] is not None:
        parts.append(b"file-group=%d" % settings["file-group"])
    parts.append(b"queue-high=%d, queue-low=%d" % (high, low))
    if settings["parallel-accounts"] is not None:
        parts.append(b"parallel-accounts=%d" % settings["parallel-accounts"])
    if settings["lock-file"] is not None:
        parts.append(b'lock-file="%s"' % settings["lock-file"])
    if settings["lock-timeout"] != usual["lock-timeout"]:
        parts.append(b"lock-timeout=%d" % settings["lock-timeout"])
    if settings["lock-wait"]:
        parts.append(b"lock-wait")
    parts.append(b'strip-characters="%s"' % settings["strip-characters"])
    # fdm has none of these, so they are shown only where they are set.
    parts += (_own(name, settings[name]) for name in _OWN if settings[name] != usual[name])
    return b", ".join(parts)


def _own(name: str, value: Any) -> bytes:
    """A setting of ours, as it would be written."""
    option = name.encode()
    if name == "scan-failure":
        waits = (
            b"%s %s%s" % (cause.encode(), word.encode(), b"" if seconds is None else b" %d" % seconds)
            for cause, (word, seconds) in value.items()
        )
        return option + b"=" + b" ".join(waits)
    if name == "trusted-hops":
        lists = (
            (b"" if account is None else b'account "%s" ' % account)
            + b"{ %s }" % b" ".join(b'"%s"' % hop for hop in hops)
            for account, hops in value
        )
        return option + b"=" + b" ".join(lists)
    if value is True:
        return option
    return b'%s="%s"' % (option, value) if isinstance(value, bytes) else b"%s=%s" % (option, str(value).encode())


class _Walk:
    """Definitions, commands and includes in the order in which they are read."""

    def __init__(self, compiled: Compiled) -> None:
        self.statements = tuple(flatten(compiled.config.statements))
        self.added = {id(statement): lowered for statement, lowered in compiled.lowered.added}
        self.sources = compiled.config.sources
        self.commands = iter(compiled.commands)
        self.end = None if compiled.refusal is None else _position(compiled.refusal.at.span)

    def lines(self) -> Iterator[Line]:
        waiting = [source for source in self.sources if source.included_at is not None]
        open_files: list[Source] = []
        for statement in self.statements:
            if self.end is not None and self._refused(statement):
                return
            chain = _chain(statement.span)
            yield from self._close(open_files, chain)
            while waiting and _is_before(waiting[0], statement.span):
                yield from self._open(open_files, waiting.pop(0))
                yield from self._close(open_files, chain)
            for _ in range(_commands_in(statement)):
                command = next(self.commands, None)
                if command is not None:
                    yield 3, b"running command: " + command.encode("utf-8", "surrogateescape")
            if id(statement) in self.added:
                if self._ends_file(statement) and _waits(statement):
                    # fdm must see one token more, and on the way to it the end of the file.
                    yield from self._close(open_files, chain[1:])
                yield _line(statement, self.added[id(statement)])
        while waiting:
            yield from self._open(open_files, waiting.pop(0))
        yield from self._close(open_files, [])

    def _refused(self, statement: tree.Statement) -> bool:
        """Whether fdm would have stopped in or before a statement."""
        assert self.end is not None
        inner = None if not isinstance(statement, tree.Rule) or statement.block is None else statement.block
        last = inner[0].span.start if inner else statement.span.end
        return (*_position(statement.span)[:-1], last) > self.end

    def _ends_file(self, statement: tree.Statement) -> bool:
        """Whether nothing follows in the included file of a statement."""
        span = statement.span
        rest = (line.partition("#")[0] for line in span.source.text[span.end :].split("\n"))
        return span.source.included_at is not None and not "".join(rest).strip()

    def _open(self, open_files: list[Source], source: Source) -> Iterator[Line]:
        assert source.included_at is not None
        yield from self._close(open_files, _chain(source.included_at))
        open_files.append(source)
        yield 2, b"including file " + source.name.encode("utf-8", "surrogateescape")

    def _close(self, open_files: list[Source], chain: list[Source]) -> Iterator[Line]:
        while open_files and open_files[-1] not in chain:
            yield 2, b"finished file " + open_files.pop().name.encode("utf-8", "surrogateescape")


def _chain(span: Span) -> list[Source]:
    """The source of a place and those that include it."""
    chain = [span.source]
    while chain[-1].included_at is not None:
        chain.append(chain[-1].included_at.source)
    return chain


def _is_before(source: Source, span: Span) -> bool:
    """Whether an include was read before, or holds, a place."""
    if source in _chain(span):
        return True
    return _position(source.included_at) < _position(span)


def _position(span: Span | None) -> tuple[int, ...]:
    place: tuple[int, ...] = ()
    while span is not None:
        place = (span.start, *place)
        span = span.source.included_at
    return place


def _waits(statement: tree.Statement) -> bool:
    """Whether more could follow, so that fdm's parser looks at the next token before it takes the statement."""
    match statement:
        case tree.MacroDefinition():
            return isinstance(statement.value, tree.Text)
        case tree.Cache():
            return statement.expire is None or statement.expire.unit is None
        case tree.Account():
            return not statement.keep
        case tree.Rule():
            return statement.block is None and not statement.continues
        case _:
            return statement.span.text.endswith(('"', "'", ")"))


def _commands_in(node: Any) -> int:
    """How many shell commands a statement holds, nested rules left out (they are statements of their own)."""
    if isinstance(node, tree.Piece):
        return int(node.kind == "command")
    if isinstance(node, tree.Number):
        return int(node.written.startswith("%("))
    if isinstance(node, tuple):
        return sum(_commands_in(each) for each in node)
    if isinstance(node, tree.Node):
        return sum(_commands_in(each) for name, each in node.said().items() if name != "block")
    return 0


def _line(statement: tree.Statement, lowered: Any) -> Line:
    match statement:
        case tree.MacroDefinition():
            return 3, b"added macro " + _macro(statement)
        case tree.Cache():
            return 2, b'added cache "%s": expire %d' % lowered
        case tree.Account():
            name, _, users, word, args, _, _ = lowered
            return 2, b'added account "%s":%s fetch=%s' % (name, _users(users), explain_fetch(word, args))
        case tree.Action():
            name, users, items, _ = lowered
            return 2, b'added action "%s":%s deliver=%s' % (name, _users(users), _items(items))
        case _:
            return 2, _rule(lowered)


def _macro(statement: tree.MacroDefinition) -> bytes:
    name = statement.name.encode("utf-8", "surrogateescape")
    value = statement.value.value
    if isinstance(value, int):
        return b'"%s": %d' % (name, value)
    return b'"%s": "%s"' % (name, (value or "").encode("utf-8", "surrogateescape"))


def _users(users: tuple[program.Template, ...]) -> bytes:
    return b" users=" + _quoted(users) if users else b""


def _quoted(texts: tuple[program.Template, ...]) -> bytes:
    return b" ".join(b'"%s"' % shown(text) for text in texts)


def _items(items: tuple[program.Item, ...]) -> bytes:
    return b"".join(b"%d:%s " % (at, action(word).explain(args)) for at, (word, args, _) in enumerate(items))


def _rule(rule: program.Rule) -> bytes:
    number, _, terms, users, names, items, _, _ = rule
    matches = b"".join(
        _JOINS[join] + (b"not " if negated else b"") + condition(word).explain(args) + b" "
        for join, negated, word, args in terms
    )
    start = b"added rule %d:%s matches=%s" % (number, _users(users), matches)
    if names is not None:
        return start + b"actions=" + _quoted(names)
    if items is not None:
        return start + b"lambda=" + _items(items)
    return start + b"nested"
