"""Reductions of `fdm.lark` → tree. Only builds nodes: meaning is the compiler's, complaints are `checks`'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulesmith.syntax import tree
from rulesmith.syntax.word import Word
from rulesmith.syntax.words import UNITS, spelling
from rulesmith.value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesmith.source import Span

_KINDS: dict[str, tree.PieceKind] = {"STRMACRO": "macro", "STRCOMMAND": "command"}
_FLAGS = {"NO_APOP", "NO_VERIFY", "NO_UIDL", "STARTTLS", "INSECURE", "NO_CRAM_MD5", "NO_PLAIN", "NO_LOGIN"}
_FLAGS |= {"OAUTHBEARER", "XOAUTH2"}


class _Several(Value):
    """One string, or a list of them in braces."""

    texts: tuple[tree.Text, ...]
    listed: bool
    span: Span


def _span(children: list[Any]) -> Span:
    """From the first to the last child that is there."""
    present = [child for child in children if child is not None]
    first: Span = present[0].span
    last: Span = present[-1].span
    return first.to(last) if len(present) > 1 else first


def _plain(child: Any) -> Any:
    """A child as an argument of a phrase: words by their usual spelling, lists as tuples."""
    if isinstance(child, Word):
        return spelling(child.type)
    return child.texts if isinstance(child, _Several) else child


def _texts(child: _Several | None) -> tuple[tree.Text, ...]:
    return child.texts if child else ()


def _flags(children: list[Any]) -> tuple[str, ...]:
    return tuple(spelling(child.type) for child in children if isinstance(child, Word) and child.type in _FLAGS)


def _phrase(word: str, *places: int) -> Callable[[Builder, list[Any]], tree.Phrase]:
    """A method that makes a phrase of the children at these places."""

    def build(_: Builder, children: list[Any]) -> tree.Phrase:
        return tree.Phrase(word, tuple([_plain(children[place]) for place in places]), _span(children))

    return build


class Builder:
    """One method per rule or alias of the grammar; each takes the children of one reduction."""

    def start(self, children: list[Any]) -> list[tree.Statement]:
        return _statements(children)

    # Values

    def part(self, children: list[Word]) -> tree.Piece:
        (word,) = children
        written = word.written
        kind = _KINDS.get(word.type) or ("single" if written[:1] == "'" else "double")
        value = word.value
        return tree.Piece(kind, written, value if value is None else str(value), word.span, word.macros)

    def string(self, children: list[Any]) -> tree.Text:
        if len(children) == 1:
            piece = children[0]
            return tree.Text(piece.value, (piece,), piece.span)
        pieces = tuple(children[::2])
        values = [piece.value for piece in pieces]
        return tree.Text(None if None in values else "".join(values), pieces, _span(children))

    def strings(self, children: list[Any]) -> _Several:
        if len(children) == 1:
            return _Several((children[0],), False, children[0].span)
        return _Several(tuple(children[1:-1]), True, _span(children))

    def number(self, children: list[Word]) -> tree.Number:
        (word,) = children
        return tree.Number(word.value if isinstance(word.value, int) else None, word.written, None, word.span)

    def size(self, children: list[Any]) -> tree.Number:
        number, unit = children
        if unit is None:
            return number  # type: ignore[no-any-return]
        value = None if number.value is None else number.value * UNITS[unit.type]
        return tree.Number(value, number.written, unit.written, _span(children))

    time = size

    def score(self, children: list[Any]) -> tree.Number | tree.Decimal:
        (score,) = children
        if isinstance(score, Word):
            assert isinstance(score.value, str)
            return tree.Decimal(float(score.value), score.written, score.span)
        return score  # type: ignore[no-any-return]

    def regexp(self, children: list[Any]) -> tree.Regexp:
        case, text = children
        return tree.Regexp(text, case is not None, _span(children))

    def users(self, children: list[Any]) -> _Several:
        return _Several(children[1].texts, children[1].listed, _span(children))

    folders = groups = calls = users

    def server(self, children: list[Any]) -> tree.Server:
        return tree.Server(children[1], children[3], _span(children))

    # Statements

    def set(self, children: list[Any]) -> tree.Set:
        return tree.Set(spelling(children[1].type), tuple([_plain(child) for child in children[2:]]), _span(children))

    def macro(self, children: list[Any]) -> tree.MacroDefinition:
        name = children[0].written.replace("{", "").replace("}", "")
        return tree.MacroDefinition(name, children[2], _span(children))

    def cache(self, children: list[Any]) -> tree.Cache:
        return tree.Cache(children[1], children[3], _span(children))

    def account(self, children: list[Any]) -> tree.Account:
        _, name, disabled, users, fetch, keep = children
        return tree.Account(name, disabled is not None, _texts(users), fetch, keep is not None, _span(children))

    def action_single(self, children: list[Any]) -> tree.Action:
        _, name, users, item = children
        return tree.Action(name, _texts(users), (item,), _span(children))

    def action_several(self, children: list[Any]) -> tree.Action:
        return tree.Action(children[1], _texts(children[2]), tuple(children[4:-1]), _span(children))

    def rule_names(self, children: list[Any]) -> tree.Rule:
        _, conditions, users, names, goes_on = children
        span = _span(children)
        return tree.Rule(conditions, _texts(users), names.texts, None, None, goes_on is not None, span)

    def rule_item(self, children: list[Any]) -> tree.Rule:
        _, conditions, users, _, item, goes_on = children
        return tree.Rule(conditions, _texts(users), None, (item,), None, goes_on is not None, _span(children))

    def rule_items(self, children: list[Any]) -> tree.Rule:
        items = tuple(children[5:-2])
        goes_on = children[-1] is not None
        return tree.Rule(children[1], _texts(children[2]), None, items, None, goes_on, _span(children))

    def rule_block(self, children: list[Any]) -> tree.Rule:
        block = tuple(_statements(children[3:-1]))
        return tree.Rule(children[1], (), None, None, block, False, _span(children))

    # Accounts

    fetch_stdin = _phrase("stdin")
    fetch_maildir = _phrase("maildir", 1)
    fetch_mbox = _phrase("mbox", 1)

    def fetch_pop3(self, children: list[Any]) -> tree.Phrase:
        word, server, _, user, _, password, only, _, cache, *_ = map(_plain, children)
        args = (server, user, password, only, cache, _flags(children))
        return tree.Phrase(word, args, _span(children))

    def fetch_pop3_pipe(self, children: list[Any]) -> tree.Phrase:
        _, _, command, _, user, _, password, only, _, cache, *_ = map(_plain, children)
        return tree.Phrase("pop3-pipe", (command, user, password, only, cache, _flags(children)), _span(children))

    def fetch_imap(self, children: list[Any]) -> tree.Phrase:
        word, server, _, user, _, password, folders, only, *_ = map(_plain, children)
        args = (server, user, password, folders or (), only, _flags(children))
        return tree.Phrase(word, args, _span(children))

    def fetch_imap_pipe(self, children: list[Any]) -> tree.Phrase:
        _, _, command, _, user, _, password, folders, only = map(_plain, children)
        return tree.Phrase("imap-pipe", (command, user, password, folders or (), only), _span(children))

    def fetch_nntp(self, children: list[Any]) -> tree.Phrase:
        word, server, _, user, _, password, groups, _, cache, *_ = map(_plain, children)
        return tree.Phrase(word, (server, user, password, groups, cache, _flags(children)), _span(children))

    # Actions

    item_drop = _phrase("drop")
    item_keep = _phrase("keep")
    item_stdout = _phrase("stdout")
    item_tag = _phrase("tag", 1, 3)
    item_maildir = _phrase("maildir", 1)
    item_exec = _phrase("exec", 1)
    item_pipe = _phrase("pipe", 1)
    item_rewrite = _phrase("rewrite", 1)
    item_write = _phrase("write", 1)
    item_append = _phrase("append", 1)
    item_add_header = _phrase("add-header", 1, 3)
    item_remove_header = _phrase("remove-header", 1)
    item_add_to_cache = _phrase("add-to-cache", 1, 3)
    item_remove_from_cache = _phrase("remove-from-cache", 1, 3)
    item_smtp = _phrase("smtp", 1, 3, 5)
    item_lmtp = _phrase("lmtp", 1, 3, 5)
    item_action = _phrase("action", 0)

    def item_mbox(self, children: list[Any]) -> tree.Phrase:
        return tree.Phrase("mbox", (children[1], children[2] is not None), _span(children))

    def item_imap(self, children: list[Any]) -> tree.Phrase:
        word, server, _, user, _, password, _, folder, *_ = map(_plain, children)
        return tree.Phrase(word, (server, user, password, folder, _flags(children)), _span(children))

    item_imaps = item_imap

    # Conditions

    def conditions(self, children: list[Any]) -> tuple[tree.Condition, ...]:
        first: tree.Condition = children[0]
        rest = [
            tree.Condition("and" if join.type == "AND" else "or", right.negated, right.phrase, right.span)
            for join, right in zip(children[1::2], children[2::2], strict=True)
        ]
        return (first, *rest)

    def condition(self, children: list[Any]) -> tree.Condition:
        return tree.Condition(None, children[0] is not None, children[1], _span(children))

    condition_all = _phrase("all")
    condition_matched = _phrase("matched")
    condition_unmatched = _phrase("unmatched")
    condition_tagged = _phrase("tagged", 1)
    condition_size = _phrase("size", 1, 2)
    condition_string = _phrase("string", 1, 3)
    condition_in_cache = _phrase("in-cache", 1, 3)
    condition_age = _phrase("age", 1, 2)
    condition_age_invalid = _phrase("age-invalid")
    condition_attachment_count = _phrase("attachment-count", 2, 3)
    condition_attachment_total_size = _phrase("attachment-total-size", 2, 3)
    condition_attachment_any_size = _phrase("attachment-any-size", 2, 3)
    condition_attachment_any_type = _phrase("attachment-any-type", 2)
    condition_attachment_any_name = _phrase("attachment-any-name", 2)
    condition_spam_score = _phrase("spam-score", 2, 3)
    condition_spam_action = _phrase("spam-action", 2)
    condition_spam_symbol = _phrase("spam-symbol", 2)
    condition_exec = _phrase("exec", 1, 3, 6, 8)
    condition_pipe = _phrase("pipe", 1, 3, 6, 8)

    def condition_regexp(self, children: list[Any]) -> tree.Phrase:
        regexp, _, area = children
        word = spelling(area.type) if area else "any"
        return tree.Phrase("regexp", (regexp, "any" if word == "all" else word), _span(children))

    def condition_account(self, children: list[Any]) -> tree.Phrase:
        several = children[1]
        return tree.Phrase("account", (several.texts, several.listed), _span(children))


def _statements(children: list[Any]) -> list[tree.Statement]:
    """What is a statement, and not the mark of an include or ifdef."""
    return [child for child in children if not isinstance(child, Word)]
