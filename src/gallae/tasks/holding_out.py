"""Holding out a share of a task's examples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gallae.errors import DataError

if TYPE_CHECKING:
    from gallae.tasks.base import Task


def hold_out(task: Task, examples: Sequence[Any], share: float, seed: int) -> tuple[list[Any], list[Any]]:
    """Return the examples to train on and those held out, each in the order of the data.

    The same share of each `Task.stratum`, and examples of one `Task.group` on one side. A stratum of a single
    group is trained on.

    Args:
        task: For its strata and groups.
        examples: All of them.
        share: Between 0 and 1.
        seed: Same seed, same split.

    Raises:
        DataError: on an impossible share, or too few examples.
    """
    if not 0 < share < 1:
        raise DataError(f"--holdout {share}: a share between 0 and 1, such as 0.2.")
    held: set[int] = set()
    generator, carried = np.random.default_rng(seed), 0.0
    for groups in _strata(task, examples):
        wanted, rows = carried + share * sum(map(len, groups)), 0
        for at in generator.permutation(len(groups))[: len(groups) - 1]:
            if rows + len(groups[at]) / 2 > wanted:
                break
            held.update(groups[at])
            rows += len(groups[at])
        carried = wanted - rows
    if not held:
        raise DataError(
            f"{len(examples)} examples cannot be split with --holdout {share}: none would be held out. Give "
            "a larger share, or --valid with a file of its own."
        )
    train = [example for number, example in enumerate(examples) if number not in held]
    return train, [examples[number] for number in sorted(held)]


def _strata(task: Task, examples: Sequence[Any]) -> list[list[list[int]]]:
    """Return the numbers of the examples by group, and the groups by the labels that they have."""
    groups: dict[Hashable, list[int]] = defaultdict(list)
    for number, example in enumerate(examples):
        group = task.group(example)
        groups[(0, number) if group is None else (1, group)].append(number)
    strata: dict[tuple[str, ...], list[list[int]]] = defaultdict(list)
    for members in groups.values():
        strata[tuple(sorted({task.stratum(examples[number]) for number in members}))].append(members)
    return [strata[labels] for labels in sorted(strata)]
