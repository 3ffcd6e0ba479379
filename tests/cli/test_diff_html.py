"""`rulesmith diff --html`: one file that loads nothing, runs nothing, and takes no text of a stranger for markup."""

from __future__ import annotations

import hashlib
import re
import stat
from base64 import b64encode
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from rulesmith.diff.markup import element, joined
from tests.cli.hostile_diff import ATTACKS, hostile_report

# Every element and attribute that a report may have.
ELEMENTS = set(
    "html head meta title style body main h1 h2 p code div span table caption thead tbody tr th td ul li br figure "
    "figcaption svg desc g rect path text".split()
)
ATTRIBUTES = set(
    "charset http-equiv content name lang class id scope viewBox role aria-labelledby x y width height d".split()
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hostile_report(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="module")
def root(page: Path) -> ET.Element:
    return ET.fromstring(page.read_text(encoding="utf-8").removeprefix("<!DOCTYPE html>\n"))


def test_it_has_no_element_and_no_attribute_but_our_own(root: ET.Element) -> None:
    assert {each.tag for each in root.iter()} <= ELEMENTS
    assert {name for each in root.iter() for name in each.attrib} <= ATTRIBUTES


def test_what_the_mail_says_is_there_as_text(root: ET.Element) -> None:
    subjects = {each.text for each in root.iter("span") if each.get("class") == "subject"}
    assert subjects >= {*ATTACKS} - {ATTACKS[3]}
    assert [each.text for each in root.iter("h1")] == ["20 of 40 messages would change"]


def test_its_policy_allows_nothing_but_its_own_style(root: ET.Element) -> None:
    (policy,) = (each.get("content") for each in root.iter("meta") if each.get("http-equiv"))
    (style,) = (each.text or "" for each in root.iter("style"))
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|expression", style)


def test_its_tables_have_headers_and_its_pictures_words(root: ET.Element) -> None:
    for table in root.iter("table"):
        assert table.find("caption") is not None
        assert {each.get("scope") for each in table.iter("th")} == {"col", "row"}
        widths = {len(row) for row in table.iter("tr")}
        assert len(widths) == 1
    identities = [each.get("id") for each in root.iter() if each.get("id")]
    assert len(identities) == len({*identities})
    for picture in root.iter("svg"):
        title, desc = picture.find("title"), picture.find("desc")
        assert title is not None
        assert desc is not None
        assert picture.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}"
    (_, told) = (each.text or "" for each in root.iter("desc"))
    assert "new.conf:6: 4 messages → dropped, 4 changed." in told
    assert "the end of the rules: 4 messages." in told


def test_nobody_else_may_read_it(page: Path) -> None:
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_text_becomes_markup_only_where_we_make_it() -> None:
    made = element("p", "<b>", element("i", "\x00\u202e\udc80"), title='"\n<')
    assert made == '<p title="&quot;\\x0a&lt;">&lt;b&gt;<i>\\x00\\u202e\\x80</i></p>'
    assert joined(made, "&") == made + "&amp;"
