"""A file of a user's: the newest that is in order holds, whatever comes after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from rulesmith.container import last_good
from rulesmith.container.passwd import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rulesmith.container.places import Places

T = TypeVar("T")


class Held(Generic[T]):
    """What holds of one file, and what it means. `check` gives the meaning, or raises Refused.

    `prove` may refuse a new content for another reason; what was accepted once need not be proved again.
    """

    def __init__(
        self,
        places: Places,
        user: str,
        file: str,
        check: Callable[[bytes], T],
        prove: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._places = places
        self._user = user
        self._file = file
        self._check = check
        self._prove = prove
        self.content: bytes | None = None
        self.meaning: T | None = None
        # What is wrong with the file as it is now.
        self.refused: tuple[str, ...] = ()

    @property
    def missing(self) -> bool:
        """Whether there is a file, but none that could be used."""
        return bool(self.refused) and self.content is None

    def offer(self, content: bytes | None) -> Iterator[str]:
        """The file has this content now, or is not there any more; what there is to say of it."""
        if content is None:
            if self.content is not None or self.refused:
                yield f"{self._file}: taken away"
            self.content = self.meaning = None
            self.refused = ()
            last_good.forget(self._places, self._user, self._file)
            return
        before = self.content
        try:
            self._take(content, new=True)
        except Refused as refusal:
            yield from refusal.lines
            self.refused = refusal.lines
            yield self._fall_back()
            return
        if content != before or self.refused:
            yield f"{self._file}: in use"
        self.refused = ()
        last_good.save(self._places, self._user, self._file, content)

    def _take(self, content: bytes, new: bool = False) -> None:
        if content != self.content:
            meaning = self._check(content)
            if new and content != last_good.load(self._places, self._user, self._file):
                self._prove(content)
            self.meaning = meaning
            self.content = content

    def _fall_back(self) -> str:
        """To the last good one, which after a start lies in the volume."""
        last = self.content or last_good.load(self._places, self._user, self._file)
        if last is None:
            return f"{self._file}: refused, and there is no earlier one"
        try:
            self._take(last)
        except Refused as refusal:
            return f"{self._file}: refused; the last good one is refused as well: {refusal.lines[0]}"
        return f"{self._file}: refused; the last good one goes on working"
