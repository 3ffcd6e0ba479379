"""Text → words: the bytes, strings, numbers, macros, commands, includes and ifdefs of the dialect."""

from __future__ import annotations

import pytest

from rulesmith.source import Source
from rulesmith.syntax.include import decode
from rulesmith.syntax.lexer import Reading, read
from rulesmith.syntax.macros import MacroError, command_line_macro
from rulesmith.syntax.world import CommandError, MemoryWorld


def reading(text: str | bytes, **world: object) -> Reading:
    made = text if isinstance(text, str) else decode(text)
    return read(Source("conf", made), MemoryWorld(**world))  # type: ignore[arg-type]


def types(text: str | bytes, **world: object) -> list[str]:
    return [word.type for word in reading(text, **world).words[:-1]]


def complaints(text: str | bytes, **world: object) -> list[str | None]:
    return [finding.fdm for finding in reading(text, **world).findings]


def macro(text: str | bytes, name: str = "$x", **world: object) -> object:
    """The value of a macro at the end of a text."""
    made = reading(text if isinstance(text, str) else decode(text), **world)
    assert not made.findings
    sigil, rest = name[0], name[1:]
    source = made.words[-1].source.text + f"\n{sigil}use = {sigil}{{{rest}}}"
    return reading(source, **world).words[-2].value


# Words


def test_words_may_stand_anywhere_between_blanks_and_comments() -> None:
    assert types("match\tall\n#c\naction drop#c\n# end") == ["MATCH", "ALL", "ACTION", "DROP"]


@pytest.mark.parametrize("spelled", ["K", "k", "KB", "kb", "kilobyte", "kilobytes"])
def test_the_spellings_of_a_unit_are_one_word(spelled: str) -> None:
    assert types(f"10{spelled}") == ["NUMBER", "KILOBYTES"]


def test_letter_case_counts() -> None:
    assert types("Match MATCH match") == ["UNKNOWN", "UNKNOWN", "MATCH"]


def test_a_minus_begins_a_word() -> None:
    assert [word.value for word in reading("-5").words][:1] == ["-5"]


def test_two_signs_are_one_symbol_where_they_can_be() -> None:
    assert types("= == != ! < > + ( ) , { } ~ *") == (
        "EQUALS EQ NE BANG LT GT PLUS LPAR RPAR COMMA LBRACE RBRACE TILDE STAR".split()
    )


def test_a_word_ends_with_what_hangs_on_it_but_fdm_names_only_the_word() -> None:
    (word, _) = reading("bob@example.org").words
    assert (word.type, word.written, word.value) == ("UNKNOWN", "bob@example.org", "bob")


# Strings and numbers


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"a\tb\nc\rd"', "a\tb\nc\rd"),
        (r'"\\ \" \$ \. \0 \x"', '\\ " $ . 0 x'),
        ('"a\\\nb"', "a\nb"),
        ('"$x %x $$ %% $"', "$x %x $$ %% $"),
        ("'a\\tb\"${x}'", 'a\\tb"${x}'),
        ('"a # b"', "a # b"),
        ('"a\nb"', "a\nb"),
        ('"a\0b"', "a"),
        ("'a\0b'", "a"),
        ('"\udce9"', "\udce9"),
        ('"[${none}]"', "[]"),
    ],
)
def test_strings_have_the_value_that_fdm_gives_them(written: str, value: str) -> None:
    assert reading(written).words[0].value == value


@pytest.mark.parametrize(("written", "value"), [("0", 0), ("0100", 100), (str(2**63 - 1), 2**63 - 1), ("0" * 30, 0)])
def test_numbers_are_decimal(written: str, value: int) -> None:
    assert reading(written).words[0].value == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0" * 31, "number too long"),
        (str(2**63), "number is too large"),
        ('"abc', 'missing "'),
        ("'abc", "missing '"),
        ('"a$', 'missing "'),
        ('"a\\', 'missing "'),
        ('"${a', "missing }"),
        ('"${a b}"', "missing }"),
        ('"${}"', "invalid macro name"),
        ("$-a", "invalid macro name"),
        ("$", "invalid macro name"),
        ("$ {a}", "invalid macro name"),
        ("$" + "a" * 62, "macro name too long"),
        ("a" * 127, "token too long"),
        ("$(a", "missing )"),
        ('$(a "b', 'missing "'),
        ("$(a 'b", "missing '"),
        ("@", "unexpected character: @"),
        ("\r\n\r\n", "unexpected character: \r"),
        (b"\xef\xbb\xbf", "unexpected character: \udcef"),
        (b"\xe9", "unexpected character: \udce9"),
        ("\0", "unexpected character: \0"),
    ],
)
def test_what_fdm_cannot_read_is_told_in_its_words(text: str | bytes, message: str) -> None:
    assert complaints(text)[:1] == [message]


