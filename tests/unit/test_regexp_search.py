"""Searches end in time, whatever the text; and they leave no trace in the process."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rulesmith.effects import Failure
from rulesmith.limits import SEARCH_SECONDS
from rulesmith.regexp import search as search_module
from rulesmith.regexp.linear import search_linearly
from rulesmith.regexp.lower import lower
from rulesmith.regexp.search import LINEAR, ONLY_LINEAR, STRAIGHT, search

# Each search should end within 250 ms. This machine may be busy, so the bar is higher; a runaway takes for ever.
SECONDS = 30.0
WORD = b"x" * 1_000_000
RECIPIENTS = b"To: " + b", ".join(b"user%d@example.com" % n for n in range(400)) + b"\nSubject: hello\n"


def find(source: bytes, text: bytes, dialect: str = "pcre") -> tuple[bytes, ...] | None:
    return search(lower(source, False, dialect), text, text.lower())


ADVERSARIAL = [
    (b"(a+)+$", b"a" * 28 + b"!", False),
    (b"(a+)+$", b"a" * 20000 + b"!", False),
    (b"(x+x+)+y", b"y" + b"x" * 20000, False),
    (b".*.*.*x", b"a" * 5000, False),
    (b".*.*.*x", b"x\n" + b"a" * 1_000_000, True),
    (b".*.*.*[xy]", b"a" * 1_000_000, False),
    (b"^(.*,){11}P", b"1,2,3,4,5,6,7,8,9,10,11," * 10 + b"\nP", False),
    (b"(a|aa)+$", b"a" * 40 + b"!", False),
    (b"a.*b.*c.*d$", b"d!" + b"abc" * 33333, False),
    (rb"[a-z]+@[a-z]+\.com", WORD + b"@\n.com", False),
    (rb".+@(a|.+\.a)", b"From: <" + b"b@" * 40000 + b">", False),
    (b"^(To|Cc|Bcc):(.*,){20,}.*$", RECIPIENTS, True),
    (b"(x*)*(x*)*[yz]", b"x" * 100_000, False),
]


@pytest.mark.parametrize("dialect", ["pcre", "posix"])
@pytest.mark.parametrize(("source", "text", "matches"), ADVERSARIAL, ids=[repr(row[0])[2:-1] for row in ADVERSARIAL])
def test_a_hostile_text_gets_its_verdict_in_time(source: bytes, text: bytes, matches: bool, dialect: str) -> None:
    started = time.monotonic()
    found = find(source, text, dialect)
    assert time.monotonic() - started < SECONDS
    assert (found is not None) == matches


UNDECIDED = [
    (rb"(.*)\1\1z", b"a" * 3000 + b"\nz"),
    (b"(?=[a-z]+@)x+[0-9]", WORD + b"5@1"),
    (rb"([a-z])+\1@[a-z]+", WORD + b"@"),
    (b"(a+)+(?=b)$", b"a" * 40 + b"bx"),
]


@pytest.mark.parametrize(("source", "text"), UNDECIDED, ids=[repr(row[0])[2:-1] for row in UNDECIDED])
def test_what_nothing_can_decide_fails_and_names_the_regexp(source: bytes, text: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(Failure) as caught:
        find(source, text)
    assert time.monotonic() - started < SECONDS
    assert caught.value.text == f"{source.decode()}: regexec failed: took longer than 0.1 seconds"


def test_look_around_on_a_long_line_is_decided_where_that_is_quick() -> None:
    text = b"-" * 100_000 + b"ab"
    assert find(b"(?<=-)a(?=b)", text) == (b"a",)


def test_a_capture_on_a_million_octets_is_found() -> None:
    text = b"To: " + WORD + b"@example.com\n"
    assert find(rb"^To: ([a-z]+)@([a-z]+)\.com", text) == (text[:-1], WORD, b"example")


def test_the_limit_holds_where_the_caller_has_blocked_its_signal() -> None:
    source, text = UNDECIDED[-1]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
    try:
        with pytest.raises(Failure, match="took longer"):
            find(source, text)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_the_callers_signal_and_timer_are_kept() -> None:
    rings: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: rings.append(number))
    try:
        mine = signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 600.0, 7.0)
        assert find(b"(a+)+$", b"a" * 40 + b"!") is None
        left, interval = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 0 < left < 600
        assert interval == 7.0
        assert signal.getsignal(signal.SIGALRM) is mine
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rings == []


def test_a_timer_of_the_caller_that_is_due_rings_afterwards() -> None:
    rings: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, _: rings.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        assert find(b"(a+)+$", b"a" * 40 + b"!") is None
        deadline = time.monotonic() + SECONDS
        while not rings and time.monotonic() < deadline:
            pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rings == [signal.SIGALRM]


def _in_thread(source: bytes, text: bytes) -> object:
    results: list[object] = []

    def run() -> None:
        try:
            results.append(find(source, text))
        except Failure as failure:
            results.append(failure.text)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(SECONDS)
    return results[0]


def test_in_another_thread_the_linear_matcher_decides() -> None:
    assert _in_thread(b"(a+)+$", b"a" * 40 + b"!") is None
    assert _in_thread(b"^To: (.*)@", b"To: Bob@x") == (b"To: Bob@", b"Bob")
    assert _in_thread(b"ab(?=c)", b"abc") == (b"ab",)
    reason = "regexec failed: it cannot be limited in time outside the main thread"
    assert _in_thread(b"a+b(?=c)", b"abc") == f"a+b(?=c): {reason}"


def test_a_text_without_the_needle_costs_no_import() -> None:
    program = (
        "import sys\n"
        "from rulesmith.regexp.search import search\n"
        "pattern = (b'^a:.*foo', b'^a:.*foo', 19, b'foo', 'pcre', False, None)\n"
        "assert search(pattern, b'A: bar', b'a: bar') is None\n"
        "print(*sorted({'re', 'enum', 'typing', '_signal', 'signal', 'functools'} & (set(sys.modules) - before)))\n"
    )
    start = "import sys; before = set(sys.modules)\n"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", f"{start}sys.path.insert(0, {os.getcwd()!r})\n{program}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == ""


def test_the_linear_matcher_agrees_with_re_where_both_can() -> None:
    text = b"From: Bob <bob@example.org>\nTo: a@b, c@d\n\nx\n"
    for source in (
        b"^From:.*<([^@]+)@(.*)>$",
        b"^To:(.*,)? *(.*)@",
        rb"\bbob\b.*\n(to)",
        b"$",
        b"(a|b|c)@.*?(d|,)",
        b"q",
    ):
        for dialect in ("pcre", "posix"):
            if dialect == "posix" and b"?(" in source:
                continue
            pattern = lower(source, False, dialect)
            assert pattern[2] & LINEAR
            assert search_linearly(pattern, text) == search(pattern, text, text.lower())


def test_flags_say_who_can_search() -> None:
    assert lower(b"(a*)*", False, "pcre")[2] & ONLY_LINEAR
    assert not lower(b"(a+)*", False, "pcre")[2] & ONLY_LINEAR
    assert not lower(b"(?=a)b", False, "pcre")[2] & LINEAR
    assert not lower(b"a{60000}", False, "pcre")[2] & LINEAR
    assert lower(b"^Subject: foo", False, "pcre")[2] & STRAIGHT
    assert not lower(b"^Subject: .*foo", False, "pcre")[2] & STRAIGHT


def _asserted_slow_behind(act: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that takes too long is ended, also where something else happens within its time first."""
    real = search_module._find

    def find_later(*args: Any) -> Any:
        act()
        return real(*args)

    monkeypatch.setattr(search_module, "_find", find_later)
    source, text = UNDECIDED[0]
    with pytest.raises(Failure, match="took longer than"):
        find(source, text)


