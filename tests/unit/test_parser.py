"""Words → tree: the shape of every phrase, and places in strings."""

from __future__ import annotations

from typing import Any

import pytest

from rulesmith.syntax.locate import locate, macro_at
from rulesmith.syntax.parser import parse
from rulesmith.syntax.tree import Account, Action, Cache, MacroDefinition, Number, Regexp, Rule, Server, Set, Text
from rulesmith.syntax.world import MemoryWorld


def statements(text: str) -> tuple[Any, ...]:
    config, findings = parse("conf", text, MemoryWorld())
    assert not findings
    return config.statements


def plain(value: Any) -> Any:
    """Arguments without their places."""
    match value:
        case Text():
            return value.value
        case Number():
            return value.value
        case Regexp():
            return ("case" if value.case else "re", value.text.value)
        case Server():
            return (value.host.value, plain(value.port))
        case tuple():
            return tuple(map(plain, value))
        case _:
            return value


@pytest.mark.parametrize(
    ("written", "word", "args"),
    [
        ("all", "all", ()),
        ("matched", "matched", ()),
        ("unmatched", "unmatched", ()),
        ('"a"', "regexp", (("re", "a"), "any")),
        ('case "a" in headers', "regexp", (("case", "a"), "headers")),
        ('"a" + "b" in body', "regexp", (("re", "ab"), "body")),
        ('"a" in all', "regexp", (("re", "a"), "any")),
        ('account "a"', "account", (("a",), False)),
        ('accounts { "a" "b" }', "account", (("a", "b"), True)),
        ('exec "c" returns (0, )', "exec", ("c", None, 0, None)),
        ('pipe "c" user "u" returns (, case "re")', "pipe", ("c", "u", None, ("case", "re"))),
        ('tagged "t"', "tagged", ("t",)),
        ("size < 5K", "size", ("<", 5120)),
        ("size > 5", "size", (">", 5)),
        ('string "a" to "b"', "string", ("a", ("re", "b"))),
        ('in-cache "c" key "k"', "in-cache", ("c", "k")),
        ("age > 2 weeks", "age", (">", 14 * 86400)),
        ("age < 1 month", "age", ("<", 28 * 86400)),
        ("age < 1 year", "age", ("<", 336 * 86400)),
        ("age invalid", "age-invalid", ()),
        ("attachment count != 1", "attachment-count", ("!=", 1)),
        ("attachment total-size < 1M", "attachment-total-size", ("<", 1 << 20)),
        ("attachment any-size > 1G", "attachment-any-size", (">", 1 << 30)),
        ('attachment any-type "t"', "attachment-any-type", ("t",)),
        ('attachment any-name "n"', "attachment-any-name", ("n",)),
        ("spam score > 5", "spam-score", (">", 5)),
        ('spam action "a"', "spam-action", (("a",),)),
        ('spam action { "a" "b" }', "spam-action", (("a", "b"),)),
        ('spam symbol "S"', "spam-symbol", ("S",)),
    ],
)
def test_the_shape_of_conditions(written: str, word: str, args: tuple[Any, ...]) -> None:
    (rule,) = statements(f"match {written} action drop")
    (condition,) = rule.conditions
    assert (condition.phrase.word, plain(condition.phrase.args)) == (word, args)
    assert condition.phrase.span.text == written


LOGIN = ("h", None)


@pytest.mark.parametrize(
    ("written", "word", "args"),
    [
        ("drop", "drop", ()),
        ("keep", "keep", ()),
        ("stdout", "stdout", ()),
        ('tag "t"', "tag", ("t", None)),
        ('tag "t" value "v"', "tag", ("t", "v")),
        ('maildir "m"', "maildir", ("m",)),
        ('mbox "m"', "mbox", ("m", False)),
        ('mbox "m" compress', "mbox", ("m", True)),
        ('exec "c"', "exec", ("c",)),
        ('pipe "c"', "pipe", ("c",)),
        ('rewrite "c"', "rewrite", ("c",)),
        ('write "f"', "write", ("f",)),
        ('append "f"', "append", ("f",)),
        ('add-header "h" "v"', "add-header", ("h", "v")),
        ('add-header "h" value "v"', "add-header", ("h", "v")),
        ('remove-header "h"', "remove-header", (("h",),)),
        ('remove-headers { "h" "i" }', "remove-header", (("h", "i"),)),
        ('to-cache "c" key "k"', "add-to-cache", ("c", "k")),
        ('remove-from-cache "c" key "k"', "remove-from-cache", ("c", "k")),
        ('smtp server "h"', "smtp", (LOGIN, None, None)),
        ('lmtp server "h" port 24 from "f" to "t"', "lmtp", (("h", 24), "f", "t")),
        ('imap server "h"', "imap", (LOGIN, None, None, None, ())),
        ('imaps server "h" port "p" user "u" pass "w" folders "f" no-login no-verify', "imaps",
         (("h", "p"), "u", "w", "f", ("no-login", "no-verify"))),
        ('action "a"', "action", (("a",),)),
        ('actions { "a" "b" }', "action", (("a", "b"),)),
    ],
)  # fmt: skip
def test_the_shape_of_items(written: str, word: str, args: tuple[Any, ...]) -> None:
    (action,) = statements(f'action "x" {written}')
    (item,) = action.items
    assert (item.word, plain(item.args)) == (word, args)
    assert item.span.text == written


