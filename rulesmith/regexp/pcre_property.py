"""Unicode properties (\\p, \\P) of the 256 octets, which PCRE2 takes for the first 256 characters."""

from __future__ import annotations

import re
import unicodedata

from rulesmith.regexp.octets import ALL, HORIZONTAL, SPACE, VERTICAL, WORD, mask_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from rulesmith.regexp.pcre_reader import Reader

_NAME = re.compile(rb"[A-Za-z]|\{([^}]*)\}")
_KNOWN = frozenset(
    b"any l& lc c cc cf cn co cs l ll lm lo lt lu m mc me mn n nd nl no p pc pd pe pf pi po ps s sc sk sm so "
    b"z zl zp zs xan xsp xps xwd".split()
)


def property_mask(reader: Reader, start: int, ignore_case: bool) -> int:
    """The octets with the property that is named at the reader, whose \\p has just been read."""
    found = _NAME.match(reader.source, reader.at)
    if not found:
        raise reader.refused("malformed \\P or \\p sequence", start)
    reader.at = found.end()
    text = found[0] if found[1] is None else found[1]
    name = re.sub(rb"[-_ \t\n\v\f\r]", b"", text).lower()
    negated = name.startswith(b"^")
    name = name[negated:]
    if name not in _KNOWN:
        raise reader.cannot(f"the property \\p{{{text.decode('latin-1')}}}", start)
    if ignore_case and name in (b"lu", b"ll", b"lt"):
        name = b"l&"
    mask = _mask(name)
    return ALL ^ mask if negated else mask


def _mask(name: bytes) -> int:
    if name == b"any":
        return ALL
    if name in (b"xsp", b"xps"):
        return SPACE | HORIZONTAL | VERTICAL
    kinds = [unicodedata.category(chr(octet)) for octet in range(256)]
    if name in (b"l&", b"lc"):
        return mask_of(octet for octet in range(256) if kinds[octet] in ("Lu", "Ll", "Lt"))
    if name in (b"xan", b"xwd"):
        alnum = mask_of(octet for octet in range(256) if kinds[octet][0] in "LN")
        return alnum | WORD if name == b"xwd" else alnum
    wanted = name.decode().capitalize()
    return mask_of(octet for octet in range(256) if kinds[octet].startswith(wanted))
