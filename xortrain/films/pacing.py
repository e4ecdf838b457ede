"""Which snapshots of a run its film shows, and for how long: most of the time is for the epochs that decide.

A film has three parts: before the outputs change, up to the last event, and after it. In each part the frames are at
equal steps of change, so small that a film does not jump. Where the outputs go up and down in turn, all frames are an
even number of epochs apart: then what they show moves as the run does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from xortrain.films.colours import luminance
from xortrain.films.data import EPOCH_SPACINGS, Event, FilmData
from xortrain.films.film_settings import FilmSettings
from xortrain.films.flashes import SLOW, both_transitions, flashing_frames, saturated_red
from xortrain.nets import Array

FRAMES = 60  # where a film has nothing to decide
VISIBLE = 24  # change of a colour's largest channel that counts as one
JUMP = 0.065  # share of the fields that may visibly change from one frame to the next
MOST_FRAMES = 240
SHORTEST, USUAL = 0.03, 0.1  # seconds of a frame
FEWEST = 2, 30, 5  # frames of the three parts, where there are as many epochs
LEAST_SECONDS = 4.0  # of a film
PAUSE, MOST_PAUSES = 0.6, 6  # seconds of a pause at an event
BEFORE, AFTER = 0.2, 0.145  # largest shares of the time before the first change, and from the last event on
BETWEEN = 32  # epochs between two frames that are trained again
MOVES = 0.01  # change of an output, as a share of the distance between the targets, that is the first one
LONG = 6  # epochs in which outputs that go up and down in turn are noticed
SWINGS = 0.03  # their least change in an epoch, as a share of the distance between the targets
FIELDS = 0.5  # share of the fields that may flash; they cover half of the picture


@dataclass(frozen=True)
class Timing:
    """The snapshots that become frames, (frames,) increasing, and the seconds of each without the holds at the ends."""

    chosen: Array
    seconds: Array
    missing: Array = field(default_factory=lambda: np.zeros(0, int))
    """Epochs without a snapshot whose absence makes the film jump."""


def even_timing(settings: FilmSettings, choose: Callable[[int, str], Array]) -> Timing:
    """Frames of one length; ``choose(frames, spacing)`` are the snapshots at equal steps of what ``spacing`` names."""
    chosen = choose(settings.frames or FRAMES, settings.spacing)
    return Timing(chosen, np.full(len(chosen), 1 / settings.rate))


def story_timing(data: FilmData, settings: FilmSettings, run: int, fields: Array) -> Timing:
    """The timing of a run whose ``fields`` (snapshots, points, 3) are the colours of some points in each snapshot."""
    if settings.spacing in EPOCH_SPACINGS or len(data.frame_epochs) < 3 or settings.frames == 1:
        found = even_timing(settings, lambda frames, spacing: data.choose(frames, spacing, run))
        is_short = settings.fps is None and found.seconds.sum() < LEAST_SECONDS
        seconds = np.full(len(found.chosen), LEAST_SECONDS / len(found.chosen)) if is_short else found.seconds
        return Timing(found.chosen, seconds)
    steps = without_flips(data)
    path = Path(fields[steps], EPOCH_SPACINGS["epochs"](data.frame_epochs[steps]))
    places = _event_places(data, steps)
    parts = _parts(path, first_change(data, run, steps), places, settings.frames)
    places = {parts.nearest(place): rank for place, rank in places.items() if place in parts.chosen}
    chosen, pauses = parts.chosen, np.zeros(len(parts.chosen))
    pauses[sorted(places, key=lambda place: places[place])[:MOST_PAUSES]] = PAUSE
    missing = _missing(fields[steps[chosen]], data.frame_epochs[steps[chosen]])
    if settings.fps is not None:
        return Timing(steps[chosen], 1 / settings.fps + pauses, missing)
    colours, least = fields[steps[chosen]], np.full(len(chosen), SHORTEST)
    while True:
        seconds = parts.seconds(least, pauses)
        quick = _flashing(colours, seconds) & (least < SLOW)
        if not quick.any():
            return Timing(steps[chosen], seconds, missing)
        least[quick] = SLOW


def flip_events(data: FilmData) -> Iterator[Event]:
    """The longest stretch of epochs in which the outputs go up and down in turn."""
    rows, y = data.sampled_outputs(0, data.examples(0)[0][:64])
    epochs, span = data.frame_epochs[rows], abs(data.high - data.low) or 1
    with np.errstate(all="ignore"):
        steps = np.diff(y.reshape(-1, len(rows)), axis=1) / span
        size = np.sqrt((steps**2).sum(axis=0))
        turn = (steps[:, 1:] * steps[:, :-1]).sum(axis=0) / (size[1:] * size[:-1])
        large = np.abs(steps).max(axis=0) > SWINGS
    follows = np.diff(epochs) == 1
    flips = (turn < -0.5) & large[1:] & large[:-1] & follows[1:] & follows[:-1]
    first, length = _longest(flips)
    if length >= LONG:
        start, end = int(epochs[first]), int(epochs[first + length + 1])
        caption = "Output flips every epoch: the learning rate is at its limit."
        yield Event(start, "output flips every epoch", caption, 1, end, flips=True)


def _longest(values: Array) -> tuple[int, int]:
    """Where the longest stretch of true values starts, and its length."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], values.astype(np.int8), [0]])))
    if not len(edges):
        return 0, 0
    lengths = edges[1::2] - edges[::2]
    return int(edges[2 * lengths.argmax()]), int(lengths.max())