def test_carriage_returns_are_told_once_a_file() -> None:
    assert complaints("match\r\nall\r\naction\r\ndrop\r\n") == ["unexpected character: \r"]


# Macros


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('$x = "a"', "a"),
        ("${x} = 'a'", "a"),
        ('$x = "a" + \'b\' # c\n + "c"', "abc"),
        ('$a = "1" $x = $a + "${a}"', "11"),
        ('$x = "1" $x = "${x}2"', "12"),
        ('%a = 5 $x = "%{a}"', "5"),
        ('$x = "${x}"', ""),
        ('match = $x = "a"', "a"),
    ],
)
def test_macros_are_known_from_their_definition_on(text: str, value: str) -> None:
    assert macro(text) == value


def test_number_macros_have_a_name_space_of_their_own() -> None:
    text = '%n = 4\n$n = "s"\n$x = "${n}%{n}"'
    assert macro(text) == "s4"


def test_the_command_line_wins_over_every_definition() -> None:
    assert macro('$x = "file"', macros={"$x": "given"}) == "given"


def test_a_macro_that_nobody_defined_is_no_macro() -> None:
    assert types("$nope %nope") == ["UNDEFINED_STRMACRO", "UNDEFINED_NUMMACRO"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("$a=b=c", ("$a", "b=c")),
        ("$a", ("$a", "")),
        ("%a", ("%a", 0)),
        ("%a= 5", ("%a", 5)),
        ("$a=", ("$a", "")),
    ],
)
def test_macros_of_the_command_line(given: str, expected: tuple[str, str | int]) -> None:
    assert command_line_macro(given) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("a=b", "invalid macro: a"),
        ("", "invalid macro: "),
        ("%a=x", "number is invalid: x"),
        ("%a=", "number is invalid: "),
        ("%a=-1", "number is too small: -1"),
        (f"%a={2**63}", f"number is too large: {2**63}"),
        ("$" + "a" * 64, "macro name too long: $" + "a" * 64),
    ],
)
def test_faulty_macros_of_the_command_line_are_told_in_fdms_words(given: str, message: str) -> None:
    with pytest.raises(MacroError) as caught:
        command_line_macro(given)
    assert str(caught.value) == message


# Shell commands


def test_commands_see_strings_expanded_and_all_else_as_it_is() -> None:
    seen: list[str] = []

    def run(command: str) -> str:
        seen.append(command)
        return ""

    reading('$S = "t"\n$a = $(echo "${S}\\t$S" \'${S}\' ${S}x (a ")" b) \\)', commands=run)
    assert seen == ['echo "t\t$S" \'${S}\' ${S}x (a ")" b) \\']


@pytest.mark.parametrize(
    ("output", "value"),
    [("a\n\n", "a"), ("x\ny\n", "x\ny"), ("x\r\n", "x"), ("a\0b\nc", "a\nc"), ("", ""), ("\n\na", "\n\na")],
)
def test_the_value_of_a_command_is_its_output_without_the_last_line_feeds(output: str, value: str) -> None:
    assert reading("$(c)", commands=lambda _: output).words[0].value == value


@pytest.mark.parametrize(
    ("output", "value", "complaint"),
    [
        (" 12\n", 12, None),
        ("+5", 5, None),
        ("-0", 0, None),
        ("-1", None, "number is too small"),
        ("5 ", None, "number is invalid"),
        ("", None, "number is invalid"),
        ("9" * 19, None, "number is too large"),
        ("0" * 5000 + "7", 7, None),
        ("9" * 5000, None, "number is too large"),
    ],
)
def test_the_output_of_a_number_command_is_one_number(output: str, value: int | None, complaint: str | None) -> None:
    made = reading("%(c)", commands=lambda _: output)
    assert [finding.fdm for finding in made.findings] == ([complaint] if complaint else [])
    assert made.words[-2].value == value


