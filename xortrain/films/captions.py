"""What is written round the pictures: epoch and loss, which colour means which value, what the marks mean."""

from collections.abc import Sequence

import numpy as np
from matplotlib.path import Path

from xortrain.films.canvas import Canvas
from xortrain.films.colour_scale import ColourScale
from xortrain.films.data import FilmData
from xortrain.films.frames import Frame, RunFrames
from xortrain.films.glyphs import Box, shape_of
from xortrain.nets import Array

NOT_FINITE = "not finite"
MOST_IN_ROW = 10
"""Names of classes side by side under a field."""


class Heading:
    """Epoch and loss: the words stand still, the numbers change.

    Where they need more room than from left to right, they take it on the right and then on the left.
    """

    def __init__(self, canvas: Canvas, left: float, right: float, y: float, last: int, size: float) -> None:
        self.canvas, self.size, self.low = canvas, size, round(y)
        s, label, small = canvas.scale, canvas.colours.label, size - 1
        words = canvas.text_width("loss", small) + round(6 * s), canvas.text_width("epoch", small) + round(14 * s)
        rooms = (
            max(canvas.text_width(widest, size, "bold") for widest in ("0.00e+00", NOT_FINITE)),
            canvas.text_width("0" * len(str(last)), size, "bold"),
        )
        top, high, needed = self.low - round(1.2 * size * s) + round(3 * s), round(1.2 * size * s), sum(words + rooms)
        right = min(max(round(right), round(left) + needed), canvas.width - 2)
        self.left = max(0, min(round(left), right - needed))
        self._shown: dict[Box, str] = {}
        self.loss = Box(self.left + words[0], top, rooms[0], high)
        self.epoch = Box(right - rooms[1], top, rooms[1], high)
        canvas.text(self.left, y, "loss", small, label)
        canvas.text(self.epoch.x - 6 * s, y, "epoch", small, label, align="right")

    def draw(self, now: Frame) -> None:
        for box, words, align in ((self.epoch, str(now.epoch), "right"), (self.loss, told(now.loss), "left")):
            if self._shown.get(box) != words:
                self.canvas.figures(box, self.low, words, self.size, align)
                self._shown[box] = words


def told(loss: float) -> str:
    """A loss in four digits, of huge and of tiny ones in fewer."""
    if not np.isfinite(loss):
        return NOT_FINITE
    if loss >= 1e100 or 0 < loss < 1e-99:
        return f"{loss:.0e}"
    if 1e3 <= loss < 1e5:
        return f"{loss:.0f}"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


