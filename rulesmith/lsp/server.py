"""The language server: what the editor asks for, and where the answer comes from."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Protocol

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from rulesmith import __version__
from rulesmith.layout.tokens import Unreadable
from rulesmith.layout.verified import verified_layout
from rulesmith.lsp.book import Book
from rulesmith.lsp.completion import completion
from rulesmith.lsp.fixes import Fixes, line_edits
from rulesmith.lsp.hover import hover
from rulesmith.lsp.mentions import definitions, mention_at, uses
from rulesmith.lsp.positions import Lines, shown, whole
from rulesmith.lsp.publish import Publisher
from rulesmith.lsp.symbols import symbols
from rulesmith.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rulesmith.lsp.book import Reading
    from rulesmith.lsp.mentions import Mention

# Between the last change and the check: as long as a pause in typing.
_PAUSE = 0.3


class Placed(Protocol):
    """A request about a place in a file."""

    text_document: types.TextDocumentIdentifier
    position: types.Position


class RulesmithServer(LanguageServer):
    """`rulesmith lsp`. `book` is what it knows."""

    def __init__(self) -> None:
        # Whole texts: what a line is then matters only here, and configurations are small.
        super().__init__("rulesmith", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Full)
        self.book = Book()
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._running: dict[str, asyncio.Task[None]] = {}  # by configuration
        self._told: dict[str, dict[str, list[types.Diagnostic]]] = {}  # by configuration, then by file

    @property
    def encoding(self) -> str:
        """The units in which the editor counts columns."""
        return str(getattr(self.workspace.position_encoding, "value", self.workspace.position_encoding))

    def place(self, params: Placed) -> tuple[Reading, str, int, Lines]:
        """The configuration, the path, the offset, and the lines of the file that a request is about."""
        path = self.book.desk.path(params.text_document.uri)
        lines = self.lines(path)
        return self.book.reading(self.book.main(path)), path, lines.offset(params.position), lines

    def mentioned(self, params: Placed) -> tuple[list[Mention], Mention | None]:
        """All names of the configuration, and the one that a request is about."""
        reading, path, offset, _ = self.place(params)
        return reading.mentions, mention_at(reading.mentions, path, offset)

    def lines(self, path: str) -> Lines:
        return Lines(self.book.desk.text(path), self.encoding)

    def check_soon(self, path: str) -> None:
        """Check when the editor has been quiet for a moment."""
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()
        self._waiting[path] = asyncio.get_running_loop().call_later(_PAUSE, self.check, path)

    def check(self, path: str) -> None:
        """Check the configuration that a file belongs to; a check that is under way sees by itself what is new."""
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()
        if path not in self.book.desk.texts:
            return
        main = self.book.main(path)
        if main not in self._running:
            task = asyncio.get_running_loop().create_task(self._check(main))
            self._running[main] = task
            task.add_done_callback(lambda done: done.cancelled() or done.result())

    async def _check(self, main: str) -> None:
        """Tell what is found in each file of a configuration, while the editor's questions are answered."""
        try:
            while main in self._alive():
                reading = self.book.reading(main)
                reading.compile()  # here, because questions need that as well
                found = await asyncio.to_thread(getattr, reading, "findings")
                if self.book.reading(main) is reading:
                    self._tell(main, Publisher(self.book.desk, self.encoding).by_file(found))
                    return
        finally:
            del self._running[main]

    def _alive(self) -> set[str]:
        """The configurations that open files belong to."""
        return {self.book.main(path) for path in self.book.desk.texts}

    def forget(self) -> None:
        """Take back what was said of configurations that nothing open belongs to."""
        alive = self._alive()
        for main in [main for main in self._told if main not in alive]:
            self._tell(main, {})
            del self._told[main]

    def _tell(self, main: str, found: dict[str, list[types.Diagnostic]]) -> None:
        stale = self._told.get(main, {})
        self._told[main] = found
        for path in {**stale, **found, main: []}:
            every = [each for files in self._told.values() for each in files.get(path, ())]
            once = [each for at, each in enumerate(every) if each not in every[:at]]
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(self.book.desk.uri(path), once))

    def locations(self, found: Iterable[Mention]) -> list[types.Location]:
        publisher = Publisher(self.book.desk, self.encoding)
        return [publisher.location(each.span) for each in found]


