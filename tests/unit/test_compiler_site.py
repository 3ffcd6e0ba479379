"""/etc/rulesmith.conf: settings that come before the user's, and hold where the user's file cannot be read."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith import load
from rulesmith.cli import rulesmith
from rulesmith.compiler import site as site_module
from rulesmith.compiler.compile import Compiled, compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.compiler.settings import defaults
from rulesmith.compiler.site import read_site
from rulesmith.delivery import program_file
from rulesmith.log import Log
from rulesmith.options import parse
from rulesmith.program import SITE_FILE

BOB = (b"bob", 1001, 1001, b"/home/bob")
ANN = (b"ann", 1002, 1002, b"/home/ann")


def environment(site: str | None, **changed: object) -> Imagined:
    files = {} if site is None else {SITE_FILE: site.encode()}
    changed = {"site": SITE_FILE, **changed}
    return Imagined(Holdings(files=files, users=[BOB, ANN]), **changed)  # type: ignore[arg-type]


def compiled(site: str | None, text: str, **changed: object) -> Compiled:
    return compile_text("conf", text, environment(site, **changed))


def both(site: str, text: str, option: str, **changed: object) -> object:
    found = compiled(site, text, **changed)
    assert found.program is not None, found.diagnostics
    return found.program[0][option]


def test_what_the_site_sets_holds() -> None:
    assert both('set queue "/q"\n', "", "queue") == b"/q"
    assert both("set no-received\n", "", "no-received") is True


@pytest.mark.parametrize(
    ("site", "text", "option", "value"),
    [
        ('set queue "/q"', 'set queue "/mine"', "queue", b"/mine"),
        ('set queue "/q"', 'set queue ""', "queue", None),
        ('set default-user "bob"', 'set default-user "ann" set default-user "bob"', "default-user", b"ann"),
        ('set default-user "bob"', "", "default-user", b"bob"),
        ('set command-user "bob"', 'set command-user "ann"', "command-user", b"ann"),
        ("set scan-failure defer", "set scan-failure error deliver", "scan-failure", None),
        ("set regexp-dialect posix", "", "regexp-dialect", "posix"),
        ("set regexp-dialect posix", "set regexp-dialect pcre", "regexp-dialect", "pcre"),
        ('set trusted-hops "a" set trusted-hops account "x" "b"', 'set trusted-hops "c"', "trusted-hops", None),
    ],
)
def test_the_users_file_wins(site: str, text: str, option: str, value: object) -> None:
    wins = {
        "scan-failure": dict.fromkeys(("unreachable", "timeout", "oversized"), ("defer", None))
        | {"error": ("deliver", None)},
        "trusted-hops": ((b"x", (b"b",)), (None, (b"c",))),
    }
    assert both(site, text, option) == wins.get(option, value)


def test_the_user_of_the_command_line_wins_over_both() -> None:
    assert both('set default-user "bob"', 'set default-user "ann"', "default-user", default_user=b"user") == b"user"


def test_tags_of_the_users_file_know_the_user_of_the_site() -> None:
    found = compiled('set default-user "bob" set strip-characters ""', 'cache "/c/%u"').program
    assert found is not None
    assert found[1] == ((b"/c/bob", -1),)


def test_the_dialect_of_the_site_is_that_of_all_regexps() -> None:
    assert compiled("set regexp-dialect posix", "match '(?:a)' action drop").program is None
    assert compiled("", "match '(?:a)' action drop").program is not None


def test_no_file_is_no_fault_and_is_remembered() -> None:
    here = environment(None)
    assert read_site(here).diagnostics == ()
    assert here.facts.absent == {SITE_FILE.encode()}


def test_a_file_that_was_named_must_be_there() -> None:
    found = compile_text("conf", "", Imagined(site="/nowhere/conf"))
    assert found.program is None
    assert found.refusal is not None
    assert found.refusal.at.span.source.name == "/nowhere/conf"
    assert found.refusal.fdm == "No such file or directory"


FOREIGN = [
    ('account "a" stdin', 'account "a" stdin', "only `set` lines may stand in this file"),
    ("match all action drop", "match all action drop", "only `set` lines may stand in this file"),
    ('$a = "b"', '$a = "b"', "only `set` lines may stand in this file"),
    ('include "x"', "include", "only `set` lines may stand in this file"),
    ("ifdef $x endif", "ifdef", "only `set` lines may stand in this file"),
    ("set queue $(pwd)", "$(pwd)", "no commands are run for this file: write the value"),
]


@pytest.mark.parametrize(("text", "place", "message"), FOREIGN)
def test_anything_but_settings_is_an_error_at_its_place(text: str, place: str, message: str) -> None:
    found = compiled(f'set journal "/j"\n{text}\nset scan "unix:/s"\n', "")
    assert found.program is None
    first = found.diagnostics[0]
    assert (first.message, first.at.span.text.startswith(place), first.at.span.line) == (message, True, 2)
    assert found.refusal is first
    # What is right in it holds: a message can still be queued.
    assert (found.site.settings["journal"], found.site.settings["scan"]) == (b"/j", b"unix:/s")


def test_half_a_file_holds_as_far_as_it_goes() -> None:
    site = read_site(environment('set queue "/q"\nset scan "http://127.0.0.1:'))
    assert site.settings["queue"] == b"/q"
    assert site.settings["scan"] is None
    assert site.diagnostics


def test_macros_of_the_command_line_mean_nothing_there() -> None:
    found = compiled("set queue $q", "", macros={"$q": "/q"})
    assert [each.name for each in found.diagnostics] == ["undefined-macro"]


def test_a_wrong_user_there_is_told() -> None:
    (found,) = compiled('set default-user "nosuch"', "").diagnostics
    assert (found.name, found.at.span.source.name) == ("unknown-user", SITE_FILE)


# On a real machine.

ENTRY = pwd.getpwuid(os.getuid())
ME = (os.fsencode(ENTRY.pw_name), ENTRY.pw_uid, ENTRY.pw_gid, os.fsencode(ENTRY.pw_dir))
OLD = (1_000_000_000, 1_000_000_000)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "rulesmith.conf"
    monkeypatch.setenv("RULESMITH_CONF", str(path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    return path


def write(path: Path, text: str, mode: int = 0o600) -> None:
    path.write_text(text)
    path.chmod(mode)
    os.utime(path, OLD)


def loaded(path: Path) -> tuple[object, dict[str, object]]:
    return load.load_program(str(path), parse(["-q", "fetch"]), Log(0, True), ME)


def test_the_settings_hold_where_the_users_file_is_wrong_or_missing(
    site: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(site, 'set queue "/q"\n', 0o644)
    write(tmp_path / "conf", "match al action drop\n")
    program, settings = loaded(tmp_path / "conf")
    assert (program, settings["queue"]) == (None, b"/q")
    program, settings = loaded(tmp_path / "missing")
    assert (program, settings["queue"], set(settings)) == (None, b"/q", set(defaults()))
    assert "world" not in capfd.readouterr().err, "everybody may read this file"


def test_a_kept_program_is_not_used_when_the_site_changes(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site, 'set queue "/one"\n')
    write(tmp_path / "conf", "match all action drop\n")
    key = program_file.Key(str(tmp_path / "conf"), ME, [], None, str(site))
    while program_file.load(key) is None:  # a file that has just been written is not trusted for a moment
        assert loaded(tmp_path / "conf")[1]["queue"] == b"/one"
    write(site, 'set queue "/other"\n')
    assert program_file.load(key) is None
    assert loaded(tmp_path / "conf")[1]["queue"] == b"/other"
    monkeypatch.setenv("RULESMITH_CONF", "")
    assert loaded(tmp_path / "conf")[1]["queue"] is None


def test_a_kept_program_is_not_used_when_a_site_file_appears(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The usual file, which may be missing."""
    for module in (load, site_module):
        monkeypatch.setattr(module, "SITE_FILE", str(site))
    monkeypatch.delenv("RULESMITH_CONF")
    write(tmp_path / "conf", "match all action drop\n")
    key = program_file.Key(str(tmp_path / "conf"), ME, [], None, str(site))
    while program_file.load(key) is None:
        assert loaded(tmp_path / "conf")[1]["queue"] is None
    write(site, 'set queue "/q"\n')
    assert loaded(tmp_path / "conf")[1]["queue"] == b"/q"


