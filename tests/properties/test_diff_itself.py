"""`rulesmith diff`: nothing changes between a configuration and itself, and both directions count alike."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

import rulesmith.fdm
from rulesmith.cli import rulesmith as people
from tests.differential.configuration import Pair, pairs
from tests.differential.run import Arena, memory
from tests.door import Call, Outcome, warm, warm_door

# One that takes nothing away, one that drops it all, one that never matches, one that copies.
OTHERS = (
    b"\n# nothing new\n",
    b"\nmatch all action drop\n",
    b'\nmatch "^X-Never-Seen: [0-9]{9}" in headers action drop\n',
    b'\nmatch all action maildir "elsewhere"\n',
)


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    warm()
    # The user that root drops to may not be able to read it.
    importlib.import_module("click._termui_impl")
    with tempfile.TemporaryDirectory(prefix="diff.", dir=memory()) as base:
        Path(base).chmod(0o755)
        yield Arena([], warm_door, base)


def _people() -> int:
    people(args=sys.argv[1:])
    return 0


def _diff(arena: Arena, pair: Pair, other: bytes, reverse: bool = False) -> Outcome:
    folder = f"{arena.base}/run"
    os.mkdir(folder)
    try:
        arena._furnish(folder, replace(pair, files={**pair.files, "other": pair.configuration + other}))
        sides = (b"other", b"conf") if reverse else (b"conf", b"other")
        words = tuple(word for word in pair.words[2:] if word not in (b"-q", b"-m", b"-k"))
        args = (b"diff", *sides, *words, b"--mail", b"-", b"--format", b"json")
        return warm_door(Call(args, pair.messages[0], folder, arena._environment(folder), arena.user))
    finally:
        shutil.rmtree(folder)


@settings(max_examples=40)
@given(pairs(("nogroup", 65534), 1))
def test_a_configuration_is_like_itself_and_both_directions_agree(arena: Arena, pair: Pair) -> None:
    if b"-x" in pair.words or not pair.messages:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rulesmith.fdm, "main", _people)
        for number, other in enumerate(OTHERS):
            there = _diff(arena, pair, other)
            assert b"Traceback" not in there.stderr, there.stderr.decode()
            if there.status == 2:
                return  # the configuration is refused
            found = json.loads(there.stdout)
            if number == 0:
                assert (there.status, found["groups"]) == (0, [])
                continue
            back = json.loads(_diff(arena, pair, other, reverse=True).stdout)
            assert found["changed"] == back["changed"]
            assert found["outcomes"] == {"old": back["outcomes"]["new"], "new": back["outcomes"]["old"]}
