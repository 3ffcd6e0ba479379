"""The engine driven by hand: programs as tuples, answers from a list, no world at all."""

from __future__ import annotations

from typing import Any

import pytest

from rulesmith.effects import AHEAD, DELIVER, RUN, WHO, Failure
from rulesmith.evaluate import Verdict, evaluate
from rulesmith.mail.message import Message

AT = ("fdm.conf", 1)
ME = (b"me", 1000, 1000, b"/home/me")
SETTINGS: dict[str, Any] = {
    "strip-characters": b"",
    "default-user": None,
    "command-user": None,
    "ignore-errors": False,
    "unmatched-mail": None,
    "maximum-size": 1 << 20,
}
ALL = (0, False, "all", ())
NONE = (0, True, "all", ())
USERS = {b"bob": (b"bob", 1, 1, b"/home/bob"), b"eve": (b"eve", 2, 2, b"/home/eve")}

Expression = tuple[tuple[int, bool, str, tuple[Any, ...]], ...]


def rule(
    number: int,
    *items: Any,
    when: Expression = (ALL,),
    names: tuple[bytes, ...] | None = None,
    users: tuple[bytes, ...] = (),
    block: Any = None,
    goes_on: bool = False,
) -> Any:
    lambda_ = None if names is not None or block is not None else items
    return (number, AT, when, users, names, lambda_, block, goes_on)


def append(path: bytes) -> Any:
    return ("append", (path,), AT)


def run(
    rules: tuple[Any, ...],
    actions: tuple[Any, ...] = (),
    failing: dict[bytes, str] | None = None,
    settings: dict[str, Any] | None = None,
) -> tuple[Verdict, list[tuple[bytes, bytes]]]:
    """The verdict, and (path, user) of what was stored, in order."""
    message = Message(b"A: 1\n\nbody\n", 6, {}, 0)
    program = ({**SETTINGS, **(settings or {})}, (), (), actions, rules)
    engine = evaluate(program, b"stdin", (), message, ME)
    stored: list[tuple[bytes, bytes]] = []
    answer: Any = None
    failure: Failure | None = None
    while True:
        try:
            effect = engine.throw(failure) if failure else engine.send(answer)
        except StopIteration as end:
            return end.value, stored
        failure = answer = None
        if effect[0] == WHO:
            answer = USERS.get(effect[1])
        elif effect[0] == DELIVER:
            path = effect[2][0]
            if path in (failing or {}):
                failure = Failure((failing or {})[path])
            else:
                stored.append((path, effect[3][0]))
                answer = {}
        else:
            assert effect[0] == RUN
            answer = (0, b"")


def stored(*rules: Any, actions: tuple[Any, ...] = ()) -> list[bytes]:
    return [path for path, _ in run(rules, actions)[1]]


def test_the_first_match_stops() -> None:
    assert stored(rule(0, append(b"a")), rule(1, append(b"b"))) == [b"a"]


def test_continue_goes_on() -> None:
    assert stored(rule(0, append(b"a"), goes_on=True), rule(1, append(b"b"))) == [b"a", b"b"]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (((0, False), (2, False), (1, True)), False),  # a or b and not c: left to right
        (((0, True), (1, False), (2, False)), True),
        (((0, False), (1, True), (2, True)), False),
    ],
)
def test_connectives_have_no_precedence(terms: Any, expected: bool) -> None:
    when = tuple((join, negated, "all", ()) for join, negated in terms)
    assert stored(rule(0, append(b"a"), when=when)) == ([b"a"] if expected else [])


def test_a_nested_rule_that_stops_nobody_falls_through() -> None:
    inner = (rule(1, append(b"inner"), when=(NONE,)),)
    assert stored(rule(0, block=inner), rule(2, append(b"after"))) == [b"after"]


def test_a_stop_inside_stops_everything() -> None:
    inner = (rule(1, append(b"inner")), rule(2, append(b"never")))
    assert stored(rule(0, block=inner), rule(3, append(b"after"))) == [b"inner"]


def test_an_empty_nested_rule_counts_as_matched_and_a_full_one_does_not() -> None:
    matched = (0, False, "matched", ())
    assert stored(rule(0, block=()), rule(1, append(b"x"), when=(matched,))) == [b"x"]
    full = (rule(1, append(b"no"), when=(NONE,)),)
    assert stored(rule(0, block=full), rule(2, append(b"x"), when=(matched,))) == []


def test_one_unknown_name_stops_the_whole_list() -> None:
    actions = ((b"in", (), (append(b"in"),), AT),)
    verdict, done = run((rule(0, names=(b"in", b"nosuch")),), actions)
    assert done == []
    assert (verdict.outcome, verdict.reason) == ("aborted", "no actions matching: nosuch (nosuch)")


def test_names_are_globs_in_order_of_definition() -> None:
    actions = tuple((name, (), (append(name),), AT) for name in (b"ab2", b"c", b"ab1"))
    assert stored(rule(0, names=(b"ab*", b"c")), actions=actions) == [b"ab2", b"ab1", b"c"]


def chained(count: int) -> tuple[Any, ...]:
    return (
        (b"leaf", (), (append(b"leaf"),), AT),
        (b"top", (), tuple(("action", ((b"leaf",),), AT) for _ in range(count)), AT),
    )


