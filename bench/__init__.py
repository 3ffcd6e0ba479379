"""How long one message takes, beside the real fdm in the same run."""
