"""A gradient held against finite differences, number by number: agreement, a corner of the loss, or a mistake.

On a corner, as relu makes at 0, the loss has one slope to the left and another to the right; a gradient that lies
between them is as good as any, and passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from xortrain.explain.differences import STEP, Slopes
from xortrain.nets import Array

Verdict = Literal["ok", "corner", "wrong"]
Measure = Callable[[Array, float], Slopes]
"""Slopes in some places of θ, by differences of a size."""
FINER = (STEP / 10, STEP / 100)  # sizes at which what disagrees is measured again
MOST_ROWS = 30


@dataclass(frozen=True)
class Row:
    """One number of a gradient, and what it is by differences; its error is relative to the larger of the two."""

    name: str
    gradient: float
    differences: float
    error: float
    verdict: Verdict


@dataclass(frozen=True)
class Check:
    """All numbers of a gradient; ``hints`` say what is behind those that disagree."""

    title: str
    rows: tuple[Row, ...]
    tolerance: float
    hints: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def passed(self) -> bool:
        return not self.count("wrong")

    @property
    def worst(self) -> float:
        """The largest relative error of what does not lie on a corner."""
        return max((row.error for row in self.rows if row.verdict != "corner"), default=0.0)

    @property
    def verdict(self) -> str:
        """One line."""
        said = [f"worst relative error {self.worst:.1e}, allowed {self.tolerance:.0e}"]
        if at_corner := self.count("corner"):
            said.append(f"{at_corner} on a corner of the loss, where the gradient is a convention")
        wrong, all_ = self.count("wrong"), len(self.rows)
        return f"{f'FAILED, {wrong} of {all_} wrong' if wrong else f'passed, {all_} of {all_}'}: {'; '.join(said)}"

    def __str__(self) -> str:
        hints = [*self.hints, ""] if self.hints else []
        return "\n".join([self.title, "", *_table(self.rows), "", *hints, self.verdict])


def _table(rows: tuple[Row, ...]) -> list[str]:
    """All rows, or the worst of many."""
    shown = sorted(rows, key=lambda row: (row.verdict == "ok", -row.error)) if len(rows) > MOST_ROWS else rows
    width = max(len(row.name) for row in rows)
    lines = [f"{'parameter':{width}}  {'gradient':>15}  {'by differences':>15}  {'error':>8}"]
    for row in shown[:MOST_ROWS]:
        mark = "" if row.verdict == "ok" else f"  {row.verdict}"
        lines.append(f"{row.name:{width}}  {row.gradient:15.8g}  {row.differences:15.8g}  {row.error:8.1e}{mark}")
    if len(rows) > MOST_ROWS:
        lines.append(f"… {len(rows) - MOST_ROWS:,} more, with smaller errors")
    return lines


def parameter_names(shapes: dict[str, tuple[int, ...]]) -> list[str]:
    """The name of each number in θ, as in NumPy: W1[0, 1]."""
    return [
        f"{name}[{', '.join(map(str, index))}]" if index else name
        for name, shape in shapes.items()
        for index in np.ndindex(*shape)
    ]


def compare(names: list[str], g: Array, measure: Measure, tolerance: float) -> tuple[Row, ...]:
    """A gradient g (parameters,) against slopes that are measured."""
    first = measure(np.arange(len(g)), STEP)
    central, noise, gap = (part.sum(axis=0) for part in (first.central, first.noise, first.gap))
    error = _relative(g, central, noise / tolerance)
    verdict = np.where(error <= tolerance, "ok", "wrong").astype(object)
    suspects = np.flatnonzero(verdict == "wrong")
    closer = [measure(suspects, size) for size in FINER] if len(suspects) else []
    in_reach = gap[suspects] >= np.abs(g - central)[suspects] / 2  # a corner nearby would explain so much
    measured = [(finer.central.sum(axis=0), finer.noise.sum(axis=0)) for finer in closer]
    for central_now, noise_now in [*measured, *_limits(measured)]:
        new = _relative(g[suspects], central_now, noise_now / tolerance)
        explained = in_reach & (new <= tolerance)
        verdict[suspects[explained]] = "ok"
        error[suspects[explained]] = new[explained]
    if closer:
        stays = closer[-1].gap.sum(axis=0) > 0.1 * gap[suspects]
        at_corner = stays & _between(g[suspects], closer[-1], closer[-2], tolerance) & (verdict[suspects] == "wrong")
        verdict[suspects[at_corner]] = "corner"
    return tuple(
        Row(name, float(a), float(d), float(e), v)
        for name, a, d, e, v in zip(names, g, central, error, verdict, strict=True)
    )


def _limits(measured: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """What differences of two sizes, one a tenth of the other, go towards where their error is in step with the size.

    So it is where a corner lies exactly here and the loss bends otherwise on its two sides.
    """
    sizes = pairwise(measured)
    return [((10 * fine - coarse) / 9, (10 * noise + more) / 9) for (coarse, more), (fine, noise) in sizes]


def _relative(g: Array, central: Array, least: Array) -> Array:
    """How far g is from the differences, relative to the larger; what rounding may do does not count."""
    error: Array = np.abs(g - central) / np.maximum(np.maximum(np.abs(g), np.abs(central)), least)
    return np.where(np.isnan(error), np.inf, error)


def _between(g: Array, slopes: Slopes, coarser: Slopes, tolerance: float) -> Array:
    """Whether g lies between the slopes of the two sides, which each example adds up by itself.

    A slope of one side is off by its step times the curvature; the slopes of a coarser step say how much that is.
    """
    low = np.minimum(slopes.left, slopes.right).sum(axis=0)
    high = np.maximum(slopes.left, slopes.right).sum(axis=0)
    bent = np.abs(slopes.left - coarser.left) + np.abs(slopes.right - coarser.right)
    slack = tolerance * np.maximum(np.abs(low), np.abs(high)) + (slopes.noise + bent / 4).sum(axis=0)
    is_corner = high - low > 2 * slack
    return np.asarray(is_corner & (low - slack <= g) & (g <= high + slack))
