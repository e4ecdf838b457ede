"""Unrolled code for small networks; not yet written."""

from collections.abc import Iterable

from xortrain.training.task import Task


def unrolled(tasks: Iterable[Task]) -> dict[str, dict[str, list[str]]]:
    return {"OUTPUTS": {}, "UPDATES": {}}
