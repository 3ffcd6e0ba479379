"""MIME structure: types, names, order and sizes as fdm counts them, and what fdm does not find."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rulesmith.mail import header, structure

TEXT = b"--B\nContent-Type: text/plain\n\nhello\n"
PDF = b'--B\nContent-Type: application/pdf; name="foo.pdf"\n\nJVBER\n'
MIXED = (b"multipart/mixed", None, 0, True)
PLAIN = (b"text/plain", None, 36, False)


def walk(content: bytes, body: bytes) -> tuple[tuple[bytes, bytes | None, int, bool], ...]:
    raw = b"From: x\nContent-Type: " + content + b"\n\n" + body
    return structure.parts(raw, header.boundary(raw))


def mixed(body: bytes) -> tuple[tuple[bytes, bytes | None, int, bool], ...]:
    return walk(b"multipart/mixed; boundary=B", body)


def part(fields: bytes) -> tuple[bytes, bytes | None]:
    kind, name, _, _ = mixed(b"--B\n" + fields + b"\n\nx\n--B--\n")[1]
    return kind, name


@pytest.mark.parametrize(
    "content",
    [
        b"multipart/mixed; boundary=B",
        b'multipart/mixed; boundary="B"',
        b'multipart/mixed;\n\tboundary="B"',
        b'multipart/mixed; charset=utf-8; boundary="B"; x=y',
        b"multipart/mixed;boundary=B;",
        b'multipart/mixed; x; y="a;b"; boundary=B',
        b"multipart/mixed; boundary=B; boundary=C",
        b"multipart/mixed;\nboundary=B",
    ],
)
def test_root_first_then_the_parts_with_boundary_line_and_header_in_their_size(content: bytes) -> None:
    assert walk(content, b"pre\n\n" + TEXT + PDF + b"--B--\nepilogue\n") == (
        MIXED,
        PLAIN,
        (b"application/pdf", b"foo.pdf", len(PDF), False),
    )


@pytest.mark.parametrize(
    ("content", "body"),
    [
        (b"text/plain", TEXT + b"--B--\n"),
        (b"text/plain; boundary=B", TEXT + b"--B--\n"),
        (b"multipart/mixed", TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary=C", TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary=B", b"--B--\n"),
        (b"multipart/mixed; boundary=B", b"text\n"),
        (b"multipart/mixed; BOUNDARY=B", TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary = B", TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary=B ", TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary='B'", TEXT + b"--B--\n"),
        (b'multipart/mixed; boundary="B', TEXT + b"--B--\n"),
        (b'multipart/mixed; boundary="B"x', TEXT + b"--B--\n"),
        (b"multipart/mixed; boundary=B", b"--B \nContent-Type: text/plain\n\nx\n--B--\n"),
    ],
)
def test_mails_without_parts_have_not_even_a_root(content: bytes, body: bytes) -> None:
    assert walk(content, body) == ()


def test_a_mail_without_header_area_has_no_parts() -> None:
    assert structure.parts(TEXT + b"--B--\n", 0) == ()


def test_crlf_mail_has_parts() -> None:
    raw = b'Content-Type: multipart/mixed;\r\n boundary="B"\r\n\r\n' + (TEXT + PDF + b"--B--\n").replace(b"\n", b"\r\n")
    assert structure.parts(raw, header.boundary(raw)) == (
        MIXED,
        (b"text/plain", None, 40, False),
        (b"application/pdf", b"foo.pdf", len(PDF) + 4, False),
    )


@pytest.mark.parametrize("between", [b"", b"\n", b"epilogue\n\n"])
def test_a_nested_multipart_may_be_the_last_part(between: bytes) -> None:
    inner = b"--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\na\n--C--\n"
    assert mixed(TEXT + inner + between + b"--B--\n") == (
        MIXED,
        PLAIN,
        (b"multipart/alternative", None, 0, True),
        (b"text/plain", None, 32, False),
    )


def test_what_follows_a_nested_multipart_counts_to_the_next_leaf() -> None:
    inner = b"--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\na\n--C--\n"
    sizes = [part[2] for part in mixed(inner + b"\n" + TEXT + TEXT + b"--B--\n")]
    assert sizes == [0, 0, 32, 37, 36]


def test_the_closing_boundary_may_be_missing() -> None:
    assert mixed(TEXT + TEXT) == (MIXED, PLAIN, PLAIN)


def test_parts_behind_the_closing_boundary_do_not_count() -> None:
    assert mixed(TEXT + b"--B--\n" + TEXT + b"--B--\n") == (MIXED, PLAIN)


@pytest.mark.parametrize("first", [True, False])
def test_a_part_without_content_type_is_plain_text(first: bool) -> None:
    bare = b"--B\n\nhello\n"
    found = mixed((bare + PDF if first else PDF + bare) + b"--B--\n")
    assert found[1 if first else 2] == (b"text/plain", None, 11, False)
    assert len(found) == 3


def test_an_unclosed_nested_multipart_ends_at_the_next_outer_boundary() -> None:
    inner = b"--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\na\n"
    assert [part[2] for part in mixed(inner + TEXT + b"--B--\n")] == [0, 0, 32, 36]


def test_an_outer_boundary_inside_a_nested_multipart_that_is_closed_is_text() -> None:
    inner = b"--B\nContent-Type: multipart/alternative; boundary=C\n\n--C\nContent-Type: text/plain\n\n--B\n--C--\n"
    assert mixed(inner + b"--B--\n")[2:] == ((b"text/plain", None, 34, False),)


def test_containers_with_the_same_boundary_nest() -> None:
    inner = b"--B\nContent-Type: multipart/x; boundary=B\n\n"
    assert mixed(inner + TEXT + b"--B--\n--B--\n") == (MIXED, (b"multipart/x", None, 0, True), PLAIN)


def test_an_attached_message_is_a_leaf() -> None:
    inner = b"--B\nContent-Type: message/rfc822\n\nContent-Type: multipart/x; boundary=C\n\n--C\n\na\n--C--\n"
    assert mixed(inner + b"--B--\n") == (MIXED, (b"message/rfc822", None, len(inner), False))


def test_a_multipart_without_boundary_is_a_leaf() -> None:
    assert mixed(b"--B\nContent-Type: multipart/x\n\nx\n--B--\n")[1:] == ((b"multipart/x", None, 33, False),)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (b"Content-Type: Text/HTML", b"Text/HTML"),
        (b"content-type:text/html", b"text/html"),
        (b"Content-Type: text/html ;x=y", b"text/html "),
        (b"Content-Type:\n text/html; x=y", b"text/html"),
        (b"Content-Type: text/html\n ; x=y", b"text/html"),
        (b"X: y\nContent-Type: text/html\nContent-Type: image/png", b"text/html"),
        (b"Content-Type:", b""),
        (b"Content-Type : text/html", b"text/plain"),
        (b"X: y", b"text/plain"),
    ],
)
def test_the_type_of_a_part(fields: bytes, kind: bytes) -> None:
    assert part(fields) == (kind, None)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (b"Content-Type: a/b; name=foo.pdf", b"foo.pdf"),
        (b'Content-Type: a/b;\n\tname="foo.pdf";\n x=y', b"foo.pdf"),
        (b"Content-Type: a/b; name=foo.pdf ; x=y", b"foo.pdf "),
        (b'Content-Type: a/b; name="a"b.pdf"', b'a"b.pdf'),
        (b'Content-Type: a/b; name="a\\"b.pdf"', b'a\\"b.pdf'),
        (b'Content-Type: a/b; name=""', b""),
        (b"Content-Type: a/b;\nname=foo.pdf", b"foo.pdf"),
        (b"Content-Type: a/b; NAME=foo.pdf", None),
        (b"Content-Type: a/b; name", None),
        (b'Content-Type: a/b; name="foo.pdf', None),
        # where fdm finds nothing
        (b'Content-Type: a/b; name="a;b.pdf"', b"a;b.pdf"),
        (b'Content-Type: a/b; name="foo.pdf" ; x=y', b"foo.pdf"),
        (b'Content-Type: a/b; name="foo\n bar.pdf"', b"foo  bar.pdf"),
        (b'Content-Type: a/b\nContent-Disposition: attachment; filename="foo.pdf"', b"foo.pdf"),
        (b"Content-Type: a/b; name=a.txt\nContent-Disposition: attachment; filename=foo.pdf", b"a.txt"),
        (b"Content-Type: a/b; name=\nContent-Disposition: attachment; filename=foo.pdf", b"foo.pdf"),
        (b"Content-Type: a/b; name*=utf-8''foo%20%C3%A9%.pdf", b"foo \xc3\xa9%.pdf"),
        (b"Content-Type: a/b; name*=plain.pdf", b"plain.pdf"),
        (b"Content-Disposition: x; filename*1*=%2Epdf; filename*0*=utf-8'en'f%6Fo; filename*2=x", b"foo.pdfx"),
        (b"Content-Disposition: x; filename*1=foo", None),
    ],
)
def test_the_name_of_a_part(fields: bytes, name: bytes | None) -> None:
    assert part(fields)[1] == name


def test_a_boundary_with_a_semicolon_in_quotes_is_read_whole() -> None:
    body = b"--a;b\nContent-Type: text/plain\n\nx\n--a;b--\n"
    assert walk(b'multipart/mixed; boundary="a;b"', body) == (MIXED, (b"text/plain", None, 34, False))


@pytest.mark.parametrize("closed", [True, False])
def test_deep_nesting_is_walked_through_in_no_time(closed: bool) -> None:
    depth = 10_000
    names = [b"B", *(b"b%d" % number for number in range(depth))]
    body = b"".join(
        b"--%s\nContent-Type: multipart/x; boundary=%s\n\n" % (outer, inner) for outer, inner in pairwise(names)
    )
    body += b"--%s\n\nx\n" % names[-1]
    if closed:
        body += b"".join(b"--%s--\n" % name for name in reversed(names))
    found = mixed(body)
    assert len(found) == depth + 2
    assert found[-1][2] == len(names[-1]) + 6


def test_a_mail_of_a_million_lines_is_walked_through_in_no_time() -> None:
    body = TEXT + b"-- not a boundary\n" * 200_000 + b"x\n" * 800_000
    assert mixed(body)[1][2] == len(body)
