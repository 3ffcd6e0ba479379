"""PCRE2 regexps: what they match, what captures hold, what is refused and with which words.

Every expectation here was measured with the PCRE2 of fdm 2.2; tests/properties/test_regexp.py asks it again.
"""

from __future__ import annotations

import pytest

from rulesmith.regexp.lower import RegexpError, lower
from rulesmith.regexp.search import search


def find(source: bytes, text: bytes, case: bool = False) -> tuple[bytes, ...] | None:
    return search(lower(source, case, "pcre"), text, text.lower())


MATCHES = [
    # source, text, captures or None
    (rb"^b", b"a\nb", (b"b",)),
    (rb"^", b"", (b"",)),
    (rb"a\n^$", b"a\n", None),  # no ^ behind the very last line feed
    (rb"a\n^", b"a\nb", (b"a\n",)),
    (rb"(?=^)\z", b"a\n", None),
    (rb"a$", b"a\nb", (b"a",)),
    (rb"a$", b"a\r\nb", None),
    (rb"b\Z", b"a\nb\n", (b"b",)),
    (rb"a\Z", b"a\nb\n", None),
    (rb"b\z", b"b\n", None),
    (rb"\Ab", b"a\nb", None),
    (rb"\Ga", b"ba", None),
    (rb"a.b", b"a\nb", None),
    (rb"(?s)a.b", b"a\nb", (b"a\nb",)),
    (rb"(?s-m:a.^b)", b"a\nb", None),
    (rb"a[^x]b", b"a\nb", (b"a\nb",)),
    (rb"a\sb", b"a\nb", (b"a\nb",)),
    (rb"a\Wb", b"a\nb", (b"a\nb",)),
    (rb"a\Nb", b"a\nb", None),
    (rb"a\Qb.c\Ed", b"ab.cd", (b"ab.cd",)),
    (rb"a\Qbc\E+", b"abccc", (b"abccc",)),
    (rb"\Q.*", b"a.*", (b".*",)),
    (rb"a\Q\E+", b"aa", (b"aa",)),
    (rb"a\Rb", b"a\r\nb", (b"a\r\nb",)),
    (rb"a\R\nb", b"a\r\nb", None),
    (rb"a\Rb", b"a\x85b", (b"a\x85b",)),
    (rb"a\hb", b"a\xa0b", (b"a\xa0b",)),
    (rb"a\Hb", b"a b", None),
    (rb"a\vb", b"a\x0bb", (b"a\x0bb",)),
    (rb"^\X", b"\r\nx", (b"\r\n",)),
    (rb"a\Cb", b"a\nb", (b"a\nb",)),
    (rb"foo\Kbar", b"foobar", (b"bar",)),
    (rb"[[:alpha:]]+", b"1ab2", (b"ab",)),
    (rb"[[:^alpha:]]+", b"ab12", (b"12",)),
    (rb"[[:<:]]b", b"ab b", (b"b",)),
    (rb"a[[:>:]]", b"ab a", (b"a",)),
    (rb"\B", b"", (b"",)),
    (rb"\b", b"", None),
    (rb"[]a]+", b"x]a", (b"]a",)),
    (rb"[^]a]", b"]ab", (b"b",)),
    (rb"[a\]b]+", b"x]", (b"]",)),
    (rb"[\d-]+", b"a1-2", (b"1-2",)),
    (rb"[a\Q]-\E]+", b"x-]a", (b"-]a",)),
    (rb"[\b]", b"a\x08", (b"\x08",)),
    (rb"a{,2}b", b"xaaab", (b"aab",)),
    (rb"a{ 1 , 2 }b", b"aab", (b"aab",)),
    (rb"a{x}", b"a{x}", (b"a{x}",)),
    (rb"a{1", b"a{1", (b"a{1",)),
    (rb"a{", b"a{", (b"a{",)),
    (rb"a++b", b"aab", (b"aab",)),
    (rb"a++ab", b"aaab", None),
    (rb"(?:.|[^.]^)*+\n", b"a\n", (b"a\n",)),
    (rb"(?:ab)?+ab", b"ab", None),
    (rb"(?>a+)ab", b"aab", None),
    (rb"a+?", b"aaa", (b"a",)),
    (rb"(?U)a+", b"aaa", (b"a",)),
    (rb"(?U)a+?", b"aaa", (b"aaa",)),
    (rb"(?<n>a)\k<n>\k{n}\k'n'\g{n}(?P=n)", b"aaaaaa", (b"aaaaaa", b"a")),
    (rb"(?'n'a)(?P<m>b)", b"ab", (b"ab", b"a", b"b")),
    (rb"(a)\g1\g{1}\g{-1}", b"aaaa", (b"aaaa", b"a")),
    (rb"(a)\1", b"aA", (b"aA", b"a")),
    (rb"(?:(a)(?-i)|b)(?i)\1", b"aA", (b"aA", b"a")),
    (rb"(a)(?-i)\1", b"aA", None),
    (rb"(a)\11", b"a\t", (b"a\t", b"a")),
    (rb"\0101", b"\x081", (b"\x081",)),
    (rb"\x41\x{ 42 }", b"ab", (b"ab",)),
    (rb"\o{101}", b"A", (b"A",)),
    (rb"\cA\c?", b"\x01\x7f", (b"\x01\x7f",)),
    (rb"\e\a\f\t", b"\x1b\x07\x0c\t", (b"\x1b\x07\x0c\t",)),
    (rb"\8", b"8", RegexpError),
    (rb"\<\>", b"<>", (b"<>",)),
    (rb"a(?i)b|c", b"C", (b"C",)),
    (rb"a(?-i)B", b"AB", (b"AB",)),
    (rb"a(?-i)B", b"Ab", None),
    (rb"(?i:a)(?-i:b)", b"Ab", (b"Ab",)),
    (rb"(?^:A)", b"a", None),
    (rb"(?x) a b # c", b"ab", (b"ab",)),
    (rb"(?x)a\ b[ ]c", b"a b c", (b"a b c",)),
    (rb"(?xx)[a b]+", b"a b", (b"a",)),
    (rb"a(?#x)+", b"aa", (b"aa",)),
    (rb"(?n)(a)(?<b>b)", b"ab", (b"ab", b"b")),
    (rb"(a)?(?(1)b|c)", b"ab", (b"ab", b"a")),
    (rb"(a)?(?(1)b|c)", b"c", (b"c", b"")),
    (rb"(?<n>a)?(?(<n>)b|c)", b"xc", (b"c", b"")),
    (rb"(?(?=a)ab|cd)", b"cd", (b"cd",)),
    (rb"(?|(a)|(b))(c)", b"bc", (b"bc", b"b", b"c")),
    (rb"(?<=a|bc)d", b"bcd", (b"d",)),
    (rb"(?<!a|bc)d", b"bcd ad xd", (b"d",)),
    (rb"(?<=^|,)a", b"b,a", (b"a",)),
    (rb"(?=a)*b", b"b", (b"b",)),
    (rb"(?!a){3}.", b"ab", (b"b",)),
    (rb"(*pla:ab)a", b"ab", (b"a",)),
    (rb"(a)|b", b"b", (b"b", b"")),
    (rb"(a|)(b)", b"b", (b"b", b"", b"b")),
    (rb"(?:(a)|b)*", b"ab", (b"ab", b"a")),
    (rb"((a)|(b))*", b"ab", (b"ab", b"b", b"a", b"b")),
    (rb"(a|ab)(c|bcd)(d*)", b"abcd", (b"abcd", b"a", b"bcd", b"")),
    (rb"(a*)*", b"aab", (b"aa", b"")),
    (rb"(a*)+$", b"baa", (b"aa", b"")),
    (rb"(|a)+", b"aaa", (b"", b"")),
    (rb"(a?){3}", b"a", (b"a", b"")),
    (rb"(?!(a))b", b"b", (b"b", b"")),
    (rb"(?:(?=(a))a)+b", b"aab", (b"aab", b"a")),
    (rb"(a){0}b", b"ab", (b"b", b"")),
    (rb"|a", b"a", (b"",)),
    (rb"()", b"a", (b"", b"")),
    (rb"\xe9", b"\xc9\xe9", (b"\xe9",)),  # case is ASCII's
    (b"caf\xc3\xa9.", b"CAF\xc3\xa9x", (b"CAF\xc3\xa9x",)),
    (rb"a\x00b", b"a\0b", (b"a\0b",)),
    (b"a.b", b"a\0b", (b"a\0b",)),
    (rb"[^\x00-\x7f]+", b"a\x80\xff", (b"\x80\xff",)),
    (rb"\p{Lu}+", b"aB", (b"aB",)),
    (rb"\P{L}+", b"ab1", (b"1",)),
    (rb"a\C{2}", b"a\n\n", (b"a\n\n",)),
    (rb"(1)(2)(3)(4)(5)(6)(7)(8)(9)(a)(b)", b"123456789ab", (b"123456789ab", *(b"%d" % n for n in range(1, 10)))),
    (rb"\-\/\@\ ", b"-/@ ", (b"-/@ ",)),
    (rb"a(?C1)b", b"ab", (b"ab",)),
]


