"""The LALR parser made of `grammar/fdm.lark`, built once per process."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lark import Lark
from lark.lexer import Lexer

from rulesmith.syntax.builder import Builder

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Words(Lexer):
    """No lexer: the words are made before, and fed to the parser one by one."""

    def __init__(self, lexer_conf: Any) -> None:
        pass

    def lex(self, *_: Any) -> Iterator[Any]:
        yield from ()


_loaded: list[Lark] = []


def load_parser(cache: str | None = None) -> Lark:
    """The parser; `cache` is a file that the first call may take the table from, or leave it in, to save 0.1 s."""
    if not _loaded:
        grammar = (Path(__file__).parent.parent / "grammar" / "fdm.lark").read_text(encoding="utf-8")
        parser = Lark(
            grammar,
            parser="lalr",
            lexer=_Words,
            transformer=Builder(),
            maybe_placeholders=True,
            cache=cache or False,
        )
        _loaded.append(parser)
    return _loaded[0]
