"""What becomes of a configuration: the tuples of program.py."""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING

import pytest

from rulesmith.compiler.compile import Compiled, compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.compiler.netrc import NetrcError, look_up
from rulesmith.compiler.places import place_in
from rulesmith.program import is_unknown

if TYPE_CHECKING:
    from rulesmith.program import Program

BOB = (b"bob", 1001, 1002, b"/home/bob")


def compiled(text: str, **others: object) -> Compiled:
    holdings = Holdings(users=[BOB], **others)  # type: ignore[arg-type]
    return compile_text("conf", text, Imagined(holdings, now=1_000_000_000))


def program(text: str, **others: object) -> Program:
    found = compiled(text, **others).program
    assert found is not None
    return found


def test_a_program_survives_marshal() -> None:
    made = program(
        'account "a" user "u%1" stdin\ncache "c" expire 2 weeks\naction "x" { drop tag "t" value "%1" }\n'
        'match case "a+" in body and not size > 3K { match all action "x" continue }\n'
    )
    assert marshal.loads(marshal.dumps(made)) == made


def test_rules_are_numbered_in_order_of_appearance_and_nested_ones_stay_inside() -> None:
    rules = program("match all {\nmatch matched action drop\n}\nmatch all action keep continue\n")[4]
    assert [(rule[0], rule[1], rule[7]) for rule in rules] == [(0, ("conf", 1), False), (2, ("conf", 4), True)]
    block = rules[0][6]
    assert block is not None
    assert [(rule[0], rule[2], rule[5]) for rule in block] == [
        (1, ((0, False, "matched", ()),), (("drop", (), ("conf", 2)),))
    ]


def test_joins_and_negation_are_kept() -> None:
    (rule,) = program("match all and not matched or unmatched action drop")[4]
    assert [(join, negated, word) for join, negated, word, _ in rule[2]] == [
        (0, False, "all"),
        (1, True, "matched"),
        (2, False, "unmatched"),
    ]


def test_definitions_inside_rules_hold_everywhere() -> None:
    settings, caches, _, actions, _ = program('match all { set no-received action "a" drop cache "c" }')
    assert settings["no-received"] is True
    assert [action[0] for action in actions] == [b"a"]
    assert caches == ((b"c", -1),)


def test_settings_are_complete_and_the_last_one_wins() -> None:
    settings = program("set timeout 5 set timeout 2 minutes set file-umask 22 set lock-types none dotlock")[0]
    assert (settings["timeout"], settings["file-umask"], settings["lock-types"]) == (120, 0o22, ("dotlock",))
    assert (settings["maximum-size"], settings["queue-high"], settings["unmatched-mail"]) == (32 << 20, None, None)


def test_of_users_the_first_one_wins() -> None:
    settings = program('set default-user "a" set default-user "b" set command-user "c" set command-user "d"')[0]
    assert (settings["default-user"], settings["command-user"]) == (b"a", b"c")


def test_the_default_user_of_the_command_line_wins() -> None:
    made = compile_text("conf", 'set default-user "a"', Imagined(default_user=b"u")).program
    assert made is not None
    assert made[0]["default-user"] == b"u"


# Tags and ~ at parse time (fdm.conf(5); what user, home, uid and gid mean is fdm 2.2's).


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('action "%a%%x%[hostname]y" drop', b"%xhosty"),
        ('action "%u|%n|%h" drop', b"||/home/user"),
        ('set default-user "bob" action "%u|%n|%[gid]|%h" drop', b"bob|1001|1002|/home/bob"),
        ('set default-user "nosuch" action "%u|%h" drop', b"|/home/user"),
        ('action "%u" drop set default-user "bob"', None),
        ('set strip-characters "o" action "%[hostname]|%[:hostname]" drop', b"hst|host"),
        ('action "%1x%[nosuch]" drop', b"x"),
    ],
)
def test_tags_are_replaced_by_what_is_known_above_them(text: str, name: bytes | None) -> None:
    found = compiled(text)
    if name is None:
        assert found.refusal is not None
        assert found.refusal.fdm == "invalid action name"
    else:
        assert [action[0] for action in found.lowered.actions.values()] == [name]


def test_a_tilde_is_the_invoking_users_home_whoever_is_default_user() -> None:
    caches = program('set default-user "bob" cache "~/x" cache "%h/x" cache "~bob" cache "a~" cache " x"')[1]
    assert [path for path, _ in caches] == [b"/home/user/x", b"/home/bob/x", b"/home/bob", b"a~", b" x"]


def test_what_was_looked_at_is_written_down() -> None:
    facts = compiled('set default-user "bob" include "m" action "%u%[hostname]" drop', files={"m": b""}).facts
    assert facts.tags == {b"hostname": b"host"}
    assert facts.users == {b"bob": BOB}
    assert list(facts.files) == [b"m"]


