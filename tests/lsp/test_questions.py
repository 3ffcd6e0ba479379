"""What an editor asks about a place: what is it, where is it defined, who uses it, what can be typed."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from tests.lsp.editor import Editor, applied, talk

TEXT = """set allow-multiple
set no-received
set default-user "root"
$box = "inbox"
%most = 5
account "stdin" stdin
cache "~/seen" expire 2 weeks
action "inbox" maildir "~/Mail/%[list]"
action "lists" { tag "list" value "%1" action "inbox" }
match "^List-Id:.*<([a-z]+)\\\\." in headers action "lists"
match size > 5M and not in-cache "~/seen" key "%[message_id]" action { "in*" }
ifdef %most
match all action "${box}"
endif
"""
LINES = TEXT.splitlines()


def at(line: int, text: str, skip: int = 1) -> tuple[int, int]:
    """A place in the line of TEXT, some characters into a text of it."""
    return line, LINES[line].index(text) + skip


HOVERS = [
    (at(9, "List-Id"), ["searched in the header", "upper and lower case are the same", "the start of a line",
                        "`list-id:`", "once or more a letter", "`%1`", "Needle", "PCRE2"]),
    (at(9, '"lists"'), ["action `lists`", "fdm.conf:9", 'tag "list"', "`tag` gives the message a tag"]),
    (at(10, "in*"), ["action `inbox`", "`maildir` delivers to a maildir"]),
    (at(12, "${box}"), ["macro `$box` = `inbox`", "fdm.conf:4", "used 1 time"]),
    (at(4, "%most"), ["macro `%most` = `5`"]),
    (at(8, "%1"), ["what the last regexp matched"]),
    (at(10, "message_id"), ["the Message-ID field"]),
    (at(7, "%[list]"), ["a tag of your own"]),
    (at(10, "~/seen"), ["cache `", "2 weeks", "fdm.conf:7"]),
    (at(5, '"stdin"'), ["account `stdin`"]),
    (at(0, "allow-multiple"), ["run without the lock file"]),
    (at(10, "size"), ["`size` compares the length of the whole message"]),
    (at(9, "headers"), ["the header of the message"]),
    (at(10, "not"), ["turns the condition behind it round"]),
]  # fmt: skip


def test_everything_says_what_it_is(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT)
        for (line, column), expected in HOVERS:
            said = await editor.said("fdm.conf", line, column)
            assert not [each for each in expected if each not in said], (LINES[line], said)
        assert await editor.hover("fdm.conf", 3, 5) is None

    talk(tmp_path, conversation)


def lines_of(found: list[types.Location]) -> list[int]:
    return [each.range.start.line for each in found]


def test_definitions_and_uses_are_found(tmp_path: Path) -> None:
    (tmp_path / "part.rules").write_text('match "x" action "lists"\n')
    main = TEXT.replace("match size", f'include "{tmp_path}/part.rules"\nmatch size')

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", main)
        assert lines_of(await editor.definition("fdm.conf", *at(9, '"lists"'))) == [8]
        assert lines_of(await editor.definition("fdm.conf", 13, LINES[12].index("box"))) == [3]
        assert lines_of(await editor.definition("fdm.conf", 11, LINES[10].index("seen"))) == [6]
        assert lines_of(await editor.definition("fdm.conf", 11, LINES[10].index("in*"))) == [7]
        (part,) = await editor.definition("fdm.conf", 10, 3)
        assert part.uri == editor.uri("part.rules")
        used = await editor.references("fdm.conf", *at(8, '"lists"'))
        assert {(each.uri, each.range.start.line) for each in used} == {
            (editor.uri("fdm.conf"), 8), (editor.uri("fdm.conf"), 9), (editor.uri("part.rules"), 0),
        }  # fmt: skip
        assert lines_of(await editor.references("fdm.conf", *at(7, '"inbox"'))) == [7, 8, 11, 13]
        assert lines_of(await editor.definition("part.rules", 0, 20)) == [8]

    talk(tmp_path, conversation)


COMPLETIONS = [
    ("ma", {"match", "set", "$box"}, {"drop", "and", "continue"}),
    ("match ", {"size", "not", "in-cache"}, {"drop", "match"}),
    ('match "x" in ', {"headers", "body", "all"}, {"action"}),
    ('match "x" in headers action ', {"drop", '"inbox"', '"lists"', "maildir"}, {"size"}),
    ('match "x" action "', {"inbox", "lists"}, {"stdin", "~/seen"}),
    ('match "x" action { "inbox" "', {"inbox", "lists"}, set()),
    ('match account "', {"stdin"}, {"inbox"}),
    ('match in-cache "', {"~/seen"}, {"inbox"}),
    ('action "', set(), {"inbox"}),
    ('action "x" maildir "~/${', {"${box}", "%{most}"}, set()),
    ('action "x" maildir "%[', {"%[home]", "%[message_id]"}, set()),
    ("match size > ", {"%most"}, {"$box"}),
    ("set ", {"scan", "maximum-size"}, {"match", "size"}),
    ("# match ", set(), {"size"}),
    ('include "', {"other.rules"}, set()),
    ('match bogus "x" or (("', set(), set()),
    ('match "\U0001f600" action "', {"inbox"}, set()),
]


def test_what_can_be_typed_depends_on_the_place(tmp_path: Path) -> None:
    (tmp_path / "other.rules").touch()

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT)
        for version, (typed, wanted, unwanted) in enumerate(COMPLETIONS, start=2):
            editor.change("fdm.conf", TEXT + typed, version)
            found = set(await editor.complete("fdm.conf", len(LINES), len(typed.encode("utf-16-le")) // 2))
            assert wanted <= found, typed
            assert not unwanted & found, typed

    talk(tmp_path, conversation)


def test_a_completion_replaces_what_is_typed_of_the_word(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT + "match all action rem")
        found = await editor.text_document_completion_async(
            types.CompletionParams(editor.document("fdm.conf"), types.Position(len(LINES), 20))
        )
        assert isinstance(found, list)
        (item,) = [each for each in found if each.label == "remove-header"]
        assert isinstance(item.text_edit, types.TextEdit)
        assert applied("match all action rem", [_moved(item.text_edit, -len(LINES))]).endswith("action remove-header")

    talk(tmp_path, conversation)


def _moved(edit: types.TextEdit, lines: int) -> types.TextEdit:
    start, end = edit.range.start, edit.range.end
    places = (types.Position(each.line + lines, each.character) for each in (start, end))
    return types.TextEdit(types.Range(*places), edit.new_text)


def test_the_outline_has_definitions_and_rules_with_their_blocks(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT + 'match "x" in body {\n    match size > 1K action drop\n}\n')
        found = await editor.text_document_document_symbol_async(
            types.DocumentSymbolParams(editor.document("fdm.conf"))
        )
        outline = [each for each in found or () if isinstance(each, types.DocumentSymbol)]
        names = [each.name for each in outline]
        assert names[:6] == ["$box", "%most", "stdin", "~/seen", "inbox", "lists"]
        assert names[-1] == 'match "x" in body'
        assert [each.name for each in outline[-1].children or ()] == ["match size > 1K action drop"]
        for each in outline:
            start, end = each.range.start, each.range.end
            inner = (each.selection_range.start, each.selection_range.end)
            assert start <= inner[0]
            assert inner[1] <= end

    talk(tmp_path, conversation)


def test_half_a_file_is_no_reason_to_fall_silent(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", "")
        for version, cut in enumerate(range(9, len(TEXT), 7), start=2):
            editor.change("fdm.conf", TEXT[:cut], version)
            line, column = TEXT[:cut].count("\n"), len(TEXT[:cut].rpartition("\n")[2])
            await editor.complete("fdm.conf", line, column)
            await editor.hover("fdm.conf", line, max(0, column - 1))
            await editor.definition("fdm.conf", line, max(0, column - 1))
            await editor.references("fdm.conf", line, column)
            assert "sets an option" in await editor.said("fdm.conf", 0, 1)

    talk(tmp_path, conversation)


def test_a_file_that_was_closed_before_it_was_saved_has_nothing_in_it(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("new.conf", TEXT)
        editor.text_document_did_close(types.DidCloseTextDocumentParams(editor.document("new.conf")))
        assert await editor.hover("new.conf", 0, 5) is None
        assert await editor.references("new.conf", 0, 5) == []
        assert await editor.definition("new.conf", 0, 5) == []

    talk(tmp_path, conversation)
