"""A program and a message in, effects out: the only file that knows the order of things.

fdm interleaves matching and delivering: the actions of a rule run when it matches, and what they change
(`rewrite`, `add-header`, `tag`) is what later rules see. So this is a generator: it yields an effect
(effects.py), is sent the answer and touches nothing itself. Delivery, dry run and tests are its drivers.
"""

from __future__ import annotations

from rulesmith.actions import action
from rulesmith.conditions import condition
from rulesmith.effects import AHEAD, RUN, WHO, Failure
from rulesmith.limits import CHAINED_ACTIONS
from rulesmith.mail import glob
from rulesmith.stretches import every, possible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from rulesmith.mail.message import Message
    from rulesmith.program import Item, Program, Rule, Template, Term

    User = tuple[bytes, int, int, bytes]
    Job = tuple[bytes, int, Item, User]
    Asking = Generator[tuple[Any, ...], Any, Any]

KEEP, DROP = "keep", "drop"


class Unknown(Exception):
    """A dry run came to something that it cannot know; the text says what."""


class Verdict:
    """How the rules ended for one message.

    `decision` is KEEP or DROP at the source. `outcome` is "done", "aborted" (an error; nothing more was done)
    or "ignored" (an error under `ignore-errors`). `stored` counts the deliveries that took the message;
    `dropped` says that a rule, or `unmatched-mail drop`, decided that it should go; `ended` that no rule stopped
    the evaluation. `reason` is the text of the error, `notes` are warnings for the log.
    """

    __slots__ = ("decision", "dropped", "ended", "notes", "outcome", "reason", "stored")

    def __init__(self) -> None:
        self.decision = DROP
        self.outcome = "done"
        self.stored = 0
        self.dropped = False
        self.ended = False
        self.notes: list[bytes] = []
        self.reason = ""


class Run:
    """One message going through the rules: what conditions and actions may see and change."""

    __slots__ = (
        "accounts",
        "actions",
        "caches",
        "foretells",
        "matched",
        "me",
        "message",
        "name",
        "notes",
        "settings",
        "trace",
        "users",
        "verdict",
    )

    def __init__(
        self,
        program: Program,
        name: bytes,
        users: tuple[Template, ...],
        message: Message,
        me: User,
        trace: Callable[..., None] | None,
        foretells: bool,
    ) -> None:
        self.settings, caches, self.accounts, self.actions, _ = program
        self.caches = dict(caches)
        self.name = name  # of the account
        self.users = users  # of the account
        self.message = message
        self.me = me  # the invoking user
        self.trace = trace
        self.foretells = foretells
        self.matched = False
        self.verdict = Verdict()
        self.notes = self.verdict.notes

    def expand(self, template: Template, breaks: bool = False) -> bytes:
        """A template with the tags and submatches of now; `breaks` keeps CR, LF and NUL of values out."""
        if isinstance(template, bytes):
            return template
        if isinstance(template[1], str):
            # Only a dry run has such values (program.UNKNOWN).
            raise Unknown("the value of " + template[0].decode("utf-8", "surrogateescape"))
        from rulesmith.template import expand  # many programs have no template

        message = self.message
        strip: bytes = self.settings["strip-characters"]
        return expand(template, message.tags, message.captures, strip, breaks)

    def note(self, text: bytes) -> None:
        """Say something about this message that is no error."""
        self.notes.append(text)

    def become(self, user: User) -> None:
        """Set the tags of the user that an action or a command runs as."""
        name, uid, gid, home = user
        self.message.tags.update({b"user": name, b"uid": b"%d" % uid, b"gid": b"%d" % gid, b"home": home})

    def resign(self) -> None:
        """Outside of actions and commands there is no such user."""
        for tag in (b"user", b"uid", b"gid", b"home"):
            self.message.tags.pop(tag, None)

    def find_user(self, name: bytes) -> Asking:
        """The user of a name; Failure in fdm's words where there is none."""
        if not name:
            raise Failure("empty user")
        user = yield (WHO, name)
        if user is None:
            raise Failure(b"bad user: " + name)
        return user

    def default_user(self) -> Asking:
        name = self.settings["default-user"]
        return self.me if name is None else (yield from self.find_user(name))

    def command_user(self, template: Template | None) -> Asking:
        """Who runs the command of a condition (fdm.conf(5), RULES: command-user, else the invoking user)."""
        name = self.settings["command-user"] if template is None else self.expand(template)
        return self.me if name is None else (yield from self.find_user(name))

    def home_path(self, template: Template, home: bytes, breaks: bool = False) -> Asking:
        """A path or command after tags and `~` (fdm.conf(5)); Failure for the home of an unknown user."""
        # A NUL can only come from the mail, and no path may hold one.
        path = self.expand(template, breaks).replace(b"\0", b"")
        start = path.lstrip(b" \t\n\v\f\r")
        if start[:1] != b"~":
            return path
        name, slash, rest = start[1:].partition(b"/")
        if not name:
            return home + slash + rest
        # In a command the name ends with the first word.
        first = name if name[:1].isspace() else name.split(None, 1)[0]
        user = yield (WHO, first)
        if user is None:
            raise Failure(start + b": there is no user " + first)
        return user[3] + name[len(first) :] + slash + rest