def test_a_limit_that_falls_into_what_the_collector_calls_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception would be swallowed there."""
    called = []

    def slow(phase: str, _: object) -> None:
        end = time.monotonic() + 2 * SEARCH_SECONDS
        while phase == "stop" and time.monotonic() < end:
            called.append(1)

    def collect() -> None:
        gc.callbacks.append(slow)
        try:
            gc.collect()
        finally:
            gc.callbacks.remove(slow)

    _asserted_slow_behind(collect, monkeypatch)
    assert called


def test_a_limit_that_falls_into_the_ring_before_it_waits_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """That one may have come to the collector."""
    asked = []

    def ring_in_a_ring() -> None:
        ring: Any = signal.getsignal(signal.SIGALRM)
        ring(signal.SIGALRM, SimpleNamespace(f_code=ring.__code__, f_globals=vars(search_module)))
        asked.append(ring)

    _asserted_slow_behind(ring_in_a_ring, monkeypatch)
    assert asked


def test_a_thousand_ordinary_regexps_are_lowered_quickly() -> None:
    started = time.process_time()
    for number in range(1000):
        lower(rb"^(To|Cc):.*user%d@example\.org" % number, False, "pcre")
    # 150 ms is the bar on a quiet machine.
    assert time.process_time() - started < 3.0
