"""`fdm cache add|remove|list|dump|clear` (fdm(1)), for both doors."""

from __future__ import annotations

from rulesmith.delivery.keys import Cache
from rulesmith.effects import Failure
from rulesmith.wording import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.log import Log

# Any prefix of a name will do; the numbers are how many arguments it takes.
SUBCOMMANDS = {"add": (2, 2), "remove": (2, 2), "list": (0, 1), "dump": (1, 1), "clear": (1, 1)}


class CacheUsage(Exception):
    """Not a cache command of fdm's."""


def run(arguments: list[str], declared: list[bytes], log: Log) -> int:
    """Do it; the exit status. `declared` are the caches that `list` names. Raises CacheUsage."""
    name = next((each for each in SUBCOMMANDS if arguments and each.startswith(arguments[0])), None)
    if name is None:
        raise CacheUsage
    words = [word.encode("utf-8", "surrogateescape") for word in arguments[1:]]
    least, most = SUBCOMMANDS[name]
    if not least <= len(words) <= most:
        raise CacheUsage
    try:
        return _run(name, words, declared, log)
    except Failure as failure:
        log.warn(failure.text)
        return 1


def _run(name: str, words: list[bytes], declared: list[bytes], log: Log) -> int:
    for path in words[:1] or declared:
        cache = Cache(path)
        try:
            if name == "add":
                cache.add(words[1])
            elif name == "remove":
                if not cache.remove(words[1]):
                    log.warn(f"{text_of(path)}: key not found: {text_of(words[1])}")
                    return 1
            elif name == "list":
                log.info(f"{text_of(path)}: {cache.count()} keys")
            elif name == "dump":
                for key, when in cache.items():
                    log.info(f"{text_of(key)} {when}")
            else:
                cache.clear()
        finally:
            cache.close()
    return 0
