"""fdm's own example configurations get the real fdm's verdict, and `check` says what is to be said of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from rulesmith.cli import rulesmith
from tests.door import Call, command, plain_user, warm, warm_door

NAMES = ("f-terbeck", "g-lando", "n-marriott", "t-ulmer", "w-maier")
# What some of them need and do not bring along.
NETRC = "default login nicholas.marriott@gmail.com password secret\n"
ACCOUNTS = 'account "blog" stdin\naccount "comments" disabled stdin\n'

# The findings of `check` (name, severity, line) where includes and .netrc are there, notes aside.
FINDINGS: dict[str, set[tuple[str, str, int]]] = {
    "f-terbeck": {
        ("impossible-rule", "warning", 373),
        ("eaten-backslash", "warning", 435),
    },
    "g-lando": {
        ("unverified-certificate", "warning", 33),
        ("eaten-backslash", "warning", 53),
    },
    "n-marriott": {
        ("regexp-dialect-difference", "warning", 92),
        ("missing-anchor", "warning", 124),
        ("cache-before-delivery", "warning", 131),
        ("drop-by-body-text", "warning", 135),
        ("glob-in-regexp", "warning", 139),
        ("glob-in-regexp", "warning", 140),
        ("missing-anchor", "warning", 182),
        ("action-never-found", "warning", 235),
    },
    "t-ulmer": {
        ("unverified-certificate", "warning", 1),
    },
    "w-maier": {
        ("small-maximum-size", "warning", 5),
        ("unverified-certificate", "warning", 100),
        ("header-without-area", "warning", 194),
        ("header-without-area", "warning", 201),
        ("eaten-backslash", "warning", 224),
        ("missing-anchor", "warning", 224),
    },
}


@pytest.fixture(scope="module")
def folder(fdm22: str) -> Iterator[Path]:
    """The examples, taken out of Debian's package, where a plain user can read them."""
    warm()
    place = Path(tempfile.mkdtemp(prefix="examples."))
    examples = Path(fdm22).parent / "root" / "usr" / "share" / "doc" / "fdm" / "examples"
    user = plain_user()
    try:
        (place / "home" / "etc" / "fdm").mkdir(parents=True)
        (place / "home" / "bare").mkdir()
        (place / "home" / ".netrc").write_text(NETRC)
        (place / "home" / ".netrc").chmod(0o600)
        (place / "home" / "etc" / "fdm" / "accounts.conf").write_text(ACCOUNTS)
        for name in NAMES:
            shutil.copy(examples / f"{name}.conf", place / f"{name}.conf")
            (place / f"{name}.conf").chmod(0o600)
        for path in [place, *place.rglob("*")]:
            if user is not None:
                os.chown(path, user.pw_uid, user.pw_gid)
        yield place
    finally:
        shutil.rmtree(place)


@pytest.mark.parametrize("stubs", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_the_verdict_is_that_of_the_real_fdm(name: str, stubs: bool, folder: Path, fdm22: str) -> None:
    home = folder / "home" if stubs else folder / "home" / "bare"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LC_ALL": "C"}
    call = Call(["-h", "-f", f"{name}.conf", "-n"], b"", str(folder), environment, plain_user())
    real, ours = command([fdm22])(call), warm_door(call)
    assert ours.status == real.status, (real.stderr, ours.stderr)
    assert stubs is False or real.status == 0
    # fdm names the line at which its parser stood; the file and the message are the same.
    said = real.stderr.splitlines()[-1:]
    if said:
        text = said[0].rpartition(b" at line ")[0]
        assert text in ours.stderr


@pytest.mark.parametrize("name", NAMES)
def test_check_says_what_is_to_be_said(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder / "home"))
    result = CliRunner().invoke(rulesmith, ["check", "-h", "--format", "short", str(folder / f"{name}.conf")])
    found = set()
    for line in result.output.splitlines():
        place, _, rest = line.partition(": ")
        severity, bracket, named = rest.partition("[")
        if bracket and severity != "note":
            found.add((named.partition("]")[0], severity, int(place.split(":")[1])))
    assert found == FINDINGS[name], result.output
    assert result.exit_code == 0
