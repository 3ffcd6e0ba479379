"""A real client of the protocol that starts the real `rulesmith lsp` over standard input and output."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

SECONDS = 120
Found = list[types.Diagnostic]


class Editor(LanguageClient):
    """What an editor does, with waiting."""

    def __init__(self, folder: Path) -> None:
        super().__init__("test", "1")
        self.folder = folder
        self.told: dict[str, Found] = {}
        self.messages: list[str] = []
        self.count = 0
        self._news = asyncio.Condition()
        self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(partial(self._publish))
        self.feature(types.WINDOW_SHOW_MESSAGE)(partial(self._message))

    async def _publish(self, params: types.PublishDiagnosticsParams) -> None:
        async with self._news:
            self.told[params.uri] = list(params.diagnostics)
            self.count += 1
            self._news.notify_all()

    async def _message(self, params: types.ShowMessageParams) -> None:
        async with self._news:
            self.messages.append(params.message)
            self._news.notify_all()

    async def until(self, true: Callable[[], Any]) -> None:
        """Wait for news that make this true."""
        async with self._news, asyncio.timeout(SECONDS):
            await self._news.wait_for(true)

    def uri(self, name: str) -> str:
        return (self.folder / name).as_uri()

    def names(self, name: str) -> list[str]:
        """The findings of a file, by name."""
        return [str(each.code) for each in self.told.get(self.uri(name), [])]

    async def open(self, name: str, text: str | None = None) -> None:
        """Open a file, which is on the disk unless a text is given, and wait for its diagnostics."""
        text = (self.folder / name).read_text(encoding="utf-8") if text is None else text
        before = self.count
        self.text_document_did_open(
            types.DidOpenTextDocumentParams(types.TextDocumentItem(self.uri(name), "fdm", 1, text))
        )
        # The answer to a request comes after all that was said before it.
        await self.text_document_document_symbol_async(types.DocumentSymbolParams(self.document(name)))
        await self.until(lambda: self.count > before)

    def change(self, name: str, text: str, version: int = 2) -> None:
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                types.VersionedTextDocumentIdentifier(version, self.uri(name)),
                [types.TextDocumentContentChangeWholeDocument(text)],
            )
        )

    def document(self, name: str) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri(name))

    async def hover(self, name: str, line: int, column: int) -> types.Hover | None:
        return await self.text_document_hover_async(
            types.HoverParams(self.document(name), types.Position(line, column))
        )

    async def said(self, name: str, line: int, column: int) -> str:
        """The text of a hover."""
        found = await self.hover(name, line, column)
        assert found is not None
        assert isinstance(found.contents, types.MarkupContent)
        return found.contents.value

    async def complete(self, name: str, line: int, column: int) -> list[str]:
        """What completion would put into the text."""
        found = await self.text_document_completion_async(
            types.CompletionParams(self.document(name), types.Position(line, column))
        )
        assert isinstance(found, list)
        return [each.text_edit.new_text for each in found if each.text_edit is not None]

    async def definition(self, name: str, line: int, column: int) -> list[types.Location]:
        found = await self.text_document_definition_async(
            types.DefinitionParams(self.document(name), types.Position(line, column))
        )
        assert isinstance(found, list)
        return [each for each in found if isinstance(each, types.Location)]

    async def references(self, name: str, line: int, column: int) -> list[types.Location]:
        found = await self.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(True), self.document(name), types.Position(line, column))
        )
        return list(found or ())

    async def actions(self, name: str, where: types.Range, *only: str) -> dict[str, types.CodeAction]:
        """Code actions by title."""
        found = await self.text_document_code_action_async(
            types.CodeActionParams(self.document(name), where, types.CodeActionContext([], list(only) or None))
        )
        return {each.title: each for each in found or () if isinstance(each, types.CodeAction)}


def _starts(text: str) -> list[int]:
    return [0, *(at + 1 for at, each in enumerate(text) if each == "\n")]


def applied(text: str, edits: list[types.TextEdit]) -> str:
    """A text after edits, columns counted in UTF-16."""
    octets = text.encode("utf-16-le")
    lines = [2 * sum(1 + (each > "\uffff") for each in text[:at]) for at in _starts(text)]
    for edit in sorted(edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
        start, end = (lines[place.line] + 2 * place.character for place in (edit.range.start, edit.range.end))
        octets = octets[:start] + edit.new_text.encode("utf-16-le") + octets[end:]
    return octets.decode("utf-16-le")


@asynccontextmanager
async def session(folder: Path, encodings: list[types.PositionEncodingKind] | None = None) -> AsyncIterator[Editor]:
    """An editor with its server, from the first word to the last; the server must end with 0."""
    editor = Editor(folder)
    environment = {**os.environ, "RULESMITH_CONF": ""}
    await editor.start_io(sys.executable, "-m", "rulesmith", "lsp", env=environment, cwd=folder)
    server: Any = editor._server
    general = types.GeneralClientCapabilities(position_encodings=list(encodings)) if encodings else None
    async with asyncio.timeout(3 * SECONDS):
        await editor.initialize_async(
            types.InitializeParams(types.ClientCapabilities(general=general), root_uri=folder.as_uri())
        )
        editor.initialized(types.InitializedParams())
        try:
            yield editor
            await editor.shutdown_async(None)
            editor.exit(None)
            assert await server.wait() == 0
        finally:
            if server.returncode is None:
                server.kill()
            await editor.stop()  # type: ignore[no-untyped-call]  # pygls names no types there
            complaints = (await server.stderr.read()).decode()
        assert not complaints


def talk(folder: Path, conversation: Callable[[Editor], Coroutine[Any, Any, None]]) -> None:
    """Have a conversation with a server of one's own."""

    async def whole() -> None:
        async with session(folder) as editor:
            await conversation(editor)

    asyncio.run(whole())
