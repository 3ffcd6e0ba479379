"""The words of a fetchmailrc, as fetchmail's own lexer finds them."""

from __future__ import annotations

import pytest

from rulesmith.container.rc_words import Kind, words


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("idle", "IDLE"),
        ("noidle", "NO IDLE"),
        ("no idle", "NO IDLE"),
        ("no\n  # idle\nidle", "NO IDLE"),
        ("idled idle-x xidle", "STRING STRING STRING"),
        ("'idle' \"idle\"", "STRING STRING"),
        ("user idle idle", "USER STRING IDLE"),
        ("password idle", "OPTION STRING"),
        ("is idle here", "OPTION STRING OPTION"),
        ("is a=idle", "OPTION STRING OPTION STRING"),
        ("is a b", "OPTION STRING STRING"),
        ("keep,idle;ssl:idle", "OPTION IDLE OPTION IDLE"),
        ("'a\nidle' idle", "STRING IDLE"),
        ("'a' # 'idle\nidle", "STRING IDLE"),
        ('"a"idle', "STRING"),
        ('"a b"idle', "STRING IDLE"),
        ('"a\\"idle"', "STRING"),
        ('"a \\" idle"', "STRING STRING"),
        ('"a \\" idle "', "STRING IDLE STRING"),
        ("a#idle\nidle", "STRING IDLE"),
        ("# idle", "STRING IDLE"),
        ("auth password user x", "OPTION OPTION USER STRING"),
        ("auth password idle", "OPTION OPTION IDLE"),
        ("password password idle", "OPTION STRING IDLE"),
        ("12 -3 4x", "NUMBER NUMBER STRING"),
        ("idle\\\nidle", "STRING IDLE"),
        ("idle \\\nidle", "IDLE IDLE"),
        ("folder with idle", "FOLDER IDLE"),
    ],
)
def test_words_are_found_as_fetchmail_finds_them(text: str, kinds: str) -> None:
    assert " ".join(word.kind.name for word in words(text)) == kinds


def test_kinds_are_all_in_use() -> None:
    text = "set daemon 5 poll h user u folder a no idle"
    assert {word.kind for word in words(text)} == set(Kind)
