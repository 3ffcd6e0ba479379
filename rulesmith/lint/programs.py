"""What is known of programs that people run from mail rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulesmith.lint.shell import Stage

# They take the message from standard input and put it somewhere.
_DELIVERING = """
deliver dovecot-lda lda procmail maildrop sendmail msmtp safecat notmuch-insert mailx formail sa-learn bogofilter
    spamc rspamc spamassassin dspam razor-report munpack ripmime mhstore rcvstore fdm rulesmith"""
_DELIVERS = frozenset(_DELIVERING.split())
# They write to standard output what they read, changed.
_FILTERS = ("formail", "sed", "awk", "gawk", "tr", "spamc", "spamassassin", "altermime", "uconv", "iconv", "dos2unix")
_ONLY_LOOKS = ("-c", "-R", "-r", "-E", "-k", "-K", "-y", "--report", "--revoke")
_ECHO = ("echo", "printf", "cat", "true", "date", "hostname")


def reads_mail(stage: Stage) -> bool:
    """Whether a program is of use only with a message on its standard input."""
    return stage.program in _DELIVERS and not _asks_for_help(stage)


def _asks_for_help(stage: Stage) -> bool:
    return any(word in ("--help", "--version", "-h", "-V") for word in stage.arguments[1:])


def cannot_fail(stage: Stage) -> bool:
    """Whether a stage is there only to write something it is told."""
    return stage.program in _ECHO


def is_filter(stage: Stage) -> bool:
    """Whether all that a program does with its input is to write it out again."""
    words = stage.arguments[1:]
    program = stage.program
    if stage.writes() is not None:
        return False
    if program in ("spamc", "spamassassin"):
        return not any(word in _ONLY_LOOKS or word[:2] in ("-L", "-C") for word in words)
    if program == "formail":
        return not any(word.startswith(("-s", "-x", "-X", "-z", "-D", "+", "-c")) for word in words)
    if program in ("sed", "awk", "gawk"):
        return not any(word.startswith(("-i", "--in-place")) or _writes_itself(word) for word in words)
    if program == "rspamc":
        return "--mime" in words or "-m" in words
    if program == "bogofilter":
        return any(word.startswith("-") and not word.startswith("--") and "p" in word for word in words)
    return program in _FILTERS


def _writes_itself(script: str) -> bool:
    return ">" in script or "system" in script or "w " in script


def why_silent(stage: Stage) -> str | None:
    """Why a program writes no message to its standard output; None where it does or nobody knows."""
    program, words = stage.program, stage.arguments[1:]
    short = "".join(word[1:] for word in words if word[:1] == "-" and word[:2] != "--")
    target = stage.writes()
    if target is not None and target not in ("&1", "1", "/dev/stdout"):
        return f"its output goes to {target}"
    if program in ("grep", "egrep", "fgrep", "zgrep"):
        return f"{program} writes only the lines that match, and fails where there is none"
    if (
        program == "sed"
        and ("n" in short or "--quiet" in words or "--silent" in words)
        and not any("p" in word for word in words if word[:1] != "-")
    ):
        return "sed -n writes nothing without p"
    if program in ("true", "false", ":", "test", "logger", "sleep", "touch", "rm", "mv", "mkdir"):
        return f"{program} writes nothing"
    if program in ("deliver", "dovecot-lda", "procmail", "maildrop", "sendmail", "msmtp", "sa-learn", "notify-send"):
        return f"{program} does not write the message out again"
    if program == "rspamc" and "--mime" not in words and "m" not in short:
        return "rspamc writes a report in place of the message unless it is told --mime"
    if program == "bogofilter" and "p" not in short and "--passthrough" not in words:
        return "bogofilter writes the message only with -p"
    if program == "spamc" and any(word in ("-c", "--check") for word in words):
        return "spamc -c writes only the score"
    if program == "spamc" and any(word[:2] in ("-R", "-L", "-r") for word in words):
        return "spamc with this option does not write the message"
    if program == "formail" and any(word[:2] in ("-x", "-X", "-c") or word == "-z" for word in words):
        return "formail -x writes only the field" if any(word[:2] == "-x" for word in words) else None
    if program in ("wc", "md5sum", "sha1sum", "sha256sum", "file"):
        return f"{program} writes no message"
    return None
