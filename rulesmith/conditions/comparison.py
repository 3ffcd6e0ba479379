"""`<`, `>`, `==` and `!=` between two numbers."""

from __future__ import annotations


def compare(left: int, sign: str, right: int) -> bool:
    if sign == "<":
        return left < right
    if sign == ">":
        return left > right
    return (left == right) is (sign == "==")
