"""The address for the mbox separator."""

from __future__ import annotations

import pytest

from rulesmith.mail.address import sender, sender_address


@pytest.mark.parametrize(
    ("value", "address"),
    [
        (b"bob@x.org", b"bob@x.org"),
        (b"b@x.org", b"b@x.org"),
        (b"Bob <bob@x.org>", b"bob@x.org"),
        (b'"a@b.c" <bob@x.org>', b"bob@x.org"),
        (b"bob@x.org (Bob)", b"bob@x.org"),
        (b"bob@x.org, al@y.org", b"bob@x.org"),
        (b"o@d'd, al@y.org", b"al@y.org"),
        (b"x y@z.org;", b"y@z.org"),
        (b"  bob@x.org\r\n", b"bob@x.org"),
        (b"bob@[1.2.3.4]", b"bob@[1.2.3.4]"),
        (b"a+b_%.c-d@x", b"a+b_%.c-d@x"),
        # odd, but fdm's
        (b"(bob@x.org", b"(bob@x.org"),
        (b"bob@", b"bob@"),
        # ours alone: fdm keeps the "<"
        (b"<bob@x.org>", b"bob@x.org"),
        (b"<bob@x.org>, al@y.org", b"bob@x.org"),
    ],
)
def test_the_address_that_is_found(value: bytes, address: bytes) -> None:
    assert sender_address(value) == address


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b" \t",
        b"Bob",
        b"o'brien@x.org",
        b"@x.org",
        b"a@b_c",
        b"a@b@c",
        b"<bob@x.org",
        b"x <bob@x.org",
        b"x bob@x.org>",
        b'"bob@x.org"',
        b'"bob@x.org',
        b"bob@x.org\t",
        b"\xc3\xa9@b.c",
    ],
)
def test_values_without_address(value: bytes) -> None:
    assert sender_address(value) is None


def test_the_first_from_field_counts_and_of_it_the_first_line() -> None:
    assert sender(b"A: 1\nFROM: Bob <bob@x.org>\nFrom: al@y.org\n\n") == b"bob@x.org"
    assert sender(b"From: x\n <bob@x.org>\n\n") is None
    assert sender(b"From: bob@x.org\r\n\r\n") == b"bob@x.org"
    assert sender(b"From: bob@x.org") == b"bob@x.org"


def test_an_empty_first_line_is_read_on() -> None:
    assert sender(b"From:\n <bob@x.org>\n\n") == b"bob@x.org"
    assert sender(b"From: \n\n") is None
    assert sender(b"To: x@y\n\n") is None