def test_files_looked_for_in_vain_are_written_down() -> None:
    environment = Imagined(Holdings(files={"etc/m": b""}), path="etc/conf")
    compile_text("etc/conf", 'include "m"', environment)
    assert environment.facts.absent == {b"m"}
    assert list(environment.facts.files) == [b"etc/m"]


def test_a_file_that_others_can_read_is_worth_a_warning_at_every_start() -> None:
    environment = Imagined(Holdings(files={"m": b""}, modes={"m": 0o604}))
    found = compile_text("conf", 'include "m"', environment)
    assert found.standing == ("m: world readable or writable",)


def test_what_a_command_that_was_not_run_would_say_stays_unknown() -> None:
    (rule,) = program('$x = $(date)\nmatch $x and size > %(echo 3) action maildir "a" + $x\n')[4]
    (_, _, _, (pattern, _)), (_, _, _, (_, limit)) = rule[2]
    assert rule[5] is not None
    assert is_unknown(pattern)
    assert is_unknown(limit)
    assert is_unknown(rule[5][0][1][0])
    assert rule[5][0][1][0][0] == b'"a" + $x'


def test_commands_that_are_run_give_their_values() -> None:
    (rule,) = program("match $(printf x) action drop", outputs={"printf x": "x\n"})[4]
    assert rule[2][0][3][0][0] == b"x"


def test_the_dialect_holds_for_all_regexps() -> None:
    made = program('match "a" action drop set regexp-dialect posix')
    assert made[0]["regexp-dialect"] == "posix"
    assert made[4][0][2][0][3][0][4] == "posix"


# .netrc, as fdm 2.2 reads it.


@pytest.mark.parametrize(
    ("content", "user", "expected"),
    [
        (b"machine h login U password P", None, (b"U", b"P")),
        (b"machine h password P login U", None, (b"U", None)),
        (b"machine h login U", None, (b"U", None)),
        (b"machine h login r password P machine h login q password Z", b"q", (b"q", b"Z")),
        (b"machine h login r password P machine h login q password Z", None, (b"r", b"P")),
        (b"default login r password P\nmachine h login q password Z", None, (b"r", b"P")),
        (b"machine z login q password Z default login r password P", b"r", (b"r", b"P")),
        (b"machine H login U password P", None, (None, None)),
        (b'machine h account x login "U x" macdef y\n password P', None, (b"U x", b"P")),
        (b"machine h login U password P login V password Q", b"V", (b"V", b"Q")),
        (b"login U password P", None, (None, None)),
    ],
)
def test_a_login_is_found_in_netrc(content: bytes, user: bytes | None, expected: tuple[bytes | None, bytes]) -> None:
    assert look_up(content, b"h", user) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"machine", "error reading .netrc"),
        (b"machine h login U password", "error reading .netrc"),
        (
            b"machine h login q password P machine h login q password Z",
            "duplicate netrc entry with the same login (q) and machine",
        ),
    ],
)
def test_a_faulty_netrc_is_refused(content: bytes, words: str) -> None:
    with pytest.raises(NetrcError) as caught:
        look_up(content, b"h", None)
    assert str(caught.value) == words


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (b"machine z login U password P", 0o600, 'can\'t find user for "h" in .netrc'),
        (b"machine h login U", 0o600, 'can\'t find pass for "h" in .netrc'),
        (b"machine h", 0o604, "/home/user/.netrc: world readable or writable"),
        (b"machine h login", 0o600, "error reading .netrc"),
    ],
)
def test_a_login_that_is_not_there_refuses_the_account(content: bytes, mode: int, words: str) -> None:
    netrc = "/home/user/.netrc"
    found = compiled('account "a" pop3 server "h"', files={netrc: content}, modes={netrc: mode})
    assert found.refusal is not None
    assert found.refusal.fdm == words


def test_news_need_no_login() -> None:
    found = compiled('account "a" nntp server "h" group "g" cache "c"')
    assert found.program is not None
    assert found.warnings == ("/home/user/.netrc: No such file or directory",)


@pytest.mark.parametrize(
    ("text", "offset", "rest"),
    [
        ('"abc"', 1, "bc"),
        ("'a\\c'", 2, "c"),
        ('"a\\\\d("', 3, "("),
        ('"a%%b"', 2, "b"),
        ('"äb"', 2, "b"),
        ("\"ab\" + 'cd'", 3, "d"),
    ],
)
def test_an_offset_in_a_value_is_found_in_the_file(text: str, offset: int, rest: str) -> None:
    found = compiled(f"match {text} action drop")
    statement = found.config.statements[0]
    regexp = statement.conditions[0].phrase.args[0]  # type: ignore[union-attr]
    span = place_in(regexp.text, offset)
    assert span is not None
    assert span.text == rest


def test_where_tags_and_macros_move_things_no_place_is_claimed() -> None:
    found = compiled('$m = "x"\nmatch "a%db" and "${m}b" action drop')
    conditions = found.config.statements[1].conditions  # type: ignore[union-attr]
    assert [place_in(each.phrase.args[0].text, 1) for each in conditions] == [None, None]
