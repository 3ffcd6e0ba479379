"""Findings reach the editor: on opening, after changes, in included files, at the right columns."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types

from tests.lsp.editor import Editor, session, talk

GOOD = """set allow-multiple
set no-received
set default-user "root"
account "stdin" stdin
action "inbox" maildir "~/Mail"
match all action "inbox"
"""


def test_faults_of_syntax_and_findings_of_checks_are_told_when_a_file_is_opened(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", GOOD.replace('action "inbox"\n', 'action "inbx"\n') + "mtch all action drop\n")
        told = {str(each.code): each for each in editor.told[editor.uri("fdm.conf")]}
        assert {"unknown-action", "unknown-word"} <= told.keys()
        action = told["unknown-action"]
        assert action.range == types.Range(types.Position(5, 17), types.Position(5, 23))
        assert action.severity == types.DiagnosticSeverity.Error
        assert 'did you mean "inbox"?' in str(action.message)

    talk(tmp_path, conversation)


def test_a_clean_file_has_none(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", GOOD)
        assert editor.told == {editor.uri("fdm.conf"): []}

    talk(tmp_path, conversation)


def test_changes_are_checked_once_after_a_pause(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", GOOD)
        for version in range(2, 12):
            editor.change("fdm.conf", GOOD + 'match "x' * version, version)
        editor.change("fdm.conf", GOOD + 'action "spare" drop\n', 12)
        await editor.until(lambda: editor.names("fdm.conf"))
        assert editor.names("fdm.conf") == ["unused-action"]
        assert editor.count == 2

    talk(tmp_path, conversation)


def test_what_other_places_have_to_do_with_it_is_told_with_them(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", GOOD + 'match "x" action drop\n')
        (finding,) = [each for each in editor.told[editor.uri("fdm.conf")] if each.code == "unreachable-rule"]
        (related,) = finding.related_information or ()
        assert related.location.range.start.line == 5
        assert list(finding.tags or ()) == [types.DiagnosticTag.Unnecessary]

    talk(tmp_path, conversation)


def test_an_included_file_is_told_about_with_the_file_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "lists.rules").write_text('match "x" action "nobody"\n')

    async def conversation(editor: Editor) -> None:
        main = GOOD.replace("match all", f'include "{tmp_path}/lists.rules"\nmatch all')
        await editor.open("fdm.conf", main)
        # Each file is told about for itself.
        await editor.until(lambda: editor.names("lists.rules") == ["unknown-action"])
        await editor.open("lists.rules", 'match "x" action "inbox"\n')
        await editor.until(lambda: editor.names("lists.rules") == [])
        editor.change("lists.rules", 'match "x" action "inbax"\n')
        await editor.until(lambda: editor.names("lists.rules"))
        editor.text_document_did_close(types.DidCloseTextDocumentParams(editor.document("lists.rules")))
        editor.text_document_did_close(types.DidCloseTextDocumentParams(editor.document("fdm.conf")))
        await editor.until(lambda: not any(editor.told.values()))

    talk(tmp_path, conversation)


def test_a_part_alone_is_read_with_the_configuration_beside_it(tmp_path: Path) -> None:
    (tmp_path / "fdm.conf").write_text(GOOD.replace("match all", 'include "part.rules"\nmatch all'))
    (tmp_path / "part.rules").write_text('match "x" action "inbox"\n')

    async def conversation(editor: Editor) -> None:
        await editor.open("part.rules")
        assert editor.names("part.rules") == []
        assert "Mail" in await editor.said("part.rules", 0, 20)
        assert "inbox" in await editor.complete("part.rules", 0, 18)

    talk(tmp_path, conversation)


def test_two_files_that_include_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.conf").write_text(f'include "{tmp_path}/b.conf"\n')
    (tmp_path / "b.conf").write_text(f'include "{tmp_path}/a.conf"\n')

    async def conversation(editor: Editor) -> None:
        await editor.open("a.conf")
        await editor.open("b.conf")
        await editor.until(lambda: "include-too-deep" in {*editor.names("a.conf"), *editor.names("b.conf")})

    talk(tmp_path, conversation)


def test_columns_are_those_that_the_editor_counts(tmp_path: Path) -> None:
    text = GOOD + 'match "\U0001f4e7\u00e9" action "nix"\n'

    async def conversation(encoding: types.PositionEncodingKind, column: int) -> None:
        async with session(tmp_path, [encoding]) as editor:
            await editor.open("fdm.conf", text)
            found = [each for each in editor.told[editor.uri("fdm.conf")] if each.code == "unknown-action"]
            assert found[0].range == types.Range(types.Position(6, column), types.Position(6, column + 5))
            assert "no action is named" in await editor.said("fdm.conf", 6, column + 1)

    asyncio.run(conversation(types.PositionEncodingKind.Utf16, 19))
    asyncio.run(conversation(types.PositionEncodingKind.Utf8, 22))
    asyncio.run(conversation(types.PositionEncodingKind.Utf32, 18))


def test_lines_that_end_with_cr_are_counted_as_the_editor_counts_them(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", GOOD.replace("\n", "\r\n") + 'match all action "nix"\r\n')
        told = {str(each.code): each.range.start for each in editor.told[editor.uri("fdm.conf")]}
        assert told["crlf-line-end"] == types.Position(0, 18)
        assert await editor.said("fdm.conf", 4, 1)

    talk(tmp_path, conversation)


def test_octets_that_are_no_utf_8_do_no_harm(tmp_path: Path) -> None:
    (tmp_path / "part.rules").write_bytes(b'match "caf\xe9" action "nix"\n')
    (tmp_path / "fdm.conf").write_text(GOOD.replace("match all", f'include "{tmp_path}/part.rules"\nmatch all'))

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf")
        await editor.until(lambda: editor.names("part.rules"))
        found = {str(each.code): each.range.start.character for each in editor.told[editor.uri("part.rules")]}
        assert found["unknown-action"] == 20
        await editor.open("part.rules", 'match "caf\ufffd" action "nix"\n')
        assert "caf" in await editor.said("part.rules", 0, 8)
        editor.change("part.rules", 'match "caf\udce9\ud800" action "nix"\n')
        assert "caf" in await editor.said("part.rules", 0, 8)

    talk(tmp_path, conversation)


def test_questions_are_answered_while_a_long_check_is_under_way(tmp_path: Path) -> None:
    rules = "".join(f'match "^(From|To):.*user{n}@example\\\\.com" in headers action "inbox"\n' for n in range(400))

    async def conversation(editor: Editor) -> None:
        item = types.TextDocumentItem(editor.uri("fdm.conf"), "fdm", 1, GOOD.replace("match all", f"{rules}match all"))
        editor.text_document_did_open(types.DidOpenTextDocumentParams(item))
        assert "`maildir` delivers" in await editor.said("fdm.conf", 4, 10)
        assert not editor.count
        editor.change("fdm.conf", GOOD + 'match "x" action "nobody"\n')
        await editor.until(lambda: editor.count)
        assert "unknown-action" in editor.names("fdm.conf")

    talk(tmp_path, conversation)


def test_no_command_of_a_file_is_ever_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = (
        f"$a = $(touch {mark})\n%n = %(touch {mark}; echo 1)\ninclude $(touch {mark}; echo x)\n"
        + GOOD.replace("match all", f'match exec "touch {mark}" returns (0, ) action exec "touch {mark}"\nmatch all')
        + f'match pipe "touch {mark}" returns (0, ) action {{ rewrite "touch {mark}" pipe "touch {mark}" }}\n'
    )  # fmt: skip

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", text)
        assert editor.told[editor.uri("fdm.conf")]
        for line, written in enumerate(text.splitlines()):
            for column in range(0, len(written), 7):
                await editor.hover("fdm.conf", line, column)
                await editor.complete("fdm.conf", line, column)
                await editor.definition("fdm.conf", line, column)
        whole = types.Range(types.Position(0, 0), types.Position(20, 0))
        await editor.actions("fdm.conf", whole)
        await editor.text_document_formatting_async(
            types.DocumentFormattingParams(editor.document("fdm.conf"), types.FormattingOptions(4, True))
        )
        editor.text_document_did_save(types.DidSaveTextDocumentParams(editor.document("fdm.conf")))
        await editor.until(lambda: editor.count > 1)

    talk(tmp_path, conversation)
    assert not mark.exists()
