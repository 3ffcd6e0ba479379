"""What the once-per-message path has to reach: ratios of CPU time to other programs', memory, compile time."""

from __future__ import annotations

from dataclasses import dataclass

FDM22, STARTED22, FDM19 = "fdm 2.2, bare", "fdm 2.2", "fdm 1.9"
PYTHON, LDA, PIP = "python3 -I -S -c pass", "dovecot-lda, Sieve", "our door as pip installs it"


@dataclass(frozen=True)
class Limit:
    """At most `must`; `aim` is what was hoped for."""

    must: float
    aim: float

    def verdict(self, found: float) -> str:
        if found <= self.aim:
            return "pass, aim"
        return "pass" if found <= self.must else "MISS"


@dataclass(frozen=True)
class Least(Limit):
    """At least `must`."""

    def verdict(self, found: float) -> str:
        if found >= self.aim:
            return "pass, aim"
        return "pass" if found >= self.must else "MISS"


@dataclass(frozen=True)
class Row:
    """A configuration and a message; `limits` are for the ratios to other programs, None for those only shown."""

    title: str
    rules: int
    octets: int
    limits: dict[str, Limit | None]
    worst: bool = False


ROWS = (
    Row(
        "10 rules",
        10,
        2_000,
        {
            STARTED22: Limit(2.0, 1.6),
            FDM22: None,
            FDM19: Limit(2.0, 1.6),
            PYTHON: Limit(1.4, 1.15),
            LDA: Limit(1.0, 0.7),
            PIP: None,
        },
    ),
    Row(
        "100 rules",
        100,
        2_000,
        {STARTED22: Limit(1.8, 1.4), FDM22: None, FDM19: Limit(1.25, 1.0), LDA: Limit(1.0, 0.7)},
    ),
    Row(
        "1,000 rules",
        1000,
        2_000,
        {STARTED22: Limit(1.0, 0.8), FDM22: None, FDM19: Limit(0.3, 0.22), LDA: Limit(1.0, 0.7)},
    ),
    Row("10,000 rules", 10_000, 2_000, {STARTED22: Limit(0.3, 0.2), FDM22: None, FDM19: Limit(0.06, 0.04)}),
    Row("5 MB, 10 rules", 10, 5_000_000, {STARTED22: Limit(0.9, 0.7), FDM22: None, FDM19: Limit(0.9, 0.7)}),
    Row("5 MB, 100 rules", 100, 5_000_000, {STARTED22: Limit(0.6, 0.4), FDM22: None, FDM19: Limit(0.5, 0.4)}),
    Row(
        "worst regexps, 100 rules",
        100,
        2_000,
        {STARTED22: Limit(5.0, 4.0), FDM22: None, FDM19: Limit(2.0, 1.6)},
        worst=True,
    ),
)
# Rules, octets, and MiB at most.
MEMORY = ((10, 2_000, Limit(14, 10)), (10_000, 2_000, Limit(24, 14)), (10, 5_000_000, Limit(45, 30)))
# Rules, and milliseconds of CPU for the first message after the configuration was edited.
COMPILE = (1000, Limit(400, 200))
# The whole way from the provider to two mailboxes, beside `rspamc --mime | fdm 2.2`: CPU for a message, and messages a
# second for a backlog.
CHAIN_CPU = {
    "one-shot": Limit(0.8, 0.7),
    "one-shot, LMTP": Limit(0.8, 0.7),
    "resident": Limit(0.25, 0.18),
    "resident, queue": Limit(0.25, 0.18),
}
CHAIN_RATE = {"resident": Least(3, 4), "resident, queue": Least(5, 7)}
