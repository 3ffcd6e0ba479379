"""The hostile messages once more, shown to the real rspamd first: the limits are the same, and each is delivered whole.

What rspamd cannot judge in time, or does not take, goes on marked: never as what it has judged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.ledger import original
from tests.faults.test_hostile import HEAD, HEADLESS, HOSTILE, run, stored
from tests.parts import needed
from tests.scan.rspamd import Rspamd

RULES = Path(__file__).parents[1] / "scan" / "rules.lua"
# They would wait for a name server that is not there.
NAMES = ("rbl", "spf", "dkim", "dmarc", "arc", "asn", "mx_check", "hfilter")
# More than rspamd takes by default.
OVERSIZED = ("a line of 50 MB", "100 MB")


@pytest.fixture(scope="module")
def rspamd() -> Iterator[Rspamd]:
    made = needed(Rspamd, RULES, NAMES)
    yield made
    made.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, rspamd: Rspamd) -> Path:
    home = tmp_path_factory.mktemp("home")
    assert run(home, HEAD + b"\nfirst\n", settings=settings(rspamd))["status"] == 0
    return home


def settings(rspamd: Rspamd) -> str:
    # The scan has a limit of its own; what is over it is delivered without.
    return f'set scan "{rspamd.normal}"\nset scan-timeout 5 seconds\nset scan-failure deliver\n'


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_is_scanned_or_marked_in_time_and_delivered_whole(
    folder: Path, rspamd: Rspamd, name: str
) -> None:
    for path in (folder / "box" / "new").iterdir():
        path.unlink()
    message = HOSTILE[name]()
    # The one before may have it still at work.
    rspamd.wait()
    found = run(folder, message, settings=settings(rspamd))
    (folder / "message").unlink()
    assert found["status"] == 0, found
    [text] = stored(folder)
    verdicts, marks = text.count(b"\nX-Spam-Score: "), text.count(b"\nX-Spam-Status: unscanned (")
    assert (verdicts, marks) in ((1, 0), (0, 1))
    assert name not in OVERSIZED or b"\nX-Spam-Status: unscanned (oversized: " in text
    text = re.sub(rb"X-Seen: [^\n]*\n", b"", original(text), count=1)
    expected = message if message.endswith(b"\n") else message + b"\n"
    assert text == expected or (name in HEADLESS and text == b"\n" + expected)