def without_flips(data: FilmData) -> Array:
    """The snapshots (steps,) without every other epoch of the stretches in which the outputs go up and down in turn."""
    epochs, shown = data.frame_epochs, np.ones(len(data.frame_epochs), bool)
    for event in data.events:
        if event.flips and event.until is not None:
            inside = (epochs >= event.epoch) & (epochs <= event.until)
            shown &= ~(inside & ((epochs - event.epoch) % 2 == 1))
    shown[[0, -1]] = True
    return np.flatnonzero(shown)


def jump(colours: Array, later: Array) -> float:
    """The share of points whose colours (points, 3) visibly differ."""
    return float((np.abs(later.astype(np.int16) - colours).max(-1) > VISIBLE).mean())


class Path:
    """How the colours (steps, points, 3) of a run change from step to step."""

    def __init__(self, colours: Array, epochs: Array) -> None:
        """``epochs`` (steps,) are shares of the whole; they count a little, so that a plateau is not skipped."""
        self.colours = colours
        away = np.abs(np.diff(colours.astype(np.int16), axis=0)).max(-1)
        changes = np.minimum(away, VISIBLE).mean(-1) / VISIBLE
        length = float(changes.sum()) or 1.0
        self.values = np.concatenate([[0], np.cumsum(changes)]) + 0.1 * length * epochs

    def stretch(self, start: int, end: int, count: int) -> Array:
        """Steps from ``start`` to ``end``: ``count`` of equal change after the first, more where they would jump."""
        equal = _evenly(self.values, start, end, count)
        is_far = [b - a > 1 and jump(self.colours[a], self.colours[b]) > JUMP for a, b in pairwise(equal.tolist())]
        return _thinned(np.union1d(equal, self._without_jumps(start, end))) if any(is_far) else equal

    def _without_jumps(self, start: int, end: int) -> Array:
        """Few steps from ``start`` to ``end`` of which each shows a small change, or is the next one."""
        found, stride = [start], 1
        while found[-1] < end:
            at = found[-1]
            while stride > 1 and jump(self.colours[at], self.colours[min(at + stride, end)]) > JUMP:
                stride = stride * 2 // 3
            while at + stride < end and jump(self.colours[at], self.colours[min(at + stride + 1, end)]) <= JUMP:
                stride += 1 + stride // 4
            while stride > 1 and jump(self.colours[at], self.colours[min(at + stride, end)]) > JUMP:
                stride -= 1
            found.append(min(at + stride, end))
        return np.array(found)


def first_change(data: FilmData, run: int, steps: Array) -> int:
    """The first step at which an output has moved; the last one if none has."""
    rows, y = data.sampled_outputs(run, data.examples(run)[0][:64])
    with np.errstate(all="ignore"):
        moved = ~(np.abs(y - y[..., :1]).max(axis=(0, 1)) <= MOVES * abs(data.high - data.low))
    if not moved.any():
        return len(steps) - 1
    return int(min(np.searchsorted(steps, rows[moved.argmax()]), len(steps) - 1))


def _missing(colours: Array, epochs: Array) -> Array:
    """Epochs between frames with these colours (frames, points, 3) and epochs (frames,) that visibly differ."""
    found = [np.zeros(0, int)]
    for number, (before, after) in enumerate(pairwise(epochs.tolist())):
        if after - before > 2 and jump(colours[number], colours[number + 1]) > JUMP:
            found.append(np.unique(np.linspace(before, after, min(after - before, BETWEEN) + 1).astype(int))[1:-1])
    return np.concatenate(found)


def _event_places(data: FilmData, steps: Array) -> dict[int, int]:
    """The steps at which something happens, each with the lowest rank of its events."""
    places: dict[int, int] = {}
    for event in data.events:
        for epoch in {event.epoch, event.epoch if event.until is None else event.until}:
            place = min(int(np.searchsorted(data.frame_epochs[steps], epoch)), len(steps) - 1)
            places[place] = min(event.rank, places.get(place, event.rank))
    return places


