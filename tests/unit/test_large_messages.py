"""What keeps large messages within three copies of them."""

from __future__ import annotations

from rulesmith.limits import MIME_PARTS, ONE_VIEW_OCTETS
from rulesmith.mail import structure
from rulesmith.mail.message import Message
from rulesmith.regexp.lower import lower
from rulesmith.regexp.machine import Letters
from rulesmith.regexp.search import search

HEAD = b'Content-Type: multipart/mixed; boundary="b"\n\n'


def test_a_large_message_keeps_one_copy_of_it_and_a_short_one_all() -> None:
    for size, kept in ((10, {"body", "headers", "any"}), (ONE_VIEW_OCTETS + 1, {"headers", "any"})):
        message = Message(HEAD + b"x" * size, len(HEAD), {}, 0)
        for area in ("body", "headers", "any"):
            assert message.folded(area) == message.view(area).lower()
        assert message._views.keys() == kept
        assert message._folded.keys() == kept
        message = Message(b"X: " + b"x" * size + b"\n\n" + b"x" * size, size + 5, {}, 0)
        for area in ("headers", "body"):
            assert message.folded(area) == message.view(area).lower()
        assert message._views.keys() == kept - {"any"} - ({"headers"} if size > 10 else set()) | {"body"}


def test_octets_in_a_body_are_found_without_a_copy_of_it() -> None:
    raw = b"Subject: Sub\nX: bodY\n\nTeXt and bOdy\n"
    message = Message(raw, raw.index(b"TeXt"), {}, 0)
    for octets, case, lacks in (
        (b"bOdy", True, False),
        (b"body", True, True),
        (b"body", False, False),
        (b"text", False, False),
        (b"sub", False, True),
        (b"\ntext", False, True),
    ):
        assert message.lacks("body", octets, case) is lacks
        text = message.view("body")
        assert (octets not in (text if case else text.lower())) is lacks
    assert message._folded.keys() == {""}
    assert not message.lacks("headers", b"body", False)
    assert message.lacks("headers", b"text", False)
    message.replace(b"\nother\n", 1)
    assert message.lacks("body", b"body", False)


def test_behind_too_many_parts_the_last_one_is_the_rest() -> None:
    raw = HEAD + b"--b\n\nx\n" * (MIME_PARTS + 5) + b"--b--\n"
    parts = structure.parts(raw, len(HEAD))
    assert len(parts) == MIME_PARTS + 1
    assert sum(size for _, _, size, _ in parts) == len(raw) - len(HEAD)
    assert parts[-1][2] > parts[-2][2]


def test_a_text_in_letters_is_the_same_piece_by_piece() -> None:
    table = bytes(octet % 7 for octet in range(256))
    for text in (b"", b"a", b"\n", b"ab\ncd", b"ab\ncd\n"):
        letters = Letters(text, table, 9)
        whole = letters.piece(0, len(text))
        assert len(letters) == len(whole) == len(text)
        assert whole == b"".join(letters.piece(at, at + 2) for at in range(0, len(text), 2))
        assert list(whole) == [letters.at(place) for place in range(len(text))]
        assert (9 in whole) == text.endswith(b"\n")


def test_a_match_across_two_pieces_is_found() -> None:
    text = b"x" * ((1 << 14) - 2) + b"aab" + b"x" * 70_000
    assert search(lower(b"(a+)+b", False, "pcre"), text, text.lower()) == (b"aab", b"aa")
