"""The Markdown specs of checks: configurations in code blocks, a mark at each line that must be reported.

```fdm                      what stands here is checked; an account is added where there is none
match "x" action drop       # <- name: the text at the place
```
```fdm stdin                the same with an account that reads standard input
```fixed                    what --fix makes of the block before
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rulesmith import lint
from rulesmith.compiler.compile import Compiled, compile_text
from rulesmith.compiler.environment import Holdings, Imagined
from rulesmith.diagnostics.model import Diagnostic

FOLDER = Path(__file__).parent / "specs"
ACCOUNT = 'account "in" maildir "/in"\n'
STDIN = 'set allow-multiple\nset no-received\naccount "stdin" stdin\n'
_BLOCK = re.compile(r"^```(fdm|fixed)([a-z ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"[ \t]*# <- ([a-z0-9-]+)(?:: (.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    name: str
    line: int
    text: str
    fixed: str | None
    words: tuple[str, ...] = ()

    @property
    def mode(self) -> int:
        return 0o644 if "readable" in self.words else 0o600

    @property
    def plain(self) -> str:
        return _MARK.sub("", self.text)

    def marks(self) -> list[tuple[int, str, str | None]]:
        found = []
        for number, line in enumerate(self.text.splitlines(), start=1):
            mark = _MARK.search(line)
            if mark:
                found.append((number, mark[1], mark[2]))
        return found


def blocks() -> list[Block]:
    found: list[Block] = []
    for path in sorted(FOLDER.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            body = match[3]
            if match[1] == "fixed":
                last = found.pop()
                found.append(Block(last.name, last.line, last.text, body, last.words))
                continue
            words = tuple(match[2].split())
            head = STDIN if "stdin" in words else "" if re.search(r"^\s*account ", body, re.MULTILINE) else ACCOUNT
            line = text.count("\n", 0, match.start()) + 1 - head.count("\n")
            found.append(Block(path.stem, line, head + body, None, words))
    return found


def compiled(text: str, mode: int = 0o600, root: bool = False) -> Compiled:
    holdings = Holdings(
        files={"/etc/fdm/rules.conf": b"", "rules.conf": b"", "/in/conf": text.encode("utf-8", "surrogateescape")},
        modes={"/in/conf": mode},
        users=[(b"bob", 1001, 1001, b"/home/bob"), (b"ann", 1002, 1002, b"/home/ann")],
        groups={b"mail": 8},
    )
    me = (b"root", 0, 0, b"/root") if root else (b"user", 1000, 1000, b"/home/user")
    machine = Imagined(holdings, path="/in/conf", me=me, hostname=b"mail.example.org", now=1_600_000_000)
    return compile_text("/in/conf", machine.read("/in/conf").decode("utf-8", "surrogateescape"), machine)


def checked(text: str, mode: int = 0o600, root: bool = False) -> list[Diagnostic]:
    return lint.findings(compiled(text, mode, root))
