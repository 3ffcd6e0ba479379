"""Faulty configurations: what is said of each, and that one fault hides no other and invents none."""

from __future__ import annotations

from pathlib import Path

import pytest

from rulesmith.diagnostics.model import Diagnostic
from rulesmith.syntax.parser import parse
from rulesmith.syntax.tree import Action, Rule
from rulesmith.syntax.world import MemoryWorld


def table() -> list[tuple[str, str]]:
    lines = (Path(__file__).parent / "faulty_syntax.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in lines if line and not line.startswith("#")]
    return list(zip(lines[::2], lines[1::2], strict=True))


def findings(text: str | bytes, **files: bytes) -> list[Diagnostic]:
    return parse("conf", text, MemoryWorld(files))[1]


def shown(finding: Diagnostic) -> str:
    line, column = finding.at.span.line_column()
    fdm = finding.fdm or ""
    said = fdm if fdm.isprintable() else ascii(fdm)[1:-1]
    return f"{line}:{column} {finding.name}: {finding.message} ({said})"


@pytest.mark.parametrize(("written", "expected"), table())
def test_a_faulty_text_is_told_once_with_its_message(written: str, expected: str) -> None:
    text = written.encode("ascii").decode("unicode_escape")
    assert [f"    {shown(finding)}" for finding in findings(text)] == [expected]


def test_the_table_of_faulty_texts_is_long() -> None:
    assert len(dict(table())) >= 100


@pytest.mark.parametrize(
    ("text", "help_"),
    [
        ('match all account "x" action drop', "put `and` or `or` between two conditions: and account …"),
        ('match "a" "b" action drop', 'put `and` or `or` between two conditions: and "b"'),
        ('match all rewrite "x" continue', "put `action` before it: action rewrite …"),
        ('match exec "c" action drop', 'say what the command must return: returns (0, ) or returns (, "regexp")'),
        ("include $file", 'write include "${file}"'),
        ('account "a" user "u" disabled stdin', "`disabled` comes right after the account's name, before its users"),
        ('action "a" tag "t" "v"', 'put `value` before it: value "v"'),
        ("match age > 5m action drop", "`m` is megabytes: write `minutes` or `months`"),
        ('$n = "5"\nset timeout $n', "$ macros are strings: a number is defined and used as %n"),
        ("%n = 5\nmatch tagged %n action drop", '%-macros are numbers: in a string, write "%{n}"'),
        ("match all acton drop", 'did you mean "action"?'),
        ("Match all action drop", 'did you mean "match"?'),
        ("account work stdin", 'put a text in quotes: "work"'),
        ("match all (", "there are no parentheses: nest rules to group conditions"),
    ],
)
def test_old_syntax_and_common_slips_are_told_what_to_type(text: str, help_: str) -> None:
    assert findings(text)[0].help == help_


def test_three_mistakes_in_six_statements_are_three_findings() -> None:
    text = """account "stdin" stdin
match all actoin "inbox"
match "x" in hedaers action drop
set maximum-size "5"
action "inbox" maildir "~/Mail"
match all action "inbox"
"""
    assert [shown(finding).split(":")[0] for finding in findings(text)] == ["2", "3", "4"]


def test_a_misspelt_word_is_read_as_the_word_it_was_meant_to_be() -> None:
    config, found = parse("conf", 'acton "a" mialdir "x"\nmatch al action "a"\n', MemoryWorld())
    right, _ = parse("conf", 'action "a" maildir "x"\nmatch all action "a"\n', MemoryWorld())
    assert [finding.name for finding in found] == ["unknown-word"] * 3
    assert config == right


def test_a_forgotten_quote_costs_one_finding_and_not_the_rest_of_the_file() -> None:
    text = (
        'match "^From:.*one in headers action drop\nmatch "^From:.*two" in headers action drop\nmatch foo action drop\n'
    )
    found = findings(text)
    assert shown(found[0]).startswith('1:7 unclosed-string: the closing " of this string seems to be missing')
    assert [finding.at.span.line for finding in found] == [1, 3]


def test_a_fault_inside_a_nested_rule_leaves_its_neighbours_and_its_braces_alone() -> None:
    text = """match all {
    match "a" action drop
    match "b" ( action { drop
    match "c" action keep
}
match all action drop
"""
    config, found = parse("conf", text, MemoryWorld())
    assert len(found) == 1
    outer, last = config.statements
    assert isinstance(outer, Rule)
    assert outer.block is not None
    assert len(outer.block) == 2
    assert isinstance(last, Rule)


def test_braces_of_what_was_cut_out_do_not_close_other_rules() -> None:
    text = "match all {\nmatch ( {\nmatch all action drop\n}\n}\nmatch all action keep\n"
    config, found = parse("conf", text, MemoryWorld())
    assert len(found) == 1
    assert isinstance(config.statements[-1], Rule)


def test_an_action_with_a_broken_body_is_remembered_by_its_name() -> None:
    config, _ = parse("conf", 'action "inbox" maildir )\nmatch all action "inbox"', MemoryWorld())
    assert [(kind, text.value) for kind, text in config.broken] == [("action", "inbox")]


def test_a_statement_with_too_much_at_its_end_still_counts() -> None:
    config, found = parse("conf", 'action "inbox" maildir "x" )\nmatch all action "inbox"', MemoryWorld())
    assert len(found) == 1
    assert isinstance(config.statements[0], Action)


def test_an_open_list_is_shown_where_the_parser_stops() -> None:
    (found,) = findings('action "a" { drop\nmatch all action "a"')
    assert [label.span.text for label in found.also] == ["{"]


def test_faults_of_an_included_file_are_told_where_it_is_included() -> None:
    found = findings('match all acton drop\ninclude "inc"\nmatch all action dorp', inc=b"match al action drop")
    assert [finding.at.span.source.name for finding in found] == ["conf", "inc", "conf"]


def test_a_file_included_twice_is_told_of_once() -> None:
    assert len(findings('include "inc"\ninclude "inc"', inc=b"match al action drop")) == 1


def test_a_file_that_includes_itself_is_an_error_and_not_the_end_of_us() -> None:
    found = findings('include "conf"\ninclude "conf"', conf=b'include "conf"\ninclude "conf"')
    assert [finding.name for finding in found] == ["include-too-deep"]


def test_rules_cannot_be_nested_without_end() -> None:
    assert [finding.name for finding in findings("match all { " * 5000)] == ["nested-too-deep"]


def test_after_a_hundred_faults_enough_is_said() -> None:
    found = findings("match match action\n" * 1000)
    assert len(found) == 101
    assert found[-1].name == "too-many-faults"
    assert found[-1].fdm is None


@pytest.mark.parametrize("text", ["@ action \n" * 20000, '"' * 20001, "\0" * 100000, "zork " * 20000, "}" * 20000])
def test_a_text_of_nothing_but_faults_ends(text: str) -> None:
    assert findings(text)
