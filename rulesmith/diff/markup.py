"""HTML and SVG that cannot be broken out of: text is escaped unless it was made here.

What comes out is also well-formed XML, but for the DOCTYPE.
"""

from __future__ import annotations

from html import escape

from rulesmith.diagnostics.printable import printable

# Elements of HTML without an end.
_VOID = ("br", "meta")


class Markup(str):
    """Text with elements in it."""

    __slots__ = ()


def element(name: str, /, *content: str, **attributes: object) -> Markup:
    """An element. In names of attributes `_` stands for `-`, at the end for nothing; what is None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*content: str) -> Markup:
    """One after the other."""
    return Markup("".join(each if isinstance(each, Markup) else text(each) for each in content))


def text(plain: str) -> Markup:
    """Text of a stranger: no markup, no control characters, no marks of direction."""
    return Markup(escape(printable(plain)))
