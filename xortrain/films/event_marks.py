"""What happens in a run, marked above its loss when it happens; and the latest of it in words."""

from collections.abc import Sequence

import numpy as np

from xortrain.errors import counted
from xortrain.films.canvas import Box, Canvas, Overlay
from xortrain.films.data import Event, Frame
from xortrain.films.panel import Panel, PanelContext
from xortrain.nets import Array

SIZE, LINE, LINES = 9, 11, 2  # of the labels: size, height of a line, lines above the curve
LEAST_CAPTION = 8.5  # size of its letters
GAP = 7  # between labels
ANCHORS = 0.0, 1.0, 0.5, 0.25, 0.75  # where a label may be over its line, as a share of its width; the best first


class EventMarks:
    """A line at each event that has happened, and a label above it where there is room; a stretch is shaded."""

    def __init__(self, canvas: Canvas, box: Box, events: Sequence[Event], last: float, curve: Array) -> None:
        """``box`` is that of the curve (points, 2), which ends at epoch ``last``."""
        self.canvas, self.box, self.events, self.curve = canvas, box, events, curve
        self.x = box.x + np.array([event.epoch for event in events]) / last * box.width
        self.ends = box.x + np.array([event.until or event.epoch for event in events]) / last * box.width
        self.labels = self._place_labels()
        self.numbers = self._place_numbers(last)
        self._drawn: dict[int, Overlay] = {}

    def _place_labels(self) -> dict[int, tuple[float, float]]:
        """Where the labels of events start, with their baselines; labels of higher rank that do not fit have none."""
        s, placed, taken = self.canvas.unit, dict[int, tuple[float, float]](), list[tuple[int, float, float]]()
        for number in sorted(range(len(self.events)), key=lambda one: self.events[one].rank):
            width = self.canvas.text_width(self.events[number].label, SIZE, _face(self.events[number]))
            inside = self._free_inside(self.x[number], width) if self.events[number].until is not None else None
            if inside and all(row >= 0 or self.x[number] > b + GAP * s for row, _, b in taken):
                placed[number] = self.x[number] + 3 * s, inside
                taken.append((-1, self.x[number], self.x[number] + width))
                continue
            right = self.box.x + self.box.width - width
            later = self.x[self.x > self.x[number]]
            is_crowded = later.min(initial=np.inf) < self.x[number] + width + GAP * s
            anchors = (ANCHORS[1], ANCHORS[0], *ANCHORS[2:]) if is_crowded else ANCHORS
            options = [float(np.clip(self.x[number] - part * width, self.box.x, right)) for part in anchors]
            for line, left in ((line, left) for line in range(LINES) for left in options):
                if all(row != line or left > b + GAP * s or left + width < a - GAP * s for row, a, b in taken):
                    placed[number] = left, self.box.y - (4 + LINE * line) * s
                    taken.append((line, left, left + width))
                    break
        return placed

    def _free_inside(self, left: float, width: float) -> float | None:
        """A baseline inside the box, at the lower or the upper edge, that is clear of the curve."""
        s, low = self.canvas.unit, self.box.y + self.box.height
        x, y = self.curve.T
        near = y[(x >= left - 3 * s) & (x <= left + width + 6 * s) & np.isfinite(y)]
        if near.max(initial=0) < low - 15 * s:
            return low - 4 * s
        return self.box.y + 10 * s if near.min(initial=low) > self.box.y + 15 * s else None

    def _place_numbers(self, last: float) -> list[int]:
        """The events whose epochs are written below the curve."""
        s, shown = self.canvas.unit, list[int]()
        ends = [(self.box.x, "0"), (self.box.x + self.box.width - self._width(f"{last:.0f}") / 2, f"{last:.0f}")]
        taken = [(x - self._width(word) / 2, x + self._width(word) / 2) for x, word in ends]
        for number in sorted(range(len(self.events)), key=lambda one: self.events[one].rank):
            half = self._width(str(self.events[number].epoch)) / 2
            left, right = self.x[number] - half, self.x[number] + half
            if all(right < a - 4 * s or left > b + 4 * s for a, b in taken):
                shown.append(number)
                taken.append((left, right))
        return shown

    def _width(self, words: str) -> int:
        return self.canvas.text_width(words, 10)

    def draw(self, epoch: int) -> None:
        """Draw what has happened up to an epoch."""
        count = sum(event.epoch <= epoch for event in self.events)
        if not count:
            return
        for number, event in enumerate(self.events[:count]):
            if event.until is not None:
                self._shade(number, min(epoch, event.until))
        if count not in self._drawn:
            self._drawn[count] = self.canvas.record(lambda: self._draw(count))
        self.canvas.stamp(self._drawn[count])

    def _shade(self, number: int, epoch: int) -> None:
        """Shade a stretch up to an epoch."""
        event, x, box = self.events[number], self.x[number], self.box
        share = (epoch - event.epoch) / max((event.until or 0) - event.epoch, 1)
        right, low = x + (self.ends[number] - x) * share, box.y + box.height
        corners = np.array([[x, box.y], [right, box.y], [right, low], [x, low]])
        self.canvas.area(corners, self.canvas.colours.label, opacity=0.16)

    def _draw(self, count: int) -> None:
        canvas, box, colours = self.canvas, self.box, self.canvas.colours
        for number, event in enumerate(self.events[:count]):
            x = self.x[number]
            if event.until is None:
                canvas.line(np.array([[x, box.y], [x, box.y + box.height]]), colours.label, 1)
            if number in self.labels:
                left, low = self.labels[number]
                canvas.text(left, low, event.label, SIZE, face=_face(event))
            if number in self.numbers:
                low = box.y + box.height + 12 * canvas.unit
                canvas.text(x, low, str(event.epoch), 10, colours.label, align="centre")


def _face(event: Event) -> str:
    return "bold" if event.rank == 0 else ""


class Caption(Panel):
    """The latest event in words; at the end, how the run ended."""

    def __init__(self, context: PanelContext) -> None:
        super().__init__(context)
        data, start = self.run_frames.data, self.run_frames.at(0)
        right = start.right & (not start.is_unknown)
        count, examples = int(right.sum()), counted(len(right), "example")
        self.start = f"At the start: {count:,} of {examples} {'is' if count == 1 else 'are'} right."
        if self.scale.crossed != "wrong":
            self.start += f" A cross means: {self.scale.crossed}."
        self.events, self.ending = data.events, data.ending
        self.first, self.last = int(data.frame_epochs[0]), int(data.frame_epochs[-1])

    def words(self, epoch: int) -> str:
        """The caption after an epoch."""
        happened = [event for event in self.events if event.epoch <= epoch]
        running = [event for event in happened if event.until is None or event.until >= epoch]
        if epoch >= self.last and self.ending:
            return self.ending
        return running[-1].caption if running else self.start if epoch == self.first else ""

    def draw(self, frame: Frame) -> None:
        words, width = self.words(frame.epoch), self.box.width
        size = max(LEAST_CAPTION, 11 * min(1, width / max(self.canvas.text_width(words, 11), 1)))
        self.canvas.text(self.box.x, self.box.y + self.box.height, self.canvas.shorten(words, width, size), size)
