"""Every surprise of fdm's dialect is either told by a check, or made harmless by the engine (tests/surprises)."""

from __future__ import annotations

from rulesmith.lint.pages import known
from rulesmith.lint.table import NAMES

# What tells it.
TOLD = {
    "L02": ["no-final-rule"],
    "L03": ["keep-on-stdin", "dropped-come-back"],
    "L04": ["ignored-errors"],
    "L06": ["unknown-action", "action-never-found"],
    "L07": ["unknown-action"],
    "L08": ["drop-oversized", "small-maximum-size"],
    "L11": ["no-lock"],
    "L12": ["two-stdin-accounts"],
    "L21": ["tag-in-command"],
    "L22": ["tag-in-command"],
    "L23": ["tag-in-command"],
    "L24": ["tag-in-path"],
    "L25": ["root-without-user"],
    "L28": ["readable-password"],
    "L31": ["undefined-macro"],
    "L32": ["undefined-macro"],
    "L36": ["relative-include"],
    "L37": ["crlf-line-end", "byte-order-mark"],
    "L38": ["eaten-backslash"],
    "L39": ["comment-in-string"],
    "L41": ["short-month"],
    "L44": ["option-set-twice"],
    "L45": ["date-in-command", "percent-removed"],
    "L46": ["percent-removed"],
    "L47": ["tag-in-regexp"],
    "L48": ["unknown-tag"],
    "L49": ["day-of-year"],
    "L50": ["day-of-year"],
    "L51": ["unclosed-tag"],
    "L52": ["nothing-stored"],
    "L53": ["mixed-and-or"],
    "L54": ["area-of-last-only", "header-without-area"],
    "L55": ["missing-anchor"],
    "L59": ["matches-everything"],
    "L60": ["stale-submatch"],
    "L65": ["unknown-account"],
    "L66": ["empty-regexp"],
    "L67": ["undated-mail"],
    "L70": ["attachment-count"],
    "L72": ["attachment-size-below"],
    "L77": ["non-ascii-in-regexp"],
    "L78": ["drop-then-deliver"],
    "L79": ["keep-overridden"],
    "L80": ["action-chain-too-long"],
    "L81": ["users-multiply"],
    "L82": ["unknown-user"],
    "L84": ["one-file-for-all"],
    "L85": ["unknown-home"],
    "L86": ["relative-delivery-path"],
    "L92": ["nothing-stored"],
    "L93": ["counts-before-rewrite"],
    "L95": ["cache-before-delivery"],
    "L96": ["cache-of-imap"],
}
# What is not so here, or not a matter of the configuration; tests/surprises shows each.
HARMLESS = {
    "L01": "a failure is a failure",
    "L05": "an empty key is in no cache",
    "L09": "the journal knows what is delivered",
    "L10": "the lock goes with the process",
    "L13": "a command is ended in time",
    "L14": "what a server has taken is delivered",
    "L15": "a file that is no cache is left alone",
    "L16": "there is no limit to tags",
    "L20": "line breaks are stripped for commands",
    "L26": "commands inherit nothing",
    "L27": "check runs nothing unless it is told to",
    "L29": "a percent sign in a path is one",
    "L30": "line breaks are stripped for header fields",
    "L33": "ifdef sees the line above it",
    "L34": "nested ifdefs skip what they should",
    "L35": "what is skipped includes nothing",
    "L40": "lines are counted right",
    "L42": "a syntax error",
    "L43": "kept: a umask is octal",
    "L56": "kept, and known",
    "L57": "CRLF is a line end",
    "L58": "fields are added where they belong",
    "L61": "%0 of a failed regexp is empty",
    "L62": "submatches of the body are those of the body",
    "L63": "an unset group hides no other",
    "L64": "folded text is unfolded everywhere",
    "L68": "ages are right in every time zone",
    "L69": "dates are read as RFC 5322 says",
    "L71": "attachments are found",
    "L73": "names are found in both places",
    "L74": "user is not a tag in conditions",
    "L75": "an empty command fails at once",
    "L76": "a syntax error that says what to write",
    "L83": "what cannot be synced is written all the same",
    "L87": "fields that stay are not touched",
    "L88": "a first line that begins with From is quoted",
    "L89": "odd addresses give a usable line",
    "L90": "kept: the output of commands is not kept",
    "L91": "nothing behind a NUL is lost",
    "L94": "a folded Message-ID is one",
    "L97": "insecure is insecure",
    "L98": "options stand in any order",
    "L99": "kept: sizes are compared strictly",
}


def test_each_surprise_is_in_one_of_the_two_lists() -> None:
    assert not set(TOLD) & set(HARMLESS)
    assert {*TOLD, *HARMLESS} == {f"L{number:02}" for number in range(1, 100)} - {"L17", "L18", "L19"}


def test_what_tells_it_exists() -> None:
    told = {name for names in TOLD.values() for name in names}
    assert told <= set(known())
    assert len(told & set(NAMES)) > 40