@pytest.mark.parametrize(("source", "text", "captures"), MATCHES, ids=[repr(row[0])[2:-1] for row in MATCHES])
def test_a_regexp_matches_what_pcre2_matches(source: bytes, text: bytes, captures: object) -> None:
    if captures is RegexpError:
        with pytest.raises(RegexpError):
            find(source, text)
    else:
        assert find(source, text) == captures


def test_case_counts_only_when_asked_for() -> None:
    assert find(b"Hello", b"hELLO") == (b"hELLO",)
    assert find(b"Hello", b"hELLO", case=True) is None
    assert find(b"[a-c]+", b"xABC") == (b"ABC",)
    assert find(b"[a-c]+", b"xABC", case=True) is None
    assert find(b"(?i)Hello", b"hELLO", case=True) == (b"hELLO",)


REFUSED = [
    (b"\\", "\\ at end of pattern", 0),
    (rb"a\j", "unrecognized character follows \\", 1),
    (b"a{2,1}", "numbers out of order in {} quantifier", 1),
    (b"a{65536}", "number too big in {} quantifier", 1),
    (b"x[a", "missing terminating ] for character class", 1),
    (rb"[\B]", "escape sequence is invalid in character class", 1),
    (b"[b-a]", "range out of order in character class", 3),
    (b"*a", "quantifier does not follow a repeatable item", 0),
    (b"a**", "quantifier does not follow a repeatable item", 2),
    (b"a{2}{3}", "quantifier does not follow a repeatable item", 4),
    (b"^*", "quantifier does not follow a repeatable item", 1),
    (rb"\b+", "quantifier does not follow a repeatable item", 2),
    (b"a|*", "quantifier does not follow a repeatable item", 2),
    (b"(?i)*", "quantifier does not follow a repeatable item", 4),
    (b"(?z)", "unrecognized character after (? or (?-", 2),
    (b"a(b", "missing closing parenthesis", 1),
    (b"a)", "unmatched closing parenthesis", 1),
    (b"[[:foo:]]", "unknown POSIX class name", 1),
    (b"[:alpha:]", "POSIX named classes are supported only within a class", 0),
    (b"[[.a.]]", "POSIX collating elements are not supported", 1),
    (rb"(a)\2", "reference to non-existent subpattern", 3),
    (b"(?#a", "missing ) after (?# comment", 0),
    (b"(?<=a*)b", "length of lookbehind assertion is not limited", 0),
    (b"(?<a>x)(?<a>y)", "two named subpatterns have the same name (PCRE2_DUPNAMES not set)", 7),
    (rb"\x{100}", "character code point value in \\x{} or \\o{} is too large", 0),
    (rb"\xg", "digits missing after \\x or in \\x{} or \\o{} or \\N{U+}", 0),
    (rb"\400", "octal value is greater than \\377 in 8-bit non-UTF-8 mode", 0),
    (rb"\L", "PCRE2 does not support \\F, \\L, \\l, \\N{name}, \\U, or \\u", 0),
    (b"(x)(?(1)a|b|c)", "conditional subpattern contains more than two branches", 3),
    (rb"[a-\d]", "invalid range in character class", 3),
    (b"((a{1,100}){1,100}){1,50}", "regular expression is too large", None),
    (b"(*FOO)", "(*VERB) not recognized or malformed", 0),
]


