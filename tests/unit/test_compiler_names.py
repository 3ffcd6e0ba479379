"""Names that nothing has, and what is said about them."""

from __future__ import annotations

import pytest

from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.diagnostics.model import Diagnostic, Severity

START = 'account "stdin" stdin\naction "inbox" drop\ncache "~/seen"\n'


def found(text: str) -> list[Diagnostic]:
    compiled = compile_text("conf", START + text, Imagined(Holdings(users=[(b"bob", 7, 7, b"/home/bob")])))
    assert compiled.program is not None, "these faults stop only the messages that reach them"
    return list(compiled.diagnostics)


@pytest.mark.parametrize(
    ("text", "name", "at", "hint"),
    [
        ('match all action "imbox"', "unknown-action", '"imbox"', 'did you mean "inbox"?'),
        ('match all action { "inbox" "zzz*" }', "unknown-action", '"zzz*"', None),
        ('action "b" { drop action "ibox" }', "unknown-action", '"ibox"', 'did you mean "inbox"?'),
        ('match accounts { "stdin" "sdtin" } action drop', "unknown-account", '"sdtin"', 'did you mean "stdin"?'),
        ('match in-cache "seen" key "k" action drop', "unknown-cache", '"seen"', 'cache "seen"'),
        (
            'match all action add-to-cache "~/sen" key "k"',
            "unknown-cache",
            '"~/sen"',
            'did you mean "/home/user/seen"?',
        ),
        ('match all user "bbo" action drop', "unknown-user", '"bbo"', None),
        ('match exec "true" user "bbo" returns (0,) action drop', "unknown-user", '"bbo"', None),
        ('set default-user "bbo"', "unknown-user", '"bbo"', None),
        ('set command-user ""', "unknown-user", '""', None),
    ],
)
def test_an_unknown_name_is_an_error_at_its_place(text: str, name: str, at: str, hint: str | None) -> None:
    (diagnostic,) = found(text)
    assert (diagnostic.name, diagnostic.severity, diagnostic.fdm) == (name, Severity.ERROR, None)
    assert diagnostic.at.span.text == at
    assert diagnostic.help == hint


@pytest.mark.parametrize(
    "text",
    [
        'match all action "in*"',
        'match all action "%[to]"',
        'match all action "later" action "later" drop',
        'match account "std*" action drop',
        'match accounts { "%[x]" "stdin" } action drop',
        'match in-cache "%h/seen" key "k" action drop',
        'match all user "bob" action drop',
        'match all user "%1" action drop',
        'match all user "7" action drop',
    ],
)
def test_a_name_that_may_exist_is_not_reported(text: str) -> None:
    assert found(text) == []


def test_duplicates_show_the_first_definition() -> None:
    compiled = compile_text("conf", 'action "a" drop\naction "a" keep\n', Imagined())
    (diagnostic,) = compiled.diagnostics
    assert diagnostic.name == "duplicate-action"
    assert [(label.text, label.span.line) for label in diagnostic.also] == [("first defined here", 1)]


def test_a_name_out_of_a_macro_shows_the_macro() -> None:
    compiled = compile_text("conf", '$box = "imbox"\nmatch all action $box\n', Imagined())
    (diagnostic,) = compiled.diagnostics
    assert [(label.text, label.span.line) for label in diagnostic.also] == [("the macro is defined here", 1)]


def test_a_fault_in_an_included_file_shows_the_include() -> None:
    holdings = Holdings(files={"more": b'match all action "x"\n'})
    compiled = compile_text("conf", '\ninclude "more"\n', Imagined(holdings))
    (diagnostic,) = compiled.diagnostics
    assert diagnostic.at.span.source.name == "more"
    assert [(label.span.source.name, label.span.line) for label in diagnostic.also] == [("conf", 2)]


def test_a_bad_regexp_is_pointed_at_inside_its_string() -> None:
    compiled = compile_text("conf", 'match "^Subject: \\\\d(" in headers action drop\n', Imagined())
    (diagnostic,) = compiled.diagnostics
    assert diagnostic.name == "invalid-regexp"
    line, column = diagnostic.at.span.line_column()
    assert (line, diagnostic.fdm) == (1, "missing closing parenthesis")
    assert column > len('match "')


def test_a_finding_is_one_line_whatever_it_quotes() -> None:
    (diagnostic,) = found('match all user "b\nb\udcff" action drop')
    assert diagnostic.message == 'there is no user "b\\nb\\xff"'