server = RulesmithServer()


@server.feature(types.TEXT_DOCUMENT_DID_OPEN)
def did_open(ls: RulesmithServer, params: types.DidOpenTextDocumentParams) -> None:
    path = ls.book.desk.path(params.text_document.uri)
    ls.book.desk.texts[path] = whole(params.text_document.text)
    ls.book.rearranged()
    ls.check(path)
    ls.forget()


@server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
def did_change(ls: RulesmithServer, params: types.DidChangeTextDocumentParams) -> None:
    path = ls.book.desk.path(params.text_document.uri)
    ls.book.desk.texts[path] = whole(ls.workspace.get_text_document(params.text_document.uri).source)
    ls.book.edited()
    ls.check_soon(path)


@server.feature(types.TEXT_DOCUMENT_DID_SAVE)
def did_save(ls: RulesmithServer, params: types.DidSaveTextDocumentParams) -> None:
    ls.book.rearranged()
    ls.check(ls.book.desk.path(params.text_document.uri))
    ls.forget()


@server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
def did_close(ls: RulesmithServer, params: types.DidCloseTextDocumentParams) -> None:
    path = ls.book.desk.path(params.text_document.uri)
    ls.book.desk.texts.pop(path, None)
    ls.book.rearranged()
    ls.forget()
    for other in ls.book.desk.texts:
        ls.check(other)


@server.feature(types.TEXT_DOCUMENT_HOVER)
def on_hover(ls: RulesmithServer, params: types.HoverParams) -> types.Hover | None:
    reading, path, offset, lines = ls.place(params)
    found = hover(reading, path, offset)
    if found is None:
        return None
    text, span = found
    return types.Hover(
        types.MarkupContent(types.MarkupKind.Markdown, shown(text)), range=lines.range(span.start, span.end)
    )


@server.feature(types.TEXT_DOCUMENT_DEFINITION)
def on_definition(ls: RulesmithServer, params: types.DefinitionParams) -> list[types.Location]:
    found, mention = ls.mentioned(params)
    if mention is None:
        return []
    if mention.kind == "include":
        start = types.Position(0, 0)
        return [types.Location(ls.book.desk.uri(mention.name), types.Range(start, start))]
    return ls.locations([mention] if mention.defines else definitions(found, mention))


@server.feature(types.TEXT_DOCUMENT_REFERENCES)
def on_references(ls: RulesmithServer, params: types.ReferenceParams) -> list[types.Location]:
    found, mention = ls.mentioned(params)
    if mention is None:
        return []
    declared = definitions(found, mention) if params.context.include_declaration else []
    return ls.locations([*declared, *uses(found, mention)])


@server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"', "$", "%", "{", "["]))
def on_completion(ls: RulesmithServer, params: types.CompletionParams) -> list[types.CompletionItem]:
    reading, path, offset, lines = ls.place(params)
    return completion(reading, path, offset, lines)


@server.feature(
    types.TEXT_DOCUMENT_CODE_ACTION,
    types.CodeActionOptions([types.CodeActionKind.QuickFix, types.CodeActionKind.SourceFixAll]),
)
def on_code_action(ls: RulesmithServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    path = ls.book.desk.path(params.text_document.uri)
    lines = ls.lines(path)
    fixes = Fixes(ls.book.reading(ls.book.main(path)), ls.book.desk, ls.encoding)
    start, end = lines.offset(params.range.start), lines.offset(params.range.end)
    return list(fixes.actions(path, start, end, params.context.only))


@server.feature(types.TEXT_DOCUMENT_FORMATTING)
def on_formatting(ls: RulesmithServer, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
    path = ls.book.desk.path(params.text_document.uri)
    text = ls.book.desk.text(path)
    try:
        new = verified_layout(Source(os.path.basename(path), text))
    except Unreadable as error:
        message = shown(f"{error}; nothing is changed")
        ls.window_show_message(types.ShowMessageParams(types.MessageType.Warning, message))
        return None
    return line_edits(text, new, ls.encoding)


@server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
def on_symbols(ls: RulesmithServer, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    path = ls.book.desk.path(params.text_document.uri)
    return symbols(ls.book.reading(ls.book.main(path)), path, ls.encoding)


def serve() -> None:
    """Speak the protocol on standard input and output until the editor says exit."""
    server.start_io()
