"""Actions: every production of `item`, in definitions and in rules."""

from __future__ import annotations

from tests.differential.conditions import key
from tests.differential.maker import Maker
from tests.differential.scene import Scene
from tests.differential.servers import imap_action, mail_server
from tests.differential.tags import OWN, tagged

# What acts here; the others need a server and stand in actions that no rule selects.
ACTING = (
    "drop",
    "keep",
    "stdout",
    "tag",
    "tag",
    "maildir",
    "mbox",
    "exec",
    "exec",
    "exec",
    "pipe",
    "write",
    "append",
    "rewrite",
    "add-header",
    "remove-header",
    "add-to-cache",
    "remove-from-cache",
    "action",
)
SERVED = ("smtp", "lmtp", "imap", "imaps")
USERS = ("root", "nobody", "daemon", "%[nosuch]nobody", "0", "nosuchuser")
HEADERS = ("X-Seen", "X-List", "Subject", "X", "x y", "Received", "X-%a", "X-%[kind]", "%[nosuch]")
HEADER_PATTERNS = (
    "X-Seen",
    "received",
    "Subject",
    "X-*",
    "[st]*",
    "?ate",
    "*",
    "nosuch",
    "list-id",
    "%[kind]",
    "x-%a",
    "to",
)
REWRITES = (
    "cat",
    "sed s/a/b/",
    "tr a-z A-Z",
    "(echo 'X-First: 1'; cat)",
    "sed '$ {/./d;}'",  # of an empty body it leaves the empty line (L58)
    "sed 's/^Subject:/X-Old:/'",
    "true",
)
OUTPUTS = (
    r"echo ''",
    r"printf 'A: 1\n\nno last line feed'",
    r"printf 'From x\nB: 2\n\nbody\n'",
    r"printf 'Subject: new\nDate: Thu, 5 Mar 2020 10:11:12 +0100\n\nalpha\nFrom beta\n'",
    r"cat; echo trouble >&2",
    r"cat; exit 1",
)


def definition(maker: Maker, scene: Scene, name: str) -> list[str]:
    maker.note("statement action")
    tokens = ["action", maker.spelled(name)]
    if maker.chance(15):
        maker.note("users of action")
        tokens += users(maker)
    return tokens + items(maker, scene, acting=True)


def unused_definition(maker: Maker, scene: Scene, name: str) -> list[str]:
    """An action no rule selects, so that it may name servers."""
    tokens = ["action", maker.spelled(name)]
    if maker.chance(30):
        tokens += users(maker)
    return tokens + items(maker, scene, acting=False)


def items(maker: Maker, scene: Scene, acting: bool) -> list[str]:
    """One item, or several between braces."""
    if maker.chance(40):
        maker.note("action single")
        return item(maker, scene, acting)
    maker.note("action compound")
    tokens = ["{"]
    for _ in range(maker.one((1, 2, 2, 3, 4))):
        tokens += item(maker, scene, acting)
    return [*tokens, "}"]


def users(maker: Maker) -> list[str]:
    word = maker.one(("user", "users"))
    maker.note("word " + word)
    names = USERS if maker.chance(20) else USERS[:3]
    if maker.chance(50):
        maker.note("users single")
        return [word, maker.spelled(maker.one(names))]
    maker.note("users list")
    return [word, "{", *(maker.spelled(name) for name in maker.some(names, 1, 3)), "}"]


def names(maker: Maker, scene: Scene) -> list[str]:
    """The `action` keyword and the actions it selects: by name, by glob, by tag."""
    word = maker.one(("action", "actions"))
    maker.note("word " + word)
    if maker.chance(65):
        maker.note("action by name")
        return [word, maker.spelled(_selector(maker, scene))]
    maker.note("action by list")
    return [word, "{", *(maker.spelled(_selector(maker, scene)) for _ in range(maker.number(1, 3))), "}"]


def _selector(maker: Maker, scene: Scene) -> str:
    way = maker.number(0, 99)
    if way < 65 and scene.actions:
        return maker.one(scene.actions)
    if way < 78:
        maker.note("action by glob")
        return maker.one(("a*", "?-one", "[b-d]*", "a[!z]*", "\\a-one"))
    if way < 94:
        maker.note("action by tag")
        return maker.one(("%[kind]*", "a%[nosuch]-one", "%a", "%[x-1]", "?-%[who]"))
    maker.note("action unknown")
    return "nosuch"


