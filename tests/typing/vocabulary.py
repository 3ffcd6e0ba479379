"""Every word's module against the protocol; mypy --strict names the one that does not fit."""

from __future__ import annotations

from rulesmith.actions import (
    add_header,
    add_to_cache,
    append,
    chain,
    drop,
    imap,
    imaps,
    keep,
    lmtp,
    maildir,
    mbox,
    remove_from_cache,
    remove_header,
    rewrite,
    smtp,
    stdout,
    tag,
    write,
)
from rulesmith.actions import exec as exec_item
from rulesmith.actions import pipe as pipe_item
from rulesmith.conditions import (
    account,
    age,
    age_invalid,
    attachment_any_name,
    attachment_any_size,
    attachment_any_type,
    attachment_count,
    attachment_total_size,
    in_cache,
    matched,
    regexp,
    size,
    spam_action,
    spam_score,
    spam_symbol,
    string,
    tagged,
    unmatched,
)
from rulesmith.conditions import all as all_mail
from rulesmith.conditions import exec as exec_condition
from rulesmith.conditions import pipe as pipe_condition
from rulesmith.conditions.protocol import Word

CONDITIONS: list[Word] = [
    account,
    age,
    age_invalid,
    all_mail,
    attachment_any_name,
    attachment_any_size,
    attachment_any_type,
    attachment_count,
    attachment_total_size,
    exec_condition,
    in_cache,
    matched,
    pipe_condition,
    regexp,
    size,
    spam_action,
    spam_score,
    spam_symbol,
    string,
    tagged,
    unmatched,
]
ACTIONS: list[Word] = [
    add_header,
    add_to_cache,
    append,
    chain,
    drop,
    exec_item,
    imap,
    imaps,
    keep,
    lmtp,
    maildir,
    mbox,
    pipe_item,
    remove_from_cache,
    remove_header,
    rewrite,
    smtp,
    stdout,
    tag,
    write,
]
