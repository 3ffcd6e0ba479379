"""The canonical layout of a configuration."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rulesmith.layout.layout import lay_out
from rulesmith.layout.roles import roles
from rulesmith.layout.tokens import COMMENT, Token, Unreadable, tokenize
from rulesmith.source import Source
from rulesmith.syntax.parser import parse
from rulesmith.syntax.tree import Config
from rulesmith.syntax.world import MemoryWorld
from tests.properties.test_syntax import NOT_GRAMMAR, Sentences

WORLD = MemoryWorld({"part": b"set lock-wait\n"}, {"$given": "g"}, lambda _: "7")
KNOWN = ["$s", "=", '"S"', "$t", "=", '""', "%n", "=", "5", "%m", "=", "6"]


def laid_out(text: str) -> str:
    return lay_out(Source("conf", text))


def tree(text: str) -> Config:
    return parse("conf", text, WORLD)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("match   all\n  action\tdrop", "match all action drop\n"),
        ('$m="x"set   maximum-size 10 M', '$m = "x"\nset maximum-size 10M\n'),
        ("set timeout 2   hours %n=3", "set timeout 2 hours\n%n = 3\n"),
        ("set maximum-size %n K", "set maximum-size %n K\n"),  # not the macro %nK
        ("set maximum-size 3 megabytes", "set maximum-size 3 megabytes\n"),
        ('match exec "x" returns ( 0,) action drop', 'match exec "x" returns (0, ) action drop\n'),
        ('match exec "x" returns(,"y" )action drop', 'match exec "x" returns (, "y") action drop\n'),
        ('$a = "b"+$c  + \'d\'', '$a = "b" + $c + \'d\'\n'),
        ("match size<5K{match all{match all action drop}}", """match size < 5K {
    match all {
        match all action drop
    }
}
"""),
        ('match account { "a" "b" } { }', 'match account { "a" "b" } {\n}\n'),
        ('match spam action{"reject"}action "b"', 'match spam action { "reject" } action "b"\n'),
        ('action "a" drop action "b" action "a" match all action action "a"',
         'action "a" drop\naction "b" action "a"\nmatch all action action "a"\n'),
        ('action "a" users { "u" "v" } drop action "b" { drop keep }cache "c"',
         'action "a" users { "u" "v" } drop\naction "b" { drop keep }\ncache "c"\n'),
        ('account "a" pop3 server "h" new-only cache "c" account "b" imap server "h" new-only cache "d"',
         'account "a" pop3 server "h" new-only cache "c"\naccount "b" imap server "h" new-only\ncache "d"\n'),
        ('ifdef $x match all action drop endif include "y"', 'ifdef $x\nmatch all action drop\nendif\ninclude "y"\n'),
        ('set trusted-hops account "a" "b" match not account "a" action drop',
         'set trusted-hops account "a" "b"\nmatch not account "a" action drop\n'),
        ("match spam score > -2.5 action drop", "match spam score > -2.5 action drop\n"),
        ('match "a\n   b" action drop', 'match "a\n   b" action drop\n'),
        ('match $( echo "x  y" ) action drop', 'match $( echo "x  y" ) action drop\n'),
        ("", ""),
        ("\n\n  \n", ""),
    ],
)  # fmt: skip
def test_one_form_for_all(text: str, expected: str) -> None:
    assert laid_out(text) == expected
    assert laid_out(expected) == expected
    assert tree(text) == tree(expected)


def test_comments_stay_where_they_are() -> None:
    text = """
# top


#second
set lock-wait   # why
match all { # opens
   # inside
  match "x" # one
      or "y"
      # two
      action drop   # done
  # last
} # closed
#end"""
    assert (
        laid_out(text)
        == """\
# top

#second
set lock-wait  # why
match all {  # opens
    # inside
    match "x"  # one
        or "y"
        # two
        action drop  # done
    # last
}  # closed
#end
"""
    )


def test_empty_lines_between_statements_are_one_and_none_at_the_start_of_a_block() -> None:
    text = "\n\nset lock-wait\n\n\n\nmatch all {\n\nmatch all\n\naction drop\n\n}\n\n"
    assert laid_out(text) == "set lock-wait\n\nmatch all {\n    match all action drop\n}\n"


