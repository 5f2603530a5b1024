"""A list that is kept, and so must not be altered by those who are given it."""

from __future__ import annotations

from typing import Any, NoReturn


class FixedList(list[Any]):
    """A list whose elements stay: what would alter it raises; slices, sums and copies are ordinary lists."""

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def _refuse(self: FixedList, *_: Any, **__: Any) -> NoReturn:
    raise TypeError("the texts and labels of a corpus are not altered in place: take a copy, list(...).")


for _name in (
    *("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse"),
    *("__setitem__", "__delitem__", "__iadd__", "__imul__"),
):
    setattr(FixedList, _name, _refuse)