@dataclass(frozen=True)
class _Parts:
    """The chosen steps, and where among them the second part begins and the last event is."""

    chosen: Array
    first: int
    last: int

    def nearest(self, step: int) -> int:
        """The place in ``chosen`` of a step."""
        return int(np.searchsorted(self.chosen, step))

    def seconds(self, least: Array, pauses: Array) -> Array:
        """How long each frame lasts, at least ``least``, so that each part has its share of the time."""
        before, during, after = slice(0, self.first), slice(self.first, self.last), slice(self.last, None)
        needed = np.maximum(least, pauses + least)
        lead, tail = needed[before].sum(), needed[after].sum()
        middle = max(needed[during].sum(), (np.maximum(least, 0.6 * USUAL) + pauses)[during].sum())
        if self.first >= self.last:  # nothing happens
            return np.maximum(needed, LEAST_SECONDS / len(least)) if USUAL * len(least) < LEAST_SECONDS else (
                np.maximum(needed, USUAL)
            )  # fmt: skip
        whole = max(LEAST_SECONDS, lead / BEFORE, tail / AFTER, middle / (1 - BEFORE - AFTER))
        seconds = needed.copy()
        seconds[before] = _stretched(needed[before], max(lead, min(BEFORE * whole, USUAL * self.first)))
        seconds[after] = _stretched(needed[after], max(tail, min(AFTER * whole, USUAL * len(needed[after]) + PAUSE)))
        rest = whole - seconds[before].sum() - seconds[after].sum()
        seconds[during] = _stretched(needed[during], rest)
        return seconds


def _stretched(needed: Array, whole: float) -> Array:
    """Seconds of frames that need some, with what is left of ``whole`` divided equally."""
    return needed + max(whole - needed.sum(), 0) / max(len(needed), 1)


def _parts(path: Path, first: int, places: dict[int, int], frames: int | None) -> _Parts:
    """The steps of three parts: around the first change and the last event."""
    end = len(path.values) - 1
    last = max(places, default=0)
    nothing_happens = last <= first
    ends = [(0, end)] if nothing_happens else [(0, first), (first, last), (last, end)]
    if frames is None:
        counts = (FRAMES - 1,) if nothing_happens else FEWEST
        chosen = np.unique(np.concatenate([path.stretch(a, b, n) for (a, b), n in zip(ends, counts, strict=True)]))
    else:
        counts = (frames - 1,) if nothing_happens else _shares(frames, first, end - last)
        steps = [_evenly(path.values, a, b, n) for (a, b), n in zip(ends, counts, strict=True)]
        chosen = _counted(np.unique(np.concatenate(steps)), frames, end)
    if nothing_happens:
        return _Parts(_with_places(chosen, places, frames), end, 0)
    chosen = _with_places(chosen, {**places, first: 0, last: 0}, frames)
    places_in_film = np.searchsorted(chosen, [first, last])
    return _Parts(chosen, *places_in_film.tolist())


def _shares(frames: int, before: int, after: int) -> tuple[int, int, int]:
    """The frames of the three parts, at most ``before`` and ``after`` in the first and the last one."""
    first, last = int(min(before, BEFORE * frames)), int(min(after, AFTER * frames))
    return first, max(frames - 1 - first - last, 1), last


def _counted(chosen: Array, frames: int, end: int) -> Array:
    """``frames`` steps, or all up to ``end`` if there are fewer: steps are removed, or others added between them."""
    free = np.setdiff1d(np.arange(end + 1), chosen)
    added = min(max(frames - len(chosen), 0), len(free))
    chosen = np.union1d(chosen, free[np.linspace(0, len(free) - 1, added).round().astype(int)])
    return chosen[np.linspace(0, len(chosen) - 1, min(frames, len(chosen))).round().astype(int)]


def _thinned(chosen: Array) -> Array:
    """At most MOST_FRAMES of the steps."""
    return chosen[np.unique(np.linspace(0, len(chosen) - 1, min(len(chosen), MOST_FRAMES)).round().astype(int))]


def _evenly(path: Array, start: int, end: int, count: int) -> Array:
    """Up to ``count`` + 1 steps from ``start`` to ``end`` at equal distances on the path."""
    if count < 1 or end <= start:
        return np.array([start, end])
    part = path[start : end + 1]
    wanted = np.interp(np.linspace(part[0], part[-1], count + 1), part, np.arange(len(part))).round().astype(int)
    return np.asarray(start + np.unique(wanted))


def _with_places(chosen: Array, places: dict[int, int], frames: int | None) -> Array:
    """The chosen steps with those at which something happens: instead of the nearest ones, if there are ``frames``."""
    kept = sorted(places, key=lambda place: places[place])[: None if frames is None else max(frames - 2, 0)]
    fixed = np.union1d(kept, chosen[[0, -1]]).astype(int)
    free = chosen[~np.isin(chosen, fixed)].tolist()
    for place in fixed[~np.isin(fixed, chosen)].tolist() if frames else ():
        if free:
            free.pop(int(np.abs(np.array(free) - place).argmin()))
    return np.union1d(fixed, np.array(free, int))


def _flashing(colours: Array, seconds: Array) -> Array:
    """Which frames (frames,) are in a second in which too much of the fields flashes."""
    twice = np.concatenate([colours, colours])
    light, red = (measure(twice).astype(np.float32) for measure in (luminance, saturated_red))
    return flashing_frames(both_transitions(light, red), seconds, FIELDS)
