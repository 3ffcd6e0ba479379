"""LMTP from the server's side, without a socket: what is said, by whom, for whom."""
