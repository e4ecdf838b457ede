"""Derivatives by finite differences, and the comparison of a gradient with them.

Each parameter is moved by a small step to either side.  All moves are on the last axis, so one call of the loss
computes many of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from xortrain.nets import Array

STEP = 1e-5  # the rounding error is about eps / STEP, the error from curvature about STEP² / 6: both about 2e-11
FINER = (STEP / 10, STEP / 100)  # steps at which numbers that disagree are measured again
VALUES_AT_ONCE = 1 << 21
MOST_ROWS = 30


@dataclass(frozen=True)
class Slopes:
    """Slopes of losses (examples, numbers) on the left and on the right; ``noise`` is the possible rounding error."""

    left: Array
    right: Array
    noise: Array

    @property
    def central(self) -> Array:
        """Central differences, (f(v + h) - f(v - h)) / 2h."""
        return (self.left + self.right) / 2

    @property
    def gap(self) -> Array:
        """How much the two sides differ; at a corner, the same amount for any step."""
        return np.asarray(np.abs(self.right - self.left))


def slopes(losses: Callable[[Array], Array], v: Array, step: float = STEP, values_a_run: int = 1) -> Slopes:
    """Slopes at v (numbers,) of ``losses``, a function (numbers, moves) -> (examples, moves)."""
    size = step * np.maximum(1, np.abs(v))
    up, down = v + size, v - size
    at_v = losses(v[:, None])
    moves = max(1, VALUES_AT_ONCE // (2 * values_a_run))
    parts = [_moved(losses, v, up, down, np.arange(k, min(k + moves, len(v)))) for k in range(0, len(v), moves)]
    above, below = np.concatenate(parts, axis=-1) if parts else np.zeros((2, len(at_v), 0))
    noise = 4 * np.finfo(np.float64).eps * (np.abs(at_v) + 1) / size
    return Slopes((at_v - below) / (v - down), (above - at_v) / (up - v), noise)


def _moved(losses: Callable[[Array], Array], v: Array, up: Array, down: Array, places: Array) -> Array:
    """Losses (2, examples, places) with one number moved up, and down."""
    points = np.repeat(v[:, None], 2 * len(places), axis=1)
    points[places, np.arange(len(places))] = up[places]
    points[places, np.arange(len(places)) + len(places)] = down[places]
    return np.stack(np.split(losses(points), 2, axis=1))


Verdict = Literal["ok", "corner", "rough", "wrong"]
Measure = Callable[[Array, float], Slopes]
"""(places, step) -> slopes by the parameters at these places of θ, from differences with this step."""


@dataclass(frozen=True)
class GradientEntry:
    """One number of a gradient and its finite difference; the error is relative to the larger of the two."""

    name: str
    gradient: float
    differences: float
    error: float
    verdict: Verdict


@dataclass(frozen=True)
class GradientCheck:
    """A gradient compared with finite differences; ``hints`` suggest why numbers disagree."""

    title: str
    rows: tuple[GradientEntry, ...]
    tolerance: float
    hints: tuple[str, ...] = ()

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict == verdict for row in self.rows)

    @property
    def passed(self) -> bool:
        return not self.count("wrong") and not self.count("rough")

    @property
    def worst(self) -> float:
        """The largest relative error, without corners and what is not judged."""
        return max((row.error for row in self.rows if row.verdict in ("ok", "wrong")), default=0.0)

    @property
    def verdict(self) -> str:
        """The result in one line."""
        parts = [f"worst relative error {self.worst:.1e}, allowed {self.tolerance:.0e}"]
        if at_corner := self.count("corner"):
            parts.append(f"{at_corner} at a corner of the loss, where the gradient is a convention")
        if rough := self.count("rough"):
            parts.append(f"{rough} not judged, as differences with smaller steps disagree")
        wrong, all_ = self.count("wrong"), len(self.rows)
        judged = f"{'UNDECIDED' if rough else 'passed'}, {all_ - rough} of {all_}"
        return f"{f'FAILED, {wrong} of {all_} wrong' if wrong else judged}: {'; '.join(parts)}"

    def __str__(self) -> str:
        return "\n".join([self.title, "", *_table(self.rows), "", *self.hints, *[""] * bool(self.hints), self.verdict])


def _table(rows: tuple[GradientEntry, ...]) -> list[str]:
    """The lines of the table: all rows or, if there are many, the worst."""
    shown = sorted(rows, key=lambda row: (row.verdict == "ok", -row.error)) if len(rows) > MOST_ROWS else rows
    width = max(len("parameter"), *(len(row.name) for row in rows))
    lines = [f"{'parameter':{width}}  {'gradient':>15}  {'by differences':>15}  {'error':>8}"]
    for row in shown[:MOST_ROWS]:
        mark = "" if row.verdict == "ok" else f"  {row.verdict}"
        lines.append(f"{row.name:{width}}  {row.gradient:15.8g}  {row.differences:15.8g}  {row.error:8.1e}{mark}")
    return [*lines, *[f"… {len(rows) - MOST_ROWS:,} more, with smaller errors"] * (len(rows) > MOST_ROWS)]


def compare_gradient(names: list[str], g: Array, measure: Measure, tolerance: float) -> tuple[GradientEntry, ...]:
    """Compare a gradient g (parameters,) with measured slopes; a relative error up to ``tolerance`` is ok.

    Where they disagree, finer steps tell whether a corner is near (ok) or exactly here ("corner", if g is between
    the slopes of the two sides), or whether their slopes do not agree with each other either ("rough").
    """
    first = measure(np.arange(len(g)), STEP)
    central, noise, gap = (part.sum(axis=0) for part in (first.central, first.noise, first.gap))
    error = _relative_error(g, central, noise / tolerance)
    verdict = np.where(error <= tolerance, "ok", "wrong").astype(object)
    suspects = np.flatnonzero(verdict == "wrong")
    closer = [measure(suspects, size) for size in FINER] if len(suspects) else []
    may_be_corner, least = gap[suspects] >= np.abs(g - central)[suspects] / 2, gap[suspects] / 10
    measured = [(finer.central.sum(axis=0), finer.noise.sum(axis=0)) for finer in closer]
    for finer_central, finer_noise in [*measured, *_limits(measured)]:
        finer_error = _relative_error(g[suspects], finer_central, finer_noise / tolerance)
        explained = may_be_corner & (finer_error <= tolerance)
        verdict[suspects[explained]] = "ok"
        error[suspects[explained]] = finer_error[explained]
    if closer:
        stays = (least < (last := closer[-1].gap.sum(axis=0))) & (last < 100 * least)
        at_corner = stays & _between(g[suspects], closer[-1], closer[-2], tolerance) & (verdict[suspects] == "wrong")
        verdict[suspects[at_corner]] = "corner"
        (coarse, _), (fine, rounding) = measured
        is_rough = np.abs(fine - coarse) > np.maximum(np.abs(fine) / 1000, 10 * rounding)
        verdict[suspects[is_rough & (verdict[suspects] == "wrong")]] = "rough"
    return tuple(
        GradientEntry(name, float(a), float(d), float(e), v)
        for name, a, d, e, v in zip(names, g, central, error, verdict, strict=True)
    )


def _limits(measured: list[tuple[Array, Array]]) -> list[tuple[Array, Array]]:
    """The limits of differences whose error is proportional to the step or its square, from steps of 10 to 1.

    It is proportional to the step where a corner is exactly here and the loss is curved differently on its two sides.
    """
    return [
        ((ratio * fine - coarse) / (ratio - 1), (ratio * noise + coarse_noise) / (ratio - 1))
        for (coarse, coarse_noise), (fine, noise) in pairwise(measured)
        for ratio in (10, 100)
    ]


def _relative_error(g: Array, central: Array, least: Array) -> Array:
    """The error relative to the larger of the two numbers, and to at least ``least``, for the rounding error."""
    error: Array = np.abs(g - central) / np.maximum(np.maximum(np.abs(g), np.abs(central)), least)
    return np.where(np.isnan(error), np.inf, error)


def _between(g: Array, slopes: Slopes, coarser: Slopes, tolerance: float) -> Array:
    """Whether g is between the smaller and the larger one-sided slopes, each summed over the examples.

    The error of a one-sided slope is its step times the curvature; coarser slopes tell how much that is.
    """
    low, high = (side(slopes.left, slopes.right).sum(axis=0) for side in (np.minimum, np.maximum))
    bent = np.abs(slopes.left - coarser.left) + np.abs(slopes.right - coarser.right)
    slack = tolerance * np.maximum(np.abs(low), np.abs(high)) + (slopes.noise + bent / 4).sum(axis=0)
    return np.asarray((high - low > 2 * slack) & (low - slack <= g) & (g <= high + slack))
