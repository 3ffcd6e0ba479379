"""Tests of a configuration: messages, and what should become of them."""
