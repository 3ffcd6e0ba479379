"""How fetchmail hands messages over: to a program for each (`mda`), or to a server that stays (`lmtp`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "RULESMITH_DELIVERY"


def by_lmtp(environment: Mapping[str, str]) -> bool:
    """Whether it is the server. Raises ValueError, which says what is wrong."""
    way = environment.get(VARIABLE) or "mda"
    if way not in ("mda", "lmtp"):
        raise ValueError(f"{VARIABLE} is {way!r}, but it can only be mda, a program for each message, or lmtp")
    return way == "lmtp"
