"""`mbox` delivers to the end of an mbox file.

Syntax: `mbox "PATH"` or `mbox "PATH" compress`

Tags and a leading `~` of PATH are replaced for each message. The file is locked as `lock-types` says. With `compress` each
message is added as one gzip member to PATH with `.gz` at its end. The tag `mbox_file` then holds the path.

Example:

    action "archive" mbox "~/Mail/%[mail_year]" compress
"""

from __future__ import annotations

from rulesmith.program import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rulesmith.conditions.protocol import Lowering
    from rulesmith.syntax.tree import Phrase


def lower(phrase: Phrase, scope: Lowering) -> tuple[Any, ...]:
    """The arguments in the shape of program.py."""
    path, compress = phrase.args
    return scope.run_path(path, "invalid path"), compress


def explain(args: tuple[Any, ...]) -> bytes:
    """The words of `fdm -nvv`."""
    path, compress = args
    return b'mbox "%s"%s' % (shown(path), b" compress" if compress else b"")
