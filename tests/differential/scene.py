"""What the parts of one configuration know of each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.differential.maker import Maker


@dataclass
class Scene:
    """Names that can be referred to. Paths are relative to the folder of the run, or to its home with `~` or `%h`.

    `own_home` says that the run is given -h, so that home lies in its folder.
    """

    own_home: bool
    source: str = "stdin"
    default_user: bool = False
    accounts: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    caches: list[str] = field(default_factory=list)

    @property
    def account_patterns(self) -> list[str]:
        """Patterns that match an account for certain."""
        return [
            *self.accounts,
            "*",
            *(name[0] + "*" for name in self.accounts),
            *("?" + name[1:] for name in self.accounts),
        ]

    def cache(self, maker: Maker) -> str:
        """A path as a configuration writes it: mostly of a declared cache."""
        if not self.caches or maker.chance(8):
            maker.note("cache undeclared")
            return "nosuch.cache"
        return maker.one(self.caches)

    def path(self, maker: Maker, name: str) -> str:
        """A path in this run's folder."""
        if not self.own_home or maker.chance(60):
            return maker.one(("", "", "./")) + name
        start = maker.one(("~/", "%h/", "  ~/", "%[home]/"))
        maker.note("path ~" if "~" in start else "path %h")
        return start + name