def test_a_long_rule_is_broken_before_its_joins_and_its_action() -> None:
    first, second = '"^List-Id:.*<announcements.example.org>" in headers', '"^To:.*announcements@" in headers'
    text = f'match {first} or {second} and not size > 10M action {{ "lists" "inbox" }} continue'
    assert (
        laid_out(text)
        == f"""\
match {first}
    or {second}
    and not size > 10M
    action {{ "lists" "inbox" }} continue
"""
    )


def test_a_long_list_has_an_element_a_line() -> None:
    names = [f'"a-rather-long-name-{number}" + $x' for number in range(5)]
    text = f"match account {{ {' '.join(names)} }} action drop"
    inside = "".join(f"    {name}\n" for name in names)
    assert laid_out(text) == f"match account {{\n{inside}}}\n    action drop\n"
    items = ['add-header "X-Some-Header-Field" value "something"', 'pipe "a command that is long enough"', 'action "x"']
    inside = "".join(f"    {item}\n" for item in items)
    assert laid_out(f'action "many" {{ {" ".join(items)} }}') == f'action "many" {{\n{inside}}}\n'


@pytest.mark.parametrize(
    ("text", "place"),
    [('match "x', "1:7"), ("match all\naktion drop", "2:1"), ("set lock-wait\r\n", "1:14"), ("$", "1:1")],
)
def test_a_text_that_cannot_be_read_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(Unreadable, match=f"^conf:{place}: "):
        laid_out(text)


def test_what_an_ifdef_leaves_out_is_laid_out_too() -> None:
    assert laid_out("ifdef $no\nmatch  all{match all   action drop}\nendif") == (
        "ifdef $no\nmatch all {\n    match all action drop\n}\nendif\n"
    )


SENTENCES = Sentences()
BETWEEN = [" ", "  ", "\n", "\n\n\n", "\t", " # a comment\n", "\n# an own line\n", "\n\n  #\n#b \n"]


def comments(text: str) -> list[str]:
    return [token.text for token in tokenize(Source("conf", text)) if token.terminal == COMMENT]


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.integers(3, 14), st.sampled_from([BETWEEN[:5], BETWEEN]))
def test_the_layout_says_the_same_and_stays_what_it_is(seed: int, size: int, between: list[str]) -> None:
    rng = random.Random(seed)
    words = [*KNOWN, *SENTENCES.write("start", rng, size)]
    text = "".join(word + rng.choice(between) for word in words)
    once = laid_out(text)
    assert laid_out(once) == once
    assert parse("conf", once, WORLD)[0] == parse("conf", text, WORLD)[0]
    assert comments(once) == comments(text)
    assert [t.text for t in tokenize(Source("conf", once))] == [t.text for t in tokenize(Source("conf", text))]
    if between is not BETWEEN and "\n\n" not in text:
        # The blanks between words do not matter.
        assert laid_out(" ".join(words)) == once
    assert not re.search(r"[ \t]\n", _without_strings(once))
    _lines_begin_statements(once, words)


def _without_strings(text: str) -> str:
    return re.sub(r'"(?:\\.|[^"\\])*"|\'[^\']*\'', '""', text)


def _lines_begin_statements(text: str, words: list[str]) -> None:
    """What the roles take for statements are those of the parser."""
    config, findings = parse("conf", text, WORLD)
    assert not {finding.name for finding in findings} - NOT_GRAMMAR
    tokens: list[Token] = tokenize(Source("conf", text))
    begun = sum(role == "begins" and token.terminal not in (COMMENT, "IFDEF", "IFNDEF", "ENDIF", "INCLUDE")
                for token, role in zip(tokens, roles(tokens), strict=True))  # fmt: skip
    if not any(word.startswith(("ifdef", "ifndef", "include")) for word in words):
        assert begun == _statements(config.statements)


def _statements(statements: object) -> int:
    assert isinstance(statements, tuple)
    return sum(1 + _statements(getattr(each, "block", None) or ()) for each in statements)