@pytest.mark.parametrize(
    ("written", "word", "args"),
    [
        ("stdin", "stdin", ()),
        ('pop3 server "h"', "pop3", (LOGIN, None, None, None, None, ())),
        ('pop3s server "h" user "u" pass "w" new-only cache "c" insecure no-apop', "pop3s",
         (LOGIN, "u", "w", "new-only", "c", ("insecure", "no-apop"))),
        ('pop3 pipe "p" user "u" pass "w"', "pop3-pipe", ("p", "u", "w", None, None, ())),
        ('pop3 pipe "p" user "u" pass "w" old-only cache "c" no-apop', "pop3-pipe",
         ("p", "u", "w", "old-only", "c", ("no-apop",))),
        ('imap server "h"', "imap", (LOGIN, None, None, (), None, ())),
        ('imaps server "h" user "u" folders { "f" "g" } new-only xoauth2 no-plain', "imaps",
         (LOGIN, "u", None, ("f", "g"), "new-only", ("xoauth2", "no-plain"))),
        ('imap pipe "p"', "imap-pipe", ("p", None, None, (), None)),
        ('imap pipe "p" user "u" pass "w" folder "f" old-only', "imap-pipe", ("p", "u", "w", ("f",), "old-only")),
        ('maildir "m"', "maildir", (("m",),)),
        ('maildirs { "m" "n" }', "maildir", (("m", "n"),)),
        ('mboxes { "m" }', "mbox", (("m",),)),
        ('nntp server "h" group "g" cache "c"', "nntp", (LOGIN, None, None, ("g",), "c", ())),
        ('nntps server "h" user "u" groups { "g" "i" } cache "c" insecure no-verify', "nntps",
         (LOGIN, "u", None, ("g", "i"), "c", ("insecure", "no-verify"))),
    ],
)  # fmt: skip
def test_the_shape_of_sources(written: str, word: str, args: tuple[Any, ...]) -> None:
    (account,) = statements(f'account "x" disabled user "u" {written} keep')
    assert isinstance(account, Account)
    assert (account.fetch.word, plain(account.fetch.args)) == (word, args)
    assert (account.disabled, plain(account.users), account.keep) == (True, ("u",), True)
    assert account.fetch.span.text == written


@pytest.mark.parametrize(
    ("written", "args"),
    [
        ("maximum-size 1K", (1024,)),
        ("lock-type none", ("none",)),
        ("lock-types none flock dotlock", ("none", "flock", "dotlock")),
        ('lock-file "f"', ("f",)),
        ("lock-wait", ()),
        ("lock-timeout 1 hour", (3600,)),
        ("unmatched-mail keep", ("keep",)),
        ("purge-after none", ("none",)),
        ("purge-after 5", (5,)),
        ("file-group user", ("user",)),
        ('file-group "g"', ("g",)),
        ("file-umask 022", (22,)),
        ("lookup-order passwd passwd", ("passwd", "passwd")),
        ("regexp-dialect posix", ("posix",)),
        ('regexp-dialect "pcre"', ("pcre",)),
        ('queue "q"', ("q",)),
        ("scan-failure defer", (None, "defer", None)),
        ("scan-failure error deliver", ("error", "deliver")),
        ("scan-failure oversized defer 1 hour", ("oversized", "defer", 3600)),
        ('trusted-hops { "a" "b" }', (None, None, ("a", "b"))),
        ('trusted-hops account "x" "a"', ("account", "x", ("a",))),
    ],
)
def test_the_shape_of_options(written: str, args: tuple[Any, ...]) -> None:
    (option,) = statements(f"set {written}")
    assert isinstance(option, Set)
    assert option.option == written.split(maxsplit=1)[0].replace("lock-type ", "lock-types").removesuffix("s") + (
        "s" if option.option.endswith("s") else ""
    )
    assert plain(option.args) == args


def test_the_shape_of_rules() -> None:
    several = statements("""match all action "a" continue
match all or not "b" and "c" user "u" actions { "a" "b" }
match all action drop
match all users { "u" "v" } action { drop keep } continue
match all action { action "x" }
match all { match all action drop $m = "x" }
""")
    assert [rule.names and plain(rule.names) for rule in several] == [("a",), ("a", "b"), None, None, None, None]
    assert [rule.items and [item.word for item in rule.items] for rule in several] == (
        [None, None, ["drop"], ["drop", "keep"], ["action"], None]
    )
    assert [rule.continues for rule in several] == [True, False, False, True, False, False]
    assert [plain(rule.users) for rule in several] == [(), ("u",), (), ("u", "v"), (), ()]
    assert [(each.join, each.negated) for each in several[1].conditions] == [
        (None, False),
        ("or", True),
        ("and", False),
    ]
    assert several[5].block is not None
    assert [type(each) for each in several[5].block] == [Rule, MacroDefinition]


