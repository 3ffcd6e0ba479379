"""Lines of fdm's log that end a run: people grep for these, so they are fdm's own. The others are in events.py."""

from __future__ import annotations


def text_of(octets: bytes) -> str:
    """Octets as text that can be encoded back."""
    return octets.decode("utf-8", "surrogateescape")


def end_of_rules(wish: str | None) -> tuple[int, str]:
    """The line for the end of the rules, with its level: without `unmatched-mail` it is a warning."""
    if wish is None:
        return 0, "reached end of ruleset. no unmatched-mail option; keeping mail"
    return 2, f"reached end of ruleset. {'dropping' if wish == 'drop' else 'keeping'} mail"


def processed(total: int, kept: int, seconds: float) -> str:
    """The summary line of an account."""
    if not total:
        return f"0 messages processed in {seconds:.3f} seconds"
    average = seconds / total
    return f"{total} messages processed ({kept} kept) in {seconds:.3f} seconds (average {average:.3f})"
