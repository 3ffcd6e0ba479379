"""fdm's command line, read by hand: this runs once per message, and the options are few (fdm(1))."""

from __future__ import annotations

USAGE = (
    "usage: fdm [-hklmnqv] [-a name] [-D name=value] [-f conffile] [-u user] [-x name] [fetch|poll|cache] [arguments]"
)
COMMANDS = ("poll", "fetch", "cache")
# Our only long options: exit 0 or 1 as fdm does, where 75 would keep the mail with the caller; `set scan`; and that a
# configuration is refused whose tests fail.
FDM_EXIT_STATUS = "--fdm-exit-status"
CONFIG_CHECK = "--config-check"
SCAN = "--scan"


class Options:
    """What the command line says.

    `includes` and `excludes` are patterns of account names; `macros` are `name=value` as given; `command` is one
    of COMMANDS, None with -n; `arguments` are what follows it. `scan` is where the spam scanner is, empty for none,
    and None where the settings say so.
    """

    __slots__ = (
        "arguments",
        "check",
        "command",
        "config",
        "config_check",
        "excludes",
        "fdm_status",
        "home_from_environment",
        "includes",
        "keep",
        "macros",
        "multiple",
        "quiet",
        "scan",
        "syslog",
        "user",
        "verbose",
    )

    def __init__(self) -> None:
        self.includes: list[bytes] = []
        self.excludes: list[bytes] = []
        self.macros: list[str] = []
        self.config: str | None = None
        self.user: str | None = None
        self.home_from_environment = False
        self.keep = False
        self.syslog = False
        self.multiple = False
        self.check = False
        self.quiet = False
        self.verbose = 0
        self.fdm_status = False
        self.config_check = False
        self.scan: bytes | None = None
        self.command: str | None = None
        self.arguments: list[str] = []


class UsageError(Exception):
    """The command line is not fdm's; the text is what getopt would say, or nothing. `options`: what was read so far."""

    def __init__(self, text: str, options: Options) -> None:
        super().__init__(text)
        self.options = options


def parse(arguments: list[str]) -> Options:
    """Read the arguments as GNU getopt does, options and operands in any order.

    For -f and -u the first one wins, as in fdm; for --scan the last, as for `set scan`. Raises UsageError.
    """
    options = Options()
    operands: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            operands += rest
            break
        if word == FDM_EXIT_STATUS:
            options.fdm_status = True
        elif word == CONFIG_CHECK:
            options.config_check = True
        elif word.partition("=")[0] == SCAN:
            options.scan = _scanner(options, word, rest)
        elif word[:1] != "-" or word == "-":
            operands.append(word)
        elif word[:2] == "--":
            raise UsageError(f"unrecognized option '{word}'", options)
        else:
            _letters(options, word[1:], rest)
    if options.check:
        if operands:
            raise UsageError("", options)
        return options
    if not operands:
        raise UsageError("", options)
    for command in COMMANDS:
        if command.startswith(operands[0]):
            options.command = command
            break
    options.arguments = operands[1:]
    if options.command is None or (options.command != "cache" and options.arguments):
        raise UsageError("", options)
    return options


def _scanner(options: Options, word: str, rest: list[str]) -> bytes:
    """The address of `--scan ADDRESS` or `--scan=ADDRESS`."""
    from rulesmith.scan.no_verdict import NoVerdict  # most command lines have none
    from rulesmith.scan.server import Server

    _, equals, text = word.partition("=")
    if not equals:
        if not rest:
            raise UsageError(f"option '{SCAN}' requires an argument", options)
        text = rest.pop(0)
    url = text.encode("utf-8", "surrogateescape")
    if url:
        try:
            Server(url)
        except NoVerdict as failure:
            raise UsageError(f"{SCAN}: {failure.reason}", options) from None
    return url


def _letters(options: Options, letters: str, rest: list[str]) -> None:
    """One cluster of single-letter options; a letter with a value takes the rest of it or the next word."""
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in "aDfux":
            if not letters and not rest:
                raise UsageError(f"option requires an argument -- '{letter}'", options)
            value = letters or rest.pop(0)
            letters = ""
            if letter == "a":
                options.includes.append(value.encode("utf-8", "surrogateescape"))
            elif letter == "x":
                options.excludes.append(value.encode("utf-8", "surrogateescape"))
            elif letter == "D":
                options.macros.append(value)
            elif letter == "f":
                options.config = value if options.config is None else options.config
            else:
                options.user = value if options.user is None else options.user
        elif letter == "v":
            options.verbose += 1
        elif letter == "h":
            options.home_from_environment = True
        elif letter == "k":
            options.keep = True
        elif letter == "l":
            options.syslog = True
        elif letter == "m":
            options.multiple = True
        elif letter == "n":
            options.check = True
        elif letter == "q":
            options.quiet = True
        else:
            raise UsageError(f"invalid option -- '{letter}'", options)
