"""A dry run says what a real run does: the same rules match, and both end alike, for any configuration and message."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import rulesmith.fdm
from rulesmith.cli import rulesmith as people
from tests.differential.configuration import Pair, pairs
from tests.differential.run import Arena, memory
from tests.door import Call, Outcome, warm, warm_door

DRY = (b"--run-commands", b"--run-rewrites", b"--format", b"json", b"-")


@pytest.fixture(scope="module")
def arena() -> Iterator[Arena]:
    warm()
    with tempfile.TemporaryDirectory(prefix="dry.", dir=memory()) as base:
        Path(base).chmod(0o755)
        yield Arena([], warm_door, base)


def _dry_run() -> int:
    people(args=sys.argv[1:])
    return 0


def _run(arena: Arena, pair: Pair, args: tuple[bytes, ...]) -> Outcome:
    # Always the same name: it may be in the message.
    folder = f"{arena.base}/run"
    os.mkdir(folder)
    try:
        arena._furnish(folder, pair)
        return warm_door(Call(args, pair.messages[0], folder, arena._environment(folder), arena.user))
    finally:
        shutil.rmtree(folder)


def _matched(rules: list[dict[str, Any]]) -> list[int]:
    return [
        number
        for rule in rules
        for number in ([rule["rule"]] if rule["result"] == "match" else []) + _matched(rule["rules"])
    ]


@settings(max_examples=60)
@given(pairs(("nogroup", 65534), 1))
def test_the_dry_run_and_the_run_agree(arena: Arena, pair: Pair) -> None:
    words = tuple(word for word in pair.words if word not in (b"-q", b"-m", b"-k"))
    if b"-x" in words or not pair.messages:
        return  # a dry run takes the account it is told
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rulesmith.fdm, "main", _dry_run)
        dry = _run(arena, pair, (b"dry-run", *words, *DRY))
    if dry.status == 2:
        return  # the configuration is refused
    assert b"Traceback" not in dry.stderr, dry.stderr.decode()
    real = _run(arena, pair, (*words, b"-m", b"-vv", b"fetch"))
    log = real.stderr.decode("latin-1")
    report = json.loads(dry.stdout.splitlines()[-1])
    if report["outcome"] == "unknown" or log.count("fetch started") != 1:
        return
    assert _matched(report["rules"]) == [int(number) for number in re.findall(r"matched to rule (\d+)", log)]
    assert (dry.status == 0) == (real.status == 0), report["reason"]
