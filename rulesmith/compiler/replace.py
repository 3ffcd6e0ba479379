"""Tags and `~` that are replaced while a configuration is read (fdm.conf(5), TAGS AND STRING REPLACEMENT).

Known then are the host name, the time, and `home`; fdm 2.2 also knows `user`, `home`, `uid` and `gid` of a default
user that was named above the string. Nothing of any mail is known: such tags become empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulesmith.template import compile_template, expand

if TYPE_CHECKING:
    from rulesmith.compiler.environment import Environment

STRIP_CHARACTERS = b"\\<>$%^&*|{}[]\"'`;"
# White space before a `~` does not count, as in fdm.
_BLANKS = b" \t\n\v\f\r"


class UnknownUser(Exception):
    """`~NAME` names nobody. fdm cuts such a path at its first slash; here it is refused."""

    def __init__(self, name: bytes) -> None:
        super().__init__(name.decode("utf-8", "backslashreplace"))
        self.name = name


class Replacement:
    """Replaces tags as they are at one place of the file.

    `default_user` and `strip` change while the statements above are read.
    """

    def __init__(self, environment: Environment, default_user: bytes | None) -> None:
        self.environment = environment
        self.default_user = default_user
        self.strip = STRIP_CHARACTERS

    def text(self, raw: bytes) -> bytes:
        """A string with its tags replaced."""
        template = compile_template(raw)
        if isinstance(template, bytes):
            return template
        values: dict[bytes, bytes] = {}
        clock = self.environment.clock()
        for part in template[1]:
            if isinstance(part, bytes):
                continue
            name = part[0]
            if name in clock:
                values[name] = self.environment.facts.tags[name] = clock[name]
            elif name in (b"user", b"home", b"uid", b"gid"):
                values.update(self._user())
        return expand(template, values, (), self.strip)

    def path(self, raw: bytes) -> bytes:
        """A path with its tags and then its `~` replaced. Raises UnknownUser."""
        path = self.text(raw)
        found = path.lstrip(_BLANKS)
        if found[:1] != b"~":
            return path
        name, slash, rest = found[1:].partition(b"/")
        if not name:
            return self.environment.me[3] + slash + rest
        user = self.environment.user(name)
        if user is None:
            raise UnknownUser(name)
        return user[3] + slash + rest

    def _user(self) -> dict[bytes, bytes]:
        if self.default_user is not None:
            user = self.environment.user(self.default_user)
            if user is not None:
                name, uid, gid, home = user
                return {b"user": name, b"uid": b"%d" % uid, b"gid": b"%d" % gid, b"home": home}
        return {b"home": self.environment.me[3]}
