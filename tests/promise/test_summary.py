"""One line for each mail, from its arrival to its folders (RULESMITH_SUMMARY)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rulesmith.summary import place_of, without_addresses
from tests.door import Call, Outcome, warm_door
from tests.promise.room import Room

MAIL = b"From: Bob <bob@example.org>\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\nMessage-ID: <1@example.org>\n\nhello\n"
AGENT = "/usr/libexec/dovecot/deliver"


def _hand(room: Room, mail: bytes = MAIL, form: str = "text", **more: str) -> Outcome:
    call = room.call(mail)
    return warm_door(Call(call.args, mail, call.cwd, {**call.env, "RULESMITH_SUMMARY": form, **more}))


def _line(outcome: Outcome) -> str:
    """The one line that the mail has."""
    (line,) = [line for line in outcome.stderr.decode().splitlines() if not line.startswith("stdin: ")]
    return line


def _object(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_line(outcome))
    return found


def _room(folder: Path, rules: str, settings: str = "", queue: bool = False) -> Room:
    home = folder / "anna"
    home.mkdir()
    (home / "bin").mkdir()
    agent = home / "deliver"
    agent.write_text("#!/bin/sh\ncat >/dev/null\ncase $* in *broken*) exit 75;; esac\n")
    agent.chmod(0o755)
    return Room(home, queue, rules.replace("DELIVER", str(agent)), settings)


def test_from_fetch_to_folder(tmp_path: Path) -> None:
    room = _room(
        tmp_path,
        'match "^Subject: nothing" in headers action drop\n'
        'match all action { pipe "DELIVER -d alias@example.com" '
        "pipe \"DELIVER -m 'A B.c' -d 'alias@example.com'\" } continue\n"
        'match all action maildir "Mail"\n',
    )
    done = _hand(room)
    assert done.status == 0
    assert _line(done) == (
        'anna: <1@example.org> from bob@example.org "grüße" → rule 1 (conf:7) → alias@example.com, '
        "alias@example.com/A B.c → rule 2 (conf:8) → Mail"
    )


def test_without_the_variable_nothing_is_said(tmp_path: Path) -> None:
    room = _room(tmp_path, 'match all action maildir "Mail"\n')
    assert room.hand(MAIL).stderr == b""


def test_a_mail_that_a_rule_drops(tmp_path: Path) -> None:
    assert _line(_hand(_room(tmp_path, "match all action drop\n"))).endswith('"grüße" → rule 0 (conf:6) → dropped')


def test_a_mail_that_stays_with_the_caller(tmp_path: Path) -> None:
    done = _hand(_room(tmp_path, 'match all action { maildir "a" pipe "DELIVER -d broken" }\n'))
    assert done.status == 75
    line = _line(done)
    assert " → rule 0 (conf:6) → a; it stays with the caller: " in line
    assert line.endswith("deliver -d broken: command returned 75")


def test_a_mail_that_is_queued_then_deferred_then_delivered(tmp_path: Path) -> None:
    room = _room(tmp_path, 'match all action { maildir "a" pipe "DELIVER -d broken" }\n', queue=True)
    first = _object(_hand(room, form="json"))
    assert (first["outcome"], first["user"], first["rules"][0]["to"]) == ("queued", "anna", ["a"])
    assert "command returned 75" in first["reason"]
    (name,) = {path.name.rpartition(".")[0] for path in (tmp_path / "anna" / "queue").glob("*.mail")}
    assert (first["queue"], first["tries"]) == (name, 1)


def test_the_queues_runner_says_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    from rulesmith.queue_run import Runner

    room = _room(tmp_path, 'match all action { maildir "a" pipe "DELIVER -d broken" }\n', queue=True)
    _hand(room)
    monkeypatch.setenv("RULESMITH_SUMMARY", "text")
    monkeypatch.setenv("HOME", "/somebody/else")
    capfd.readouterr()
    said: list[str] = []
    assert room.queue
    runner = Runner(bytes(room.queue), said.append)
    assert len(runner.once()) == 1
    (line,) = [each for each in capfd.readouterr().err.splitlines() if each.startswith("anna: ")]
    assert " → rule 0 (conf:7) → a; deferred (" in line
    (tmp_path / "anna" / "deliver").write_text("#!/bin/sh\ncat >/dev/null\n")
    assert runner.once() == []
    (line,) = [each for each in capfd.readouterr().err.splitlines() if each.startswith("anna: ")]
    # What an earlier try has delivered is part of the plan, and is named.
    assert line.endswith(' from bob@example.org "grüße" → rule 0 (conf:7) → a, broken')
    assert said == []


def test_a_mail_whose_configuration_is_broken_has_its_line(tmp_path: Path) -> None:
    room = _room(tmp_path, "match all action nonsense\n", queue=True)
    room.site.write_text(f'set queue "{room.queue}"\n')
    done = _hand(room)
    assert done.status == 0
    (line,) = [each for each in done.stderr.decode().splitlines() if each.startswith("anna: ")]
    assert "; queued (" in line
    assert line.endswith(": conf: the configuration cannot be used")


def test_the_problem_mailbox_is_said(tmp_path: Path) -> None:
    room = _room(
        tmp_path,
        'match all action pipe "DELIVER -d broken"\n',
        f'set problem-mailbox "{tmp_path}/anna/problems"\nset queue-tries 1\nset queue-time 0 seconds\n',
    )
    line = _line(_hand(room))
    assert "; delivered to the problem mailbox: tried 1 times: " in line


def test_hostile_text_breaks_neither_line_nor_terminal(tmp_path: Path) -> None:
    mail = (
        b"From: =?utf-8?q?=1B[2J?= <e\x1bvil@example.org>\nMessage-ID: <\x00\x9b\xff@x>\n"
        b"Subject: =?utf-8?B?" + b"4oCuCg0KYW5uYTogPGlkPg==" + b"?= \x1b]0;title\x07 " + b"long " * 100_000 + b"\n\nx\n"
    )
    room = _room(tmp_path, 'match all action maildir "Mail"\n')
    for form in ("text", "json"):
        done = _hand(room, mail, form)
        assert len(done.stderr) <= 4096
        line = _line(done)
        assert line.isprintable()
        assert "\\u202e" in line
    assert _object(_hand(room, mail, "json"))["subject"].startswith("\\u202e   anna: <id> \\x1b]0;title\\x07 long")


def test_many_deliveries_keep_the_line_short(tmp_path: Path) -> None:
    actions = " ".join(f'maildir "{"x" * 150}{number}"' for number in range(60))
    room = _room(tmp_path, f"match all action {{ {actions} }}\n")
    done = _hand(room)
    assert done.status == 0
    assert len(done.stderr) <= 4096
    assert "and 40 more" in _line(done)
    assert _object(_hand(room, form="json"))["outcome"] == "delivered"


def test_in_private_neither_subject_nor_address_is_said(tmp_path: Path) -> None:
    room = _room(tmp_path, 'match all action pipe "DELIVER -d alias@example.com -m Received"\n')
    line = _line(_hand(room, RULESMITH_LOG_PRIVATE="1"))
    assert "@" not in line
    assert "gr" not in line
    assert line.endswith("> → rule 0 (conf:6) → …/Received")
    found = _object(_hand(room, form="json", RULESMITH_LOG_PRIVATE="1"))
    assert not {"from", "subject"} & set(found)


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (f"{AGENT} -d a@b -m F", "a@b/F"),
        (f"{AGENT} -da@b -mF", "a@b/F"),
        (f'rspamc --mime | {AGENT} -d "a b@c" -m "A.B"', "a b@c/A.B"),
        (f"{AGENT} -d a@b | cat -m x", "a@b"),
        ("curl -u name:secret https://example.org/", "pipe curl"),
        ("", "pipe "),
    ],
)
def test_where_a_command_delivers_to(command: str, place: str) -> None:
    assert place_of(("run", "pipe", command.encode(), b"", (b"me", 1, 1, b"/"), None)) == place


@pytest.mark.parametrize(
    ("kind", "args", "place"),
    [
        ("maildir", (b"/home/a/Maildir/.Lists",), "/home/a/Maildir/.Lists"),
        ("mbox", (b"/home/a/mbox", False, b"From x"), "/home/a/mbox"),
        ("lmtp", (b"/run/lmtp", b"24", None, b"a@b"), "lmtp /run/lmtp 24  a@b"),
        ("imap", (b"host", b"143", b"me", b"secret", b"Copies", ()), "imap host 143 me Copies"),
    ],
)
def test_where_other_deliveries_go(kind: str, args: tuple[object, ...], place: str) -> None:
    assert place_of(("deliver", kind, args, (b"me", 1, 1, b"/"), b"")) == place


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("user=<x@y.z>, rip=1.2.3.4", "user=<…>, rip=1.2.3.4"),
        ("a@b.c/Received, d+e@f", "…/Received, …"),
        ('"a b"@c.d says', "… says"),
        ("at @ large, @x y@", "at @ large, @x y@"),
        ("user@example.com@mail.example.com:1", "…:1"),
    ],
)
def test_addresses_are_left_out(text: str, left: str) -> None:
    assert without_addresses(text) == left