@pytest.mark.parametrize(("source", "words", "offset"), REFUSED, ids=[repr(row[0])[2:-1] for row in REFUSED])
def test_what_pcre2_refuses_is_refused_with_its_words(source: bytes, words: str, offset: int | None) -> None:
    with pytest.raises(RegexpError) as caught:
        lower(source, False, "pcre")
    assert (caught.value.fdm, caught.value.offset, caught.value.refused) == (words, offset, True)


UNSAYABLE = [
    (b"(a)(?1)", 3),
    (b"(?R)?", 0),
    (rb"(?<n>a)\g<n>", 7),
    (b"(*UTF)a", 0),
    (b"a(*ACCEPT)b", 1),
    (rb"(?:\2b|(a)(c))+", 3),
    (b"(?<=a?b)c", 0),
    (rb"\p{Greek}", 0),
    (b"(?(DEFINE)a)", 0),
    (b"(?[a])", 0),
    (b"(" * 101 + b")" * 101, 100),
    (b"(?|(a)|(b))(?=c)", None),
]


@pytest.mark.parametrize(("source", "offset"), UNSAYABLE, ids=[repr(row[0])[2:22] for row in UNSAYABLE])
def test_what_cannot_be_said_is_refused_though_fdm_takes_it(source: bytes, offset: int | None) -> None:
    with pytest.raises(RegexpError) as caught:
        lower(source, False, "pcre")
    assert (caught.value.refused, caught.value.offset) == (False, offset)
    assert "cannot be used here" in caught.value.message


def test_the_empty_regexp_matches_only_the_empty_text() -> None:
    assert lower(b"", False, "pcre")[1] is None
    assert find(b"", b"") == (b"",)
    assert find(b"", b"a") is None
