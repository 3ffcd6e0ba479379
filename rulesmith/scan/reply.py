"""What rspamd answered, with nothing in it that a header field could not bear.

Its text comes in part from the message: names of symbols and fields, subjects, signatures are cut to a length and
cleared of control characters, so that no answer can end a field and begin another.
"""

from __future__ import annotations

import _json

from rulesmith.scan.no_verdict import NoVerdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Actions that rspamc takes for spam, in both of its spellings.
_SPAM = (b"reject", b"soft reject", b"rewrite subject", b"add header")
_SYMBOLS = 1000
_NAME_OCTETS = 256
_VALUE_OCTETS = 16384
_FIELDS = 64
# Scores are sums of a few hundred weights.
_LARGEST_SCORE = 1e9
_CONTROLS = bytes([*range(32), 127])
_BLANKED = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
# RFC 5322, 3.6.8
_FIELD_NAME = bytes(octet for octet in range(33, 127) if octet != 58)


class Reply:
    """A verdict, and what is to be done to the message.

    `score` and `required` are finite; `symbols` are names with their scores in rspamd's order; `subject` is the new
    one, if there shall be one; `signatures` and `added` (name, value) are fields to add, whose values may be folded
    with LF TAB; `removed` are names in lower case with positions as rspamd counts them: 0 all, 1 the first, -1 the
    last. `excuse` is what it would tell a client, behind ": ", or nothing. `version` is rspamd's, or nothing.
    """

    __slots__ = (
        "action", "added", "excuse", "removed", "required", "score", "signatures", "subject", "symbols", "version"
    )  # fmt: skip

    def __init__(self, said: dict[str, Any], version: bytes) -> None:
        self.version = version
        self.action = _one_line(said["action"], _NAME_OCTETS)
        self.score = float(said["score"])
        self.required = _score(said.get("required_score")) or 0.0
        self.symbols: dict[bytes, float] = {}
        for name, about in list(_object(said.get("symbols")).items())[:_SYMBOLS]:
            if isinstance(about, dict):
                self.symbols[_one_line(name, _NAME_OCTETS)] = _score(about.get("score")) or 0.0
        subject = said.get("subject") if self._plain_action() == b"rewrite subject" else None
        self.subject = _one_line(subject, _VALUE_OCTETS) if isinstance(subject, str) else None
        self.signatures = [_folded(each) for each in _strings(said.get("dkim-signature"))]
        milter = _object(said.get("milter"))
        self.removed = _positions(_object(milter.get("remove_headers")))
        self.added = _fields(_object(milter.get("add_headers")))
        message = _object(said.get("messages")).get("smtp_message")
        self.excuse = ": " + _one_line(message, _NAME_OCTETS).decode("latin-1") if isinstance(message, str) else ""

    def _plain_action(self) -> bytes:
        return self.action.lower().replace(b"_", b" ")

    @property
    def spam(self) -> bool:
        """Whether rspamc would write `X-Spam: yes`."""
        return self._plain_action() in _SPAM

    @property
    def undecided(self) -> bool:
        """Whether rspamd wants to be asked again later, and has no opinion until then.

        It says "soft reject" where a module is away, a virus scanner say. That alone makes no mail spam. But what has
        enough points for a reject is spam without that module too.
        """
        enough = 0 < self.required <= self.score
        return self._plain_action() == b"soft reject" and not enough

    def verdict(self) -> dict[str, Any]:
        """What the conditions of the rules ask for."""
        return {"score": self.score, "required": self.required, "action": self.action, "symbols": self.symbols}


def read(status: int, fields: dict[bytes, bytes], body: bytes) -> Reply:
    """The verdict in a response. Raises NoVerdict for any other answer."""
    if status != 200:
        cause = "oversized" if status == 413 else "error"
        raise NoVerdict(cause, f"rspamd answers {status}{complaint(body)}")
    said = parse(body)
    action = said.get("action")
    if not isinstance(action, str) or not action or _score(said.get("score")) is None:
        raise NoVerdict("error", "the answer holds no verdict" + complaint(body))
    return Reply(said, version(fields.get(b"server", b"")))


def version(server: bytes) -> bytes:
    """rspamd's version, from HTTP's Server field; nothing where that is somebody else's."""
    product, _, number = server.partition(b"/")
    known = product == b"rspamd" and number.replace(b".", b"").isalnum()
    return _one_line(number.decode("latin-1"), 20) if known else b""


def complaint(body: bytes) -> str:
    """What rspamd says is wrong, behind ": ", or nothing. Not made harmless: NoVerdict does that."""
    try:
        error = parse(body).get("error")
    except NoVerdict:
        return ""
    return f": {error[:_NAME_OCTETS]}" if isinstance(error, str) else ""


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object (RFC 8259) in UTF-8. Raises NoVerdict for anything else."""
    text = body.decode("utf-8", "surrogateescape").strip()
    try:
        value, end = _json.make_scanner(_Context)(text, 0)  # type: ignore[arg-type]  # typeshed forgot its parameter
    except (StopIteration, ValueError, RecursionError):
        raise NoVerdict("error", "the answer is no JSON") from None
    if end != len(text) or not isinstance(value, dict):
        raise NoVerdict("error", "the answer is no JSON object")
    return value


class _Context:
    """What the C scanner wants to know; `json` would tell it the same, but brings `re` along, 5 ms of it."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int

    @staticmethod
    def parse_constant(name: str) -> None:
        """NaN and Infinity, which are no JSON, are no numbers either."""


def _score(value: Any) -> float | None:
    """A finite number; None for what is none, which counts nothing, as in rspamc."""
    return float(value) if type(value) in (int, float) and -_LARGEST_SCORE < value < _LARGEST_SCORE else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [each for each in listed[:_FIELDS] if isinstance(each, str)]


def _octets(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")


def _one_line(text: str, longest: int) -> bytes:
    return _octets(text[:longest])[:longest].translate(_BLANKED).strip()


def _folded(text: str) -> bytes:
    """The value of a field whose folds count (a signature): each becomes LF TAB, empty lines vanish."""
    lines = [_one_line(line, _VALUE_OCTETS) for line in text[:_VALUE_OCTETS].replace("\r", "\n").split("\n")]
    return b"\n\t".join(line for line in lines if line)


def _field_name(name: str) -> bytes | None:
    octets = _octets(name[: _NAME_OCTETS + 1])
    return octets if octets and len(octets) <= _NAME_OCTETS and not octets.translate(None, _FIELD_NAME) else None


def _positions(removed: dict[str, Any]) -> dict[bytes, list[int]]:
    """`{"name": 0}` or `{"name": [1, 2]}`."""
    found = {}
    for name, value in list(removed.items())[:_FIELDS]:
        octets = _field_name(name)
        listed = value if isinstance(value, list) else [value]
        positions = [each for each in listed[:_FIELDS] if type(each) is int]
        if octets is not None and positions:
            found[octets.lower()] = positions
    return found


def _fields(added: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """`{"name": "value"}`, `{"name": {"value": "…", "order": 1}}`, or lists of such."""
    found = []
    for name, value in added.items():
        octets = _field_name(name)
        for each in value if isinstance(value, list) else [value]:
            text = each.get("value") if isinstance(each, dict) else each
            if octets is not None and isinstance(text, str):
                found.append((octets, _folded(text)))
            if len(found) == _FIELDS:
                return found
    return found
