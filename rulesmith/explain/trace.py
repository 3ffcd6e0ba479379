"""What is known of a message after a dry run: a tree of rules with their conditions, and a plan."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Match:
    """Where a regexp matched.

    `offset` counts octets of the message as the rules saw it; `name` is the header field it is in, with the octets
    from the start of that field. `before` and `after` are the rest of the line; `decoded` is the line as a person
    reads it, where the message has it encoded.
    """

    area: str
    offset: int
    octets: bytes
    before: bytes
    after: bytes
    name: str | None = None
    name_offset: int | None = None
    decoded: str | None = None


@dataclass
class Change:
    """Something that is no longer as it was: `what` is tag, captures, cache or message."""

    what: str
    text: str
    diff: tuple[str, ...] = ()


@dataclass
class Tried:
    """One condition of a rule in fdm's words; `skipped` says why where it was not tried.

    `result` is its own, after its `not`; None where it is not known. `facts` is what it looked at.
    """

    join: str
    text: str
    result: bool | None = None
    skipped: str | None = None
    matched: bytes | None = None
    match: Match | None = None
    captures: tuple[bytes, ...] = ()
    facts: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass
class Planned:
    """One action that would have been done, in order; `stores` says whether it would take the message.

    `octets` is the message after it; `unknown` says that it is a `rewrite` that was not run, so that they are older.
    """

    rule: int
    action: str
    kind: str
    user: str
    stores: bool = False
    command: str | None = None
    path: str | None = None
    detail: str | None = None
    changes: list[Change] = field(default_factory=list)
    octets: bytes = b""
    unknown: bool = False


@dataclass
class RuleTrace:
    """One rule. `result` is "match", "no match", "unknown", "failed" or "not tried".

    `why` says why it was not tried, or what stopped everything in it: in a condition, or, of a match, in an action.
    """

    number: int
    path: str
    line: int
    result: str = "not tried"
    why: str = ""
    conditions: list[Tried] = field(default_factory=list)
    nested: bool = False
    rules: list[RuleTrace] = field(default_factory=list)
    jobs: list[Planned] = field(default_factory=list)

    @property
    def tried(self) -> list[Tried]:
        """The conditions that were tried."""
        return [each for each in self.conditions if each.skipped is None]

    @property
    def decided(self) -> Tried | None:
        """The condition that settled the result."""
        tried = self.tried
        return tried[-1] if tried else None


@dataclass
class Report:
    """What would happen to a message; `outcome` is delivered, dropped, kept, deferred or unknown.

    `rules` is the whole tree, also what was not tried; `plan` has everything that would be done, in order. `tags` are
    those of the end, `raw` is the message of the end and `ended` says that no rule has stopped the search.
    """

    outcome: str
    reason: str
    rules: list[RuleTrace]
    plan: list[Planned]
    tags: dict[bytes, bytes] = field(default_factory=dict)
    raw: bytes = b""
    ended: bool = False

    def all_rules(self) -> list[RuleTrace]:
        """All rules of the tree, in the order of the configuration."""
        return flat(self.rules)

    @property
    def decided(self) -> RuleTrace | None:
        """The last rule that matched and had something done."""
        done = [rule for rule in self.all_rules() if rule.result == "match" and not rule.nested]
        return done[-1] if done else None


def flat(rules: list[RuleTrace]) -> list[RuleTrace]:
    """Rules and those in their blocks, in order."""
    return [each for rule in rules for each in (rule, *flat(rule.rules))]