def test_a_command_that_was_not_run_makes_all_that_depends_on_it_unknown() -> None:
    assert macro('$a = $(c) $b = "x${a}" $x = "y" + $b') is None


def test_a_failing_command_is_told_in_its_own_words() -> None:
    def run(command: str) -> str:
        raise CommandError(f"{command}: command returned 2")

    assert complaints("$(false)", commands=run) == ["false: command returned 2"]


def test_no_command_is_an_error_but_a_blank_is_one() -> None:
    assert complaints("$()", commands=lambda _: "") == ["empty command"]
    assert complaints("$( )", commands=lambda _: "") == []


# ifdef


IFDEFS = [
    ('$a = "1"\nifdef $a\nmatch\nendif', ["MATCH"]),  # L33: fdm does not know $a yet
    ("%a = 1 ifdef %a match endif", ["MATCH"]),
    ("ifdef $u match endif set", ["SET"]),
    ("ifndef $u match endif set", ["MATCH", "SET"]),
    ("ifndef $u ifdef $u match endif set endif cache", ["SET", "CACHE"]),  # L34: fdm skips `set` as well
    ("ifdef $u ifndef $u match endif set endif cache", ["CACHE"]),
    ('ifdef $u include "nope" endif set', ["SET"]),  # L35: fdm includes after the block
    ("ifdef $u $( ) %zork ) = endif set", ["SET"]),
    ("ifdef ${u}\nendif", []),
]


@pytest.mark.parametrize(("text", "expected"), IFDEFS)
def test_each_endif_closes_its_own_block(text: str, expected: list[str]) -> None:
    made = reading(text)
    marks = {"IFDEF", "ENDIF", "STRMACRO", "NUMMACRO", "EQUALS", "STR", "NUMBER", "$END"}
    assert not made.findings
    assert [word.type for word in made.words if word.type not in marks] == expected


def test_a_macro_of_the_command_line_is_defined() -> None:
    assert "MATCH" in types("ifdef $a match endif", macros={"$a": ""})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("endif", "spurious endif"),
        ("ifdef $a", "missing endif"),
        ("ifdef foo endif", "syntax error"),
        ("ifdef $-a endif", "invalid macro name"),
        ("ifdef $a zork endif", "unknown token: zork"),
        ('ifdef $a "x endif', 'missing "'),
        ("ifdef $a @ endif", "unexpected character: @"),
    ],
)
def test_faults_of_ifdef_and_in_what_it_skips(text: str, message: str) -> None:
    assert complaints(text)[0] == message


def test_commands_in_skipped_parts_are_not_run() -> None:
    def run(_: str) -> str:
        raise AssertionError("ran")

    assert complaints("ifdef $u $a = $(touch x) endif", commands=run) == []


# include


def test_an_included_file_is_spliced_in() -> None:
    made = reading('$x = "1" include "inc" + "3" set', files={"inc": b'$y = "2"'})
    assert [word.value for word in made.words if word.type == "STR"] == ["1", "2", "3"]
    assert [source.name for source in made.sources] == ["conf", "inc"]
    assert made.sources[1].included_at is not None
    assert made.sources[1].included_at.text == 'include "inc"'


def test_the_path_may_have_macros_and_the_second_name_is_tried() -> None:
    made = reading('$d = "dir" include "${d}/inc"', files={"./dir/inc": b"set"})
    assert [word.type for word in made.words].count("SET") == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('include "nope"', "./nope: No such file or directory"),
        ('include ""', "invalid include file"),
        ("include nope", "syntax error"),
        ("include $f", "syntax error"),
        ("include # c\n 'x'", "syntax error"),
    ],
)
def test_faults_of_include(text: str, message: str) -> None:
    assert complaints(text)[0] == message


def test_blocks_may_span_files() -> None:
    made = reading('include "a" match endif set', files={"a": b"ifdef $u"})
    assert [word.type for word in made.words] == ["INCLUDE", "IFDEF", "ENDIF", "SET", "$END"]
    assert not made.findings
