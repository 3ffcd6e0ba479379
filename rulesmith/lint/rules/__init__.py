"""The rules of the linter: NAME, SEVERITY, `check`; the docstring of each is its manual page."""
