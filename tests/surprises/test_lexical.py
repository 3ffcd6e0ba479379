"""L31 to L44: lexical and macro traps."""

from __future__ import annotations

import pytest

from tests.surprises.stage import ACCOUNT, MAIL, Stage, days_ago

CHECK = ("-n", "-f", "conf")


def test_l31_an_undefined_macro_in_a_string_is_empty(stage: Stage) -> None:
    assert stage.agree('match all action write "${hoem}out"').read("out")
    # Outside of a string it is an error.
    for run in stage.both("match all action write $hoem", call=CHECK):
        assert (run.status, run.log.splitlines()[0]) == (1, "conf: undefined macro: $hoem at line 2")


def test_l32_a_shell_variable_in_double_quotes_must_be_escaped(stage: Stage) -> None:
    ours = stage.agree(
        r"""match all action { exec "echo ${V}. >a" exec "echo $V. >b" exec "echo \${V}. >c" exec 'echo ${V}. >d' }""",
        env={"V": "v"},
    )
    assert [ours.read(name) for name in "abcd"] == [b".\n", b"v.\n", b"v.\n", b"v.\n"]


def test_l33_a_macro_is_known_on_the_line_after_its_definition(stage: Stage) -> None:
    ours, theirs = stage.both('$a = "1"\nifdef $a\nmatch all action write "in"\nendif\nmatch all action write "out"')
    assert (ours.read("in") is None, theirs.read("in") is None) == (False, True)


def test_l34_a_false_ifdef_skips_only_to_its_own_endif(stage: Stage) -> None:
    ours, theirs = stage.both(
        '%yes = 1\nifdef %yes\nifdef %no\nmatch all action write "no"\nendif\nmatch all action write "in"\nendif\n'
        'match all action write "out"'
    )
    assert [ours.read(name) is not None for name in ("no", "in", "out")] == [False, True, False]
    assert [theirs.read(name) is not None for name in ("no", "in", "out")] == [False, False, True]


def test_l35_an_include_in_a_skipped_block_is_skipped(stage: Stage) -> None:
    ours, theirs = stage.both('ifdef %no\ninclude "nosuch"\nendif\nmatch all action stdout', call=CHECK)
    assert (ours.status, ours.log) == (0, "")
    assert (theirs.status, theirs.log) == (1, "conf: syntax error at line 4\n")


def test_l36_an_include_is_looked_for_in_the_working_directory_and_beside_the_main_file(stage: Stage) -> None:
    files = {
        "etc/fdm": (ACCOUNT + 'include "inc/one"').encode(),
        "etc/inc/one": b'include "two"',
        "etc/inc/two": b'match all action write "beside the including file"',
        "etc/two": b'match all action write "beside the main file"',
    }
    call = ("-m", "-q", "-f", "etc/fdm", "fetch")
    assert stage.agree("", call=call, files=files).read("beside the main file")
    files["two"] = b'match all action write "here"'
    assert stage.agree("", call=call, files=files).read("here")


@pytest.mark.parametrize(
    ("conf", "character", "advice"),
    [
        (b"match all action stdout\r\n", "\r", "Unix line ends"),
        (b"\xef\xbb\xbfmatch all action stdout\n", "\udcef", "byte order mark"),
    ],
)
def test_l37_line_ends_of_windows_and_a_byte_order_mark_are_errors(
    conf: bytes, character: str, advice: str, stage: Stage
) -> None:
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status) == (75, 1)
    assert theirs.log == f"conf: unexpected character: {character} at line 1\n"
    assert ours.log.startswith(theirs.log)
    assert advice in ours.log


def test_l38_a_backslash_in_double_quotes_must_be_doubled(stage: Stage) -> None:
    mail = MAIL.replace(b"example.org>\nTo", b"exampleXorg>\nTo")
    conf = r'''match "^From:.*example\.org" action write "double" continue
        match "^From:.*example\\.org" action write "doubled" continue
        match '^From:.*example\.org' action write "single"'''
    ours = stage.agree(conf, mail)
    assert [ours.read(name) is not None for name in ("double", "doubled", "single")] == [True, False, False]


def test_l39_a_comment_inside_a_string_is_text(stage: Stage) -> None:
    ours = stage.agree('match string "a\n# b" to "# b" action write "in" # "\n')
    assert ours.read("in")


@pytest.mark.parametrize(
    ("conf", "line", "fdms"),
    [
        ('$a = "1\n2\n3"\nmatch @', 4, 2),
        ('account "a" stdin\naccount "a" stdin\n\nmatch all action stdout', 2, 4),
        ("$a = $(echo \\\nx)\nmatch @", 3, 2),
    ],
)
def test_l40_an_error_names_its_own_line(conf: str, line: int, fdms: int, stage: Stage) -> None:
    ours, theirs = stage.both(conf, account="", call=CHECK)
    assert ours.log.splitlines()[0].endswith(f" at line {line}")
    assert theirs.log.endswith(f" at line {fdms}\n")
    assert ours.log.splitlines()[0].rpartition(" ")[0] == theirs.log.rpartition(" ")[0]


@pytest.mark.parametrize(("unit", "days"), [("month", 28), ("year", 336), ("week", 7), ("day", 1)])
def test_l41_a_month_has_28_days_and_a_year_336(unit: str, days: int, stage: Stage) -> None:
    for age, older in ((days + 0.1, True), (days - 0.1, False)):
        ours = stage.agree(f'match age > 1 {unit} action drop\nmatch all action write "young"', days_ago(age))
        assert (ours.read("young") is None) is older


def test_l42_m_is_megabytes_and_no_time(stage: Stage) -> None:
    ours, theirs = stage.both("match age > 5m action drop", call=CHECK)
    assert (ours.status, theirs.status) == (1, 1)
    assert ours.log.startswith(theirs.log)
    assert "minutes" in ours.log
    assert stage.agree('match size < 1m and not size > 0m action drop\nmatch size < 1m action write "in"').read("in")


def test_l43_a_umask_is_written_in_octal_without_a_sign_of_it(stage: Stage) -> None:
    ours = stage.agree('set file-umask 22\nmatch all action write "in"')
    assert (ours.folder / "in").stat().st_mode & 0o777 == 0o644
    for number in ("8", "0x22", "1234"):
        ours, theirs = stage.both(f"set file-umask {number}\nmatch all action stdout", call=CHECK)
        assert (ours.status, theirs.status) == (1, 1)
        assert ours.log.splitlines()[0].partition(" at line")[0] == theirs.log.partition(" at line")[0]


def test_l44_of_some_options_the_first_wins_and_of_others_the_last(stage: Stage) -> None:
    conf = """set default-user "nobody"
        set default-user "daemon"
        set strip-characters "123"
        set strip-characters "456"
        match "^Subject: (.*)" in headers action write "%u %1 ${m}"
        """
    words = ("-D", "$m=one", "-D", "$m=two", "-f", "nosuch")
    mail = MAIL.replace(b"hello", b"123456")
    assert stage.agree(conf, mail, *words).read("nobody 123 one")
    assert stage.agree(conf, mail, *words, "-u", "daemon", "-u", "nobody").read("daemon 123 one")
