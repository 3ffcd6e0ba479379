"""The shape of a fetchmailrc: its servers, the accounts of each, and where idle and folders are said.

The grammar is fetchmail's (rcfile_y.y); what a file means is left to fetchmail itself (configdump.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from rulesmith.container.rc_words import Kind, Word, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass
class Part:
    """Words that belong together: the options of a server, or one account."""

    words: list[Word] = field(default_factory=list)

    def idle(self) -> bool | None:
        """What it says of idle; the last word counts."""
        said = None
        for before, word in pairwise([None, *self.words]):
            if word is not None and word.kind is Kind.IDLE:
                said = before is None or before.kind is not Kind.NO
        return said

    def idle_words(self) -> Iterator[Word]:
        """`idle`, and the `no` before it."""
        for before, word in pairwise([None, *self.words]):
            if word is not None and word.kind is Kind.IDLE:
                if before is not None and before.kind is Kind.NO:
                    yield before
                yield word

    def folder_words(self) -> Iterator[Word]:
        """`folder` and the names after it."""
        inside = False
        for word in self.words:
            inside = word.kind is Kind.FOLDER or (inside and word.kind is Kind.STRING)
            if inside:
                yield word

    def option_words(self, name: str, text: str) -> Iterator[Word]:
        """An option that has one value, and the value; as often as it is said."""
        for word, value in pairwise(self.words):
            if word.kind is Kind.OPTION and text[word.start : word.end] == name:
                yield word
                yield value

    def folders(self) -> list[Word]:
        """The names alone."""
        return [word for word in self.folder_words() if word.kind is Kind.STRING]


@dataclass
class Server:
    """`poll`, `skip` or `defaults`, to the next of them."""

    name: str
    head: Part = field(default_factory=Part)
    # Without `user` the options of the one account stand among the server's, and there is an empty account here.
    accounts: list[Part] = field(default_factory=list)


@dataclass
class Shape:
    """A whole file."""

    text: str
    settings: Part = field(default_factory=Part)
    defaults: Server | None = None
    servers: list[Server] = field(default_factory=list)

    def parts(self) -> Iterator[Part]:
        """Every part there is."""
        yield self.settings
        for server in ([self.defaults] if self.defaults else []) + self.servers:
            yield server.head
            yield from server.accounts

    def idle_words(self) -> list[Word]:
        """All that is said of idle. fetchmail prints only a file that it could run as it is."""
        return [word for part in self.parts() for word in part.idle_words()]

    def idles(self, server: Server, account: Part) -> bool:
        """Whether an account waits for mail: its own word, or that of the defaults."""
        places = [account, server.head, *self._of_defaults()]
        return next((said for part in places if (said := part.idle()) is not None), False)

    def folders(self, server: Server, account: Part) -> list[Word]:
        """The folders of an account, its own or those of the defaults."""
        places = [account, server.head, *self._of_defaults()]
        return next((names for part in places if (names := part.folders())), [])

    def value(self, server: Server, account: Part, name: str) -> Word | None:
        """The value of an option of an account, its own or that of the defaults; the last word counts."""
        for part in (account, server.head, *self._of_defaults()):
            said = list(part.option_words(name, self.text))
            if said:
                return said[-1]
        return None

    def _of_defaults(self) -> list[Part]:
        return [] if self.defaults is None else [*self.defaults.accounts, self.defaults.head]

    def without(self, gone: Iterable[Word], *more: tuple[int, str]) -> str:
        """The text with blanks in place of these words, and with more words after some; every line keeps its number."""
        letters = list(self.text)
        for word in gone:
            for at in range(word.start, word.end):
                if letters[at] != "\n":
                    letters[at] = " "
        for at, text in sorted(more, reverse=True):
            letters[at:at] = f" {text} "
        return "".join(letters)


def shape(text: str) -> Shape:
    """Find the parts of a file. What is against the grammar lands somewhere: fetchmail refuses the file anyway."""
    found = Shape(text)
    part = found.settings
    server: Server | None = None
    for word in words(text):
        said = text[word.start : word.end]
        if word.kind is Kind.SET:
            part, server = found.settings, None
        elif word.kind is Kind.SERVER:
            server = Server(said)
            part = server.head
            if said == "defaults":
                found.defaults = server
            else:
                found.servers.append(server)
        elif word.kind is Kind.USER and server is not None:
            part = Part()
            server.accounts.append(part)
        part.words.append(word)
    for each in ([found.defaults] if found.defaults else []) + found.servers:
        if not each.accounts:
            each.accounts.append(Part())
    return found
