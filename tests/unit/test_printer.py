"""Tree → text."""

from __future__ import annotations

import pytest

from rulesmith.syntax.parser import parse
from rulesmith.syntax.printer import print_config
from rulesmith.syntax.world import MemoryWorld


def printed(text: str, world: MemoryWorld) -> str:
    config, findings = parse("conf", text, world)
    assert not findings
    return print_config(config)


def test_one_statement_a_line_and_blocks_indented() -> None:
    text = """$m="x" set lock-type flock cache 'c' expire 2 days
account 'a' users{"u" "v"} imap server "h" port 5 folders{"f"} new-only starttls no-verify keep
action "b" { tag "t" "k"+$m }"""
    text = (
        text.replace('tag "t" "k"', 'tag "t" value "k"')
        + """
match not all or case "r" in all and exec "c" returns (,"x") users "u" actions "b" continue
match size<5K{ match account{"a"} action{drop keep} }"""
    )
    assert printed(text, MemoryWorld()) == (
        """$m = "x"
set lock-types flock
cache 'c' expire 2 days
account 'a' user { "u" "v" } imap server "h" port 5 folder "f" new-only starttls no-verify keep
action "b" tag "t" value "k" + $m
match not all or case "r" and exec "c" returns ( , "x" ) user "u" action "b" continue
match size < 5 K {
    match account { "a" } action { drop keep }
}
"""
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "set maximum-size 5 set lock-types none set file-umask user set purge-after none set regexp-dialect posix",
        'account "a" stdin account "b" pop3 pipe "c" user "u" pass "p" old-only cache "k" no-apop',
        'account "a" disabled nntps server "h" user "u" groups { "g" "h" } cache "c" insecure no-verify',
        'account "a" imap pipe "c" user "u" pass "p" folders { "f" "g" } old-only keep',
        'account "a" maildirs { "m" "n" } account "b" mbox "x" account "c" pop3s server "h" new-only cache "c"',
        'action "a" { mbox "m" compress add-header "h" "v" remove-headers { "h" "i" } to-cache "c" key "k" }',
        'action "a" { smtp server "h" from "f" to "t" lmtp server "/s" imaps server "h" user "u" folder "f" no-plain }',
        'match all action action "a" match all action { action { "a" "b" } } match all { }',
        'match in-cache "c" key "k" and string "a" to case "b" or age invalid and not age > 2 weeks action stdout',
        'match attachment count != 1 and attachment total-size > 5 and attachment any-type "t" action drop',
        'match pipe "c" user "u" returns (5, case "r") and tagged "t" and "a" in body action rewrite "x"',
        '%n = 5 $m = "a${m}" $m = $m + "%{n}" match "${m}" + $m + \'$m\' action drop set timeout %n hours',
        'ifdef $nope set lock-wait endif $m = "1\n2" match "a\\"\\\n\tb" action write "x"',
        'account "a" imap server "h" new-only\ncache "c"',
    ],
)  # fmt: skip
def test_what_is_printed_says_the_same(text: str) -> None:
    world = MemoryWorld()
    config, findings = parse("conf", text, world)
    assert not findings
    again, complaints = parse("conf", print_config(config), world)
    assert not complaints
    assert again == config


def test_commands_and_given_macros_stay_what_they_are() -> None:
    world = MemoryWorld(macros={"$given": "g"}, commands=lambda command: command.upper())
    text = '$m = $(echo) + "${given}"\nmatch $m action drop\n'
    assert printed(text, world) == text
    config, _ = parse("conf", text, world)
    assert parse("conf", print_config(config), world)[0] == config


def test_included_files_are_printed_where_they_were_included() -> None:
    world = MemoryWorld({"inc": b"set lock-wait"})
    assert printed('match all { include "inc" }', world) == "match all {\n    set lock-wait\n}\n"
