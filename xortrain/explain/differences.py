"""Slopes by finite differences: how a loss changes when one number at a time is moved a little to either side.

All moves lie side by side on the last axis, so that one call answers for many.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from xortrain.nets import Array

STEP = 1e-5  # rounding costs eps / STEP, the curve STEP² : both some 1e-11
VALUES_AT_ONCE = 1 << 21


@dataclass(frozen=True)
class Slopes:
    """Slopes of losses (examples, numbers) from the left and from the right; ``noise`` is what rounding may do."""

    left: Array
    right: Array
    noise: Array

    @property
    def central(self) -> Array:
        """Central differences, (f(v + h) - f(v - h)) / 2h."""
        return (self.left + self.right) / 2

    @property
    def gap(self) -> Array:
        """How much the two sides differ: at a corner by as much for any step."""
        return np.asarray(np.abs(self.right - self.left))


def slopes(losses: Callable[[Array], Array], v: Array, step: float = STEP, values_a_run: int = 1) -> Slopes:
    """Slopes at v (numbers,) of losses: (numbers, moves) -> (examples, moves)."""
    size = step * np.maximum(1, np.abs(v))
    up, down = v + size, v - size
    at_v = losses(v[:, None])
    moves = max(1, VALUES_AT_ONCE // (2 * values_a_run))
    parts = [
        _moved(losses, v, up, down, np.arange(start, min(start + moves, len(v)))) for start in range(0, len(v), moves)
    ]
    above, below = np.concatenate(parts, axis=-1) if parts else np.zeros((2, len(at_v), 0))
    noise = 4 * np.finfo(np.float64).eps * (np.abs(at_v) + 1) / size
    return Slopes((at_v - below) / (v - down), (above - at_v) / (up - v), noise)


def _moved(losses: Callable[[Array], Array], v: Array, up: Array, down: Array, which: Array) -> Array:
    """Losses (2, examples, which) with one number moved up, and down."""
    points = np.repeat(v[:, None], 2 * len(which), axis=1)
    points[which, np.arange(len(which))] = up[which]
    points[which, np.arange(len(which)) + len(which)] = down[which]
    return np.stack(np.split(losses(points), 2, axis=1))


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
        return "\n".join([self.title, "", *_check_table(self.rows), "", *hints, self.verdict])


def _check_table(rows: tuple[Row, ...]) -> list[str]:
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


def compare_gradient(names: list[str], g: Array, measure: Measure, tolerance: float) -> tuple[Row, ...]:
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