def test_an_empty_block_is_a_block() -> None:
    (rule,) = statements("match all { }")
    assert rule.block == ()


def test_statements_need_no_line_of_their_own() -> None:
    kinds = [type(each) for each in statements('cache "c" expire 2 days action "a" drop set lock-wait $m = "x" %n = 5')]
    assert kinds == [Cache, Action, Set, MacroDefinition, MacroDefinition]


def test_a_string_remembers_how_it_was_written() -> None:
    _, _, rule = statements('$m = "x" %n = 5 match "a${m}" + $m + \'b%{n}\' + "%{n}" action drop')
    text = rule.conditions[0].phrase.args[0].text
    assert text.value == "axxb%{n}5"
    assert [(piece.kind, piece.written) for piece in text.pieces] == [
        ("double", '"a${m}"'),
        ("macro", "$m"),
        ("single", "'b%{n}'"),
        ("double", '"%{n}"'),
    ]
    assert [[(use.name, use.value) for use in piece.macros] for piece in text.pieces] == (
        [[("$m", "x")], [("$m", "x")], [], [("%n", "5")]]
    )


def test_an_undefined_macro_in_a_string_is_told_apart_from_an_empty_one() -> None:
    _, rule = statements('$e = "" match "${e}${none}" action drop')
    (piece,) = rule.conditions[0].phrase.args[0].text.pieces
    assert [(use.name, use.known) for use in piece.macros] == [("$e", True), ("$none", False)]


def test_an_imap_account_may_be_followed_by_a_cache_of_its_own_line() -> None:
    text = 'account "a" imap server "h" new-only\ncache "c"\n'
    assert [type(each) for each in statements(text)] == [Account, Cache]
    assert parse("conf", text.replace("\n", " "), MemoryWorld())[1][0].name == "cache-of-imap"


# Places in strings


@pytest.mark.parametrize("between", ["\n", " ", "\n# why\n"])
def test_defer_may_be_followed_by_a_definition_of_a_number(between: str) -> None:
    option, definition, rule = statements(f"set scan-failure defer{between}%n = 5\nmatch size > %n action drop")
    assert (option.option, option.args[1:]) == ("scan-failure", ("defer", None))
    assert (definition.name, definition.value.value) == ("%n", 5)
    assert rule.conditions[0].phrase.args[1].value == 5
    _, _, option = statements(f"%n = 5 %m = 6 set scan-failure defer{between}%n minutes")
    assert option.args[2].value == 300


@pytest.mark.parametrize(
    ("written", "octet", "place"),
    [
        ('"abc"', b"b", "b"),
        ("'a\\bc'", b"b", "b"),
        (r'"a\\b"', b"\\", r"\\"),
        (r'"a\\b"', b"b", "b"),
        (r'"a\tb"', b"\t", r"\t"),
        ('"x" + "y" + \'z\'', b"z", "z"),
        ('"a${m}b"', b"M", "${m}"),
        ('"a${m}b"', b"b", "b"),
        ('$m + "b"', b"N", "$m"),
        ('$m + "b"', b"b", "b"),
        ('"é€b"', b"b", "b"),
        ('"é€b"', "€".encode()[1:2], "€"),
        ('"a\udce9b"', b"\xe9", "\udce9"),
        ('"a\udcc3" + "b"', b"b", "b"),
    ],
)
def test_an_octet_of_a_value_is_found_where_it_was_written(written: str, octet: bytes, place: str) -> None:
    _, rule = statements(f'$m = "MN" match {written} action drop')
    text = rule.conditions[0].phrase.args[0].text
    value = text.value.encode("utf-8", "surrogateescape")
    assert locate(text, value.index(octet)).text == place


def test_behind_the_last_octet_is_the_closing_quote() -> None:
    (rule,) = statements('match "ab" action drop')
    text = rule.conditions[0].phrase.args[0].text
    assert (locate(text, 2).start, locate(text, 2).text) == (9, '"')
    assert locate(text, 3) == locate(text, -1) == text.span


def test_an_octet_of_a_macro_names_the_definition_too() -> None:
    _, rule = statements('$m = "MN" match "a${m}" action drop')
    text = rule.conditions[0].phrase.args[0].text
    use = macro_at(text, 1)
    assert use is not None
    assert use.defined is not None
    assert (use.defined.start, use.defined.text) == (0, "$m")
    assert macro_at(text, 0) is None
    assert macro_at(text, 9) is None
