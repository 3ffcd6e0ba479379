"""What the linter says, and what it leaves in peace."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from rulesmith import lint
from rulesmith.compiler.compile import compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.diagnostics.model import Diagnostic, Severity
from rulesmith.lint.table import NAMES, ONLINE

STDIN = 'account "stdin" stdin\nset allow-multiple\naction "inbox" maildir "/m"\n'
LAST = 'match all action "inbox"\n'
SEED = """account "stdin" disabled stdin
action "alias@example.com" pipe "/usr/libexec/dovecot/deliver -d alias@example.com"
action "alias@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d alias@example.com -m Received"
action "user@example.com" pipe "/usr/libexec/dovecot/deliver -d user@example.com"
action "user@example.com:Received" pipe "/usr/libexec/dovecot/deliver -d user@example.com -m Received"
match "^Delivered-To: alias@example.com" in headers action { "alias@example.com" "alias@example.com:Received" }
match all action { "user@example.com" "user@example.com:Received" }
"""


OLDEST = {
    "cache-before-delivery", "drop-oversized", "dropped-come-back", "ignored-errors", "keep-on-stdin", "no-final-rule",
    "no-lock", "nothing-stored", "regexp-dialect-difference", "root-without-user", "spam-without-scan",
    "tag-in-command", "tag-in-regexp", "two-stdin-accounts", "undefined-macro", "unknown-tag",
}  # fmt: skip


def found(text: str, **environment: object) -> list[Diagnostic]:
    holdings = Holdings(users=[(b"bob", 7, 7, b"/home/bob")])
    return lint.findings(compile_text("conf", text, Imagined(holdings, **environment)))  # type: ignore[arg-type]


def said(text: str) -> list[tuple[str, str, str]]:
    return [(each.severity.word, each.name, each.at.span.text) for each in found(text)]


def test_the_readme_example_has_no_error_and_no_warning() -> None:
    assert {severity for severity, _, _ in said(SEED)} == {"note"}
    assert ("note", "no-lock", '"stdin"') in said(SEED)


IN_PEACE = [
    STDIN + LAST,
    # What ends with an action is at an end.
    STDIN + 'match "a" action "inbox"\nmatch not "a" action drop\n',
    STDIN + 'match "a" {\nmatch "b" action "inbox"\n}\n' + LAST,
    STDIN + 'match all {\nmatch "b" action drop\n' + LAST + "}\n",
    STDIN + 'match all action "inbox" continue\nmatch "a" action tag "x"\n',
    STDIN + 'match "a" action "inbox" continue\nmatch unmatched action "inbox"\n',
    STDIN + 'match all action "in*"\n',
    STDIN + 'match all action "%[hostname]"\naction "host" drop\n',
    STDIN + 'set unmatched-mail drop\nmatch "a" action "inbox"\n',
    STDIN + 'match accounts { "stdin" "m" } action "inbox"\naccount "m" mbox "m"\n',
    STDIN + 'account "m" maildir "m"\nmatch account "m" action keep\n' + LAST,
    STDIN + 'match "a" action { keep maildir "x" }\n' + LAST,
    STDIN + 'match "a" action drop\n' + LAST,
    # Other sources keep their mail.
    'account "m" maildir "m"\nset ignore-errors set delete-oversized\nmatch "a" action keep\n',
    STDIN + 'account "b" disabled stdin\n' + LAST,
    'set lock-wait account "s" stdin\nmatch all action stdout\n',
    # Values in quotes, and values that no mail has a say in.
    STDIN + "match \"(a)\" action pipe \"deliver -m '%1'\"\n" + LAST,
    STDIN + 'match "(a)" action pipe "deliver -m \\"%1\\""\n' + LAST,
    STDIN + 'match "(a)" action pipe "deliver -d %u -m %[mail_year] %%1"\n' + LAST,
    STDIN + 'match "(a)" action tag "kind" value "list" continue\nmatch all action pipe "x %[kind]"\n',
    STDIN + 'match "(a)" action maildir "m/%1"\n' + LAST,
    # Tags that a regexp may hold, and that something sets.
    STDIN + 'match "%[hostname] 100%% %h" action "inbox"\n' + LAST,
    STDIN + 'set default-user "bob"\nmatch "^To: %u@" action "inbox"\n' + LAST,
    STDIN + 'match "a" action tag "%1" continue\nmatch tagged "spma" and string "%[x]" to "y" action "inbox"\n' + LAST,
    STDIN + 'match tagged "mail_*" action "inbox"\n' + LAST,
    STDIN + 'match exec "x" returns (,"(a)") and string "%[command1]" to "a" action "inbox"\n' + LAST,
    # Macros that are defined, or only look like macros.
    '$h = "x"\n' + STDIN + "match all action maildir \"${h}\\${x}\" + '${y}' + \"$z\"\n",
    # What both engines read alike.
    STDIN + "match '^(a|b)+\\w\\b[[:digit:]][^\\n]*\\.[]x]{2,3}$' action \"inbox\"\n".replace("[^\\n]*", "") + LAST,
    # Remembered when all is done, or where nothing is thrown away for it.
    STDIN + 'cache "c"\nmatch in-cache "c" key "k" action drop\n'
    'match all action { maildir "m" add-to-cache "c" key "k" }\n',
    STDIN + 'cache "c"\nmatch not in-cache "c" key "k" action { add-to-cache "c" key "k" exec "x" } continue\n' + LAST,
]  # fmt: skip


@pytest.mark.parametrize("text", IN_PEACE)
def test_a_sound_configuration_is_left_in_peace(text: str) -> None:
    """What tests/lint/specs says of each check is about that check alone; here the oldest ones are told all of them."""
    assert [finding for finding in said(text) if finding[1] in OLDEST] == []


def test_macros_of_the_command_line_are_defined() -> None:
    told = found(STDIN + 'match all action maildir "${x}"\n', macros={"$x": "/m"})
    assert [each.name for each in told] == ["unused-action"]


def test_a_comment_allows_a_finding_at_its_line_or_the_next() -> None:
    rule = 'match "offer" action keep'
    assert said(STDIN + f"{rule} # rulesmith: allow(keep-on-stdin)\n{LAST}") == []
    assert said(STDIN + f"# rulesmith: allow(keep-on-stdin, unknown-tag) because\n{rule}\n{LAST}") == [
        ("warning", "unused-allow", "unknown-tag")
    ]


def test_what_refuses_cannot_be_allowed() -> None:
    text = "# rulesmith: allow(setting-out-of-range)\nset timeout 0\n"
    assert ("error", "setting-out-of-range", "0") in said(text)


def test_of_a_refused_configuration_no_way_is_followed() -> None:
    assert [each.name for each in found(STDIN + 'match "a" action "inbox"\nset timeout 0\n')] == [
        "setting-out-of-range"
    ]


def test_findings_are_sorted_by_place() -> None:
    places = [each.at.span.start for each in found(STDIN + 'match "%1" action keep\nset ignore-errors\n')]
    assert len(places) >= 4
    assert places == sorted(places)


RULES = Path(lint.__file__).parent / "rules"


def test_every_file_is_a_check_of_its_own_name_and_every_check_is_in_one_group() -> None:
    files = {path.stem for path in RULES.glob("*.py")} - {"__init__"}
    assert {name.replace("-", "_") for name in (*NAMES, *ONLINE)} == files
    assert len(files) == len(NAMES) + len(ONLINE)
    for name in files:
        rule = importlib.import_module(f"rulesmith.lint.rules.{name}")
        assert name.replace("_", "-") == rule.NAME
        assert isinstance(rule.SEVERITY, Severity)
        for part in ("What it does:", "Why is this bad:", "Example:", "Use instead:"):
            assert part in (rule.__doc__ or ""), f"{name} has no {part!r}"
