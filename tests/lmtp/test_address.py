"""What a path says, and by which names a recipient may be known."""

from __future__ import annotations

import pytest

from rulesmith.lmtp.address import names, path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"<a@x>", (b"a@x", b"")),
        (b" <a@x>  SIZE=1", (b"a@x", b"SIZE=1")),
        (b"<>", (b"", b"")),
        (b'<"a b>"@x>', (b'"a b>"@x', b"")),
        (b"<@r:a@x>", (b"a@x", b"")),
        (b"<a@x", None),
        (b"a@x", None),
        (b"<a@x>y", None),
        (b"<a\0@x>", None),
        (b"<a\x7f@x>", None),
        (b"<\xc3\xa4@x>", (b"\xc3\xa4@x", b"")),
    ],
)
def test_a_path(text: bytes, found: tuple[bytes, bytes] | None) -> None:
    assert path(text) == found


@pytest.mark.parametrize(
    ("address", "found"),
    [
        (b"user@example.com", [b"user@example.com", b"user"]),
        (b"user+x@example.com", [b"user+x@example.com", b"user@example.com", b"user+x", b"user"]),
        (b"User@Example.com", [b"User@Example.com", b"User", b"user@example.com", b"user"]),
        (b"vmail", [b"vmail"]),
        (b'"a b"@x', [b"a b@x", b"a b"]),
        (b'"a@b"@x', [b"a@b@x", b"a@b"]),
        (b"../etc@x", []),
        (b"a/../../b", []),
        (b".hidden", []),
        (b'"../../root"@x', []),
        (b"+x@example.com", [b"+x@example.com", b"+x"]),
    ],
)
def test_the_names_of_a_recipient(address: bytes, found: list[bytes]) -> None:
    assert names(address) == found


def test_without_a_delimiter_a_plus_is_part_of_the_name() -> None:
    assert names(b"a+b@x", b"") == [b"a+b@x", b"a+b"]
    assert names(b"a-b@x", b"-") == [b"a-b@x", b"a@x", b"a-b", b"a"]
