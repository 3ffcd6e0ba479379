"""What one message loads: a set, compared exactly, so that no heavy import can slip in.

The once-per-message door is run in an interpreter of its own, first to compile, then again with the program
file at hand and one maildir delivery to do; the modules of the second run are compared with a list.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

from rulesmith import bundling
from rulesmith.compiler import world
from tests.scripted import server

ROOT = Path(__file__).parent.parent
MESSAGE = b"From: a@example.com\nTo: b@example.com\nSubject: weight\n\nHello\n"
OK = b"250 ok\r\n"
CONF = """\
set default-user "{me}"
account "stdin" stdin
action "inbox" maildir "{folder}"
match "^Subject: nothing like it" in headers action drop
match {condition} action "inbox"
"""
# -I and -S: what `site` and the environment bring along is not ours to answer for.
RUN = f"""\
import sys
sys.path.insert(0, {str(ROOT)!r})
before = set(sys.modules)
from rulesmith.fdm import main
try:
    status = main()
except SystemExit as stop:
    status = stop.code
sys.stderr.flush()
with open({{listing!r}}, "w") as file:
    file.write("\\n".join(sorted(set(sys.modules) - before)))
sys.exit(status)
"""
# Modules that are built in or nearly so. `os` alone takes a third as long as a bare Python does to start and end.
ALLOWED_STANDARD = {"__future__", "_signal", "_socket", "marshal", "posix", "pwd", "select", "time", "zlib"}
# A regexp that may match, because its needle is there, costs `re` and what comes with it.
ALLOWED_FOR_A_REGEXP = {
    "_collections_abc", "_stat", "genericpath", "os", "os.path", "posixpath", "stat",
    "_collections", "_functools", "_operator", "_sre", "collections", "copyreg", "enum", "functools", "itertools",
    "keyword", "operator", "re", "re._casefix", "re._compiler", "re._constants", "re._parser", "reprlib", "types",
}  # fmt: skip
# What is in the bundle; the module for a user that is named, and what a regexp takes whose needle is in the message.
ALLOWED_OURS = {*bundling.MODULES, "rulesmith.delivery.people", "rulesmith.regexp", "rulesmith.regexp.search"}


def _loaded_by_a_message(home: Path, condition: str) -> set[str]:
    """The modules that delivering one message loads, with its program compiled before."""
    me = pwd.getpwuid(os.geteuid()).pw_name
    _configure(home, CONF.format(me=me, folder=home / "Mail", condition=condition))
    assert "rulesmith.compiler.compile" in _fetch(home), "the first run compiles"
    loaded = _fetch(home, "-I", "-S")
    assert len(list((home / "Mail" / "new").iterdir())) == 2
    return loaded


def _configure(home: Path, text: str) -> None:
    """Write the configuration, and wait until it is old enough for its program to be kept."""
    conf = home / "conf"
    conf.write_text(text)
    conf.chmod(0o600)
    while world._unstable(b"", conf.stat(), same=True):
        pass


def _fetch(home: Path, *flags: str, words: tuple[str, ...] = (), **environment: str) -> set[str]:
    listing = home / "modules"
    arguments = ["-f", str(home / "conf"), "-a", "stdin", "-m", *words, "fetch"]
    run = subprocess.run(
        [sys.executable, *flags, "-c", RUN.format(listing=str(listing)), *arguments],
        input=MESSAGE, capture_output=True, check=False, cwd=home,
        env={"HOME": str(home), "XDG_STATE_HOME": str(home), "PATH": os.environ["PATH"], **environment},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return set(listing.read_text().split())


def _others(loaded: set[str]) -> set[str]:
    return {name for name in loaded if name.partition(".")[0] != "rulesmith"}


def test_a_message_loads_only_what_it_needs(tmp_path: Path) -> None:
    loaded = _loaded_by_a_message(tmp_path, '"^Subject: weight" in headers')
    assert loaded - _others(loaded) == ALLOWED_OURS - {"rulesmith.conditions.all"}
    assert _others(loaded) <= ALLOWED_STANDARD


def test_a_regexp_that_may_match_loads_re_and_nothing_else(tmp_path: Path) -> None:
    loaded = _loaded_by_a_message(tmp_path, '"^Subject:.*weight" in headers')
    assert loaded - _others(loaded) <= ALLOWED_OURS
    assert _others(loaded) <= ALLOWED_STANDARD | ALLOWED_FOR_A_REGEXP


def test_the_first_message_after_an_edit_loads_no_library_to_compile(tmp_path: Path) -> None:
    me = pwd.getpwuid(os.geteuid()).pw_name
    _configure(tmp_path, CONF.format(me=me, folder=tmp_path / "Mail", condition='"weight"'))
    loaded = _fetch(tmp_path, "-I", "-S")
    assert "rulesmith.compiler.compile" in loaded
    found = loaded & {"lark", "dataclasses", "inspect", "json", "socket", "subprocess", "difflib", "ipaddress"}
    assert not found


def test_a_message_for_dovecot_loads_no_library(tmp_path: Path) -> None:
    path = tmp_path / "lmtp"
    me = pwd.getpwuid(os.geteuid()).pw_name
    _configure(
        tmp_path,
        f'set default-user "{me}"\nset dovecot "{path}"\nset dovecot-folders\naccount "stdin" stdin\n'
        'match all action pipe "/usr/libexec/dovecot/deliver -d user@example.com -m Received"\n',
    )
    replies = (b"220 hi\r\n", OK, OK, OK, b"354 go\r\n", OK)
    with server(replies, path):
        assert "rulesmith.compiler.compile" in _fetch(tmp_path), "the first run compiles"
    path.unlink()
    with server(replies, path) as heard:
        loaded = _fetch(tmp_path, "-I", "-S")
    assert b"RCPT TO:<user+Received@example.com>" in heard
    ours = {"actions.pipe", "actions.shell", "delivery.connection", "delivery.dovecot", "delivery.smtp"}
    assert loaded - _others(loaded) <= ALLOWED_OURS | {f"rulesmith.{name}" for name in ours}
    assert _others(loaded) <= ALLOWED_STANDARD


def test_neither_a_queue_nor_a_command_loads_os(tmp_path: Path) -> None:
    """As in the image, but for the scan, whose server it would need."""
    _loaded_by_a_message(tmp_path, "all")
    text = (tmp_path / "conf").read_text()
    text = text.replace('action "inbox"', f'set queue "{tmp_path}/queue"\naction "inbox"', 1)
    text = text.replace('match all action "inbox"', 'match all action "inbox" continue')
    _configure(tmp_path, text + 'match all action pipe "cat >/dev/null"\n')
    assert "rulesmith.compiler.compile" in _fetch(tmp_path)
    loaded = _fetch(tmp_path, "-I", "-S", RULESMITH_SUMMARY="json")
    assert {"rulesmith.delivery.queue", "rulesmith.delivery.command", "rulesmith.afterwards"} <= loaded
    assert "rulesmith.delivery.progress" in loaded, "what was done before the command is written down"
    assert _others(loaded) - ALLOWED_STANDARD <= {"_sha256", "_stat", "_struct", "binascii", "errno", "fcntl", "struct"}


def test_a_message_with_two_deliveries_loads_no_os_either(tmp_path: Path) -> None:
    _loaded_by_a_message(tmp_path, "all")
    text = (tmp_path / "conf").read_text()
    _configure(tmp_path, text.replace('match all action "inbox"', 'match all actions { "inbox" "inbox" }'))
    assert "rulesmith.compiler.compile" in _fetch(tmp_path)
    loaded = _fetch(tmp_path, "-I", "-S")
    assert "rulesmith.records" in loaded
    assert _others(loaded) - ALLOWED_STANDARD <= {"_sha256", "_stat", "errno", "fcntl"}


def test_the_line_about_a_message_costs_little(tmp_path: Path) -> None:
    before = _loaded_by_a_message(tmp_path, "all")
    more = _fetch(tmp_path, "-I", "-S", RULESMITH_SUMMARY="json") - before
    assert more <= {"rulesmith.summary", "rulesmith.mail.words", "rulesmith.mail.address", "binascii"}
    assert "rulesmith.summary" in more


def test_a_configuration_that_has_passed_its_tests_costs_nothing_more(tmp_path: Path) -> None:
    before = _loaded_by_a_message(tmp_path, "all")
    assert "rulesmith.config_check" in _fetch(tmp_path, words=("--config-check",))
    assert _fetch(tmp_path, "-I", "-S", words=("--config-check",)) == before


def test_the_list_names_only_modules_that_exist() -> None:
    for name in ALLOWED_OURS:
        path = ROOT.joinpath(*name.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), name
