"""fnmatch(3) without flags, over octets, as glibc does it in the C locale.

`*` and `?` match any octet, also `/` and a leading dot; `[a-z]`, `[!a]`, `[^a]`, `[[:lower:]]`, `[[=a=]]` and
`[[.a.]]` match one; a backslash takes the next octet as it is; an unclosed `[` is an ordinary octet.
"""

from __future__ import annotations


def matches(pattern: bytes, name: bytes, fold: bool = False) -> bool:
    """Whether the pattern matches the whole name; with `fold`, ASCII letters match in either case."""
    if not pattern.strip(b"*"):
        return bool(pattern) or not name
    if b"*" not in pattern and b"?" not in pattern and b"[" not in pattern and b"\\" not in pattern:
        return name.lower() == pattern.lower() if fold else name == pattern
    from rulesmith.mail import glob_automaton  # most patterns are names

    return glob_automaton.matches(pattern, name, fold)
