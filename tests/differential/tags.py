"""Strings with tags in them, and regexps: what configurations say about mail."""

from __future__ import annotations

from tests.differential.maker import Maker

ALIASES = "adhmnstuyHMQSWY"
CLOCK = ("hour", "minute", "second", "day", "month", "year", "year2", "dayofweek", "dayofyear", "quarter", "rfc822date")
MAIL_CLOCK = tuple("mail_" + name for name in CLOCK)
COUNTS = ("lines", "body_lines", "header_lines")
PLACES = ("hostname", "account", "source", "message_id", "action", "rule")
WHO = ("user", "home", "uid", "gid")
FILES = ("mail_file", "mbox_file", "maildir", "maildir_path", "maildir_file", "mbox", "mbox_path", "mbox_from")
COMMANDS = tuple(f"command{number}" for number in range(10))
OWN = ("list", "Spam", "x-1", "seen_it", "kind", "who", "a b", "n\xe9")
NAMES = (*CLOCK, *MAIL_CLOCK, *COUNTS, *PLACES, *WHO, *FILES, *COMMANDS, *OWN)

WORDS = ("alpha", "beta", "inbox", "list", "bob", "42", "7", "Mail", "x", "\xe9t\xe9", "a b", "-")
MARKS = ("(", ")", "=", "~", "#", ",", "/", "?", "*", "[", "]", "{", "}", "^", "&", ".", ":", "@", "!")


def tagged(maker: Maker, calm: bool = False, submatches: bool | None = None) -> str:
    """A string for a place where tags are replaced; `calm` keeps to letters, digits and tags.

    `submatches` says whether they may stand here; without it they may where every place may have them.
    """
    if submatches is None:
        submatches = maker.domain.captures == "everywhere"
    parts = []
    for _ in range(maker.number(1, 5)):
        way = maker.number(0, 99)
        if way < 40:
            parts.append(maker.one(WORDS))
        elif way < 45 and not calm:
            parts.append(maker.one(MARKS))
        elif way < 50 and not calm:
            parts.append(maker.one(('"', "\\", "$", "${x}", "\t", "%%{x}")))
        else:
            parts.append(tag(maker, submatches))
    return "".join(parts)


def tag(maker: Maker, submatches: bool) -> str:
    way = maker.number(0, 99)
    if submatches and way < 40:
        digit = str(maker.one((0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9)))
        if maker.chance(30):
            maker.note("tag %:digit")
            return "%:" + digit
        maker.note("tag %" + digit)
        return "%" + digit
    if way < 55:
        letter = maker.one(ALIASES)
        maker.note("tag %" + letter)
        return "%" + letter
    if way < 87:
        name = maker.one(NAMES)
        maker.note(f"tag %[{name}]" if name not in OWN else "tag of the user's")
        if maker.chance(15):
            maker.note("tag %[:name]")
            return f"%[:{name}]"
        return f"%[{name}]"
    odd = maker.one(("%%", "%%", "%[nosuch]", "%[:nosuch]", "%[]", "%[:]", "%[", "%z", "%!", "%:x", "%:%"))
    maker.note("tag odd " + odd)
    # A lone `%[` would join what follows up to a later `]`, which is what it is there for.
    return odd


LITERALS = (
    "hello",
    "alpha",
    "Subject:",
    "bob",
    "list",
    "@example",
    "re",
    "x",
    "4",
    "\xe9",
    "\xc3\xa9",
    "from",
    "fdm",
    "tEXt",
)
CALM_ATOMS = (r"\w", r"\d", "[a-z]", "[[:alpha:]]", "[0-9a-f]", r"example\.org", r"\[", "[.@]", "[[:digit:]_-]")
WIDE_ATOMS = (".", r"\s", "[^a]", r"\W", r"\D", " ", r"\n", "[^:\n]", r"[\s\w]", r"\x41", r"\t")
REPEATS = ("", "", "", "+", "*", "?", "{1,3}", "{2}", "+?", "*?", "??", "{1,}", "*+")
ANCHORS = ("^", "$", r"\b", r"\B", "(?=x)", "(?!x)", "(?<=a)", "(?<!a)", r"\A", r"\Z", r"\z")


def pattern(maker: Maker, calm: bool) -> str:
    """A regexp that both compilers take; `calm`: it matches no line end and no blank.

    Repeats are not nested, so that no message can keep either engine busy.
    """
    if maker.chance(4):
        maker.note("regexp empty")
        return ""
    alternatives = ["".join(_branch(maker, calm, f"(?<name{index}>")) for index in range(1 + maker.chance(20))]
    return "|".join(alternatives)


def _branch(maker: Maker, calm: bool, named: str) -> list[str]:
    out = []
    groups = 0
    if maker.chance(20):
        out.append("^")
    for _ in range(maker.number(1, 5)):
        way = maker.number(0, 99)
        if way < 45:
            out.append(_literal(maker))
        elif way < 60:
            out.append(_atom(maker, calm) + maker.one(REPEATS))
        elif way < 80:
            opening = maker.one(("(", "(", "(", "(?:", "(?i:", named if groups == 0 else "("))
            inner = "|".join(
                _literal(maker) if maker.chance(50) else _atom(maker, calm) + maker.one(REPEATS)
                for _ in range(maker.number(1, 2))
            )
            groups += opening in ("(", named)
            out.append(opening + inner + ")" + maker.one(("", "", "", "?")))
            maker.note("regexp group")
        elif way < 86 and groups:
            maker.note("regexp back-reference")
            out.append(rf"\{maker.number(1, groups)}")
        elif way < 94:
            out.append(maker.one(ANCHORS))
        else:
            # Replaced while the configuration is read: only clock, host and home are known then.
            odd = maker.one(("%%", "%d", "%1", "%[hour]", "%[message_id]", "%y", "%a"))
            maker.note("tag in regexp")
            out.append(odd)
    return out


def _literal(maker: Maker) -> str:
    return maker.one(LITERALS)


def _atom(maker: Maker, calm: bool) -> str:
    return maker.one(CALM_ATOMS if calm or maker.chance(60) else WIDE_ATOMS)
