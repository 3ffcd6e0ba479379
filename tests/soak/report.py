"""The figures of a soak, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from tests.soak.soak import KINDS, Soak

# What must not be.
FAILURES = ("lost", "duplicated", "altered", "astray", "never scanned", "handed over again")


def table(soak: Soak) -> Iterator[str]:
    account = soak.account
    wrong = account.wrong
    yield f"| {soak.messages} messages, seed {soak.seed} | |"
    yield "|---|---|"
    yield f"| seconds | {soak.seconds:.0f} |"
    yield f"| faults | {soak.faults.count.total()} of {len(soak.faults.count)} kinds |"
    yield f"| copies delivered | {account.delivered} |"
    yield f"| lost | {len(wrong.get('lost', ()))} |"
    yield f"| altered | {len(wrong.get('altered', ()))} |"
    yield f"| in a mailbox that is not theirs | {len(wrong.get('astray', ()))} |"
    yield f"| duplicated by us | {len(wrong.get('duplicated', ()))} |"
    yield f"| made twice: the delivery under way when it, or who made it, was killed | {account.under_way} |"
    yield f"| made twice: its record could not be written, as the log said | {account.announced} |"
    yield f"| handed over again by fetchmail after its own death, or its provider's | {account.again} |"
    yield f"| cut short by fetchmail's death, and handed over again whole | {account.short} |"
    yield f'| tries that ended with "keep it" (75) | {account.retried()} |'
    yield f"| put into the problem mailbox (poisonous ones among them) | {account.quarantined} ({account.poison}) |"
    yield f"| copies marked as unscanned | {account.unscanned} |"
    yield f"| copies taken for ham without a verdict | {len(wrong.get('never scanned', ()))} |"
    yield ""
    yield "| fault | times |"
    yield "|---|---|"
    for kind in KINDS:
        yield f"| {kind.name} | {soak.faults.count[kind.name]} |"
