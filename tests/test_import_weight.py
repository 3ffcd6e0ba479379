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

import pytest

ROOT = Path(__file__).parent.parent
MESSAGE = b"From: a@example.com\nTo: b@example.com\nSubject: weight\n\nHello\n"
CONF = """\
set default-user "{me}"
account "stdin" stdin
action "inbox" maildir "{folder}"
match "^Subject: nothing like it" in headers action drop
match "^Subject:.*weight" in headers action "inbox"
match all action keep
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
ALLOWED_STANDARD = {
    "__future__", "_struct", "binascii", "errno", "fcntl", "grp", "marshal", "posix", "pwd", "select", "struct", "time",
    "zlib", "_signal", "_sre", "syslog",
}  # fmt: skip
ALLOWED_OURS = {
    "rulesmith", "rulesmith.fdm", "rulesmith.mda", "rulesmith.options", "rulesmith.log", "rulesmith.load",
    "rulesmith.program", "rulesmith.effects", "rulesmith.evaluate", "rulesmith.limits", "rulesmith.template",
    "rulesmith.wording", "rulesmith.conditions", "rulesmith.conditions.regexp", "rulesmith.conditions.all",
    "rulesmith.actions", "rulesmith.actions.maildir", "rulesmith.actions.deliver", "rulesmith.regexp",
    "rulesmith.regexp.search", "rulesmith.mail", "rulesmith.mail.message", "rulesmith.mail.header",
    "rulesmith.mail.date", "rulesmith.mail.address", "rulesmith.delivery", "rulesmith.delivery.drive",
    "rulesmith.delivery.folders", "rulesmith.delivery.maildir", "rulesmith.delivery.program_file",
    "rulesmith.delivery.privileges", "rulesmith.delivery.world", "rulesmith.sources", "rulesmith.sources.stdin",
}  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Path:
    me = pwd.getpwuid(os.geteuid()).pw_name
    conf = tmp_path / "conf"
    conf.write_text(CONF.format(me=me, folder=tmp_path / "Mail"))
    conf.chmod(0o600)
    return tmp_path


def _fetch(home: Path, *flags: str) -> set[str]:
    """The modules that delivering one message loads."""
    listing = home / "modules"
    arguments = ["-f", str(home / "conf"), "-a", "stdin", "-m", "fetch"]
    run = subprocess.run(
        [sys.executable, *flags, "-c", RUN.format(listing=str(listing)), *arguments],
        input=MESSAGE, capture_output=True, check=False, cwd=home, env={"HOME": str(home), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr.decode()
    return set(listing.read_text().split())


def test_a_message_loads_only_what_it_needs(home: Path) -> None:
    assert any(name.startswith("lark") for name in _fetch(home)), "the first run compiles"
    loaded = _fetch(home, "-I", "-S")
    assert not {name for name in loaded if name.startswith("rulesmith")} - ALLOWED_OURS
    assert not {name for name in loaded if not name.startswith("rulesmith")} - ALLOWED_STANDARD
    assert len(list((home / "Mail" / "new").iterdir())) == 2


def test_the_list_names_only_modules_that_exist() -> None:
    for name in ALLOWED_OURS:
        path = ROOT.joinpath(*name.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file(), name
