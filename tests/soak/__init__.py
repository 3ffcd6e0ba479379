"""The soak: thousands of messages through the real chain while something breaks every few seconds.

`python -m tests.soak --messages 1000 --seed 1`, or `make soak`. pytest collects only the tests of its judge.
"""
