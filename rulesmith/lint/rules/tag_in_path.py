"""Text of the mail in a path.

What it does: reports a submatch, or a tag made from one, in the path of `maildir`, `mbox`, `write` or `append` when the
regexp lets a `/` into it.

Why is this bad: `/` and `.` are not stripped from values, and folders are made as needed. A sender who writes `List-Id:
<../../x>` chooses where his mail is stored.

Example:

    match "^List-Id:.*<(.*)>" in headers action maildir "%h/Mail/%1"

Use instead: a group that cannot hold a `/`: `([a-z0-9-]+)`; or ask for the values that are meant: `string "%[list]" to
"^(work|home)$"`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.diagnostics.model import Severity
from rulesmith.lint.finding import Finding
from rulesmith.lint.ladder import ladder
from rulesmith.lint.searches import parsed, searches
from rulesmith.lint.tags import Tags, names_in, tag_shown, tag_span
from rulesmith.program import is_unknown
from rulesmith.regexp.tree import Anchor, Group, Literal, Sequence, children
from rulesmith.regexp.tree import Set as Octets
from rulesmith.syntax.tree import Action

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rulesmith.compiler.compile import Compiled
    from rulesmith.lint.ladder import Rung
    from rulesmith.regexp.tree import Node, Parsed
    from rulesmith.syntax.tree import Text

NAME = "tag-in-path"
SEVERITY = Severity.WARNING
NEEDS_PROGRAM = True

_OR = 2  # of two conditions
_PATHS = ("maildir", "mbox", "write", "append")


def check(compiled: Compiled) -> Iterator[Finding]:
    """A finding at each such tag."""
    tags = Tags(compiled)
    strip = compiled.lowered.settings["strip-characters"]
    if b"/" in strip:
        return
    groups = {(found.lowered[0], id(found.condition)): found.parsed for found in searches(compiled)}
    risky = _risky_tags(compiled, groups)
    told: set[tuple[int, object]] = set()
    for rung in ladder(compiled):
        for text in _paths(compiled, rung):
            for name in names_in(encode(text.value or "")):
                if (id(text), name) in told:
                    continue
                if isinstance(name, int):
                    dangerous = _submatch(rung, name, groups)
                else:
                    dangerous = name in risky or name in (b"message_id", b"mbox_from")
                    dangerous = dangerous and tags.is_foreign(name)
                if dangerous and not _is_asked_for(rung, name):
                    told.add((id(text), name))
                    yield Finding(
                        tag_span(text, name),
                        f"{tag_shown(name)} is text of the mail and can hold a /: the sender chooses the folder",
                        help="a group that takes no /, such as ([a-z0-9-]+)",
                    )


def _paths(compiled: Compiled, rung: Rung) -> Iterator[Text]:
    """The paths that a rule delivers to, as they are written in it or in the actions that it names."""
    for item in rung.statement.items or ():
        if item.word in _PATHS:
            yield item.args[0]
    for statement in _named(compiled, rung):
        for item in statement.items:
            if item.word in _PATHS:
                yield item.args[0]


def _named(compiled: Compiled, rung: Rung) -> list[Action]:
    """The actions that a rule names."""
    names = {name.value for name in rung.statement.names or () if name.value}
    if not names:
        return []
    return [each for each in compiled.config.statements if isinstance(each, Action) and each.name.value in names]


def _submatch(rung: Rung, number: int, groups: dict[tuple[int, int], Parsed | None]) -> bool:
    """Whether a submatch of the regexps that a rule stands under can hold a `/`."""
    for each in (rung, *rung.outside()):
        trees = [groups.get((each.lowered[0], id(condition))) for condition in each.statement.conditions]
        found = [node for tree in trees if tree is not None for node in _group(tree.root, number)]
        if found:
            return any(_may_hold_slash(node) for node in found)
    return False


def _is_asked_for(rung: Rung, name: int | bytes) -> bool:
    """Whether the rule, or one around it, takes only values that hold no `/`, such as `string "%1" to "^(a|b)$"`."""
    for each in (rung, *rung.outside()):
        terms = each.lowered[2]
        for _, negated, word, args in terms:
            if word != "string" or negated or any(join == _OR for join, _, _, _ in terms):
                continue
            template, pattern = args
            whole = isinstance(template, tuple) and len(template[1]) == 1 and template[1][0][0] == name
            tree = parsed(pattern[0], pattern[5], pattern[4]) if whole and not is_unknown(pattern) else None
            if tree is not None and isinstance(tree.root, Sequence) and len(tree.root.items) > 1:
                first, *_, last = tree.root.items
                if (first, last) == (Anchor("line-start"), Anchor("line-end")) and not _may_hold_slash(tree.root):
                    return True
    return False


def _group(node: Node, number: int) -> Iterator[Node]:
    if number == 0 or (isinstance(node, Group) and node.number == number):
        yield node
        return
    for child in children(node):
        yield from _group(child, number)


def _may_hold_slash(node: Node) -> bool:
    if isinstance(node, Octets):
        return bool(node.mask >> 47 & 1)
    if isinstance(node, Literal):
        return False  # what the rule says itself
    return any(_may_hold_slash(child) for child in children(node))


def _risky_tags(compiled: Compiled, groups: dict[tuple[int, int], Parsed | None]) -> set[bytes]:
    """The tags whose value is a submatch that can hold a `/`."""
    risky: set[bytes] = set()
    for rung in ladder(compiled):
        items = list(rung.statement.items or ())
        items += (item for action in _named(compiled, rung) for item in action.items)
        for item in items:
            if item.word == "tag" and item.args[0].value is not None and item.args[1] is not None:
                value = encode(item.args[1].value or "")
                if any(isinstance(name, int) and _submatch(rung, name, groups) for name in names_in(value)):
                    risky.add(encode(item.args[0].value))
    return risky
