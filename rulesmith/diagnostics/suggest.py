"""Did you mean …?"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def suggest(word: str, known: Iterable[str]) -> str | None:
    """The known name that `word` was most probably meant to be; None where nothing is near."""
    names = list(known)
    # Another letter case is the nearest of all, and difflib would not see it.
    for name in names:
        if name.lower() == word.lower() and name != word:
            return name
    # Two letters in the wrong order are the most common slip, and count much in a short word.
    for name in names:
        if len(name) == len(word) and sorted(name) == sorted(word) and name != word:
            return name
    from difflib import get_close_matches  # most configurations are right

    near = get_close_matches(word, names, n=1, cutoff=0.7)
    return near[0] if near else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The help line for `suggest`."""
    name = suggest(word, known)
    return None if name is None else f'did you mean "{name}"?'
