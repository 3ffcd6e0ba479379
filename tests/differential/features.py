"""Everything of the dialect that has to occur in the pairs, by area; what occurs and is not here is a mistake."""

from __future__ import annotations

from tests.differential.settings import OPTIONS

CLOCK = "hour minute second day month year year2 dayofweek dayofyear quarter rfc822date".split()
_WORDS = {
    "statement": ("action", "cache", "match", "last in file without line feed"),
    "set": OPTIONS,
    "file-group": ("user", "string", "number"),
    "file-umask": ("user", "number"),
    "purge-after": ("none", "number"),
    "unmatched-mail": ("keep", "drop"),
    "lock type": ("none", "fcntl", "flock", "dotlock"),
    "string": ("single", "double", "macro", "command", "macro in string"),
    "number": ("command", "macro", "macro in string", "with zeros"),
    "macro": ("definition $", "definition %", "redefinition", "overridden by -D"),
    "escape": ("r", "n", "t", "\\", '"', "$", "%", "'", "other", "line feed"),
    "unit": "bytes kilobytes megabytes gigabytes second minute hour day week month year".split(),
    "account": (
        *"stdin maildir mbox pop3 pop3s imap imaps nntp nntps disabled keep".split(),
        "pop3 pipe",
        "imap pipe",
    ),
    "flag": "no-apop no-verify no-uidl starttls insecure no-cram-md5 no-plain no-login oauthbearer xoauth2".split(),
    "port": ("string", "number"),
    "word": (
        *"account accounts action actions user users group groups folder folders maildir maildirs mbox mboxes".split(),
        *"remove-header remove-headers to-cache add-to-cache remove-from-cache lock-type lock-types".split(),
        *"new-only old-only".split(),
    ),
    "item": (
        *"drop keep stdout tag maildir mbox exec pipe rewrite write append add-header remove-header".split(),
        *"add-to-cache remove-from-cache smtp lmtp imap imaps action".split(),
    ),
    "action": ("single", "compound", "by name", "by list", "by glob", "by tag", "unknown", "below its use"),
    "users": ("single", "list", "of account", "of action", "of rule"),
    "rule": ("by name", "lambda", "nested", "continue"),
    "connective": ("and", "or"),
    "condition": (
        *"not all matched unmatched regexp account exec pipe tagged size string in-cache age user".split(),
        "age invalid",
        *(f"attachment {word}" for word in "count total-size any-size any-type any-name".split()),
        "account single",
        "account list",
    ),
    "area": ("none", "all", "headers", "body"),
    "attachment count": ("<", ">", "==", "!="),
    "returns": tuple(f"{kind} {shape}" for kind in ("exec", "pipe") for shape in ("status", "regexp", "both")),
    "regexp": ("empty", "case", "group", "back-reference"),
    "option": ("-D $", "-D %", "-a", "-h", "-k", "-q", "-u", "-x", "no -m"),
    "tag": (
        *(f"%{letter}" for letter in "adhmnstuyHMQSWY0123456789"),
        *(f"%[{name}]" for name in CLOCK),
        *(f"%[mail_{name}]" for name in CLOCK),
        *(f"%[command{number}]" for number in range(10)),
        *(
            f"%[{name}]"
            for name in (
                *"lines body_lines header_lines hostname account source message_id".split(),
                *"action rule user home uid gid".split(),
                *"mail_file mbox_file maildir maildir_path maildir_file mbox mbox_path mbox_from".split(),
            )
        ),
        *"%:digit %[:name] value".split(),
        "of the user's",
        "in regexp",
        *(f"odd {odd}" for odd in "%% %[nosuch] %[:nosuch] %[] %[:] %[ %z %! %:x %:%".split()),
    ),
    "path": ("~", "%h", "empty"),
    "command": ("fails", "killed"),
    "message": (
        *"folded multipart empty".split(),
        "of one line feed",
        "with CR in its body",
        "with From lines",
        "with From_",
        "with Received",
        "with a line that is no header",
        "with a long line",
        "with nested multipart",
        "without last line feed",
    ),
}
_OTHERS = (
    *"ifdef ifndef include comment".split(),
    "skipped part",
    "symbol +",
    "undefined macro in string",
    "line feed in string",
    "size without unit",
    "time without unit",
    "cache expire",
    "cache undeclared",
    "list of accounts' words",
    "imap action folder",
    "mbox compress",
    "add-header value",
    "remove-header list",
    "smtp from",
    "smtp to",
    "lmtp from",
    "lmtp to",
)
REQUIRED = frozenset((*(f"{area} {name}" for area, names in _WORDS.items() for name in names), *_OTHERS))
