"""All fixes together, on configurations as people write them: safe, whole, and made once."""

from __future__ import annotations

import pytest

from rulesmith.diagnostics.model import Diagnostic, Edit, Fix, Label, Severity
from rulesmith.lint.fixes import ROUNDS, apply_fixes
from rulesmith.source import Source, Span
from tests.lint.corpus import configurations, findings

TEXTS = configurations()


def _fixable() -> list[str]:
    return [name for name in TEXTS if any(each.fix for each in findings(name, TEXTS[name])[0])]


def _until_done(name: str, text: str) -> tuple[str, int]:
    for rounds in range(ROUNDS):
        texts, done = apply_fixes(findings(name, text)[0])
        if not done:
            return text, rounds
        text = texts[f"{name}.conf"]
    raise AssertionError("fixes undo each other")


@pytest.mark.parametrize("name", _fixable())
def test_after_all_fixes_less_is_wrong_and_nothing_new(name: str) -> None:
    before, rules = findings(name, TEXTS[name])
    text, rounds = _until_done(name, TEXTS[name])
    after, same = findings(name, text)  # also: it is not refused
    assert 1 <= rounds <= 3
    assert same == rules
    assert not [each for each in after if each.fix]
    assert len(after) < len(before)
    # A regexp that means what it says may be found to be slow only then.
    new = {(each.name, each.at.span.line) for each in after} - {(each.name, each.at.span.line) for each in before}
    assert {each for each, _ in new} <= {"slow-regexp", "regexp-dialect-difference"}


def test_several_files_are_worth_fixing() -> None:
    assert len(_fixable()) >= 4


def _finding(source: Source, *edits: tuple[int, int, str]) -> Diagnostic:
    made = tuple(Edit(Span(source, start, end), text) for start, end, text in edits)
    return Diagnostic("x", Severity.NOTE, "x", Label(made[0].span), fix=Fix("x", made))


def test_a_fix_is_made_whole_or_not_at_all() -> None:
    source = Source("conf", "abcdef")
    first, second = _finding(source, (1, 2, "B")), _finding(source, (1, 3, "XX"), (5, 6, "F"))
    texts, done = apply_fixes([first, second])
    assert (texts, done) == ({"conf": "aBcdef"}, [first])


def test_two_insertions_at_one_place_are_not_both_made() -> None:
    source = Source("conf", "ab")
    texts, done = apply_fixes([_finding(source, (1, 1, "-")), _finding(source, (1, 1, "+"))])
    assert (texts, len(done)) == ({"conf": "a-b"}, 1)


def test_a_file_that_is_included_twice_is_changed_once() -> None:
    one, other = Source("conf", "ab"), Source("conf", "ab")
    texts, done = apply_fixes([_finding(one, (1, 1, "-")), _finding(other, (1, 1, "-"))])
    assert (texts, len(done)) == ({"conf": "a-b"}, 1)
