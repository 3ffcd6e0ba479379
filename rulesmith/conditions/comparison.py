"""`<`, `>`, `==` and `!=` between two numbers."""

from __future__ import annotations


def compare(left: float, sign: str, right: float) -> bool:
    if sign == "<":
        return left < right
    if sign == ">":
        return left > right
    return (left == right) is (sign == "==")