def item(maker: Maker, scene: Scene, acting: bool) -> list[str]:
    if acting and maker.domain.returns:
        kinds = tuple(kind for kind in ACTING if kind != "rewrite")
    else:
        kinds = ACTING if acting else SERVED * 3 + ACTING
    kind = maker.one(kinds)
    maker.note("item " + kind)
    if kind == "tag":
        return _tag(maker)
    if kind == "maildir":
        return ["maildir", maker.spelled(_folder(maker, scene, "md"))]
    if kind == "mbox":
        tokens = ["mbox", maker.spelled(_folder(maker, scene, "mb"))]
        if maker.chance(25):
            maker.note("mbox compress")
            tokens.append("compress")
        return tokens
    if kind in ("exec", "pipe", "rewrite"):
        return [kind, maker.spelled(_command(maker, kind))]
    if kind in ("write", "append"):
        return [kind, maker.spelled(_file(maker, scene))]
    if kind == "add-header":
        return _add_header(maker)
    if kind == "remove-header":
        return _remove_header(maker)
    if kind in ("add-to-cache", "remove-from-cache"):
        word = maker.one(("add-to-cache", "to-cache")) if kind == "add-to-cache" else kind
        maker.note("word " + word)
        return [word, maker.spelled(scene.cache(maker)), "key", maker.spelled(key(maker))]
    if kind == "action":
        return names(maker, scene)
    if kind in ("smtp", "lmtp"):
        return [kind, *mail_server(maker, kind)]
    if kind in SERVED:
        return [kind, *imap_action(maker, kind == "imaps")]
    return [kind]


def _tag(maker: Maker) -> list[str]:
    name = maker.one((*OWN, *OWN, "account", "%[nosuch]", "hour", "message_id"))
    tokens = ["tag", maker.spelled(name)]
    if maker.chance(75):
        maker.note("tag value")
        tokens += ["value", maker.spelled(maker.one(("a", "one", "", None)) or tagged(maker))]
    return tokens


def _folder(maker: Maker, scene: Scene, name: str) -> str:
    """Of a maildir or an mbox; now and then in a folder that does not exist yet."""
    name += maker.one(("", "1", "/deep/er", "-%a", "-%[kind]", "-%t", "-%u", "-%[mail_year]", "-%1", " x"))
    if "%1" in name and maker.domain.captures != "everywhere":
        name = name.replace("%1", "%[list]")
    return scene.path(maker, name)


def _file(maker: Maker, scene: Scene) -> str:
    if maker.chance(6):
        maker.note("path empty")
        return "%[nosuch]"
    return scene.path(
        maker, maker.one(("w1", "w2", "w-%a", "w-%[kind]", "w %H", "none/w", "w-%[message_id]", "w-%[:rule]"))
    )


def _command(maker: Maker, kind: str) -> str:
    way = maker.number(0, 99)
    if kind == "rewrite":
        if way < 70:
            return maker.one(REWRITES[:6] if maker.chance(85) else REWRITES)
        return maker.one(OUTPUTS)
    if kind == "pipe" and way < 60:
        return maker.one(
            (
                "cat >>piped",
                "wc -c >>log",
                "sed -n 1,2p >>log",
                "true",
                "grep -c . >>log",
                "cat >'p-%a'",
                "head -c 5 >>log",
            )
        )
    if way < 88:
        return f"echo '{_shown(maker)}' >>log"
    if way < 93:
        maker.note("command fails")
        return maker.one(("false", "exit 3", "exit 75", "nosuchcommand", "kill -9 $$", "echo out; exit 1"))
    if way < 95:
        return maker.one(("%[nosuch]", "echo trouble >&2", "echo one >&2; echo two >&2", "umask >>log", "~/nosuch"))
    return f'printf "%%s\\n" "{tagged(maker, calm=True)}" >>log'


def _shown(maker: Maker) -> str:
    """Tags made visible, with line ends of the configuration's own now and then."""
    text = tagged(maker) + maker.one(("", "", "", "\n", "\r", "\t")) + tagged(maker)
    return text.replace("'", "")


def _add_header(maker: Maker) -> list[str]:
    tokens = ["add-header", maker.spelled(maker.one(HEADERS[:8] if maker.chance(90) else HEADERS))]
    if maker.chance(60):
        maker.note("add-header value")
        tokens.append("value")
    return [*tokens, maker.spelled(maker.one(("1", "", None, None)) or tagged(maker))]


def _remove_header(maker: Maker) -> list[str]:
    word = maker.one(("remove-header", "remove-headers"))
    maker.note("word " + word)
    if maker.chance(40):
        maker.note("remove-header list")
        most = 3 if maker.domain.flat else 1
        return [word, "{", *(maker.spelled(name) for name in maker.some(HEADER_PATTERNS, 1, most)), "}"]
    return [word, maker.spelled(maker.one(HEADER_PATTERNS))]
