"""How findings look, and in which order they are told."""

from __future__ import annotations

import json

import pytest

from rulesmith.diagnostics.as_json import as_json
from rulesmith.diagnostics.model import Diagnostic, Label, Severity
from rulesmith.diagnostics.order import in_order
from rulesmith.diagnostics.printable import printable, width
from rulesmith.diagnostics.render import render_short, render_text
from rulesmith.diagnostics.suggest import did_you_mean, suggest
from rulesmith.source import Source, Span

TEXT = 'action "x" drop\nmatch all actoin "inbox"\n'


def finding(text: str = TEXT, start: int = 26, end: int = 32, **more: object) -> Diagnostic:
    span = Span(Source("bad.conf", text), start, end)
    return Diagnostic("unknown-word", Severity.ERROR, "unknown word `actoin`", Label(span), **more)  # type: ignore[arg-type]


def test_the_whole_story() -> None:
    source = Source("bad.conf", TEXT)
    told = Diagnostic(
        "duplicate-action",
        Severity.WARNING,
        "twice",
        Label(Span(source, 26, 32), "again"),
        (Label(Span(source, 7, 10), "first defined here"),),
        ("it is so",),
        "leave one out",
    )
    assert render_text(told) == (
        """warning[duplicate-action]: twice
 --> bad.conf:2:11
2 | match all actoin "inbox"
  |           ^^^^^^ again
 ::: bad.conf:1:8: first defined here
1 | action "x" drop
  |        ---
   = note: it is so
   = help: leave one out"""
    )


def test_one_line() -> None:
    assert render_short(finding()) == "bad.conf:2:11: error[unknown-word]: unknown word `actoin`"


def test_an_included_file_names_both_places() -> None:
    main = Source("main.conf", 'set lock-wait\ninclude "inc"\n')
    told = Diagnostic("zork", Severity.NOTE, "m", Label(Span(Source("inc", "zork", Span(main, 14, 27)), 0, 4)))
    assert render_text(told) == (
        """note[zork]: m
 --> inc:1:1
1 | zork
  | ^^^^
 ::: main.conf:2:1: included here"""
    )


def test_the_margin_is_as_wide_as_the_largest_line_number() -> None:
    lines = render_text(finding("\n" * 99 + "zork", 99, 103)).split("\n")
    assert lines[1:] == ["   --> bad.conf:100:1", "100 | zork", "    | ^^^^"]


def test_carets_stand_under_their_text_whatever_comes_before() -> None:
    text = "\té日\udcff\x1b zork"
    lines = render_text(finding(text, 6, 10)).split("\n")
    assert lines[2] == "1 |     é日\\xff\\x1b zork"
    assert width(lines[3].rstrip("^")) == width(lines[2].removesuffix("zork"))
    assert lines[3].endswith(" ^^^^")


def test_an_empty_place_has_one_caret() -> None:
    assert render_text(finding("match", 5, 5)).split("\n")[2:] == ["1 | match", "  |      ^"]


def test_a_place_of_several_lines_is_marked_on_its_first() -> None:
    assert render_text(finding('a "b\nc" d', 2, 7)).split("\n")[2:] == ['1 | a "b', "  |   ^^"]


def test_a_long_line_is_shown_around_its_place() -> None:
    text = "x" * 5000 + "zork" + "y" * 5000
    shown, marks = render_text(finding(text, 5000, 5004)).split("\n")[2:]
    assert len(shown) < 200
    assert shown[marks.index("^") : marks.rindex("^") + 1] == "zork"


def test_nothing_unprintable_reaches_the_terminal() -> None:
    text = "\x1b[31m\x07\u202e\udcff zork"
    told = finding(text, 0, 5, help=text)
    told = Diagnostic(told.name, told.severity, text, told.at, help=text)
    assert all(line.isprintable() for line in render_text(told).split("\n"))
    assert render_short(told).isprintable()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb", "a    b"),
        ("\r\0", "\\x0d\\x00"),
        ("\udce9", "\\xe9"),
        ("é日", "é日"),
        ("\u202e\ufeff", "\\u202e\\ufeff"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_what_cannot_be_shown_is_shown_by_number(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_json_is_one_object_on_one_line() -> None:
    told = finding('x\n"é\udcff\n" zork', 2, 7, help='did you mean "a"?')
    line = as_json(told)
    assert "\n" not in line
    assert json.loads(line) == {
        "path": "bad.conf",
        "line": 2,
        "column": 1,
        "end_line": 3,
        "end_column": 2,
        "severity": "error",
        "name": "unknown-word",
        "message": "unknown word `actoin`",
        "help": 'did you mean "a"?',
        "notes": [],
        "also": [],
        "fix": None,
    }


def test_findings_are_told_as_they_are_read() -> None:
    main = Source("main", "abcdefghij")
    first = Source("z", "xyz", Span(main, 4, 6))
    inner = Source("a", "uvw", Span(first, 1, 2))
    places = [Span(main, 0, 1), Span(first, 0, 1), Span(inner, 2, 3), Span(first, 2, 3), Span(main, 7, 8)]
    findings = [Diagnostic("n", Severity.ERROR, "m", Label(place)) for place in places]
    assert in_order(reversed(findings)) == findings


def test_the_same_fault_of_the_same_file_is_told_once() -> None:
    assert len(in_order([finding(), finding(), finding(start=0, end=6)])) == 2


@pytest.mark.parametrize(
    ("word", "meant"),
    [("inbxo", "inbox"), ("INBOX", "inbox"), ("tga", "tag"), ("zork", None), ("inbo", "inbox"), ("", None)],
)
def test_the_nearest_name_is_suggested(word: str, meant: str | None) -> None:
    assert suggest(word, ["outbox", "inbox", "tag", "match"]) == meant


def test_a_suggestion_is_a_question() -> None:
    assert did_you_mean("inbxo", ["inbox"]) == 'did you mean "inbox"?'
    assert did_you_mean("zork", ["inbox"]) is None
