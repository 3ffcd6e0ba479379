"""L20 to L30: what a stranger's mail, or a stranger's configuration, can make fdm do."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith
from tests import system
from tests.surprises.stage import ACCOUNT, MAIL, Stage

FOLDED = MAIL.replace(b"Subject: hello\n", b"Subject: x\n touch pwned\n")
SUBJECT = 'match "^Subject: (.*)$" in headers action tag "s" value "%1" continue\n'
# Line ends and NUL in a submatch, in a tag made of it, and (LF apart) in a line that a command printed.
BREAKS = b"A: 1\n\n=x\r\n\0touch pwned=\n<x\r\0touch pwned>\n"
CAPTURED = (
    'match "=((?s).*)=$" action tag "s" value "%1" continue\nmatch pipe "cat" returns (, "<(.*)>") and "=((?s).*)=$" '
)
# Every way in which a value of the mail gets into a string.
SPELLINGS = ["%1", "%:1", "%[s]", "%[:s]", "%[command1]", "%[:command1]"]


@pytest.mark.parametrize("strip", ["", 'set strip-characters ""\n'])
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("word", ["exec", "pipe", "rewrite"])
def test_l20_no_line_end_or_nul_of_the_mail_gets_into_a_command(
    word: str, spelling: str, strip: str, stage: Stage
) -> None:
    ours = stage.ours(strip + CAPTURED + f'action {{ {word} "echo {spelling} >said; cat" stdout }}', BREAKS)
    assert (ours.status, ours.read("said"), ours.read("pwned")) == (0, b"xtouch pwned\n", None), ours.log


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("word", ["exec", "pipe"])
def test_l20_nor_into_the_command_of_a_condition(word: str, spelling: str, stage: Stage) -> None:
    ours = stage.ours(CAPTURED + f'and {word} "echo {spelling} >said" returns (0, ) action stdout', BREAKS)
    assert (ours.status, ours.read("said"), ours.read("pwned")) == (0, b"xtouch pwned\n", None), ours.log


def test_l20_a_folded_subject_runs_nothing(stage: Stage) -> None:
    ours, theirs = stage.both(SUBJECT + 'match all action exec "echo %[s] >out"', FOLDED)
    assert (ours.read("pwned"), ours.read("out")) == (None, b"x touch pwned\n")
    # fdm leaves the line end of the fold in its submatches, but not in tags made from a condition's view of them.
    ours, theirs = stage.both('match "^Subject: (.*)$" in headers action exec "echo %1 >out"', FOLDED)
    assert (ours.read("pwned"), theirs.read("pwned")) == (None, b"")


def test_l21_outside_single_quotes_a_value_is_shell_text(stage: Stage) -> None:
    ours = stage.agree(SUBJECT + 'match all action exec "echo %[s] >out"', MAIL.replace(b"hello", b"-n x # it's"))
    assert ours.read("out") is None
    ours = stage.agree(SUBJECT + "match all action exec \"echo '%[s]' >out\"", MAIL.replace(b"hello", b"-n x # it's"))
    assert ours.read("out") == b"-n x # its\n"


def test_l22_without_strip_characters_a_mail_runs_commands(stage: Stage) -> None:
    conf = 'set strip-characters ""\n' + SUBJECT + 'match all action exec "echo %[s]"'
    assert stage.agree(conf, MAIL.replace(b"hello", b"$(touch pwned)")).read("pwned") == b""


@pytest.mark.parametrize(("free", "kept"), [("%:1", True), ("%[:s]", True), ("%[:nosuch]", True), ("%[s]", False)])
def test_l23_a_colon_frees_the_rest_of_the_string(free: str, kept: bool, stage: Stage) -> None:
    conf = f"match \"^Subject: (.*)\" in headers action {{ tag 's' value '' add-header 'X' value '{free}+%1' stdout }}"
    ours = stage.agree(conf, MAIL.replace(b"hello", b"{h}"))
    assert (b"{h}\n\nbody" in ours.out) is kept


def test_l24_a_path_made_from_the_mail_may_lead_anywhere(stage: Stage) -> None:
    ours = stage.agree(SUBJECT + 'match all action maildir "a/b/%[s]"', MAIL.replace(b"hello", b"../../out"))
    assert len(ours.mails("out")) == 1


def test_l25_root_must_name_a_user(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    system.replace(monkeypatch, "getuid", lambda: 0)
    stage.user = None
    refusal = "root must say who delivers: add `set default-user` to the configuration, or use -u\n"
    ours = stage.ours("match all action stdout")
    assert (ours.status, ours.out, ours.log) == (75, b"", refusal)
    ours = stage.ours('set default-user "root"\nmatch all action stdout')
    assert (ours.status, ours.log) == (0, "")


def test_l26_commands_get_no_descriptors_of_ours(stage: Stage) -> None:
    ours, theirs = stage.both('match all action pipe "exec >fds; ls /proc/$$/fd; true"')
    assert (ours.read("fds") or b"").split() == [b"0", b"1", b"2"]
    assert len((theirs.read("fds") or b"").split()) > 3


def test_l27_reading_a_configuration_runs_its_commands(stage: Stage) -> None:
    conf = "$x = $(touch ran)\nmatch all action stdout"
    assert stage.agree(conf, b"", call=("-n", "-f", "conf")).read("ran") == b""


def test_l27_check_does_not(tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(f"{ACCOUNT}$x = $(touch {tmp_path}/ran)\nmatch all action stdout\n")
    assert CliRunner().invoke(rulesmith, ["check", str(tmp_path / "conf")]).exit_code == 0
    assert not (tmp_path / "ran").exists()


def test_l28_a_configuration_that_everybody_can_read_is_used_with_a_warning(stage: Stage) -> None:
    ours = stage.agree("match all action stdout", mode=0o644)
    assert ours.log == "conf: world readable or writable\n"
    assert ours.out.endswith(MAIL)


def test_l29_a_percent_in_the_path_of_a_configuration_is_a_percent(stage: Stage) -> None:
    ours, theirs = stage.both("", files={"100%done": b"match\nmatch"}, call=("-n", "-f", "100%done"))
    assert (ours.status, theirs.status) == (1, 1)
    assert ours.log.startswith("100%done: syntax error at line 2\n")
    assert not theirs.log.startswith("100%done")


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_l30_no_line_end_or_nul_of_the_mail_gets_into_a_header(spelling: str, stage: Stage) -> None:
    ours = stage.ours(CAPTURED + f'action {{ add-header "X-{spelling}" value "{spelling}" stdout }}', BREAKS)
    assert (ours.status, ours.out.split(b"\n\n")[0].splitlines()[-1]) == (0, b"X-xtouch pwned: xtouch pwned"), ours.log


def test_l30_a_folded_subject_adds_no_headers(stage: Stage) -> None:
    mail = MAIL.replace(b"Subject: hello\n", b"Subject: x\n To: all@example.org\n")
    conf = 'match "^Subject: (.*)$" in headers action { add-header "X" value "%1" stdout }'
    ours, theirs = stage.both(conf, mail)
    assert b"\nX: x  To: all@example.org\n\nbody" in ours.out
    assert b"\nX: x\n To: all@example.org\n\nbody" in theirs.out
