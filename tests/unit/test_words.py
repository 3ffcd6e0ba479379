"""Fields of a header as a person reads them."""

from __future__ import annotations

import time

import pytest

from rulesmith.mail.words import cut, readable


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?gr=C3=BC=C3=9Fe?=", "grüße"),
        (b"=?UTF-8?B?Z3LDvMOfZQ==?= =?utf-8?q?_an_alle?=", "grüße an alle"),
        (b"=?iso-8859-1?Q?caf=E9?= au lait", "café au lait"),
        (b"Re: =?koi8-r?B?8NLJ18XU?=", "Re: Привет"),
        (b"=?utf-8*de?Q?ja?=", "ja"),
        (b"gr\xc3\xbc\xc3\x9fe", "grüße"),
        (b"caf\xe9", "caf\\xe9"),
        (b"a =?b=? c", "a =?b=? c"),
        (b"=?utf-8?X?abc?=", "=?utf-8?X?abc?="),
        (b"=?utf-8?B?abc", "=?utf-8?B?abc"),
        (b"=?nothing-known?Q?abc?=", "abc"),
        (b"=?hex?Q?abc?= =?idna?Q?xn--?= =?undefined?Q?x?=", "abcxn--x"),
        (b"a\x1b[31mred\x07", "a\\x1b[31mred\\x07"),
        (b"=?utf-8?Q?a=0Auser:_<id>_forged?=", "a user: <id> forged"),
        (b"=?utf-8?B?4oCuZXhl4oCs?=", "\\u202eexe\\u202c"),
        (b"tab\there", "tab here"),
    ],
)
def test_a_field_is_read(field: bytes, text: str) -> None:
    assert readable(field) == text


def test_a_field_of_a_megabyte_costs_nothing() -> None:
    before = time.process_time()
    assert len(readable(b"=?utf-8?Q?a?= " * 100_000)) <= 4096
    assert len(readable(b"=?" * 500_000)) <= 4096
    assert time.process_time() - before < 3


def test_a_long_text_is_cut_where_it_shows() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcde…"
