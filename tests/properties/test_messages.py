"""Any octets as a message: delivered as fdm delivers them, dropped by a rule, or asked for again later."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rulesmith.mda
from tests.differential.configuration import Pair
from tests.differential.run import Arena, memory
from tests.door import Call, plain_user, warm, warm_door

RULES = b"""
account "stdin" stdin
match "drop-me" action drop
match "fail-me" action pipe "exit 3"
match "leave-me" action tag "left"
match "^from:.*@(.*)" in headers action tag "who" value "%1" continue
match age < 3 years action tag "young" continue
"""
STORE = (
    b'match all action { write "written" maildir "maildir" pipe "cat >piped" MBOX stdout exec "echo %[who] >log" }\n'
)
LINES = st.sampled_from(
    [
        *(
            b"Subject: x",
            b"Subject: x\r",
            b"from: bob@x.org",
            b"Received: from y",
            b"Date: Mon, 2 Mar 2020 10:00:00 +0000",
        ),
        *(b" folded", b"\tx", b"X: y", b"x"),
        *(
            b"",
            b"",
            b"\r",
            b" ",
            b"text",
            b"From x",
            b">From y",
            b".",
            b"\xff\xfe",
            b"a\rb",
            b"drop-me",
            b"fail-me",
            b"leave-me",
        ),
    ]
)
MESSAGES = st.builds(
    lambda lines, end: b"\n".join(lines) + end, st.lists(LINES, max_size=12), st.sampled_from([b"\n", b""])
) | st.binary(max_size=120)


@pytest.fixture(scope="module")
def folder() -> Iterator[str]:
    warm()
    with tempfile.TemporaryDirectory(prefix="rs.", dir=memory()) as name:
        Path(name).chmod(0o755)
        yield name


@pytest.fixture(scope="module")
def arena(fdm22: str, folder: str) -> Iterator[Arena]:
    with pytest.MonkeyPatch.context() as patch:
        # It is in the Received line.
        patch.setattr(rulesmith.mda, "__version__", "2.2")
        yield Arena([fdm22], warm_door, folder)


@given(MESSAGES | st.binary().map(lambda octets: b"A: b\0c\n\n" + octets))
@settings(max_examples=300)
def test_a_message_is_stored_or_dropped_or_asked_for_again(folder: str, message: bytes) -> None:
    user = plain_user()
    with tempfile.TemporaryDirectory(dir=folder) as where:
        conf = Path(where, "conf")
        conf.write_bytes(RULES + STORE.replace(b"MBOX", b'mbox "box"'))
        conf.chmod(0o644)
        if user:
            os.chown(where, user.pw_uid, user.pw_gid)
        environment = {"PATH": os.environ["PATH"], "HOME": where, "TZ": "UTC", "LC_ALL": "C"}
        outcome = warm_door(Call(["-q", "-m", "-f", "conf", "fetch"], message, where, environment, user))
        stored = Path(where, "box").exists()
    assert b"Traceback" not in outcome.stderr
    if outcome.status == 0:
        assert stored or b"drop-me" in message
    else:
        assert outcome.status == 75
        assert not stored
        assert outcome.stderr


def _comparable(message: bytes) -> bool:
    """Without NUL, which fdm cuts at, and without a first line that an mbox must quote and fdm does not (L88)."""
    body = message.split(b"\n", 1)[-1] if message.startswith(b"From ") else message
    return b"\0" not in message and not body.lstrip(b">").startswith(b"From ")


@given(MESSAGES.filter(_comparable), st.booleans())
@settings(max_examples=200, print_blob=True)
def test_what_is_delivered_is_what_fdm_delivers(arena: Arena, message: bytes, received: bool) -> None:
    # Where fdm sees no header area we see one: then the Received line and the sender in an mbox stand elsewhere.
    plain = re.search(rb"\A\n|\A[^\r]*?\n\n", message) is not None
    rules = RULES + STORE.replace(b"MBOX", b'mbox "box"' if plain else b"")
    if not plain or not received:
        rules = b"set no-received\n" + rules
    if not plain:
        # So do the rules that look at headers.
        rules = b"\n".join(line for line in rules.split(b"\n") if b"continue" not in line)
    pair = Pair(rules, {}, (b"-f", b"conf", b"-m"), (message,), (), frozenset())
    found = arena.differences(pair)
    assert not found, "\n".join(found)
