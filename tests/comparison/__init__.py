"""The comparison: the same faults for `rspamc --mime | fdm` and for rulesmith, for the table in docs/promise.md.

`python -m tests.comparison`, or `make comparison`. Nothing here is collected by pytest.
"""
