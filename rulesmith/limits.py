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
# Header fields that are looked at one by one to recognise a message; a letter has some dozens.
IDENTITY_FIELDS = 10_000
# Octets of a message on standard input that are kept in memory while it is read; more goes into a private file.
SPOOL_MEMORY = 4 << 20
# Records of unfinished messages: so many files, and so many days without a try. fetchmail comes back within minutes.
JOURNAL_FILES = 10_000
JOURNAL_DAYS = 30
# A record with more failed tries than this is written anew with their number alone.
PROGRESS_FAILURES = 32
# Octets of a reason, or of a delivery's description, in a record.
PROGRESS_TEXT = 500
# Seconds to wait for another process that works on the same message, before the caller is asked to come again.
JOURNAL_PATIENCE = 10.0
# Seconds for which a message counts as delivered that is handed over again after its taker was killed.
GHOST_SECONDS = 86400
# Seconds that a delivery under way has to end by itself after SIGTERM. Commands get one more before SIGKILL.
STOP_GRACE = 0.6
# What rspamd may answer: a verdict has some kilobytes, with each of ten thousand addresses in a mail a megabyte.
SCAN_REPLY_OCTETS = 4 << 20
# Of a message of more octets only one area is kept ready for regexps at a time: each is a copy, or two.
ONE_VIEW_OCTETS = 1 << 20
# Parts of a mail that are told apart; a million of them, which fit into 5 MB, would take 100 MB of memory.
MIME_PARTS = 100_000
# An LMTP client: octets in a command line (RFC 5321 asks for 512, addresses may be longer), recipients of a message
# (RFC 5321 asks for 100; each is a run of rules), lines that are no commands of ours before it is sent away, and
# command lines without a message in between.
LMTP_LINE = 4096
LMTP_RECIPIENTS = 100
LMTP_ERRORS = 20
LMTP_LINES = 10_000
# LMTP clients at a time, and seconds in which each must say something, or get one message done.
LMTP_CONNECTIONS = 100
LMTP_IDLE = 300
LMTP_TRANSACTION = 3600
# Octets of a message that the LMTP server keeps in memory; more goes into a private file.
LMTP_MEMORY = 1 << 18
# Seconds that a message may wait for a worker before its client is asked to come again; fetchmail waits for 300.
SERVE_PATIENCE = 240
# Seconds that messages under way have to come to a safe point when the server ends, of the two that it has.
SERVE_GRACE = 1.8
# Seconds after which a worker, or a connection to Dovecot, that nobody needs is let go.
SERVE_IDLE = 60
# Octets of memory after which a worker makes room for a new one when its message is done with.
SERVE_WORKER_MEMORY = 128 << 20
