"""The driver that does what the engine asks for: an effect in, the world changed, an answer out."""

from __future__ import annotations

from rulesmith.delivery import privileges
from rulesmith.effects import DELIVER, FORGET, LOOK_UP, REMEMBER, RUN, WHO, Failure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rulesmith.delivery.keys import Cache
    from rulesmith.delivery.world import World
    from rulesmith.evaluate import Verdict

    User = tuple[bytes, int, int, bytes]

# Which module of this package stores each kind; one that serves two is told which.
_MODULES = {
    "maildir": "maildir",
    "mbox": "mbox",
    "write": "file",
    "append": "file",
    "stdout": "stdout",
    "smtp": "smtp",
    "lmtp": "lmtp",
    "imap": "imap",
    "imaps": "imap",
}


class Driver:
    """Drives messages of one account; keeps its caches open between them."""

    __slots__ = ("_caches", "_expiry", "_who", "world")

    def __init__(self, world: World, expiry: dict[bytes, int], who: Callable[[bytes], User | None]) -> None:
        self.world = world
        self._expiry = expiry
        self._who = who
        self._caches: dict[bytes, Cache] = {}

    def drive(self, engine: Generator[tuple[Any, ...], Any, Verdict]) -> Verdict:
        """Answer the engine until it has a verdict."""
        try:
            effect = next(engine)
            while True:
                try:
                    answer = self._answer(effect)
                except Failure as failure:
                    effect = engine.throw(failure)
                else:
                    effect = engine.send(answer)
        except StopIteration as end:
            verdict: Verdict = end.value
            return verdict

    def close(self) -> None:
        for cache in self._caches.values():
            cache.close()
        self._caches.clear()

    def _answer(self, effect: tuple[Any, ...]) -> Any:
        word = effect[0]
        if word == DELIVER:
            return self._deliver(*effect[1:])
        if word == RUN:
            return self._run(*effect[1:])
        if word == WHO:
            return self._who(effect[1])
        cache = self._cache(effect[1])
        if word == LOOK_UP:
            return cache.has(effect[2])
        if word == REMEMBER:
            return cache.add(effect[2])
        assert word == FORGET, word
        return cache.remove(effect[2])

    def _deliver(self, kind: str, args: tuple[Any, ...], user: User, raw: bytes) -> dict[bytes, bytes]:
        # A program loads only the kinds of delivery that its messages reach.
        module = __import__("rulesmith.delivery." + _MODULES[kind], fromlist=("deliver",))
        if kind == "stdout":
            tags: dict[bytes, bytes] = module.deliver(args, raw, user, self.world)
            return tags
        if kind in ("write", "append", "imap", "imaps"):
            args = (*args, kind)
        return privileges.as_user(user, self.world, module.deliver, args, raw)

    def _run(
        self,
        purpose: str,
        command: bytes,
        stdin: bytes | None,
        user: User,
        until: Callable[[bytes], bool] | None,
    ) -> tuple[int | None, bytes]:
        from rulesmith.delivery import command as commands  # many programs run no command

        return commands.run(command, stdin, user, self.world, purpose == "rewrite", until)

    def _cache(self, path: bytes) -> Cache:
        cache = self._caches.get(path)
        if cache is None:
            from rulesmith.delivery import keys  # loads sqlite3

            expire = self._expiry.get(path)
            if expire is None:
                raise Failure("cache " + path.decode("utf-8", "surrogateescape") + " not declared")
            cache = self._caches[path] = keys.open_cache(path, expire, self.world)
        return cache
