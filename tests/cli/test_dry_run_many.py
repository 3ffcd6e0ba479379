"""`rulesmith dry-run` over many messages: where they come from, the table, the summary; nothing is touched."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rulesmith.cli import rulesmith
from tests.cli.imap_server import PASSWORD, imap_server

RULES = """\
account "stdin" stdin
match "^Subject:.*tea" in headers action maildir "Mail/tea"
match "^Subject:.*nothing" in headers action maildir "Mail/never"
match "^Subject:.*coffee" in headers action drop
"""
TEA = "From: a@example.org\nSubject: =?utf-8?q?tea_f=C3=BCr?= me tea\n\nhot\n"
COFFEE = "From: a@example.org\nSubject: coffee\n\nhot\n"
OTHER = "From: a@example.org\nSubject: other\n\n>From here\n"


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "fdm.conf"
    path.write_text(RULES)
    path.chmod(0o600)
    return path


def run(conf: Path, *words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(rulesmith, ["dry-run", "-f", str(conf), *words], input=text)


def outcomes(conf: Path, *words: str) -> list[tuple[str, str]]:
    result = run(conf, "--format", "json", *words)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert found.pop()["summary"]["messages"] == len(found)
    return [(os.path.basename(each["message"]), each["outcome"]) for each in found]


def test_a_table_has_a_line_for_each_message_and_a_summary_for_each_rule(conf: Path, tmp_path: Path) -> None:
    for name, text in (("1.eml", TEA), ("2.eml", COFFEE), ("3.eml", OTHER)):
        (tmp_path / name).write_text(text)
    result = run(conf, *(str(tmp_path / f"{number}.eml") for number in (1, 2, 3)))
    lines = result.stdout.splitlines()
    assert lines[0].split()[1:] == "tea für me tea delivered rule 0 (fdm.conf:2) Mail/tea".split()
    assert "coffee" in lines[1]
    assert "dropped" in lines[1]
    assert "reached end of ruleset" in lines[2]
    assert "3 messages: 1 delivered, 1 dropped, 1 kept" in lines
    counts = {line.split()[0]: line.split()[1:4] for line in lines[-3:]}
    assert counts == {"0": ["3", "1", "1"], "1": ["2", "0", "0"], "2": ["2", "1", "0"]}
    assert lines[-2].endswith("(took nothing)")
    assert result.exit_code == 1


def test_the_summary_is_also_there_in_json_as_the_last_object(conf: Path, tmp_path: Path) -> None:
    for name, text in (("1.eml", TEA), ("2.eml", COFFEE), ("3.eml", OTHER)):
        (tmp_path / name).write_text(text)
    found = [json.loads(line) for line in run(conf, "--format", "json", str(tmp_path)).stdout.splitlines()]
    assert [each.get("outcome") for each in found] == ["delivered", "dropped", "kept", None]
    assert found[-1]["summary"] == {
        "messages": 3,
        "outcomes": {"delivered": 1, "dropped": 1, "kept": 1},
        "rules": [
            {"rule": 0, "path": str(conf), "line": 2, "tried": 3, "matched": 1, "stored": 1},
            {"rule": 1, "path": str(conf), "line": 3, "tried": 2, "matched": 0, "stored": 0},
            {"rule": 2, "path": str(conf), "line": 4, "tried": 2, "matched": 1, "stored": 0},
        ],
    }
    alone = run(conf, "--format", "json", str(tmp_path / "1.eml")).stdout.splitlines()
    assert [json.loads(line)["outcome"] for line in alone] == ["delivered"]


def test_details_are_the_whole_trace_of_each(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "1.eml").write_text(TEA)
    result = run(conf, "--details", str(tmp_path / "1.eml"), str(tmp_path / "1.eml"))
    assert result.stdout.count("rule 0 (") == 2
    assert "^^^" in result.stdout


def test_a_maildir_is_read_and_stays_as_it_is(conf: Path, tmp_path: Path) -> None:
    box = tmp_path / "box"
    for part in ("cur", "new", "tmp"):
        (box / part).mkdir(parents=True)
    (box / "cur" / "1:2,S").write_text(TEA)
    (box / "new" / "2").write_text(COFFEE)
    (box / "tmp" / "3").write_text(COFFEE)
    before = sorted((path, path.stat().st_mtime_ns) for path in box.rglob("*"))
    assert outcomes(conf, str(box)) == [("1:2,S", "delivered"), ("2", "dropped")]
    assert sorted((path, path.stat().st_mtime_ns) for path in box.rglob("*")) == before


def test_an_mbox_is_cut_into_its_messages(conf: Path, tmp_path: Path) -> None:
    box = tmp_path / "box"
    box.write_text("".join(f"From a@b Sun Nov 22 11:12:08 2026\n{text}\n" for text in (TEA, OTHER, COFFEE)))
    assert outcomes(conf, str(box)) == [("box#1", "delivered"), ("box#2", "kept"), ("box#3", "dropped")]


def test_a_folder_gives_its_eml_files_and_nothing_else(conf: Path, tmp_path: Path) -> None:
    folder = tmp_path / "mails" / "deep"
    folder.mkdir(parents=True)
    (folder / "b.eml").write_text(COFFEE)
    (folder.parent / "a.eml").write_text(TEA)
    (folder / "notes.txt").write_text("no mail")
    assert outcomes(conf, str(folder.parent)) == [("a.eml", "delivered"), ("b.eml", "dropped")]


def test_an_empty_folder_has_no_messages(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(conf, str(tmp_path / "empty")).stdout.strip() == "0 messages: none"


def crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


def test_a_folder_of_an_imap_server_is_only_read(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(PASSWORD + "\n")
    mails = [crlf(COFFEE), crlf(TEA), crlf(OTHER)]
    with imap_server(mails) as asked:
        url = f"imap://me%40example.org@127.0.0.1:{asked.port}/Lists/Gr%C3%BC%C3%9Fe"
        found = outcomes(conf, "--imap", url, "--password-file", str(tmp_path / "password"), "--newest", "2")
    assert found == [("Grüße#12", "delivered"), ("Grüße#13", "kept")]
    words = {each.split()[0].upper() for each in asked}
    assert words <= {"CAPABILITY", "LOGIN", "EXAMINE", "UID", "LOGOUT"}
    assert 'EXAMINE "Lists/Gr&APwA3w-e"' in asked
    assert [each for each in asked if "FETCH" in each.upper()] == ["UID FETCH 12,13 (UID BODY.PEEK[])"]


def test_the_password_is_asked_for_where_no_file_has_it(conf: Path) -> None:
    with imap_server([crlf(COFFEE)]) as asked:
        result = run(conf, "--imap", f"imap://me@127.0.0.1:{asked.port}/INBOX", text=PASSWORD + "\n")
    assert "INBOX#11" in result.stdout
    assert PASSWORD not in result.output


def test_a_server_that_refuses_is_75_and_says_why(conf: Path) -> None:
    with imap_server([]) as asked:
        result = run(conf, "--imap", f"imap://me@127.0.0.1:{asked.port}/INBOX", text="wrong\n")
    assert result.exit_code == 75
    assert "Authentication failed." in result.output


@pytest.mark.parametrize(
    "url", ["imap://me:secret@127.0.0.1/INBOX", "imap://127.0.0.1/INBOX", "http://a@b/", "imap://me@mail.example/INBOX"]
)
def test_a_url_that_gives_a_password_away_or_is_none_is_a_usage_error(conf: Path, url: str) -> None:
    result = run(conf, "--imap", url)
    assert result.exit_code == 2
    assert "--imap" in result.output


def test_a_run_that_stops_early_leaves_no_connection(conf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rulesmith.explain.simulate.evaluate", _stop)
    with imap_server([crlf(COFFEE), crlf(TEA)]) as asked:
        result = run(conf, "--imap", f"imap://me@127.0.0.1:{asked.port}/INBOX", text=PASSWORD + "\n")
    # The server has seen the end while the traceback still holds all that was there.
    assert isinstance(result.exception, ZeroDivisionError)


def _stop(*_: object) -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("url", ["imap://[::1/x", "imap://u@localhost:0x/x"])
def test_a_url_that_is_none_is_told(conf: Path, url: str) -> None:
    result = CliRunner().invoke(rulesmith, ["dry-run", "-f", str(conf), "--imap", url])
    assert result.exit_code == 2
    assert "Error: --imap: " in result.output


def test_a_password_of_other_octets_is_not_shown(conf: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"secret\xff\n")
    words = ["--imap", "imap://u@localhost/x", "--password-file", str(tmp_path / "password")]
    result = CliRunner().invoke(rulesmith, ["dry-run", "-f", str(conf), *words])
    assert result.exit_code == 2
    assert "the password is not UTF-8" in result.output
    assert "secret" not in result.output
