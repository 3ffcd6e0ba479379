"""Whole configurations: options, macros, caches, accounts, actions, rules, conditional parts and include files."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from tests.differential import letters
from tests.differential.actions import definition, items, names, unused_definition, users
from tests.differential.conditions import expression
from tests.differential.domain import Domain
from tests.differential.maker import Maker
from tests.differential.scene import Scene
from tests.differential.servers import fetching
from tests.differential.settings import setting

SERVED_ACCOUNTS = ("pop3", "pop3s", "pop3 pipe", "imap", "imaps", "imap pipe", "nntp", "nntps")
GAPS = (" ", " ", " ", " ", "\n\t", "\t", "  ", ' # it\'s "a" comment\n', "\n# }\n")
ACTIONS = ("a-one", "b-one", "c two", "d.3", "a-list")


@dataclass(frozen=True)
class Pair:
    """A configuration with what belongs to it, and the messages it is given one after the other.

    `files` are others that the configuration needs, relative to the folder of the run. `words` are the arguments
    before the command. Texts are octets.
    """

    configuration: bytes
    files: dict[str, bytes]
    words: tuple[bytes, ...]
    messages: tuple[bytes, ...]
    caches: tuple[str, ...]
    seen: frozenset[str] = field(repr=False)


@st.composite
def pairs(draw: st.DrawFn, group: tuple[str, int], messages: int = 3) -> Pair:
    """Configurations with up to so many messages each; `group` is one that the user is in."""
    choose = Maker(draw, Domain("none", False, True, False))
    captures = choose.one(("everywhere", "none", "everywhere", "conditions"))
    received = choose.chance(50)
    folds = choose.chance(20 if captures == "everywhere" else 60)
    domain = Domain(captures, folds, received, choose.chance(20))
    maker = Maker(draw, domain)
    return _Builder(maker, group).pair(messages)


class _Builder:
    def __init__(self, maker: Maker, group: tuple[str, int]) -> None:
        self.maker = maker
        self.group = group
        self.scene = Scene(own_home=maker.chance(70))
        self.files: dict[str, bytes] = {}
        self.text: list[str] = []
        self.in_block = 0

    def pair(self, most: int) -> Pair:
        maker = self.maker
        source = self.scene.source = maker.one(("stdin",) * 9 + ("maildir", "mbox"))
        self.options()
        self.declare_caches()
        name = self.accounts(source)
        later = self.actions()
        for _ in range(maker.one((1, 2, 3, 4, 5))):
            self.rule(0)
        for tokens in later:
            self.put(tokens)
        if maker.chance(10):
            maker.note("statement last in file without line feed")
            self.put(["match", "unmatched", "action", "keep"])
            self.text[-1] = self.text[-1].rstrip("\n")
        words = self.words(name)
        count = maker.number(1, most) if source == "stdin" else 0
        messages = tuple(letters.message(maker) for _ in range(count)) or (b"",)
        text = "".join(self.text)
        return Pair(
            text.encode("latin-1"), self.files, words, messages, tuple(self.scene.caches), frozenset(maker.seen)
        )

    # Putting statements down ---------------------------------------------------------------------

    def put(self, tokens: list[str]) -> None:
        """A statement, after those that its macros need; some in a conditional part or an include file."""
        maker = self.maker
        gap = maker.one(GAPS)
        if "#" in gap:
            maker.note("comment")
        text = gap.join(tokens) + "\n"
        before = "".join(each + "\n" for each in maker.pending)
        maker.pending.clear()
        way = 0 if self.in_block else maker.number(0, 99)
        if way >= 95:
            self.text.append(before + self._conditional(text))
        elif way >= 90:
            self.text.append(before + self._included(text))
        else:
            self.text.append(before + text)

    def _conditional(self, text: str) -> str:
        """A part that is read, or one that is skipped; a statement stands between it and a macro's definition."""
        maker = self.maker
        sigil = maker.one("$%")
        maker.defines.setdefault("$given", "yes")
        maker.defines.setdefault("%given", "1")
        cure = "%cure = 1\n"
        known = maker.one((f"{sigil}given", f"{sigil}{{given}}"))
        unknown = f"{sigil}nosuch"
        # Only its tokens have to be valid, and its commands are not run.
        skipped = maker.one(("match all action drop\n", "drop $x \"is\" 'cut'\n", "account 5 { $(exit 1)\n"))
        if maker.chance(50):
            word, test, other = "ifdef", known, unknown
        else:
            word, test, other = "ifndef", unknown, known
        maker.note(word)
        read = f"{cure}{word} {test}\n{text}endif\n"
        if maker.chance(40):
            maker.note("skipped part")
            read += f"{cure}{word} {other}\n{skipped}endif\n"
        return read

    def _included(self, text: str) -> str:
        maker = self.maker
        maker.note("include")
        name = f"inc{len(self.files)}"
        self.files[name] = (maker.one(("", "# included\n", "\n")) + text).encode("latin-1")
        path = name
        if self.scene.own_home and not self.scene.default_user and maker.chance(40):
            self.files["home/" + name] = self.files.pop(name)
            path = maker.one(("~/", "%h/", "%[home]/")) + name
        return "include " + maker.quoted(path) + "\n"

    # Parts ----------------------------------------------------------------------------------------

    def options(self) -> None:
        maker = self.maker
        if not maker.domain.received:
            maker.note("set no-received")
            self.put(["set", "no-received"])
        for _ in range(maker.one((0, 1, 2, 3, 4, 5, 6))):
            for tokens in setting(maker, self.scene, self.group):
                self.put(tokens)

    def declare_caches(self) -> None:
        maker = self.maker
        for name in ("c1.cache", "c 2.cache")[: maker.one((0, 1, 1, 2))]:
            path = self.scene.path(maker, name)
            if path.strip() in (each.strip() for each in self.scene.caches):
                continue
            maker.note("statement cache")
            self.scene.caches.append(path)
            tokens = ["cache", maker.spelled(path)]
            if maker.chance(50):
                maker.note("cache expire")
                tokens += ["expire", maker.time(maker.one((100, 0, 5000)))]
            self.put(tokens)

    def accounts(self, source: str) -> str:
        """The account that fetches, and disabled ones; the name of the first."""
        maker = self.maker
        name = maker.one(("stdin", "in", "a-1", "My Mail", "i*"))
        for number in range(maker.one((0, 0, 1, 1, 2))):
            self._disabled(f"off{number}")
        maker.note("account " + source)
        tokens = ["account", maker.spelled(name)]
        if maker.chance(15):
            maker.note("users of account")
            tokens += users(maker)
        tokens += ["stdin"] if source == "stdin" else self._folders(source)
        if maker.chance(12):
            maker.note("account keep")
            tokens.append("keep")
        self.scene.accounts.append(name)
        self.put(tokens)
        return name

    def _disabled(self, name: str) -> None:
        maker = self.maker
        kind = maker.one((*SERVED_ACCOUNTS, *SERVED_ACCOUNTS, "stdin", "maildir", "mbox", "maildir", "mbox"))
        maker.note("account disabled")
        maker.note("account " + kind)
        tokens = ["account", maker.spelled(name), "disabled"]
        if maker.chance(20):
            tokens += users(maker)
        if kind == "stdin":
            tokens.append("stdin")
        elif kind in ("maildir", "mbox"):
            word = maker.one((kind, {"maildir": "maildirs", "mbox": "mboxes"}[kind]))
            maker.note("word " + word)
            tokens += [word, "{", *(maker.spelled(path) for path in maker.some(("~/x", "in/%d/*", "y"), 1, 3)), "}"]
        else:
            tokens += fetching(maker, kind)
        if maker.chance(20):
            tokens.append("keep")
        self.scene.accounts.append(name)
        self.put(tokens)

    def _folders(self, kind: str) -> list[str]:
        """A folder of mail to fetch from."""
        maker = self.maker
        plural = {"maildir": "maildirs", "mbox": "mboxes"}[kind]
        word = maker.one((kind, plural))
        maker.note("word " + word)
        path = self.scene.path(maker, "source")
        if kind == "maildir":
            self.files |= {"source/cur/": b"", "source/new/": b""}
            self.files["source/" + maker.one(("new", "cur")) + "/1234567890.1_0.x"] = letters.stored(maker)
        else:
            # One only: fdm works on several at once, and their order is anyone's guess when one of them fails.
            mail = letters.stored(maker).replace(b"\nFrom ", b"\n>From ")
            self.files["source"] = b"From amy@example.org Mon Mar  2 10:00:00 2020\n" + mail + b"\n"
        if path.lstrip().startswith(("~", "%")):
            self.files = {("home/" + at if at.startswith("source") else at): text for at, text in self.files.items()}
        if maker.chance(50):
            return [word, maker.spelled(path)]
        return [word, "{", maker.spelled(path), "}"]

    def actions(self) -> list[list[str]]:
        """Actions, some of them kept back to stand below the rules."""
        maker = self.maker
        later = []
        for name in ACTIONS[: maker.number(1, 5)]:
            self.scene.actions.append(name)
            # A name that is there may be used by the ones before it, and by itself.
            tokens = definition(maker, self.scene, name)
            if not maker.pending and maker.chance(15):
                maker.note("action below its use")
                later.append(tokens)
            else:
                self.put(tokens)
        if maker.chance(60):
            self.put(unused_definition(maker, self.scene, "zz-server"))
        return later

    def rule(self, depth: int) -> None:
        maker = self.maker
        maker.note("statement match")
        tokens = ["match", *expression(maker, self.scene)]
        if depth < 3 and maker.chance(15):
            maker.note("rule nested")
            self.in_block += 1
            self.put([*tokens, "{"])
            for _ in range(maker.one((1, 2, 0, 3))):
                if maker.chance(10):
                    for option in setting(maker, self.scene, self.group):
                        self.put(option)
                self.rule(depth + 1)
            self.in_block -= 1
            self.text.append("}\n")
            return
        if maker.chance(20):
            maker.note("users of rule")
            tokens += users(maker)
        if maker.chance(50):
            maker.note("rule by name")
            tokens += names(maker, self.scene)
        else:
            maker.note("rule lambda")
            tokens += [maker.one(("action", "actions")), *items(maker, self.scene, acting=True)]
        if maker.chance(60):
            maker.note("rule continue")
            tokens.append("continue")
        self.put(tokens)

    def words(self, name: str) -> tuple[bytes, ...]:
        """The command line but for its command."""
        maker = self.maker
        words = ["-f", "conf"]
        if not maker.chance(8):
            words.append("-m")
        else:
            maker.note("option no -m")
        if self.scene.own_home:
            maker.note("option -h")
            words.append("-h")
        for option, percent in (("-q", 10), ("-k", 8)):
            if maker.chance(percent):
                maker.note("option " + option)
                words.append(option)
        if maker.chance(8):
            maker.note("option -a")
            words += ["-a", maker.one((name[:1] + "*", "[!o]*"))]
        if maker.chance(8):
            maker.note("option -x")
            words += ["-x", maker.one(("off*", "off?", "nosuch", "*"))]
        if maker.chance(12) and not any(path.startswith("home/inc") for path in self.files):
            maker.note("option -u")
            words += ["-u", maker.one(("nobody", "root", "daemon"))]
        for macro, value in maker.defines.items():
            words += ["-D", f"{macro}={value}"]
        return tuple(word.encode("latin-1") for word in words)
