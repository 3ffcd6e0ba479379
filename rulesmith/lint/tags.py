"""What is known about tags before any message comes: which there are, and whose text is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.compiler.scope import encode
from rulesmith.lint.strings import phrases
from rulesmith.source import Span
from rulesmith.template import ALIASES, compile_template

if TYPE_CHECKING:
    from rulesmith.compiler.compile import Compiled
    from rulesmith.syntax.tree import Text

Name = bytes | int  # of a tag, or the number of a submatch

_CLOCK = frozenset(
    b"hour minute second day month year year2 dayofweek dayofyear quarter rfc822date".split(),
)
# Set by fdm or rulesmith itself; nobody who sends mail has a say in them.
OURS = (
    _CLOCK
    | {b"mail_" + name for name in _CLOCK}
    | frozenset(
        b"hostname account source action rule user home uid gid lines body_lines header_lines mail_file mbox_file "
        b"maildir maildir_path maildir_file mbox mbox_path server port server_uid folder group "
        b"gmail_msgid gmail_thrid".split()
    )
)
# Set from the mail or by a command that reads it.
FROM_MAIL = frozenset(b"message_id mbox_from gmail_labels".split()) | {b"command%d" % number for number in range(10)}
# What is known while the file is read; the user's only below `set default-user` or with -u.
AT_START = _CLOCK | frozenset(b"hostname home user uid gid".split())


class Tags:
    """The tags that `tag` items set. `open` says that their names are not all known."""

    def __init__(self, compiled: Compiled) -> None:
        self.open = False
        self.set: set[bytes] = set()
        values: dict[bytes, list[bytes]] = {}
        for phrase, is_condition in phrases(compiled):
            if phrase.word != "tag" or is_condition:
                continue
            name, value = phrase.args
            if name.value is None or "%" in name.value:
                self.open = True
                continue
            self.set.add(encode(name.value))
            given = b"%0" if value is not None and value.value is None else encode(value.value if value else "")
            values.setdefault(encode(name.value), []).append(given)
        self._foreign = set(FROM_MAIL)
        while True:
            # A tag whose value holds such a tag is such a tag.
            more = {name for name, texts in values.items() if any(self.foreign_in(text) for text in texts)}
            if more <= self._foreign:
                break
            self._foreign |= more

    def is_known(self, name: bytes) -> bool:
        """Whether a tag can ever have a value."""
        return self.open or name in OURS or name in FROM_MAIL or name in self.set

    def is_foreign(self, name: Name) -> bool:
        """Whether the value can be the text of a mail: a submatch, or a tag made from one."""
        if isinstance(name, int) or name in self._foreign:
            return True
        return self.open and not (name in OURS and name not in self.set)

    def foreign_in(self, text: bytes) -> bool:
        template = compile_template(text)
        if isinstance(template, bytes):
            return False
        return any(not isinstance(part, bytes) and self.is_foreign(part[0]) for part in template[1])


def names_in(text: bytes) -> list[Name]:
    """The tags of a string."""
    template = compile_template(text)
    return [] if isinstance(template, bytes) else [part[0] for part in template[1] if not isinstance(part, bytes)]


def tag_shown(name: Name) -> str:
    """A tag as it is written in a string."""
    return f"%{name}" if isinstance(name, int) else f"%[{name.decode('utf-8', 'backslashreplace')}]"


def tag_span(text: Text, name: Name, start: int = 0) -> Span:
    """Where a tag stands in a string, from an offset of its source on; the whole string where that cannot be seen."""
    shown = tag_shown(name)
    aliases = [f"%{letter.decode()}" for letter, tag in ALIASES.items() if tag == name]
    found = []
    for written in (shown, shown.replace("%[", "%[:"), shown.replace("%", "%:"), *aliases):
        at = text.span.source.text.find(written, max(start, text.span.start), text.span.end)
        if at >= 0:
            found.append((at, at + len(written)))
    return Span(text.span.source, *min(found)) if found else text.span
