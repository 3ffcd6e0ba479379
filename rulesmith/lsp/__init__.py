"""`rulesmith lsp`: what `check`, `fmt` and the reference know, inside an editor. Needs the extra `lsp` (pygls).

Nothing of a configuration is ever run here: it is read as `rulesmith check` reads it without `--run-commands`.
"""
