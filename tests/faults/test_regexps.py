"""Regexps that take others seconds or for ever (and fdm too): each ends within 250 ms, or with a clean refusal."""

from __future__ import annotations

import time

import pytest

from rulesmith.effects import Failure
from rulesmith.regexp.error import RegexpError
from rulesmith.regexp.lower import lower
from rulesmith.regexp.search import search
from tests.faults.house import House, messages

KIB, MIB = 1 << 10, 1 << 20
SECONDS = 0.25
# Pattern, text, whether it matches; None where no answer is asked for, only an end.
ADVERSARIAL: dict[str, tuple[bytes, bytes, bool | None]] = {
    "nested repetition, short": (rb"(a+)+$", b"a" * 28 + b"!", False),
    "nested repetition, long": (rb"(a+)+$", b"a" * 20_000 + b"!", False),
    "two runs and an end": (rb"(x+x+)+y", b"x" * 20_000, False),
    "three stars, a line of 5 KB": (rb".*.*.*z", b"a" * 5 * KIB, False),
    "three stars, a line of 1 MB": (rb".*.*.*z", b"a" * MIB, False),
    "eleven fields": (rb"^(.*,){11}P", b"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20\n" * 20, False),
    "ambiguous alternatives": (rb"(a|aa)+$", b"a" * 40 + b"!", False),
    "words in a row": (rb"a.*b.*c.*d$", b"abc" * (100 * KIB // 3), False),
    "an address in one word of 1 MB": (rb"[a-z]+@[a-z]+\.com", b"a" * MIB, False),
    "back-references": (rb"(.*)\1\1z", b"a" * 3000, None),
    "repetition of repetitions": (rb"((a{1,100}){1,100}){1,50}", b"a" * 1000, None),
    "look-ahead in a loop": (rb"((?=a*b)a)*c", b"a" * 5000, None),
    "a lazy one": (rb"(.*?)*?x$", b"a" * 5000, None),
    "optional ones": (rb"(a?){30}a{30}b", b"a" * 30, None),
}


def seconds(pattern: bytes, text: bytes, dialect: str) -> tuple[float, object]:
    """CPU time of compiling and searching; what was found, or the refusal."""
    begin = time.process_time()
    found: object
    try:
        found = search(lower(pattern, False, dialect), text, text.lower())
    except (Failure, RegexpError) as refusal:
        found = refusal
    return time.process_time() - begin, found


@pytest.mark.parametrize("dialect", ["pcre", "posix"])
@pytest.mark.parametrize("name", ADVERSARIAL)
def test_an_adversarial_regexp_ends_in_time(name: str, dialect: str) -> None:
    pattern, text, matches = ADVERSARIAL[name]
    # What is loaded at the first use is not the regexp's.
    seconds(b"(a|b)*c", b"a" * 20_000, dialect)
    # A busy machine makes the same work longer, now and then: the shortest of several times is the regexp's own.
    tries: list[float] = []
    while not tries or (min(tries) >= SECONDS and len(tries) < 5):
        taken, found = seconds(pattern, text, dialect)
        tries.append(taken)
    assert min(tries) < SECONDS, (tries, found)
    if isinstance(found, Exception):
        assert str(found) or found.args
    elif matches is not None:
        assert (found is not None) == matches


def test_a_rule_that_cannot_be_decided_keeps_the_message(house: House) -> None:
    """The clean limit of a rule, through the whole chain."""
    plans = messages(1)
    [message] = plans
    evil = message + b"a" * 3000 + b"\n"
    rules = (house.bed.home / "fdm.conf").read_text()
    house.configure(rules.replace('match "^D', 'match "((a+)+)\\\\1[!?]" in body action drop\nmatch "^D'))
    done = house.hand(evil)
    assert (done.status, b"regexec failed: took longer than" in done.err) == (75, True), done
    assert b"Traceback" not in done.err
    assert house.hand(message).status == 0
    result = house.balance(plans | {evil: ()}, [evil])
    assert (result.wrong, result.done, result.waiting) == ([], 1, 1)
