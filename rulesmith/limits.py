"""Every limit, with its reason."""

from __future__ import annotations

# A rule may expand so many lists of action names (fdm counts them, it is not a depth): see evaluate.py.
CHAINED_ACTIONS = 5
# Seconds a single regexp search may take before a linear matcher, or a retry, has to decide.
SEARCH_SECONDS = 0.1
# Names longer than this are refused by fdm.
NAME_OCTETS = 63
# Include files inside include files; fdm has no limit and dies of too many open files.
INCLUDE_DEPTH = 32
# Include files in all: a file that includes itself twice would otherwise be read four thousand million times.
INCLUDE_FILES = 1000
# Rules inside rules; whatever walks a tree may then recurse. fdm gives up at some thousands.
NESTED_RULES = 100
# Findings of one parse: after so many the text is no configuration, and nobody reads on.
SYNTAX_FINDINGS = 100
# An input line of fdm may not be longer; ours may, so there is no such limit here on purpose.
# What rspamd may answer: a verdict has some kilobytes, with each of ten thousand addresses in a mail a megabyte.
SCAN_REPLY_OCTETS = 4 << 20
