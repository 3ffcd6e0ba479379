"""The lines of docs/editors.md in the editors they are for: a file with a fault is opened, and the fault is shown."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import parts

ROOT = Path(__file__).parents[2]
FAULTY = """set allow-multiple
set   default-user "root"
account "stdin" stdin
action "inbox" maildir "~/Mail"
match all action "inbx"
"""


def blocks(language: str) -> list[str]:
    page = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def run(command: list[str | Path], folder: Path, more: Mapping[str, str] | None = None) -> str:
    """What an editor prints that knows nothing but its home and where rulesmith is."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"HOME": str(folder), "PATH": path, "LANG": "C.UTF-8", "RULESMITH_CONF": "", **(more or {})}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


ASK_NEOVIM = """
if not vim.wait(30000, function() return #vim.diagnostic.get(0) > 0 end, 20) then
  io.stderr:write(io.open(vim.lsp.get_log_path()):read("a"))
  vim.cmd("cquit 1")
end
local function ask(what, params)
  local answers = vim.lsp.buf_request_sync(0, "textDocument/" .. what, params, 30000)
  for _, answer in pairs(answers or {}) do return answer.result end
end
local place = { textDocument = vim.lsp.util.make_text_document_params(), position = { line = 3, character = 18 } }
local shown = {}
for _, each in ipairs(vim.diagnostic.get(0)) do table.insert(shown, { each.lnum + 1, each.code }) end
local hover = ask("hover", place)
vim.lsp.buf.format({ timeout_ms = 30000 })
local file = io.open("answer.json", "w")
file:write(vim.json.encode({ diagnostics = shown, hover = hover.contents.value, line = vim.fn.getline(2) }))
file:close()
"""


@pytest.mark.parametrize("number", [0, 1], ids=["0.11", "0.8"])
def test_neovim_shows_findings_explains_and_lays_out(tmp_path: Path, number: int) -> None:
    try:
        program = parts.neovim()
    except parts.Missing as error:
        pytest.skip(str(error))
    (tmp_path / "fdm.conf").write_text(FAULTY)
    (tmp_path / "init.lua").write_text(blocks("lua")[number])
    (tmp_path / "ask.lua").write_text(ASK_NEOVIM)
    asked = ["-c", "luafile ask.lua", "-c", "qall!"]
    said = run([program, "--headless", "-n", "-u", "init.lua", "fdm.conf", *asked], tmp_path)
    assert (tmp_path / "answer.json").exists(), said
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert [5, "unknown-action"] in answer["diagnostics"]
    assert "`maildir` delivers to a maildir" in answer["hover"]
    assert answer["line"] == 'set default-user "root"'


ASK_EMACS = """
(find-file "fdm.conf")
(unless (memq 'eglot-ensure fdm-mode-hook) (error "no hook"))
(apply #'eglot--connect (eglot--guess-contact))
(let ((end (+ (float-time) 60)))
  (while (and (< (float-time) end) (not (flymake-diagnostics)))
    (accept-process-output nil 0.05)
    (flymake-start)))
(dolist (each (flymake-diagnostics))
  (princ (format "%s: %s\\n" (line-number-at-pos (flymake-diagnostic-beg each)) (flymake-diagnostic-text each))))
(eglot-format-buffer)
(goto-char (point-min))
(forward-line 1)
(princ (format "line: %s\\n" (buffer-substring (line-beginning-position) (line-end-position))))
(eglot-shutdown (eglot-current-server))
"""


def test_emacs_shows_findings_and_lays_out(tmp_path: Path) -> None:
    try:
        root = parts.emacs()
    except parts.Missing as error:
        pytest.skip(str(error))
    (tmp_path / "fdm.conf").write_text(FAULTY)
    (tmp_path / "init.el").write_text(blocks("elisp")[0])
    (tmp_path / "ask.el").write_text(ASK_EMACS)
    program, environment = _emacs(root)
    said = run([*program, "--batch", "-Q", "-l", "init.el", "-l", "ask.el"], tmp_path, environment)
    assert re.search(r'^5: .*\[unknown-action\]: no action is named "inbx"$', said, re.MULTILINE), said
    assert 'line: set default-user "root"' in said


def _emacs(root: Path | None) -> tuple[list[str | Path], dict[str, str]]:
    """The command, and the environment in which an Emacs that is only unpacked finds its own files."""
    site = next((root or Path("/")).glob("usr/share/emacs/site-lisp/elpa-src/eglot*"))
    if root is None or not (root / "usr/bin/emacs-nox").exists():
        return ["emacs-nox", "-L", site], {}
    (share,) = root.glob("usr/share/emacs/[0-9]*")
    (dump,) = root.glob("usr/libexec/emacs/*/*/emacs.pdmp")
    environment = {
        "EMACSLOADPATH": f"{share}/lisp:{site}",
        "EMACSDATA": f"{share}/etc",
        "EMACSDOC": f"{share}/etc",
        "EMACSPATH": str(dump.parent),
        "LD_LIBRARY_PATH": ":".join(map(str, root.glob("usr/lib/*-linux-gnu"))),
    }
    return [root / "usr/bin/emacs-nox", f"--dump-file={dump}"], environment


def test_the_extension_of_vs_code_starts_the_same_server_for_the_same_files() -> None:
    folder = ROOT / "editors" / "vscode"
    package = json.loads((folder / "package.json").read_text())
    (language,) = package["contributes"]["languages"]
    assert language["filenames"] == ["fdm.conf", ".fdm.conf"]
    assert package["activationEvents"] == [f"onLanguage:{language['id']}"]
    assert json.loads((folder / language["configuration"]).read_text())["comments"] == {"lineComment": "#"}
    # A folder that somebody else has made must not say which program is started.
    setting = package["contributes"]["configuration"]["properties"]["rulesmith.command"]
    assert (setting["default"], setting["scope"]) == ("rulesmith", "machine")
    code = (folder / package["main"]).read_text()
    assert '["lsp"]' in code
    assert f'language: "{language["id"]}"' in code
