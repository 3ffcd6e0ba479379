"""L01 to L16: what loses or duplicates mail."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith
from tests.scripted import CLOSE, server
from tests.started import commands_write_first, has_ended, wait_for_lines
from tests.surprises.stage import MAIL, Stage

NO_IDENTITY = MAIL.replace(b"Message-ID: <1@example.org>\n", b"")


def test_l01_a_failed_command_is_no_success(stage: Stage, fdm19: str) -> None:
    conf = 'match all action pipe "exit 75"'
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status, stage.theirs(conf, fdm=fdm19).status) == (75, 1, 0)
    assert "stdin: exit 75: command returned 75\n" in ours.log


@pytest.mark.parametrize("wish", ["", "set unmatched-mail keep\n"])
def test_l02_a_message_that_no_rule_wants_stays_with_the_caller(wish: str, stage: Stage) -> None:
    conf = wish + 'match "no such text" action write "x"'
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status) == (75, 0)
    assert "the message stays with the caller: the rules keep it and nothing stored it" in ours.log
    assert stage.agree(conf).status == 0


@pytest.mark.parametrize(
    ("conf", "account", "words"),
    [
        ("match all action keep", 'account "stdin" stdin\n', ()),
        ("match all action drop", 'account "stdin" stdin keep\n', ()),
        ("match all action drop", 'account "stdin" stdin\n', ("-k",)),
    ],
)
def test_l03_keep_keeps_a_message_on_stdin(conf: str, account: str, words: tuple[str, ...], stage: Stage) -> None:
    ours, theirs = stage.both(conf, MAIL, *words, account=account)
    assert (ours.status, theirs.status) == (75, 0)
    assert ours.log == "stdin: the message stays with the caller: the rules keep it and nothing stored it\n"


def test_l03_keep_after_a_delivery_does_not_ask_for_the_message_again(stage: Stage) -> None:
    conf = 'match all action { maildir "in" keep }'
    assert stage.agree(conf, MAIL, "-k").status == 0
    assert stage.ours(conf, MAIL, "-k").status == 0


def test_l04_an_ignored_failure_is_no_success(stage: Stage) -> None:
    conf = 'set ignore-errors\nmatch all action pipe "exit 3"'
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status) == (75, 0)
    assert "fetching error. ignored\n" in ours.log


def test_l05_an_empty_key_is_not_in_a_cache(stage: Stage) -> None:
    conf = 'cache "c.cache"\nmatch in-cache "c.cache" key "%[message_id]" action drop\nmatch all action stdout'
    ours, theirs = stage.both(conf, NO_IDENTITY)
    assert (ours.status, ours.out.endswith(NO_IDENTITY)) == (0, True)
    assert ours.log == "stdin: empty key for the cache c.cache\n"
    assert (theirs.status, theirs.out) == (1, b"")
    assert "empty key" in theirs.log


def test_l05_an_empty_key_is_not_remembered(stage: Stage) -> None:
    conf = 'cache "c.cache"\nmatch all action { add-to-cache "c.cache" key "%[message_id]" stdout }'
    ours, theirs = stage.both(conf, NO_IDENTITY)
    assert (ours.status, ours.out.endswith(NO_IDENTITY), theirs.status) == (0, True, 1)
    ours = stage.ours(conf, b"", call=("-f", "conf", "cache", "list", "c.cache"), again=ours)
    assert ours.out == b"c.cache: 0 keys\n"


def test_l06_a_misspelt_action_stops_only_the_messages_that_reach_it(stage: Stage) -> None:
    conf = 'action "inbox" stdout\nmatch "^Subject: hello" action "imbox"\nmatch all action "inbox"'
    assert stage.agree(conf, MAIL.replace(b"hello", b"other")).status == 0
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status) == (75, 1)
    assert theirs.log.splitlines()[0] == "stdin: no actions matching: imbox (imbox)"
    assert ours.log.splitlines()[0] == theirs.log.splitlines()[0]


def test_l06_check_reports_a_misspelt_action(tmp_path: Path) -> None:
    conf = tmp_path / "conf"
    conf.write_text('account "stdin" stdin\naction "inbox" stdout\nmatch all action "imbox"\n')
    done = CliRunner().invoke(rulesmith, ["check", "--format", "short", str(conf)])
    assert done.exit_code == 1
    assert f'{conf}:3:18: error[unknown-action]: no action is named "imbox"' in done.output


def test_l07_one_bad_name_stops_all_actions_of_its_rule(stage: Stage) -> None:
    ours = stage.agree('action "inbox" write "in"\nmatch all action { "inbox" "nosuch" }')
    assert (ours.status, ours.read("in")) == (1, None)


def test_l08_an_oversized_message_is_refused_each_time_or_thrown_away(stage: Stage) -> None:
    conf = "set maximum-size 100\nmatch all action stdout"
    assert (stage.agree(conf).status, stage.ours(conf).status) == (1, 75)
    conf = "set delete-oversized\n" + conf
    assert (stage.agree(conf).status, stage.ours(conf).status) == (0, 0)


def test_l09_what_was_delivered_before_a_failure_is_not_delivered_again(stage: Stage) -> None:
    conf = 'match all action { maildir "a" pipe "false" }'
    first = stage.agree(conf)
    again = stage.ours(conf, again=first)
    assert (first.status, again.status, len(again.mails("a"))) == (1, 75, 1)
    again = stage.ours(conf.replace("false", "true"), again=first)
    assert (again.status, len(again.mails("a"))) == (0, 1)
    first = stage.theirs(conf)
    assert len(stage.theirs(conf, again=first).mails("a")) == 2


def test_l10_a_lock_file_left_behind_holds_nothing(stage: Stage) -> None:
    call = ("-f", "conf", "-q", "fetch")
    ours, theirs = stage.both('set lock-file "l"\nmatch all action stdout', call=call, files={"l": b""})
    assert (ours.status, ours.log, ours.out.endswith(MAIL)) == (0, "", True)
    assert (theirs.status, theirs.log) == (1, "already running (l exists)\n")


def test_l11_two_at_a_time_need_leave(stage: Stage) -> None:
    call = ("-f", "conf", "-q", "fetch")
    conf = 'set lock-file "l"\nmatch all action stdout'
    # Theirs is a file that is there, ours one that is locked.
    before = stage.ours(conf, call=call)
    with (before.folder / "l").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ours, theirs = stage.ours(conf, call=call, again=before), stage.theirs(conf, call=call, files={"l": b""})
        assert (ours.status, theirs.status) == (75, 1)
        assert ours.log == theirs.log == "already running (l exists)\n"
        conf = "set allow-multiple\n" + conf
        for run in (stage.ours(conf, call=call, again=before), stage.theirs(conf, call=call, again=theirs)):
            assert (run.status, run.out.endswith(MAIL)) == (0, True)


def test_l12_two_accounts_on_stdin_are_an_error_unless_one_is_selected(stage: Stage) -> None:
    conf = 'account "other" stdin\nmatch all action { maildir "a" stdout }'
    ours, theirs = stage.both(conf)
    assert (ours.status, ours.out, ours.read("a")) == (75, b"", None)
    assert ours.log == "several accounts read standard input, which holds one message: select one with -a\n"
    # fdm delivers it and says that it failed.
    assert (theirs.status, len(theirs.mails("a"))) == (1, 1)
    ours, theirs = stage.both(conf, MAIL, "-a", "other")
    assert (ours.status, theirs.status) == (0, 0)


def test_l13_a_command_that_is_out_of_time_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    commands_write_first(monkeypatch, Path("pid"), 1)
    conf = "match all action pipe \"trap '' TERM; echo $$ >pid; exec sleep 60\""
    ours = stage.ours("set timeout 1\n" + conf)
    # The shell may be asked to end, and until then must have said that it does not hear.
    theirs = stage.theirs("set timeout 4\n" + conf)
    assert (ours.status, theirs.status) == (75, 1)
    assert "killed after 1 seconds" in ours.log
    with pytest.raises(ProcessLookupError):
        os.kill(int(ours.read("pid") or b""), 0)
    [pid] = wait_for_lines(theirs.folder / "pid", 1)
    assert not has_ended(int(pid))
    os.kill(int(pid), 9)


def test_l14_a_server_that_took_the_message_has_it_whatever_it_says_to_quit(stage: Stage) -> None:
    replies = [b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n", b"250 x\r\n", CLOSE]
    statuses = []
    for run in (stage.ours, stage.theirs):
        with server(replies) as heard:
            conf = f'match all action smtp server "127.0.0.1" port {heard.port} to "me@example.org"'
            statuses.append(run(conf).status)
        assert b"body text" in heard[4]
    assert statuses == [0, 1]


def test_l15_a_file_that_is_no_cache_is_not_overwritten(stage: Stage) -> None:
    conf = 'cache "rc"\nmatch in-cache "rc" key "x" action drop\nmatch all action stdout'
    ours, theirs = stage.both(conf, files={"rc": b"export PATH\n"})
    assert (ours.status, ours.out, ours.read("rc")) == (75, b"", b"export PATH\n")
    assert "rc" in ours.log
    assert theirs.read("rc") != b"export PATH\n"


def test_l16_there_may_be_any_number_of_tags(stage: Stage) -> None:
    tags = " ".join(f'tag "t{number}" value "{number}"' for number in range(200))
    conf = f'match all action {{ {tags} }} continue\nmatch tagged "t199" action write "%[t0]-%[t199]"'
    ours, theirs = stage.both(conf)
    assert (ours.status, ours.read("0-199") is not None) == (0, True)
    assert theirs.read("0-199") is None
