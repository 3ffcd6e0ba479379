"""Conditions of rules: every production of `cond`."""

from __future__ import annotations

from tests.differential.maker import Maker
from tests.differential.scene import Scene
from tests.differential.tags import NAMES, OWN, pattern, tagged

KINDS = (
    "regexp",
    "regexp",
    "regexp",
    "regexp",
    "all",
    "matched",
    "unmatched",
    "account",
    "exec",
    "pipe",
    "tagged",
    "size",
    "string",
    "string",
    "in-cache",
    "age",
    "age invalid",
    "attachment count",
    "attachment total-size",
    "attachment any-size",
    "attachment any-type",
    "attachment any-name",
)
SIZES = (0, 5, 100, 512, 700, 900, 1024, 2048, 1048576, 2097152)
LATER_TAGS = ("user", "home", "uid", "gid")
TYPES = ("text/plain", "TEXT/*", "image/png", "multipart/*", "*", "message/rfc822", "text/[hp]*", "application/*")
FILE_NAMES = ("*.txt", "a.txt", "A.TXT", "picture.png", "*", "?.*", "[!a]*", "nosuch")
# What a command prints, with its status. Nothing happens after the last line: fdm kills the command at the first hit.
PRINTING = (
    ("echo hello", 0),
    ("echo alpha; echo bob 42", 0),
    ("echo hello; exit 3", 3),
    (r"printf 'list\r\nx'", 0),
    ("true", 0),
    ("exit 7", 7),
    ("nosuchcommand 2>/dev/null", 127),
    ("echo", 0),
)


def expression(maker: Maker, scene: Scene) -> list[str]:
    tokens = _condition(maker, scene)
    for _ in range(maker.one((0, 0, 0, 1, 1, 2, 3))):
        word = maker.one(("and", "or"))
        maker.note("connective " + word)
        tokens += [word, *_condition(maker, scene)]
    return tokens


def _condition(maker: Maker, scene: Scene) -> list[str]:
    tokens = []
    if maker.chance(15):
        maker.note("condition not")
        tokens.append("not")
    kind = maker.one(KINDS)
    maker.note("condition " + kind)
    if kind == "regexp":
        return tokens + _regexp_condition(maker)
    if kind == "account":
        return tokens + _account(maker, scene)
    if kind in ("exec", "pipe"):
        return tokens + _command(maker, kind)
    if kind == "tagged":
        return [*tokens, "tagged", maker.spelled(_tag_pattern(maker))]
    if kind == "size":
        return [*tokens, "size", _order(maker), maker.size(maker.one(SIZES))]
    if kind == "string":
        text = tagged(maker, submatches=maker.domain.captures != "none")
        return [*tokens, "string", maker.spelled(text), "to", *_regexp(maker, calm=False)]
    if kind == "in-cache":
        path = maker.spelled(scene.cache(maker))
        return [*tokens, "in-cache", path, "key", maker.spelled(key(maker))]
    if kind == "age":
        return [*tokens, "age", _order(maker), maker.time(maker.one((1, 3, 10, 40, 1000, 300000000)))]
    if kind == "age invalid":
        return [*tokens, "age", "invalid"]
    if kind in ("all", "matched", "unmatched"):
        return [*tokens, kind]
    return tokens + kind.split() + _attachment(maker, kind)


def key(maker: Maker) -> str:
    """Of a cache; never empty, since fdm gives up there and we do not."""
    return "k" + tagged(maker, calm=True)


def _order(maker: Maker) -> str:
    return maker.one(("<", ">"))


def _regexp(maker: Maker, calm: bool) -> list[str]:
    tokens = []
    if maker.chance(30):
        maker.note("regexp case")
        tokens.append("case")
    return [*tokens, maker.spelled(pattern(maker, calm))]


def _regexp_condition(maker: Maker) -> list[str]:
    areas = ("", "headers", "headers", "all") if maker.domain.captures != "none" else ("", "headers", "body", "all")
    area = maker.one(areas)
    maker.note("area " + (area or "none"))
    tokens = _regexp(maker, maker.domain.one_line)
    return [*tokens, "in", area] if area else tokens


def _account(maker: Maker, scene: Scene) -> list[str]:
    word = maker.one(("account", "accounts"))
    maker.note("word " + word)
    if maker.chance(50):
        maker.note("condition account single")
        return [word, maker.spelled(maker.one(scene.account_patterns))]
    maker.note("condition account list")
    return [word, "{", *(maker.spelled(maker.one(scene.account_patterns)) for _ in range(maker.number(1, 3))), "}"]


def _tag_pattern(maker: Maker) -> str:
    plain = [name for name in NAMES if name not in LATER_TAGS]
    return maker.one((*OWN, "mail_*", "ho[a-z]r", "nosuch", "\\list", "[!a-z]*", "command?", "%t", *plain))


def _command(maker: Maker, kind: str) -> list[str]:
    shape = maker.one(("status", "regexp", "both"))
    maker.note(f"returns {kind} {shape}")
    command, status = _command_text(maker, kind)
    tokens = [kind, maker.spelled(command)]
    if maker.chance(20):
        maker.note("condition user")
        tokens += ["user", maker.spelled(maker.one(("root", "nobody", "daemon", "%[nosuch]root", "nosuchuser")))]
    tokens += ["returns", "("]
    if shape != "regexp":
        tokens.append(maker.spelled_number(status if maker.chance(70) else maker.one((0, 1, 3, 255))))
    tokens.append(",")
    if shape != "status":
        tokens += _regexp(maker, calm=False)
    return [*tokens, ")"]


def _command_text(maker: Maker, kind: str) -> tuple[str, int]:
    way = maker.number(0, 99)
    if way < 40:
        text, status = maker.one(PRINTING)
        return maker.one(("", "", "  ")) + text, status
    if way < 65:
        return f"echo '{tagged(maker)}'", 0
    if way < 73:
        maker.note("command killed")
        return "kill -9 $$", 0
    if way < 78:
        return f"echo 'trouble {tagged(maker, calm=True)}' >&2; exit 1", 1
    if kind == "pipe":
        if maker.domain.returns:
            return "grep -c a", 0
        return maker.one((("cat", 0), ("grep -i subject", 0), ("wc -l", 0), ("sed -n 1p", 0), ("grep -q hello", 0)))
    return maker.one((("cat", 0), ("test -f log", 0), ("umask", 0), ("echo $0", 0)))


def _attachment(maker: Maker, kind: str) -> list[str]:
    if kind == "attachment count":
        sign = maker.one(("==", "!=", "<", ">"))
        maker.note("attachment count " + sign)
        return [sign, maker.spelled_number(maker.one((0, 1, 2, 3, 4, 5)))]
    if kind.endswith("size"):
        return [_order(maker), maker.size(maker.one((0, 1, 40, 60, 80, 100, 150, 1024)))]
    if kind.endswith("type"):
        return [maker.spelled(maker.one(TYPES))]
    return [maker.spelled(maker.one(FILE_NAMES))]
