"""POSIX regexps as glibc has them: what they match, what captures hold, what is refused and with which words."""

from __future__ import annotations

import pytest

from rulesmith.regexp.lower import RegexpError, lower
from rulesmith.regexp.search import search


def find(source: bytes, text: bytes, case: bool = False) -> tuple[bytes, ...] | None:
    return search(lower(source, case, "posix"), text, text.lower())


MATCHES = [
    (b"a\n^$", b"a\n", (b"a\n",)),  # ^ and $ behind the very last line feed
    (b"^b", b"a\nb", (b"b",)),
    (b"a[^x]b", b"a\nb", None),
    (rb"a\Wb", b"a\nb", (b"a\nb",)),
    (rb"a\sb", b"a\nb", (b"a\nb",)),
    (b"a.b", b"a\nb", None),
    (b"a.b", b"a\0b", None),
    (rb"\d+", b"1d", None),
    (rb"\D+", b"1d", (b"d",)),
    (rb"\w+", b"-ab_1", (b"ab_1",)),
    (rb"\<b", b"ab b", (b"b",)),
    (rb"a\>", b"ab a", (b"a",)),
    (rb"\bb", b"ab b", (b"b",)),
    (rb"\Bb", b"b ab", (b"b",)),
    (rb"\`b", b"a\nb", None),
    (rb"a\'", b"a\nb", None),
    (rb"(l)\1", b"hello", (b"ll", b"l")),
    (rb"(a)\1", b"aA", (b"aA", b"a")),
    (rb"[\d]+", b"1d\\", (b"d\\",)),
    (b"[a\\]b]", b"a]b]", None),
    (rb"[a\]b]", b"xab]", (b"ab]",)),
    (b"[]a]+", b"x]a", (b"]a",)),
    (b"[^]a]", b"]ab", (b"b",)),
    (b"[[:alpha:]-]+", b"1a-b", (b"a-b",)),
    (b"[[=a=]b]+", b"xab", (b"ab",)),
    (b"[[.-.]a]+", b"x-a", (b"-a",)),
    (b"foo)", b"foo)", (b"foo)",)),
    (b"a{,2}b", b"aaab", (b"aab",)),
    (b"a{2}{2}", b"aaaaa", (b"aaaa",)),
    (b"a**", b"aa", (b"aa",)),
    (b"a}", b"a}", (b"a}",)),
    (rb"a\{1", b"a{1", (b"a{1",)),
    (b"a.*?b", b"axbxb", (b"axbxb",)),
    (b"a|ab", b"ab", (b"ab",)),
    (b"(a|ab)(c|bcd)(d*)", b"abcd", (b"abcd", b"a", b"bcd", b"")),
    (b"(foo|foobar)s?", b"foobar", (b"foobar", b"foobar")),
    (b"a?(ab)?", b"ab", (b"ab", b"ab")),
    (b"x*|ab", b"ab", (b"ab",)),
    (b"(|a)+", b"aaa", (b"aaa", b"a")),
    (b"(a*)*", b"aab", (b"aa", b"aa")),
    (b"(a*)+", b"aab", (b"aa", b"aa")),
    (b"((a)|b)*", b"ab", (b"ab", b"b", b"a")),
    (b"(a{1,2}){,2}", b"aaa", (b"aaa", b"a")),
    (b"()a", b"a", (b"a", b"")),
    (b"(x)?(a)", b"a", (b"a", b"", b"a")),
    (b"(^|,)a($|,)", b"b,a", (b",a", b",", b"")),
    (b"(re: )?\\[(.*)\\]", b"[x]", (b"[x]", b"", b"x")),
    (b"caf\xc3\xa9", b"CAF\xc3\xa9", (b"CAF\xc3\xa9",)),
]


@pytest.mark.parametrize(("source", "text", "captures"), MATCHES, ids=[repr(row[0])[2:-1] for row in MATCHES])
def test_a_regexp_matches_what_glibc_matches(source: bytes, text: bytes, captures: object) -> None:
    assert find(source, text) == captures


def test_a_small_letter_that_is_escaped_matches_only_with_case() -> None:
    assert find(rb"\d+", b"1dD") is None
    assert find(rb"\d+", b"1dD", case=True) == (b"d",)
    assert find(rb"\x?", b"x") == (b"",)


def test_without_case_glibc_compares_in_upper_case() -> None:
    assert find(b"[A-z]", b"_") is None
    assert find(b"[A-z]", b"_", case=True) == (b"_",)
    with pytest.raises(RegexpError, match="Invalid range end"):
        lower(b"[Z-a]", False, "posix")
    assert find(b"[Z-a]", b"_", case=True) == (b"_",)
    assert find(b"[[:upper:]]+", b"1aB") == (b"aB",)
    assert find(b"[[:upper:]]+", b"1aB", case=True) == (b"B",)


REFUSED = [
    (b"[", "Invalid regular expression", 0),
    (b"x[a", "Unmatched [, [^, [:, [., or [=", 1),
    (b"a\\", "Trailing backslash", 1),
    (b"*a", "Invalid preceding regular expression", 0),
    (b"a|*b", "Invalid preceding regular expression", 2),
    (b"^*", "Invalid preceding regular expression", 1),
    (rb"\b+", "Invalid preceding regular expression", 2),
    (b"(?:a)", "Invalid preceding regular expression", 1),
    (b"{1}", "Invalid preceding regular expression", 0),
    (b"a(b", "Unmatched ( or \\(", 1),
    (b"a{1", "Unmatched \\{", 1),
    (b"a{x}", "Invalid content of \\{\\}", 1),
    (b"a{2,1}", "Invalid content of \\{\\}", 1),
    (b"a{32768}", "Regular expression too big", 1),
    (rb"(a\1)", "Invalid back reference", 2),
    (rb"(a)|\1", "Invalid back reference", 4),
    (b"[[:foo:]]", "Invalid character class name", 1),
    (b"[[.hyphen.]]", "Invalid collation character", 1),
    (b"[b-a]", "Invalid range end", 1),
    (b"[a-c-e]", "Invalid range end", 4),
]


@pytest.mark.parametrize(("source", "words", "offset"), REFUSED, ids=[repr(row[0])[2:-1] for row in REFUSED])
def test_what_glibc_refuses_is_refused_with_its_words_behind_the_regexp(source: bytes, words: str, offset: int) -> None:
    with pytest.raises(RegexpError) as caught:
        lower(source, True, "posix")
    error = caught.value
    assert (error.fdm, error.message, error.offset) == (source.decode() + words, words, offset)


@pytest.mark.parametrize("source", [b"(^a|b)*", rb"(\<a)+", b"((a*)*)*", rb"((a){2})\2"])
def test_where_glibc_is_wrong_the_regexp_is_refused(source: bytes) -> None:
    with pytest.raises(RegexpError, match="cannot be used here"):
        lower(source, False, "posix")


def test_the_empty_regexp_matches_only_the_empty_text() -> None:
    assert find(b"", b"") == (b"",)
    assert find(b"", b"a") is None


def test_parentheses_inside_each_other_for_which_the_stack_does_not_last_are_refused() -> None:
    assert find(b"(x|y" * 40 + b"a" + b"z)?" * 40, b"-" + b"y" * 40 + b"a" + b"z" * 40) is not None
    with pytest.raises(RegexpError, match="so many parentheses"):
        lower(b"(x|y" * 99 + b"a" + b"z)?" * 99, False, "posix")
