"""What an editor may change: fixes, comments that allow a finding, the layout."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types

from tests.lsp.editor import Editor, applied, talk

TEXT = """set allow-multiple
set no-received
set default-user "root"
account "stdin" stdin
match "^From:.*\U0001f600\\.com" in headers action drop
match "^From:.*sale" action drop  # why
match all action { maildir "/m" }
"""


def line(number: int) -> types.Range:
    return types.Range(types.Position(number, 0), types.Position(number, 200))


def edits(action: types.CodeAction, uri: str) -> list[types.TextEdit]:
    assert action.edit is not None
    assert action.edit.changes is not None
    return list(action.edit.changes[uri])


def test_a_finding_can_be_put_right_in_place(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT)
        assert "eaten-backslash" in editor.names("fdm.conf")
        found = await editor.actions("fdm.conf", line(4))
        (fix,) = [each for each in found.values() if each.is_preferred]
        fixed = applied(TEXT, edits(fix, editor.uri("fdm.conf")))
        assert '\U0001f600\\\\.com"' in fixed
        editor.change("fdm.conf", fixed)
        await editor.until(lambda: "eaten-backslash" not in editor.names("fdm.conf"))

    talk(tmp_path, conversation)


def test_everything_can_be_put_right_at_once(tmp_path: Path) -> None:
    text = TEXT.replace("sale", "sa\\.le")

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", text)
        found = await editor.actions("fdm.conf", line(0), "source.fixAll")
        (action,) = found.values()
        fixed = applied(text, edits(action, editor.uri("fdm.conf")))
        assert fixed == _fixed_by_check(tmp_path, text)
        assert fixed != text

    talk(tmp_path, conversation)


def _fixed_by_check(folder: Path, text: str) -> str:
    file = folder / "copy.conf"
    file.write_text(text)
    file.chmod(0o600)
    subprocess.run([sys.executable, "-m", "rulesmith", "check", "--fix", file], check=False, capture_output=True)
    return file.read_text()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('match "^From:.*sale" action drop', 'match "^From:.*sale" action drop  # rulesmith: allow(NAME)'),
        ('match "^From:.*sale" action drop # why', '# rulesmith: allow(NAME)\nmatch "^From:.*sale" action drop # why'),
        (
            'match "^From:.*sale" action drop # rulesmith: allow(slow-regexp)',
            'match "^From:.*sale" action drop # rulesmith: allow(slow-regexp, NAME)',
        ),
        (
            'match "^From:.*sale" or "#\n#" action drop',
            '# rulesmith: allow(NAME)\nmatch "^From:.*sale" or "#\n#" action drop',
        ),
    ],
)
def test_a_finding_can_be_allowed_with_a_comment(tmp_path: Path, written: str, expected: str) -> None:
    name = "header-without-area"
    text = TEXT.replace('match "^From:.*sale" action drop  # why', written)

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", text)
        found = await editor.actions("fdm.conf", line(5))
        after = applied(text, edits(found[f"allow {name} here"], editor.uri("fdm.conf")))
        assert after == TEXT.replace('match "^From:.*sale" action drop  # why', expected.replace("NAME", name))
        editor.change("fdm.conf", after)
        await editor.until(lambda: name not in editor.names("fdm.conf"))

    talk(tmp_path, conversation)


def test_what_refuses_a_configuration_cannot_be_allowed(tmp_path: Path) -> None:
    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", TEXT + "mtch all action drop\n")
        assert not await editor.actions("fdm.conf", line(7), "quickfix")

    talk(tmp_path, conversation)


def test_formatting_is_that_of_fmt_and_leaves_other_lines_alone(tmp_path: Path) -> None:
    text = TEXT.replace("set no-received\n", "  set   no-received # \U0001f600\n\n\n\n")

    fmt = [sys.executable, "-m", "rulesmith", "fmt", "-"]
    formatted = subprocess.run(fmt, input=text.encode(), capture_output=True, check=True).stdout.decode()

    async def format_(editor: Editor) -> list[types.TextEdit] | None:
        found = await editor.text_document_formatting_async(
            types.DocumentFormattingParams(editor.document("fdm.conf"), types.FormattingOptions(4, True))
        )
        return None if found is None else list(found)

    async def conversation(editor: Editor) -> None:
        await editor.open("fdm.conf", text)
        found = await format_(editor)
        assert found
        assert max(each.range.end.line for each in found) <= 6
        assert applied(text, found) == formatted
        editor.change("fdm.conf", text + 'match "unclosed')
        assert await format_(editor) is None
        await editor.until(lambda: any("nothing is changed" in each for each in editor.messages))

    talk(tmp_path, conversation)


def test_without_the_extra_one_sentence_says_what_to_type() -> None:
    hide = "import sys; sys.modules['pygls'] = None; from rulesmith.__main__ import main; main()"
    run = subprocess.run([sys.executable, "-c", hide, "lsp"], capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 2
    assert run.stderr == "`rulesmith lsp` needs the extra `lsp`; type: pip install 'rulesmith-mda[lsp]'\n"
    assert not run.stdout