def scale_strip(canvas: Canvas, box: Box, read: ColourScale, subject: FilmData) -> None:
    """Which colour means which value, lying; for classes of their own, which mark means which."""
    s, label, y = canvas.scale, canvas.colours.label, box.y + box.height
    if read.classes > 2:
        names = _named(subject.outputs, 2 * MOST_IN_ROW)
        wide, left = round(box.width * 5 / 3), round(box.x - box.width / 3)
        words = "" if read.hollow == "wrong" else f"hollow: {read.hollow}"
        needed, beside = _room(canvas, names), canvas.text_width(words, 9) + 6 * s * bool(words)
        rows = 1 if needed <= wide or len(names) <= MOST_IN_ROW / 2 else 2
        below = bool(words) and rows == 1 and needed + beside > wide
        first = round(y - 4 * s * (rows + below - 1))
        wide_names = wide if below or rows == 2 else round(wide - beside)
        _rows(canvas, Box(left, first, wide_names, round(13 * s)), names, -(-len(names) // rows))
        if rows == 1:
            canvas.text(left + wide, first + 13 * s * below, words, 9, label, align="right")
        return
    bands = np.arange(box.width) * read.levels // box.width
    canvas.paste(box, np.tile(bands.astype(np.uint8), (box.height, 1)))
    name = f"{subject.outputs[0]} of {subject.network.outputs}  " if read.several else "output"
    canvas.text(box.x - 5 * s, y, f"{name} {read.low:.3g}", 10, label, align="right")
    canvas.text(box.x + box.width + 5 * s, y, f"{read.high:.3g}", 10, label)


def _room(canvas: Canvas, names: Sequence[str]) -> float:
    """How wide a row of the classes' marks and names is."""
    return sum(canvas.text_width(name, 10) + 24 * canvas.scale for name in names)


def upright_scale(canvas: Canvas, box: Box, read: ColourScale) -> None:
    """The same strip standing, its greatest value above; nothing for classes of their own."""
    if read.classes > 2:
        return
    bands = np.arange(box.height)[::-1] * read.levels // box.height
    canvas.paste(box, np.repeat(bands[:, None], box.width, axis=1).astype(np.uint8))
    x = box.x + box.width + 4 * canvas.scale
    for value, y in ((read.high, box.y + 8 * canvas.scale), (read.low, box.y + box.height)):
        canvas.text(x, y, f"{value:.3g}", 10, canvas.colours.label)


def scale_room(canvas: Canvas, read: ColourScale) -> int:
    """How wide the standing strip's values are; 0 for classes of their own."""
    return 0 if read.classes > 2 else max(canvas.text_width(f"{value:.3g}", 10) for value in (read.low, read.high))


def key(canvas: Canvas, x: float, high: float, low: float, read: ColourScale, subject: FilmData) -> None:
    """What the marks mean, down to a height and up to another at most; many classes in two columns."""
    s, label, room = canvas.scale, canvas.colours.label, canvas.width - x - 6 * canvas.scale
    hollow = lines_of(canvas, f"hollow: {read.hollow} now", room, 10, "")
    low -= 13 * s * (len(hollow) - 1)
    for line, words in enumerate(hollow):
        canvas.text(x, low + 13 * s * line, words, 10, label)
    if not read.classes:
        canvas.text(x, low - 15 * s, canvas.fitting("colour: target", room, 10), 10, label)
        return
    targets = [f"target {value:.3g}" for value in (read.low, read.high)]
    lines = int((low - high) / (13 * s)) - 1
    names = targets if read.classes == 2 else _named(subject.outputs, 2 * lines)
    columns = 1 if len(names) <= lines else 2
    rows = -(-len(names) // columns)
    step = min((low - high) / (rows + 1.5), 17 * s)
    first = low - (rows + 0.2 * (columns - 1)) * step
    _rows(canvas, Box(round(x), round(first), round(room), round(step)), names, columns)


def _named(names: Sequence[str], most: int) -> list[str]:
    """The names, or the first of them and how many there are beside."""
    return list(names) if len(names) <= most else [*names[: most - 1], f"+{len(names) - most + 1} more"]


def _rows(canvas: Canvas, place: Box, names: list[str], columns: int) -> None:
    """Marks and names of the classes, row by row; ``place`` is the first row, its lower edge the words' baseline."""
    s, width = canvas.scale, place.width / columns
    size = 10 if len(names) <= MOST_IN_ROW else 9
    for kind, name in enumerate(names):
        x, y = place.x + kind % columns * width, place.y + kind // columns * place.height
        is_class = not name.startswith("+")
        if is_class:
            places = np.array([[x + 5 * s, y - 0.36 * size * s]])
            canvas.marks(places, shape_of(kind), 4.5 if size == 10 else 4, canvas.colours.of(np.array(kind)))
        left = (13 if size == 10 else 11) * s * is_class
        canvas.text(x + left, y, canvas.fitting(name, width - left - 2 * s, size), size, canvas.colours.label)


def lost_words(course: RunFrames) -> str:
    """What is said of a run that has diverged."""
    return f"diverged at epoch {course.diverged_at}" if course.diverged_at >= 0 else "diverged"


def banner(canvas: Canvas, box: Box, share: float, words: str, size: float) -> None:
    """Bold words over the middle of a box, at a share of its height; smaller where it is narrow."""
    size = min(size, (size - 1) * box.width / canvas.text_width(words, size, "bold"))
    x, y = box.x + box.width / 2, box.y + box.height * share
    canvas.text(x, y, words, size, None, "bold", "centre", halo=canvas.colours.paper)


def title_line(canvas: Canvas, title: str, room: float, size: float) -> str:
    """A title in one line: of its parts the longest is cut until there is room for all."""
    parts = title.split("   ")
    while canvas.text_width("   ".join(parts), size, "bold") > room:
        longest = max(range(len(parts)), key=lambda place: len(parts[place]))
        if len(parts[longest]) < 6:
            break
        parts[longest] = parts[longest].rstrip("…")[:-1] + "…"
    return canvas.fitting("   ".join(parts), room, size, "bold")


def lines_of(canvas: Canvas, words: str, room: float, size: float, face: str) -> list[str]:
    """Words broken into lines that fit."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and canvas.text_width(longer, size, face) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [canvas.fitting(line, room, size, face) for line in lines]


FEW_EXAMPLES = 16


class ExampleMarks:
    """The marks of one set of examples, at places that may change."""

    def __init__(self, canvas: Canvas, read: ColourScale, t: Array, size: float = 1) -> None:
        """``t`` are targets (examples, outputs); ``size`` is 1 for the marks of the large field."""
        self.canvas, kinds = canvas, read.kinds(t)
        self.plain = len(t) > FEW_EXAMPLES or size < 1
        self.is_valued = not read.classes
        self.radius = size * (7.5 if len(t) <= FEW_EXAMPLES else max(2.4, 4.6 - len(t) / 150))
        fills = canvas.palette.rgb[read.bands(t.T.astype(float))]
        if read.classes:
            fills = canvas.colours.of(kinds)
        looks = np.concatenate([kinds[:, None], fills], axis=1)
        self.looks, self._look = np.unique(looks, axis=0, return_inverse=True)

    def draw(self, places: Array, members: Array, right: Array) -> None:
        """Mark the examples whose numbers are ``members`` at places (members, 2)."""
        for number, (kind, *fill) in enumerate(self.looks):
            for correct in (True, False):
                chosen = (self._look[members] == number) & (right[members] == correct)
                if chosen.any():
                    self._marks(places[chosen], shape_of(kind), np.array(fill), correct)

    def _marks(self, places: Array, shape: Path, colour: Array, correct: bool) -> None:
        canvas, paper, ink = self.canvas, self.canvas.colours.paper, self.canvas.colours.ink
        if self.is_valued or (self.plain and canvas.colours.is_near_paper(colour)):
            canvas.marks(places, shape, self.radius, colour, paper, 2.6)
            canvas.marks(places, shape, self.radius, colour, ink, 1.0)
            if not correct:
                canvas.marks(places, shape, self.radius * 0.52, paper, ink if self.is_valued else None, 0.7)
            return
        if self.plain:
            fill, edge, width = (colour, paper, 1.0) if correct else (paper, colour, 1.8)
            canvas.marks(places, shape, self.radius, fill, edge, width)
            return
        canvas.marks(places, shape, self.radius, paper, ink, 1.3)
        canvas.marks(places, shape, self.radius * 0.7, colour)
        if not correct:
            canvas.marks(places, shape, self.radius * 0.38, paper)