def evaluate(
    program: Program,
    name: bytes,
    users: tuple[Template, ...],
    message: Message,
    me: User,
    trace: Callable[..., None] | None = None,
    foretells: bool = False,
) -> Generator[tuple[Any, ...], Any, Verdict]:
    """Run the rules over a message that came from the account `name` with its `users`.

    With `foretells` it says (AHEAD) what pipes come next where it knows that.
    """
    run = Run(program, name, users, message, me, trace, foretells)
    verdict = run.verdict
    try:
        stopped = yield from _rules(program[4], run)
    except Failure as failure:
        verdict.reason = failure.text
        verdict.outcome = "aborted"
        return verdict
    if verdict.outcome == "ignored":
        verdict.decision = KEEP
        verdict.dropped = False
    elif not stopped:
        wish = run.settings["unmatched-mail"]
        verdict.decision = DROP if wish == "drop" else KEEP
        verdict.dropped = wish == "drop"
        verdict.ended = True
    return verdict


def _rules(rules: tuple[Rule, ...], run: Run) -> Asking:
    """Try the rules of one level in order; whether one of them stopped the evaluation."""
    trace = run.trace
    for rule in every(rules) if trace else possible(rules, run.message):
        number, _, expression, users, names, items, block, goes_on = rule
        holds = yield from _expression(expression, run, rule)
        if trace:
            trace("finished", rule, holds)
        if not holds:
            continue
        if trace:
            trace("matched", rule)
        if block:
            # Going into a nested rule does not count as matched; only what stops in it stops.
            if trace:
                trace("entering", rule)
            if (yield from _rules(block, run)):
                return True
            if trace:
                trace("leaving", rule)
            continue
        run.matched = True
        if block is not None:
            continue
        jobs: list[Job] = []
        if items is None:
            yield from _expand_names(names or (), users, CHAINED_ACTIONS, jobs, run)
        else:
            yield from _expand_items(b"<rule %d>" % number, items, (), users, CHAINED_ACTIONS, jobs, run)
        told = 0
        for at, job in enumerate(jobs):
            if run.foretells and at >= told:
                told = at + (yield from _foretell(jobs[at:], run))
            if not (yield from _perform(rule, job, run)):
                return True
        if not goes_on:
            return True
    return False


def _expression(expression: tuple[Term, ...], run: Run, rule: Rule) -> Asking:
    """Left to right, no precedence: what cannot change the result any more is not tried."""
    result: bool | None = False
    trace = run.trace
    for position, (join, negated, word, args) in enumerate(expression):
        if join == 1:
            if result is False:
                continue
        elif join == 2 and result:
            continue
        module = condition(word)
        own: bool | None
        if module.ASKS:
            own = yield from module.inquire(args, run)
        else:
            own = module.holds(args, run)
        if negated and own is not None:
            own = not own
        if join == 0 or own is None:
            result = own
        elif join == 1:
            result = None if result is None and own else own
        else:
            result = True if own else (None if result is None else own)
        if trace:
            trace("tried", rule, position, own, result, run.message)
    if result is None:
        raise Unknown(f"whether rule {rule[0]} matches")
    return result


def _expand_names(
    names: tuple[Template, ...],
    rule_users: tuple[Template, ...],
    budget: int,
    jobs: list[Job],
    run: Run,
) -> Asking:
    """Add the jobs of all actions that a list of names selects; what is left of the rule's budget.

    Each list of names costs one, in sequence, wherever it stands: fdm's "chained actions" are a counter.
    """
    trace = run.trace
    budget -= 1
    if budget == 0:
        raise Failure("too many chained actions")
    for template in names:
        pattern = run.expand(template)
        if trace:
            trace("looking-for-actions", pattern)
        found = [each for each in run.actions if glob.matches(pattern, each[0])]
        if not found:
            from rulesmith.template import raw_text

            raise Failure(b"no actions matching: " + pattern + b" (" + raw_text(template) + b")")
        if trace:
            trace("found-actions", len(found))
        for action_name, users, items, _ in found:
            budget = yield from _expand_items(action_name, items, users, rule_users, budget, jobs, run)
    return budget


def _expand_items(
    name: bytes,
    items: tuple[Item, ...],
    action_users: tuple[Template, ...],
    rule_users: tuple[Template, ...],
    budget: int,
    jobs: list[Job],
    run: Run,
) -> Asking:
    """Add the jobs of one action: for each of its users all items in order; what is left of the budget."""
    for template in rule_users or action_users or run.users or (None,):
        # The next user is looked up when the items stand for this one, which decides what error comes first.
        user = yield from (run.default_user() if template is None else run.find_user(run.expand(template)))
        for index, item in enumerate(items):
            if item[0] == "action":
                budget = yield from _expand_names(item[1][0], rule_users, budget, jobs, run)
            else:
                jobs.append((name, index, item, user))
    return budget


def _foretell(jobs: list[Job], run: Run) -> Asking:
    """Say which pipes come now, if there are several; of how many jobs nothing more can be said."""
    pipes = []
    for _, _, (word, args, _), user in jobs:
        # What a template will say is known when its turn has come.
        if word != "pipe" or not isinstance(args[0], bytes):
            break
        pipes.append((RUN, word, args[0], run.message.raw, user, None))
    if len(pipes) > 1:
        run.message.make_room()
        yield AHEAD, tuple(pipes)
    return max(1, len(pipes))


def _perform(rule: Rule, job: Job, run: Run) -> Asking:
    """Run one job; False when its failure is ignored and the message is done with."""
    name, index, (word, args, _), user = job
    trace = run.trace
    tags = run.message.tags
    # Deliveries copy the message, conditions are done with it for now.
    run.message.make_room()
    tags[b"action"] = name
    tags[b"rule"] = b"%d" % rule[0]
    run.become(user)
    if trace:
        trace("job", rule, name, index, word, user)
    try:
        yield from action(word).perform(args, run, user)
    except Failure as failure:
        if not run.settings["ignore-errors"]:
            raise
        run.verdict.outcome = "ignored"
        run.verdict.reason = failure.text
        return False
    finally:
        run.resign()
    if trace:
        trace("performed", rule, name, index, word, user)
    return True