@pytest.mark.parametrize(("count", "fine"), [(3, True), (4, False)])
def test_a_rule_by_name_may_expand_three_action_items(count: int, fine: bool) -> None:
    verdict, done = run((rule(0, names=(b"top",)),), chained(count))
    assert (verdict.outcome == "done") is fine
    assert len(done) == (count if fine else 0)
    assert fine or verdict.reason == "too many chained actions"


@pytest.mark.parametrize(("count", "fine"), [(4, True), (5, False)])
def test_a_lambda_may_expand_four(count: int, fine: bool) -> None:
    items = tuple(("action", ((b"leaf",),), AT) for _ in range(count))
    verdict, _ = run((rule(0, *items),), chained(0))
    assert (verdict.outcome == "done") is fine


def test_users_of_the_rule_win_and_multiply() -> None:
    actions = ((b"in", (b"me",), (append(b"in"),), AT),)
    items = (append(b"out"), ("action", ((b"in",),), AT))
    _, done = run((rule(0, *items, users=(b"bob", b"eve")),), actions)
    assert done == [
        (b"out", b"bob"),
        (b"in", b"bob"),
        (b"in", b"eve"),
        (b"out", b"eve"),
        (b"in", b"bob"),
        (b"in", b"eve"),
    ]


def test_a_user_that_does_not_exist_aborts() -> None:
    verdict, done = run((rule(0, append(b"x"), users=(b"nobody-here",)),))
    assert (verdict.reason, done) == ("bad user: nobody-here", [])


def test_a_failure_ends_everything_and_names_itself() -> None:
    verdict, done = run((rule(0, append(b"a"), append(b"b"), append(b"c")),), failing={b"b": "b: disk full"})
    assert (verdict.outcome, verdict.reason, done) == ("aborted", "b: disk full", [(b"a", b"me")])


def test_an_ignored_failure_keeps_the_mail_and_runs_no_more_rules() -> None:
    rules = (rule(0, append(b"b"), append(b"c"), goes_on=True), rule(1, append(b"d")))
    verdict, done = run(rules, failing={b"b": "no"}, settings={"ignore-errors": True})
    assert (verdict.outcome, verdict.decision, done) == ("ignored", "keep", [])


def test_the_end_of_the_rules_overrides_what_a_rule_decided() -> None:
    dropping = rule(0, ("drop", (), AT), goes_on=True)
    verdict, _ = run((dropping,))
    assert (verdict.decision, verdict.dropped, verdict.ended) == ("keep", False, True)
    verdict, _ = run((rule(0, ("keep", (), AT), goes_on=True),), settings={"unmatched-mail": "drop"})
    assert (verdict.decision, verdict.dropped) == ("drop", True)


def test_the_last_of_keep_and_drop_wins() -> None:
    verdict, _ = run((rule(0, ("drop", (), AT), ("keep", (), AT)),))
    assert (verdict.decision, verdict.dropped, verdict.ended) == ("keep", False, False)


def test_user_tags_hold_only_while_an_action_runs() -> None:
    tagged = (0, False, "tagged", (b"user",))
    path = (b"%u", ((b"user", True),))
    assert stored(rule(0, append(b"never"), when=(tagged,)), rule(1, ("append", (path,), AT))) == [b"me"]


def pipe(command: Any) -> Any:
    return ("pipe", (command,), AT)


@pytest.mark.parametrize(
    ("items", "ahead"),
    [
        ((pipe(b"a"), pipe(b"b"), pipe(b"c")), [(b"a", b"b", b"c")]),
        ((pipe(b"a"),), []),
        ((pipe(b"a"), append(b"x"), pipe(b"b")), []),
        ((append(b"x"), pipe(b"a"), pipe(b"b")), [(b"a", b"b")]),
        (
            (pipe(b"a"), pipe(b"b"), ("add-header", (b"X", b"y"), AT), pipe(b"c"), pipe(b"d")),
            [(b"a", b"b"), (b"c", b"d")],
        ),
        ((pipe(b"a"), pipe((b"%u", ((b"user", True),))), pipe(b"b")), []),
        ((pipe(b"a"), ("exec", (b"b",), AT), pipe(b"c")), []),
    ],
)
def test_pipes_that_follow_each_other_are_foretold(items: Any, ahead: list[tuple[bytes, ...]]) -> None:
    """Whoever is told is asked for just these afterwards, of the message as it is then."""
    message = Message(b"A: 1\n\nbody\n", 6, {}, 0)
    for foretells in (True, False):
        engine = evaluate((SETTINGS, (), (), (), (rule(0, *items),)), b"stdin", (), message, ME, None, foretells)
        told: list[Any] = []
        pending: list[Any] = []
        answer: Any = None
        for _ in range(50):
            try:
                effect = engine.send(answer)
            except StopIteration:
                break
            answer = {} if effect[0] == DELIVER else (0, b"") if effect[0] == RUN else None
            if effect[0] == AHEAD:
                assert not pending
                told.append(tuple(each[2] for each in effect[1]))
                pending = list(effect[1])
            elif pending:
                assert effect == pending.pop(0)
        assert not pending
        assert told == (ahead if foretells else [])
