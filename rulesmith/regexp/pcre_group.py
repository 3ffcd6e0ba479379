"""What begins with a parenthesis in PCRE2: captures, options, look-around, conditions, comments, verbs."""

from __future__ import annotations

import re

from rulesmith.regexp.pcre_frame import Frame
from rulesmith.regexp.pcre_reader import (
    DOT_ALL,
    EXTENDED,
    EXTENDED_MORE,
    IGNORE_CASE,
    MULTILINE,
    NO_CAPTURE,
    SAME_NAMES,
    UNGREEDY,
    Reader,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.regexp.pcre_parser import PcreParser

_OPTIONS = {
    105: IGNORE_CASE,
    109: MULTILINE,
    110: NO_CAPTURE,
    115: DOT_ALL,
    85: UNGREEDY,
    74: SAME_NAMES,
    120: EXTENDED,
}
# (*pla:…) and so on: (kind, behind, negated).
_WORDS = {
    b"atomic": ("atomic", False, False),
    b"pla": ("look", False, False),
    b"positive_lookahead": ("look", False, False),
    b"nla": ("look", False, True),
    b"negative_lookahead": ("look", False, True),
    b"plb": ("look", True, False),
    b"positive_lookbehind": ("look", True, False),
    b"nlb": ("look", True, True),
    b"negative_lookbehind": ("look", True, True),
}
_OTHER_WORDS = frozenset(
    b"napla naplb non_atomic_positive_lookahead non_atomic_positive_lookbehind scan_substring scs "
    b"sr asr script_run atomic_script_run".split()
)
_VERBS = frozenset(b"ACCEPT F FAIL COMMIT PRUNE SKIP THEN MARK".split()) | {b""}
_START_VERB = re.compile(
    rb"\*(UTF8?|UCP|NO_AUTO_POSSESS|NO_DOTSTAR_ANCHOR|NO_JIT|NO_START_OPT|NOTEMPTY|NOTEMPTY_ATSTART|TURKISH_CASING|"
    rb"CASELESS_RESTRICT|LIMIT_(?:HEAP|MATCH|DEPTH|RECURSION)=\d+|CRLF|CR|LF|ANYCRLF|ANY|NUL|BSR_ANYCRLF|BSR_UNICODE)\)"
)
_WORD = re.compile(rb"[A-Za-z0-9_]*")
_UNCLOSED = "missing closing parenthesis"


def open_parenthesis(parser: PcreParser) -> None:
    """Take what a `(` opens; the reader is behind it."""
    reader = parser.reader
    start = reader.at - 1
    if reader.at >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    if reader.looking_at(b"*"):
        if reader.end - reader.at <= 1 or reader.source[reader.at + 1] == 41:
            parser.repeatable = False  # the star is then the error
        else:
            _word_or_verb(parser, start)
    elif not reader.looking_at(b"?"):
        if reader.flags & NO_CAPTURE:
            parser.push(Frame("plain", start, reader.flags))
        else:
            parser.push(Frame("capture", start, reader.flags, reader.open_group(None, start)))
    else:
        reader.at += 1
        if reader.at >= reader.end:
            raise reader.refused(_UNCLOSED, start)
        _question(parser, start)


def _word_or_verb(parser: PcreParser, start: int) -> None:
    reader = parser.reader
    word = _WORD.match(reader.source, reader.at + 1)
    assert word is not None
    if not word[0][:1].islower():
        if _START_VERB.match(reader.source, reader.at) or word[0] in _VERBS:
            raise reader.cannot(f"(*{word[0].decode()})", start)
        raise reader.refused("(*VERB) not recognized or malformed", start)
    if word.end() >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    if reader.source[word.end()] != 58 or word[0] not in _WORDS.keys() | _OTHER_WORDS:
        raise reader.refused("(*alpha_assertion) not recognized", start)
    if word[0] in _OTHER_WORDS:
        raise reader.cannot(f"(*{word[0].decode()}:", start)
    reader.at = word.end() + 1
    kind, behind, negated = _WORDS[word[0]]
    parser.push(Frame(_look_kind(parser) if kind == "look" else kind, start, reader.flags, 0, behind, negated))


def _look_kind(parser: PcreParser) -> str:
    frame = parser.frames[-1]
    waiting = frame.kind == "condition" and not frame.number and not frame.items and not frame.branches
    return "condition assertion" if waiting else "look"


def _question(parser: PcreParser, start: int) -> None:
    """Behind `(?`."""
    reader = parser.reader
    letter = reader.source[reader.at]
    if letter == 58:
        reader.at += 1
        parser.push(Frame("plain", start, reader.flags))
    elif letter == 124:
        reader.at += 1
        frame = Frame("reset", start, reader.flags)
        frame.base = frame.most = reader.groups
        parser.push(frame)
    elif letter == 62:
        reader.at += 1
        parser.push(Frame("atomic", start, reader.flags))
    elif letter in b"=!":
        reader.at += 1
        parser.push(Frame(_look_kind(parser), start, reader.flags, 0, False, letter == 33))
    elif letter == 60 and reader.source[reader.at + 1 : reader.at + 2] in (b"=", b"!"):
        reader.at += 2
        negated = reader.source[reader.at - 1] == 33
        parser.push(Frame(_look_kind(parser), start, reader.flags, 0, True, negated))
    elif reader.looking_at(b"<*"):
        raise reader.cannot("(?<*", start)
    elif letter in b"<'":
        _named(parser, b">" if letter == 60 else b"'", start)
    elif letter == 80:
        _python(parser, start)
    elif letter == 40:
        _condition(parser, start)
    elif letter == 67:
        _callout(parser, start)
    elif letter in b"R&" or letter == 43 or 48 <= letter <= 57 or _relative(reader):
        _recursion(reader, letter, start)
    elif letter in b"*[":
        raise reader.cannot("(?*" if letter == 42 else "(?[", start)
    else:
        _options(parser, start)


def _relative(reader: Reader) -> bool:
    return reader.looking_at(b"-") and reader.source[reader.at + 1 : reader.at + 2].isdigit()


def _recursion(reader: Reader, letter: int, start: int) -> None:
    if letter == 82 and reader.source[reader.at + 1 : reader.at + 2] not in (b")", b"("):
        raise reader.refused("(?R (recursive pattern call) must be followed by a closing parenthesis", start)
    if letter == 43 and not reader.source[reader.at + 1 : reader.at + 2].isdigit():
        if reader.at + 1 >= reader.end:
            raise reader.refused(_UNCLOSED, start)
        raise reader.refused("digit expected after (?+", start)
    raise reader.cannot("a recursion or subroutine call", start)


def _named(parser: PcreParser, terminator: bytes, start: int) -> None:
    reader = parser.reader
    reader.at += 1
    name = reader.name(terminator)
    parser.push(Frame("capture", start, reader.flags, reader.open_group(name, start)))


def _python(parser: PcreParser, start: int) -> None:
    reader = parser.reader
    reader.at += 1
    if reader.at >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    letter = reader.source[reader.at]
    if letter == 60:
        _named(parser, b">", start)
    elif letter == 61:
        reader.at += 1
        parser.reference(reader.name(b")"), start)
    elif letter == 62:
        raise reader.cannot("a recursion or subroutine call", start)
    else:
        raise reader.refused("unrecognized character after (?P", start)


def _callout(parser: PcreParser, start: int) -> None:
    # A callout does nothing where the program sets no callout function, and fdm sets none.
    reader = parser.reader
    reader.at += 1
    if reader.at >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    if reader.source[reader.at] != 41 and not 48 <= reader.source[reader.at] <= 57:
        raise reader.cannot("a callout with a string", start)
    digits = reader.digits()
    if len(digits) > 9 or int(digits or b"0") > 255:
        raise reader.refused("number after (?C is greater than 255", start)
    if not reader.looking_at(b")"):
        raise reader.refused("closing parenthesis for (?C expected", start)
    reader.at += 1
    parser.repeatable = parser.quantified = False


def _condition(parser: PcreParser, start: int) -> None:
    """Behind `(?`, at the parenthesis of the condition."""
    reader = parser.reader
    reader.at += 1
    if reader.at >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    if reader.source[reader.at] in b"?*":
        follows = reader.source[reader.at + 1 : reader.at + 3]
        if follows[:1] in (b"C", b"#") and reader.source[reader.at] == 63:
            raise reader.cannot("a callout or a comment before a condition", start)
        if not _is_assertion(reader.source[reader.at], follows) or reader.end - reader.at < 3:
            raise reader.refused("atomic assertion expected after (?( or (?(?C)", start)
        reader.at -= 1
        parser.push(Frame("condition", start, reader.flags))
        return
    number = reader.group_number()
    if number is None:
        number = _condition_name(reader, start)
    elif number == 0:
        raise reader.refused("reference to non-existent subpattern", start)
    if not reader.looking_at(b")"):
        raise reader.refused("missing closing parenthesis for condition", start)
    reader.at += 1
    if number not in reader.done:
        raise reader.cannot("a condition on a capture that is not complete at that place", start)
    parser.push(Frame("condition", start, reader.flags, number))


def _is_assertion(first: int, follows: bytes) -> bool:
    if first == 42:
        return follows[:1].islower()
    return follows[:1] in (b"=", b"!") or follows in (b"<=", b"<!")


def _condition_name(reader: Reader, start: int) -> int:
    if reader.looking_at(b"VERSION") or reader.looking_at(b"R&"):
        raise reader.cannot("this condition", start)
    quote = reader.source[reader.at]
    if quote in b"<'":
        reader.at += 1
        name = reader.name(b">" if quote == 60 else b"'")
    else:
        name = reader.name(b")")
        reader.at -= 1
        if name == b"DEFINE" or (name[:1] == b"R" and (name[1:] or b"0").isdigit() and name not in reader.names):
            raise reader.cannot(f"the condition {name.decode()}", start)
    numbers = reader.names.get(name, [])
    if len(numbers) != 1:
        raise reader.cannot("a condition on a name that no capture before it, or several, have", start)
    return numbers[0]


def _options(parser: PcreParser, start: int) -> None:
    """`(?i)` up to the end of the parenthesis around it, `(?i:…)` for itself."""
    reader = parser.reader
    flags, wanted, unwanted, unset = reader.flags, 0, 0, False
    hyphen = True
    if reader.looking_at(b"^"):
        flags &= ~(IGNORE_CASE | MULTILINE | NO_CAPTURE | DOT_ALL | EXTENDED | EXTENDED_MORE)
        hyphen = False
        reader.at += 1
    while reader.at < reader.end and reader.source[reader.at] not in b"):":
        letter = reader.source[reader.at]
        reader.at += 1
        bit = _OPTIONS.get(letter, 0)
        if letter == 45:
            if not hyphen:
                raise reader.refused("invalid hyphen in option setting", reader.at - 1)
            unset, hyphen = True, False
        elif letter == 97:  # a, aD, aP, aS, aT, aW: ASCII only, which all is without UCP
            reader.at += reader.at < reader.end and reader.source[reader.at] in b"DPSTW"
        elif not bit and letter != 114:
            raise reader.refused("unrecognized character after (? or (?-", reader.at - 1)
        if letter == 120 and reader.looking_at(b"x"):
            reader.at += 1
            bit |= EXTENDED_MORE
        if unset:
            unwanted |= bit
        else:
            wanted |= bit
    if wanted & (EXTENDED | EXTENDED_MORE) == EXTENDED or unwanted & EXTENDED:
        unwanted |= EXTENDED_MORE
    if reader.at >= reader.end:
        raise reader.refused(_UNCLOSED, start)
    before = reader.flags
    reader.at += 1
    if reader.source[reader.at - 1] == 58:
        parser.push(Frame("plain", start, before))
    else:
        parser.repeatable = parser.quantified = False
    reader.flags = (flags | wanted) & ~unwanted
