"""A mail rule engine that reads fdm.conf: rules in, deliveries out, no message lost."""

__version__ = "0.1.0"
