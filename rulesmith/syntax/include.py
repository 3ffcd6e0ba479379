"""The text of an included file, or why there is none (fdm.conf(5), include)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rulesmith.source import Source, Span
from rulesmith.syntax.quoting import Fault

if TYPE_CHECKING:
    from rulesmith.syntax.world import SyntaxWorld


def decode(octets: bytes) -> str:
    """Any octets as text, from which they can be had back."""
    return octets.decode("utf-8", "surrogateescape")


def open_include(path: str, place: Span, quoted: Span, world: SyntaxWorld) -> Source | Fault:
    """The first of the files that `path` may mean; `place` is the whole include statement, `quoted` its path."""
    candidates = world.expand_include(path)
    if not candidates:
        message = "the path of the include file is empty"
        return Fault("invalid-include", message, quoted.start, quoted.end, "invalid include file")
    reason = ""
    for name in candidates:
        try:
            return Source(name, decode(world.read(name)), place)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
        except ValueError:  # a NUL in the name
            reason = os.strerror(2)
    tried = " and ".join(candidates)
    message = f"the include file cannot be read: {reason}"
    return Fault(
        "include-not-found",
        message,
        quoted.start,
        quoted.end,
        f"{candidates[-1]}: {reason}",
        f"tried {tried}; a path is relative to the working directory, then to the main file, never to this one",
    )
