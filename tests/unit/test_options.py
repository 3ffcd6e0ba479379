"""fdm's command line (fdm(1))."""

from __future__ import annotations

import pytest

from rulesmith.options import UsageError, parse


def test_the_first_configuration_and_user_win() -> None:
    options = parse(["-f", "a", "-fb", "-u", "x", "-uy", "fetch"])
    assert (options.config, options.user) == ("a", "x")


def test_options_may_follow_the_command() -> None:
    options = parse(["fetch", "-vv", "-m", "-a", "one", "-atwo"])
    assert (options.verbose, options.multiple, options.includes) == (2, True, [b"one", b"two"])


@pytest.mark.parametrize(("word", "command"), [("f", "fetch"), ("p", "poll"), ("", "poll"), ("ca", "cache")])
def test_commands_may_be_shortened(word: str, command: str) -> None:
    assert parse([word]).command == command


def test_letters_may_stand_together() -> None:
    options = parse(["-lmvnq"])
    assert (options.syslog, options.multiple, options.verbose, options.check, options.quiet) == (
        True,
        True,
        1,
        True,
        True,
    )


def test_arguments_of_cache_are_kept() -> None:
    assert parse(["cache", "add", "path", "--", "-key"]).arguments == ["add", "path", "-key"]


@pytest.mark.parametrize(
    ("words", "scan"),
    [
        ([], None),
        (["--scan", "unix:/run/x"], b"unix:/run/x"),
        (["--scan=http://h", "--scan=http://[::1]:1"], b"http://[::1]:1"),
        (["--scan="], b""),
        (["--scan", ""], b""),
    ],
)
def test_the_last_scanner_counts(words: list[str], scan: bytes | None) -> None:
    assert parse([*words, "fetch"]).scan == scan


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], ""),
        (["fetchx"], ""),
        (["fetch", "more"], ""),
        (["-n", "fetch"], ""),
        (["-Z", "fetch"], "invalid option -- 'Z'"),
        (["-a"], "option requires an argument -- 'a'"),
        (["--what", "fetch"], "unrecognized option '--what'"),
        (["--scanner=x", "fetch"], "unrecognized option '--scanner=x'"),
        (["fetch", "--scan"], "option '--scan' requires an argument"),
        (["--scan", "nowhere", "fetch"], "--scan: nowhere is neither http://HOST:PORT nor unix:/PATH"),
    ],
)
def test_anything_else_is_a_usage_error(words: list[str], text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert str(caught.value) == text
