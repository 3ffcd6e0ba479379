"""Faults of many kinds put into many places of good configurations: each is found, at its place."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from functools import lru_cache

import pytest

from tests.lint.corpus import configurations, findings

PLACES = 20
# A fault changes one line of a configuration, or gives None where it cannot be made.
Fault = Callable[[str, random.Random], str | None]

_NAMES = "(From|To|Subject|List-Id|Sender)"
_SIMPLE = re.compile(
    r'^match "\^(From|To|Subject|List-Id):(\.\*|[ ])?([^"]*)" in headers action (maildir "[^"%]*"|"[a-z-]+")$'
)


def _sub(pattern: str, replacement: str) -> Fault:
    def fault(line: str, chance: random.Random) -> str | None:
        changed, count = re.subn(pattern, replacement, line, count=1)
        return changed if count and changed != line else None

    return fault


def _simple(template: str) -> Fault:
    """A line with the action of a rule, and a fault in its conditions."""

    def fault(line: str, chance: random.Random) -> str | None:
        rule = _SIMPLE.match(line)
        return None if rule is None else template.replace("ACTION", rule[4]).replace("TEXT", rule[3])

    return fault


def _swapped(line: str, chance: random.Random) -> str | None:
    """Two letters of a field name the wrong way round."""
    rule = re.match(r'^(\s*match "\^)(Subject|Sender|List-Id|Delivered-To|From)(:.*)$', line)
    if rule is None:
        return None
    at = chance.randrange(1, len(rule[2]) - 1)
    name = rule[2][:at] + rule[2][at + 1] + rule[2][at] + rule[2][at + 2 :]
    return None if name == rule[2] or "-" in rule[2][at : at + 2] else f"{rule[1]}{name}{rule[3]}"


FAULTS: dict[str, list[tuple[str, Fault]]] = {
    "eaten-backslash": [("", _sub(r'(" in headers|^match "[^"]*)\\\\\.', r"\1\\."))],
    "unescaped-dot": [("", _sub(r"(@[a-z]+|\.[a-z]+)\\\\\.(org|com|net)\b", r"\1.\2"))],
    "missing-anchor": [("", _sub(rf'^(\s*match )"\^{_NAMES}(:[^"]*" in headers)', r'\1"\2\3'))],
    "header-without-area": [("", _sub(rf'^(\s*match "\^{_NAMES}:[^"]*") in headers( action)', r"\1\3"))],
    "header-in-body": [("", _sub(rf'^(\s*match "\^{_NAMES}:[^"]*") in headers( action)', r"\1 in body\3"))],
    "misspelt-header": [("", _swapped)],
    "regexp-never-matches": [
        ("no colon", _simple('match "^Subject TEXT" in headers action ACTION')),
        ("after the end", _simple('match "^Subject: x$yTEXT" in headers action ACTION')),
        ("folded", _simple('match "^To: a,\\n\\tTEXT" in headers action ACTION')),
    ],
    "missing-blank": [("", _simple('match "^From:bob@example\\\\.net" in headers action ACTION'))],
    "impossible-rule": [
        ("not itself", _simple('match "^X-New: TEXT" in headers and not "^X-New: TEXT" in headers action ACTION')),
        ("sizes", _simple("match size < 1K and size > 2K action ACTION")),
        ("ages", _simple("match age < 1 days and age > 9 days action ACTION")),
    ],
    "mixed-and-or": [
        ("", _simple('match "^X-A: a" in headers or "^X-B: b" in headers and "^X-C: c" in headers action ACTION'))
    ],
    "glob-in-regexp": [("", _sub(r'^(\s*match "\^Subject:[^"\\(|\[]*[a-zA-Z])" in headers', r'\1*" in headers')),
                       ("", _simple('match "^X-New: LOUD*" in headers action ACTION'))],
    "regexp-in-glob": [("", _simple('match attachment any-name ".*\\\\.zip$" action ACTION'))],
    "percent-removed": [("", _simple('match "^X-New: 50% off" in headers action ACTION'))],
    "case-without-effect": [("", _simple('match case "[0-9][0-9]:" in headers action ACTION'))],
    "case-of-field-name": [("", _simple('match case "^subject: TEXT" in headers action ACTION'))],
    "brackets-as-text": [("", _simple('match "^Subject: [announce] TEXT" in headers action ACTION'))],
    "empty-alternative": [("", _simple('match "^X-New:.*(one|two|)" in headers action ACTION'))],
    "empty-regexp": [("", _simple('match "" action ACTION'))],
    "slow-regexp": [("", _simple('match "^X-New:([a-z]+,?)+;" in headers action ACTION'))],
    "drop-by-body-text": [("", _simple('match "casino" in body action drop'))],
    "stale-submatch": [("", _simple('match "^X-New: yes" in headers action maildir "/m/%1"'))],
    "tag-in-path": [("", _simple('match "^X-New: (.*)" in headers action maildir "/m/%1"'))],
    "relative-delivery-path": [("", _simple('match "^X-New: yes" in headers action maildir "Mail/new"'))],
    "unknown-tag": [("", _simple('match "^X-New: yes" in headers action maildir "/m/%[mail_yaer]"'))],
    "undefined-macro": [("", _simple('match "^X-New: yes" in headers action maildir "${nosuch}/m"'))],
    "tag-in-regexp": [("", _simple('match "^X-New: %1" in headers action ACTION'))],
    "pipeline-hides-failure": [("", _simple('match "^X-New: yes" in headers action pipe "gpg -e | deliver -d me"'))],
    "failure-thrown-away": [("", _simple('match "^X-New: yes" in headers action pipe "deliver -d me || true"'))],
    "exec-without-message": [("", _simple('match "^X-New: yes" in headers action exec "procmail -d me"'))],
    "output-thrown-away": [("", _simple('match "^X-New: yes" in headers action pipe "spamc"'))],
    "rewrite-without-message": [("", _simple('match "^X-New: yes" in headers action rewrite "rspamc" continue'))],
    "nothing-stored": [("", _simple('match "^X-New: yes" in headers action tag "new"'))],
    "drop-then-deliver": [("", _simple('match "^X-New: yes" in headers action { drop maildir "/m/new" }'))],
    "attachment-count": [("", _simple("match attachment count == 1 action ACTION"))],
    "missing-unit": [("", _simple("match age > 30 action ACTION"))],
    "unclosed-tag": [("", _simple('match "^X-New: yes" in headers action maildir "/m/%[mail_year"'))],
    "day-of-year": [("", _simple('match "^X-New: yes" in headers action maildir "/m/%Y-%m"'))],
    "action-never-found": [("", _simple('match "^X-New: yes" in headers action "%h/Mail/new"'))],
    "non-ascii-in-regexp": [("", _simple('match "^Subject:.*Müller" in headers action ACTION'))],
    "undated-mail": [("", _simple("match not age < 30 days action ACTION"))],
    "tag-in-command": [("", _simple('match "^X-New: (.*)" in headers action pipe "deliver -m %1"'))],
    "unreachable-rule": [("next", _simple("match all action ACTION"))],
}  # fmt: skip


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return configurations()


@lru_cache(maxsize=200)
def _before(name: str, text: str) -> set[tuple[str, int]]:
    return {(each.name, each.at.span.line) for each in findings(name, text)[0]}


def _mutants(check: str, texts: dict[str, str]) -> list[tuple[str, str, int]]:
    """Configurations with one changed line each: from as many files as there are, chosen by the check's name."""
    chance = random.Random(check)
    found = []
    for name in sorted(texts):
        lines = texts[name].splitlines()
        numbers = list(range(len(lines)))
        chance.shuffle(numbers)
        made = 0
        for number in numbers:
            where, fault = chance.choice(FAULTS[check])
            changed = fault(lines[number], chance)
            if changed is None or "continue" in lines[number] or not _ends(lines, number):
                continue
            mutant = "\n".join([*lines[:number], changed, *lines[number + 1 :]]) + "\n"
            found.append((name, mutant, number + (2 if where == "next" else 1)))
            made += 1
            if made == 4:
                break
    chance.shuffle(found)
    return found[:PLACES]


def _ends(lines: list[str], number: int) -> bool:
    """Whether another rule follows, so that the line is one among others."""
    return number + 1 < len(lines) and lines[number + 1].startswith("match")


def test_there_are_as_many_kinds_as_were_promised() -> None:
    assert len(FAULTS) >= 25


@pytest.mark.parametrize("check", FAULTS)
def test_a_fault_is_found_wherever_it_is_made(check: str, texts: dict[str, str]) -> None:
    mutants = _mutants(check, texts)
    assert len(mutants) == PLACES
    missed = []
    for name, text, line in mutants:
        before = _before(name, texts[name])
        found = {(each.name, each.at.span.line) for each in findings(name, text)[0]} - before
        if (check, line) not in found:
            missed.append((name, line, text.splitlines()[line - 1], found))
    assert not missed
