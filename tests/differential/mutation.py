"""Configurations with something wrong in them, mostly: the two programs have to agree on which are."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.door import Outcome

TOKENS = re.compile(rb"\"(?:\\.|[^\"\\])*\"|'[^']*'|#[^\n]*|\$\([^\n]*\)|[$%]\{?[\w-]+\}?|[\w-]+|\s+|.", re.DOTALL)
STRANGE = (
    b"drop",
    b"{",
    b"}",
    b"match",
    b'""',
    b'"x"',
    b"5",
    b"$nosuch",
    b"%nosuch",
    b"endif",
    b"nosuchword",
    b"user",
    b"in",
    b"not",
    b"0",
    b"999999999999999999999999999999",
    b"9223372036854775808",
    b"+",
    b",",
    b"=",
    b"!",
    b"\x80",
    b'"(" in body',
    b"returns ( , )",
    b"x" * 130,
    b"ifdef $x",
    b'include "nosuch"',
    b"continue",
    b"action",
    b"keep",
)
# Where we differ on purpose, by a fault's text in one of the two programs' words.
FLAGS = rb"no-apop|no-verify|no-uidl|starttls|insecure|no-cram-md5|no-plain|no-login|oauthbearer|xoauth2"


def mutated(draw: Callable[..., Any], configuration: bytes) -> bytes:
    """The configuration with some tokens dropped, doubled, swapped, replaced or cut off."""
    tokens = TOKENS.findall(configuration)
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(tokens) - 1))
        way = draw(st.integers(0, 5))
        if way == 0:
            tokens[at : at + 1] = []
        elif way == 1:
            tokens.insert(at, tokens[at] + b" ")
        elif way == 2:
            tokens[at : at + 3] = tokens[at : at + 3][::-1]
        elif way == 3:
            tokens[at] = b" " + draw(st.sampled_from(STRANGE)) + b" "
        elif way == 4:
            tokens.insert(at, b" " + draw(st.sampled_from(STRANGE)) + b" ")
        else:
            other = draw(st.integers(0, len(tokens) - 1))
            tokens[at], tokens[other] = tokens[other], tokens[at]
        if not tokens:
            break
    return b"".join(tokens)


def verdict_differences(configuration: bytes, theirs: Outcome, ours: Outcome) -> str:
    """What the two say differently about a configuration; empty where they agree or mean to differ."""
    if theirs.status == ours.status or _meant(configuration, theirs, ours):
        return ""
    return f"fdm: {theirs.status} {theirs.stderr!r}\nwe: {ours.status} {ours.stderr!r}"


def _meant(configuration: bytes, theirs: Outcome, ours: Outcome) -> bool:
    if _leaves_out_otherwise(configuration):
        return True
    # L98: flags may come in any order.
    return theirs.status == 1 and b"syntax error" in theirs.stderr and len(re.findall(FLAGS, configuration)) > 1


def _leaves_out_otherwise(configuration: bytes) -> bool:
    """Whether something stands in an ifdef that fdm does not leave out where we do, or the other way round."""
    depth = 0
    for token in TOKENS.findall(configuration):
        # L34: a block in a block. L35: an include in a block that is left out comes after it.
        if depth and token in (b"ifdef", b"ifndef", b"include"):
            return True
        if token in (b"ifdef", b"ifndef"):
            depth += 1
        elif token == b"endif":
            depth = max(0, depth - 1)
    return False