def test_a_file_that_cannot_be_read_is_a_fault(site: Path, tmp_path: Path) -> None:
    site.symlink_to(site)  # a loop, which root cannot read either
    write(tmp_path / "conf", "match all action drop\n")
    assert loaded(tmp_path / "conf")[0] is None


def test_a_folder_in_its_place_is_a_fault(site: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    site.mkdir()
    write(tmp_path / "conf", "match all action drop\n")
    assert loaded(tmp_path / "conf")[0] is None
    assert f"{site}: Is a directory at line 1" in capfd.readouterr().err


def test_a_file_that_others_may_write_is_warned_of(
    site: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(site, "", 0o646)
    write(tmp_path / "conf", "match all action drop\n")
    assert loaded(tmp_path / "conf")[0] is not None
    assert f"{site}: world writable" in capfd.readouterr().err


def test_check_reads_it_as_what_it_is(site: Path) -> None:
    write(site, 'set queue "/q"\n')
    assert CliRunner().invoke(rulesmith, ["check", str(site)]).exit_code == 0
    write(site, "match all action drop\n")
    run = CliRunner().invoke(rulesmith, ["check", "--format", "short", str(site)])
    assert run.exit_code == 1
    assert f"{site}:1:1: error[site-file]: only `set` lines may stand in this file" in run.output
