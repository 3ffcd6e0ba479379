"""L78 to L99: actions and flow."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith
from tests.scripted import server
from tests.surprises.stage import ACCOUNT, MAIL, Stage

CHECK = ("-n", "-f", "conf")
FOLDED = MAIL.replace(b"hello", b"one\n\ttwo")


def found_by_check(tmp_path: Path, conf: str) -> str:
    """What `rulesmith check` says, findings without their places."""
    (tmp_path / "conf").write_text(ACCOUNT + conf)
    done = CliRunner().invoke(rulesmith, ["check", "--format", "short", str(tmp_path / "conf")])
    return done.output


def test_l78_drop_ends_nothing(stage: Stage) -> None:
    conf = 'match all action { drop write "in" } continue\nmatch all action write "later"'
    ours = stage.agree(conf)
    assert (ours.read("in") is None, ours.read("later") is None) == (False, False)


def test_l79_the_end_of_the_rules_overrides_what_they_decided(stage: Stage) -> None:
    call = ("-v", "-m", "-f", "conf", "fetch")
    for run in stage.both("set unmatched-mail drop\nmatch all action keep continue", call=call):
        assert (run.status, "stdin: deleting message 1\n" in run.log) == (0, True)
    # Here nobody disposed of it.
    ours, theirs = stage.both("set unmatched-mail keep\nmatch all action drop continue", call=call)
    assert (ours.status, "stdin: keeping message 1\n" in ours.log) == (75, True)
    assert (theirs.status, "stdin: keeping message 1\n" in theirs.log) == (0, True)


@pytest.mark.parametrize(
    ("items", "works"),
    [
        ('action "outer"', True),
        ('action { action "in" action "in" action "in" action "in" }', True),
        ('action { action "in" action "in" action "in" action "in" action "in" }', False),
        ('action "three"', True),
        ('action "four"', False),
        ('action { action { "in" "in" "in" "in" "in" "in" } }', True),
    ],
)
def test_l80_chained_actions_are_counted(items: str, works: bool, stage: Stage) -> None:
    conf = f"""action "in" append "in"
        action "outer" action "in"
        action "three" {{ action "in" action "in" action "in" }}
        action "four" {{ action "in" action "in" action "in" action "in" }}
        match all {items}"""
    ours = stage.agree(conf)
    assert (ours.status, ours.read("in") is not None) == ((0, True) if works else (1, False))


def test_l81_users_of_a_rule_multiply_through_nested_actions(stage: Stage) -> None:
    conf = """action "in" exec "echo in %u >>log"
        action "out" user "root" { exec "echo out %u >>log" action "in" }
        match all users { "nobody" "daemon" } action "out" """
    said = b"out nobody\nin nobody\nin daemon\nout daemon\nin nobody\nin daemon\n"
    # Only the user that we are can run a command for root; here nobody becomes anybody else.
    assert stage.agree(conf).read("log") == said


def test_l82_an_unknown_default_user_stops_each_message(stage: Stage, tmp_path: Path) -> None:
    conf = 'set default-user "nosuchuser"\nmatch all action stdout'
    ours, theirs = stage.both(conf)
    assert (ours.status, theirs.status) == (75, 1)
    assert ours.log.splitlines()[:2] == theirs.log.splitlines()
    assert ours.log.startswith("stdin: bad user: nosuchuser\n")
    assert 'there is no user "nosuchuser"' in found_by_check(tmp_path, conf)


@pytest.mark.parametrize("word", ["write", "append"])
def test_l83_a_device_needs_no_syncing(word: str, stage: Stage) -> None:
    ours, theirs = stage.both(f'match all action {word} "/dev/null"')
    assert (ours.status, ours.log) == (0, "")
    assert (theirs.status, theirs.log.splitlines()[0]) == (1, "stdin: /dev/null: fsync: Invalid argument")


def test_l84_write_keeps_the_last_message_only(stage: Stage) -> None:
    first = stage.agree('match all action { write "w" append "a" }')
    second = stage.ours('match all action { write "w" append "a" }', again=first)
    written, appended = second.read("w") or b"", second.read("a") or b""
    assert (written.count(MAIL), appended.count(MAIL)) == (1, 2)


def test_l85_the_home_of_an_unknown_user_is_an_error(stage: Stage) -> None:
    ours, theirs = stage.both('match all action write "~nosuchuser/Mail/x"')
    assert (ours.status, theirs.status) == (75, 0)
    assert (ours.read("~nosuchuser"), theirs.read("~nosuchuser") is None) == (None, False)
    assert "nosuchuser" in ours.log
    # And where only the message tells.
    ours = stage.ours('match "^Subject: (.*)" action write "~%1/x"', MAIL.replace(b"hello", b"nosuchuser"))
    assert (ours.status, ours.log.splitlines()[0]) == (75, "stdin: ~nosuchuser/x: there is no user nosuchuser")


def test_l86_a_relative_path_starts_in_the_working_directory(stage: Stage) -> None:
    conf = (ACCOUNT + 'match all action write "in"').encode()
    ours = stage.agree(
        "", start="home", files={"conf": conf}, call=("-m", "-q", "-f", "../conf", "fetch"), account=ACCOUNT
    )
    assert ours.read("home/in")


def test_l87_removing_headers_folds_no_others_anew(stage: Stage) -> None:
    conf = 'match all action { remove-headers { "X-*" "To" } add-header "A" value "b" stdout }'
    ours, theirs = stage.both(conf, FOLDED)
    assert b"Subject: one\n\ttwo\n" in ours.out
    assert b"Subject: one \ttwo\n" in theirs.out
    # One pattern at a time does no harm in fdm either.
    assert b"Subject: one\n\ttwo\n" in stage.agree('match all action { remove-header "To" stdout }', FOLDED).out


def test_l88_no_line_of_a_mail_poses_as_a_separator(stage: Stage) -> None:
    conf = 'set no-received\nmatch all action mbox "box"'
    ours, theirs = stage.both(conf, b"From x\nblah\n")
    assert b"\n>From x\nblah\n\n\n" in (ours.read("box") or b"")
    assert b"\nFrom x\nblah\n\n\n" in (theirs.read("box") or b"")
    # Two empty lines between mails, as ever.
    ours = stage.agree(conf, MAIL + b"From here\n>From there\n")
    assert (ours.read("box") or b"").endswith(b"\n>From here\n>>From there\n\n\n")


@pytest.mark.parametrize(
    ("field", "address", "fdms"),
    [
        (b"From: <bob@example.org>", b"bob@example.org", b"<bob@example.org"),
        (b"From:", None, b""),
        (b"From:\n <bob@example.org>", b"bob@example.org", b""),
    ],
)
def test_l89_the_separator_has_an_address_without_brackets(
    field: bytes, address: bytes | None, fdms: bytes, stage: Stage
) -> None:
    ours, theirs = stage.both('set no-received\nmatch all action mbox "box"', field + b"\n\nx\n")
    user = stage.user.pw_name.encode() if stage.user else rb"\S+"
    wanted = user if address is None else re.escape(address)
    assert re.match(rb"From %b [A-Z]" % wanted, ours.read("box") or b"")
    assert (theirs.read("box") or b"").startswith(b"From %b " % fdms)


def test_l89_other_separators_are_fdms(stage: Stage) -> None:
    mail = b"From envelope@example.org Mon Mar  2 10:00:00 2020\nReturn-Path: <r@example.org>\n" + MAIL
    assert (stage.agree('match all action mbox "box"', mail).read("box") or b"").startswith(b"From bob@example.org ")


def test_l90_what_a_command_prints_is_thrown_away_and_what_it_complains_is_logged(stage: Stage) -> None:
    ours = stage.agree('match all action { pipe "cat; echo pipe >&2" exec "echo x; echo exec >&2" }')
    assert (ours.out, ours.log) == (
        b"",
        "stdin: cat; echo pipe >&2: pipe\nstdin: echo x; echo exec >&2: exec\n",
    )


def test_l91_commands_get_and_return_every_octet(stage: Stage) -> None:
    octets = bytes(range(256)) + b"\r\n\r\nlast\r"
    conf = 'set no-received\nmatch all action { pipe "cat >piped" rewrite "cat" write "rewritten" }'
    ours, theirs = stage.both(conf, b"A: 1\n\n" + octets)
    assert ours.read("piped") == ours.read("rewritten") == b"A: 1\n\n" + octets + b"\n"
    assert b"\r\n" not in (theirs.read("rewritten") or b"\r\n")


def test_l92_a_rewritten_message_that_nothing_stores_stays_with_the_caller(stage: Stage) -> None:
    ours, theirs = stage.both('match all action rewrite "cat"\nmatch all action stdout')
    assert (ours.status, theirs.status, ours.out) == (75, 0, b"")
    assert ours.log == "stdin: the message stays with the caller: no action of the rules that matched stores it\n"


def test_l93_tags_describe_the_message_as_it_came(stage: Stage) -> None:
    other = "Message-ID: <2@x>\\\\nDate: Tue, 3 Mar 2020 10:00:00 +0000\\\\n\\\\n1\\\\n2\\\\n3\\\\n"
    conf = f"""match all action {{ rewrite "printf '{other}'" write "new" }} continue
        match all action write "%[lines] %[message_id] %[mail_day]" """
    ours = stage.agree(conf)
    assert (ours.read("new") or b"").endswith(b"\n1\n2\n3\n")
    assert ours.read("7 1@example.org 02")


def test_l94_a_folded_message_id_is_one(stage: Stage) -> None:
    mail = MAIL.replace(b"Message-ID: <", b"Message-ID:\n <")
    ours, theirs = stage.both('match all action write "id=%[message_id]"', mail)
    assert ours.read("id=1@example.org")
    assert theirs.read("id=")


def test_l95_a_key_that_a_message_adds_before_a_failure_does_not_make_it_its_own_duplicate(stage: Stage) -> None:
    conf = """cache "c.cache"
        match in-cache "c.cache" key "%[message_id]" action drop
        match all action { add-to-cache "c.cache" key "%[message_id]" pipe "false" }"""
    first = stage.agree(conf)
    again = stage.ours(conf, again=first)
    assert (first.status, again.status) == (1, 75)
    assert stage.ours(conf, MAIL.replace(b"body", b"other"), again=first).status == 0
    theirs = stage.theirs(conf)
    assert (theirs.status, stage.theirs(conf, again=theirs).status) == (1, 0)


def test_l96_imap_accounts_have_no_cache(stage: Stage) -> None:
    conf = 'account "i" disabled imap server "h" user "u" pass "p" new-only cache "c"\nmatch all action stdout'
    ours, theirs = stage.both(conf, call=CHECK)
    assert (ours.status, theirs.status) == (1, 0)
    assert "cache" in ours.log


def test_l97_insecure_chooses_no_way_to_log_in(stage: Stage) -> None:
    replies = [
        b"* OK x\r\n",
        b"* CAPABILITY IMAP4rev1 AUTH=OAUTHBEARER AUTH=XOAUTH2\r\n1 OK x\r\n",
        b"2 NO x\r\n",
    ]
    heard = []
    for run in (stage.ours, stage.theirs):
        with server(replies) as lines:
            run(f'match all action imap server "127.0.0.1" port {lines.port} user "u" pass "p" insecure')
        heard.append(b"\n".join(lines))
    assert b"OAUTH" not in heard[0]
    assert b"OAUTH" in heard[1]


def test_l98_flags_may_stand_in_any_order(stage: Stage) -> None:
    conf = 'account "p" disabled pop3 server "h" user "u" pass "p" no-verify no-apop\nmatch all action stdout'
    ours, theirs = stage.both(conf, call=CHECK)
    assert (ours.status, theirs.status) == (0, 1)


def test_l99_sizes_are_compared_strictly_and_with_fdms_own_header(stage: Stage) -> None:
    size = len(stage.agree("match all action stdout").out)
    assert size > len(MAIL)
    conf = "".join(
        f'match size {sign} {number} action write "{sign}{number - size}" continue\n'
        for sign in "<>"
        for number in (size - 1, size, size + 1)
    )
    ours = stage.agree(conf)
    assert sorted(path.name for path in ours.folder.glob("[<>]*")) == ["<1", ">-1"]
