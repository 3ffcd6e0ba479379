"""Where statements begin, and which braces are blocks of rules: a file need not be parsed as a whole for that.

So parts that an ifdef leaves out are laid out like the rest, and files that are only included need no macros.
"""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from rulesmith.layout.tokens import COMMENT
from rulesmith.syntax.words import KEYWORDS

if TYPE_CHECKING:
    from rulesmith.layout.tokens import Token

BEGINS, OPENS, CLOSES, INSIDE = "begins", "opens", "closes", "inside"

_ALWAYS = {"SET", "MATCH", "INCLUDE", "IFDEF", "IFNDEF", "ENDIF"}
_ACTION = {"ACTION", "ACTIONS"}
_ACCOUNT = {"ACCOUNT", "ACCOUNTS"}
_USER = {"USER", "USERS"}
# Words with a list behind them in a rule.
_LISTED = _ACCOUNT | _ACTION | _USER | {"SYMBOL"}
_ITEMS = """
    drop keep stdout tag maildir mbox exec pipe rewrite write append add-header remove-header remove-headers
    add-to-cache remove-from-cache smtp lmtp imap imaps
"""
ITEMS = _ACTION | {KEYWORDS[word] for word in _ITEMS.split()}


class _Reader:
    """Follows one statement after the other."""

    def __init__(self) -> None:
        self.kind = ""  # the word that the statement began with
        self.past: list[str] = []  # its terminals
        self.acted = False  # whether the rule's action, or the action's first item, is behind
        self.lists = 0

    def role(self, terminal: str, following: str) -> str:
        """The role of the next token; `following` is the terminal behind it."""
        if self.lists:
            self.lists += (terminal == "LBRACE") - (terminal == "RBRACE")
            role = INSIDE
        elif terminal == "RBRACE":
            self.begin("")
            return CLOSES
        elif not self.kind or self._begins(terminal, following):
            self.begin(terminal)
            return BEGINS
        elif terminal == "LBRACE":
            if self.kind == "MATCH" and not self.acted and self.past[-1] not in _LISTED:
                self.begin("")
                return OPENS
            self.lists = 1
            self.acted = self.acted or (self.kind == "ACTION" and self.past[-1] not in _USER)
            role = INSIDE
        else:
            self._note(terminal)
            role = INSIDE
        self.past.append(terminal)
        return role

    def begin(self, terminal: str) -> None:
        """A new statement, or none yet."""
        self.kind = terminal
        self.past = [terminal]
        self.acted = False

    def _note(self, terminal: str) -> None:
        if self.kind == "MATCH":
            self.acted = self.acted or (terminal in _ACTION and self.past[-1] != "SPAM")
        elif self.kind == "ACTION":
            self.acted = self.acted or terminal in ITEMS

    def _begins(self, terminal: str, following: str) -> bool:
        last = self.past[-1]
        if terminal in _ALWAYS:
            return True
        if terminal in ("STRMACRO", "NUMMACRO"):
            return following == "EQUALS"
        if terminal == "CACHE":
            pop = "POP3" in self.past or "POP3S" in self.past
            news = "NNTP" in self.past or "NNTPS" in self.past
            inside = (pop and last in ("NEW_ONLY", "OLD_ONLY")) or (news and "CACHE" not in self.past)
            return not (self.kind == "ACCOUNT" and inside)
        if terminal in _ACCOUNT:
            condition = self.kind == "MATCH" and last in ("MATCH", "AND", "OR", "NOT")
            return not condition and last != "TRUSTED_HOPS"
        if terminal in _ACTION:
            return self.acted and last not in _ACTION if self.kind in ("MATCH", "ACTION") else True
        return False


def roles(tokens: list[Token]) -> list[str]:
    """The role of each token; a comment is inside where the next token is."""
    reader = _Reader()
    real = [token.terminal for token in tokens if token.terminal != COMMENT]
    said = iter([reader.role(one, other) for one, other in zip_longest(real, real[1:], fillvalue="")])
    found = [next(said) if token.terminal != COMMENT else "" for token in tokens]
    after = BEGINS
    for at in range(len(found) - 1, -1, -1):
        after = found[at] = found[at] or (INSIDE if after in (INSIDE, OPENS) else BEGINS)
    return found
