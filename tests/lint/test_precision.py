"""Every finding on configurations as people write them is judged, and hardly any is wrong (docs/precision.md)."""

from __future__ import annotations

from collections import Counter

from tests.lint.corpus import Key, configurations, examples, findings, judged


def _said(texts: dict[str, str]) -> tuple[Counter[Key], int]:
    said: Counter[Key] = Counter()
    rules = 0
    for name, text in texts.items():
        found, count = findings(name, text)
        rules += count
        said.update((name, each.at.span.line, each.name) for each in found)
    return said, rules


def test_every_finding_is_judged_and_every_judgement_is_of_a_finding() -> None:
    said, rules = _said(configurations())
    assert len(configurations()) >= 60
    assert rules >= 1000
    table = {key: len(each) for key, each in judged().items() if not key[0].startswith("fdm/")}
    assert table == dict(said)


def test_the_findings_on_the_examples_of_fdm_are_judged(fdm22: str) -> None:
    said, _ = _said(examples(fdm22))
    table = {key: len(each) for key, each in judged().items() if key[0].startswith("fdm/")}
    assert table == dict(said)


def test_at_most_one_finding_in_fifty_is_wrong() -> None:
    table = [each for several in judged().values() for each in several]
    wrong = [each for each in table if not each.right]
    assert len(table) > 150
    assert all(each.reason for each in table)
    assert len(wrong) <= len(table) * 0.02
