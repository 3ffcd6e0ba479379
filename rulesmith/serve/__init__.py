"""`rulesmith serve`: the resident door. A server takes messages by LMTP, worker processes take them through the rules.

    server    asyncio: connections, sessions, spooled messages; answers clients
    nursery   starts workers and buries them; the only parent they have
    worker    one message at a time through the same door, engine and journal as `rulesmith fetch`

A process for each message under way, because a delivery changes what a process has only one of: folder, environment,
umask, the timer that ends a long search. A worker does many messages, one after the other.
"""
