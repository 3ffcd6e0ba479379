"""What the generator leaves out because rulesmith means to differ there, and how a pair keeps clear of it.

The numbers are those of the list of fdm's surprises (grammar/README.md tells each with its reason). A few of them
depend on what a configuration and its messages do together: those are the fields of `Domain`, drawn once per pair.
"""

from __future__ import annotations

from dataclasses import dataclass

# Never generated: the surprise, and what keeps clear of it.
EXCLUDED = {
    "L05": "cache keys that come out empty: every key starts with a letter",
    "L10": "a lock file left behind by another run",
    "L12": "two accounts on standard input that are enabled together",
    "L13": "commands that run longer than `timeout`: all are quick, and the timeout is long",
    "L15": "a cache path that is another file",
    "L16": "more than 30 tags of the user's: names come from a pool of eight",
    "L20": "values with line ends in commands: see Domain.captures",
    "L30": "values with line ends in headers: the same, and no literal line feed in a header's value",
    "L33": "ifdef on the line after the definition of a string macro: another statement stands between",
    "L34": "a false ifdef inside a true one",
    "L35": "include in a skipped block",
    "L40": "line numbers of errors",
    "L57": "mail without an empty line, or with CR LF in its header area",
    "L58": "the same, and output of `rewrite` without an empty line",
    "L62": "submatches of an `in body` regexp: no such regexp where submatches are used",
    "L64": "submatches that cross a fold and are used in an action or command: see Domain.captures",
    "L65": "patterns in a list of accounts that no account matches",
    "L68": "named zones but GMT and UTC; a local zone other than UTC",
    "L69": "dates without seconds, with UT, Z, a colon in the zone, a comment, or a year of two digits; folded dates",
    "L71": "MIME structures fdm gets lost in: CR LF, a nested multipart in last place, a part without Content-Type, "
    "a missing last boundary, a quoted boundary with `;`, lines of text that look like Content-Type",
    "L73": "a `filename` without `name`",
    "L74": "`tagged` with user, home, uid or gid",
    "L75": "command conditions that come out empty",
    "L82": "a default-user that does not exist",
    "L83": "`write` to a device or pipe",
    "L85": "the home of an unknown user",
    "L87": "remove-headers with a list where a header is folded (fdm's own Received is): see Domain.folds",
    "L88": "a mail that still starts with `From ` when the mbox action writes it",
    "L89": "From headers that are empty or a bare address in angle brackets",
    "L91": "`rewrite` of mail with CR at line ends: see Domain.returns",
    "L94": "a folded Message-ID",
    "L96": "an imap account followed by the cache declaration that looks like its option",
    "L97": "`insecure` or `oauthbearer` on the imap action",
    "L98": "flags out of fdm's order (refused by fdm, taken by us)",
    "NUL": "NUL on standard input and in the configuration",
    "include": "tags and `~` of a default-user in an include: fdm knows him there once a path or regexp was read",
    "oversize": "mail over maximum-size in a folder: fdm stops there, delete-oversized or not, and says 2^64-1 bytes",
    "long": "lines above fdm's 16 MiB",
}


@dataclass(frozen=True)
class Domain:
    """What one pair may do.

    `captures` says who may use submatches: nobody ("none", so `in body` may be searched), conditions that run no
    command ("conditions", so matches may cross folds), or everyone ("everywhere", so matches stay on one line).
    `folds`: the messages may have folded headers. `received`: fdm adds its own, a folded one. `returns`: bodies may
    have CR LF.
    """

    captures: str
    folds: bool
    received: bool
    returns: bool

    @property
    def flat(self) -> bool:
        """No header is folded anywhere."""
        return not self.folds and not self.received

    @property
    def one_line(self) -> bool:
        """Regexps must not match a line end or a fold."""
        return self.captures == "everywhere"
