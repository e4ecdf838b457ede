"""What is written round the pictures: epoch and loss, which colour means which value, what the marks mean."""

from collections.abc import Sequence

import numpy as np

from xortrain.films.moments import Course, Moment
from xortrain.films.reading import Reading
from xortrain.films.shapes import Box, shape_of
from xortrain.films.sheet import Sheet
from xortrain.films.subject import Subject

NOT_FINITE = "not finite"
MOST_IN_ROW = 10
"""Names of classes side by side under a field."""


class Heading:
    """Epoch and loss: the words stand still, the numbers change.

    Where they need more room than from left to right, they take it on the right and then on the left.
    """

    def __init__(self, sheet: Sheet, left: float, right: float, y: float, last: int, size: float) -> None:
        self.sheet, self.size, self.low = sheet, size, round(y)
        s, label, small = sheet.scale, sheet.colours.label, size - 1
        words = sheet.text_width("loss", small) + round(6 * s), sheet.text_width("epoch", small) + round(14 * s)
        rooms = (
            max(sheet.text_width(widest, size, "bold") for widest in ("0.00e+00", NOT_FINITE)),
            sheet.text_width("0" * len(str(last)), size, "bold"),
        )
        top, high, needed = self.low - round(1.2 * size * s) + round(3 * s), round(1.2 * size * s), sum(words + rooms)
        right = min(max(round(right), round(left) + needed), sheet.width - 2)
        self.left = max(0, min(round(left), right - needed))
        self._shown: dict[Box, str] = {}
        self.loss = Box(self.left + words[0], top, rooms[0], high)
        self.epoch = Box(right - rooms[1], top, rooms[1], high)
        sheet.text(self.left, y, "loss", small, label)
        sheet.text(self.epoch.x - 6 * s, y, "epoch", small, label, align="right")

    def draw(self, now: Moment) -> None:
        for box, words, align in ((self.epoch, str(now.epoch), "right"), (self.loss, told(now.loss), "left")):
            if self._shown.get(box) != words:
                self.sheet.figures(box, self.low, words, self.size, align)
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


def scale_strip(sheet: Sheet, box: Box, read: Reading, subject: Subject) -> None:
    """Which colour means which value, lying; for classes of their own, which mark means which."""
    s, label, y = sheet.scale, sheet.colours.label, box.y + box.height
    if read.classes > 2:
        names = _named(subject.outputs, 2 * MOST_IN_ROW)
        wide, left = round(box.width * 5 / 3), round(box.x - box.width / 3)
        words = "" if read.hollow == "wrong" else f"hollow: {read.hollow}"
        needed, beside = _room(sheet, names), sheet.text_width(words, 9) + 6 * s * bool(words)
        rows = 1 if needed <= wide or len(names) <= MOST_IN_ROW / 2 else 2
        below = bool(words) and rows == 1 and needed + beside > wide
        first = round(y - 4 * s * (rows + below - 1))
        wide_names = wide if below or rows == 2 else round(wide - beside)
        _rows(sheet, Box(left, first, wide_names, round(13 * s)), names, -(-len(names) // rows))
        if rows == 1:
            sheet.text(left + wide, first + 13 * s * below, words, 9, label, align="right")
        return
    bands = np.arange(box.width) * read.levels // box.width
    sheet.paste(box, np.tile(bands.astype(np.uint8), (box.height, 1)))
    name = f"{subject.outputs[0]} of {subject.network.outputs}  " if read.several else "output"
    sheet.text(box.x - 5 * s, y, f"{name} {read.low:.3g}", 10, label, align="right")
    sheet.text(box.x + box.width + 5 * s, y, f"{read.high:.3g}", 10, label)


def _room(sheet: Sheet, names: Sequence[str]) -> float:
    """How wide a row of the classes' marks and names is."""
    return sum(sheet.text_width(name, 10) + 24 * sheet.scale for name in names)


def upright_scale(sheet: Sheet, box: Box, read: Reading) -> None:
    """The same strip standing, its greatest value above; nothing for classes of their own."""
    if read.classes > 2:
        return
    bands = np.arange(box.height)[::-1] * read.levels // box.height
    sheet.paste(box, np.repeat(bands[:, None], box.width, axis=1).astype(np.uint8))
    x = box.x + box.width + 4 * sheet.scale
    for value, y in ((read.high, box.y + 8 * sheet.scale), (read.low, box.y + box.height)):
        sheet.text(x, y, f"{value:.3g}", 10, sheet.colours.label)


def scale_room(sheet: Sheet, read: Reading) -> int:
    """How wide the standing strip's values are; 0 for classes of their own."""
    return 0 if read.classes > 2 else max(sheet.text_width(f"{value:.3g}", 10) for value in (read.low, read.high))


def key(sheet: Sheet, x: float, high: float, low: float, read: Reading, subject: Subject) -> None:
    """What the marks mean, down to a height and up to another at most; many classes in two columns."""
    s, label, room = sheet.scale, sheet.colours.label, sheet.width - x - 6 * sheet.scale
    hollow = lines_of(sheet, f"hollow: {read.hollow} now", room, 10, "")
    low -= 13 * s * (len(hollow) - 1)
    for line, words in enumerate(hollow):
        sheet.text(x, low + 13 * s * line, words, 10, label)
    if not read.classes:
        sheet.text(x, low - 15 * s, sheet.fitting("colour: target", room, 10), 10, label)
        return
    targets = [f"target {value:.3g}" for value in (read.low, read.high)]
    lines = int((low - high) / (13 * s)) - 1
    names = targets if read.classes == 2 else _named(subject.outputs, 2 * lines)
    columns = 1 if len(names) <= lines else 2
    rows = -(-len(names) // columns)
    step = min((low - high) / (rows + 1.5), 17 * s)
    first = low - (rows + 0.2 * (columns - 1)) * step
    _rows(sheet, Box(round(x), round(first), round(room), round(step)), names, columns)


def _named(names: Sequence[str], most: int) -> list[str]:
    """The names, or the first of them and how many there are beside."""
    return list(names) if len(names) <= most else [*names[: most - 1], f"+{len(names) - most + 1} more"]


def _rows(sheet: Sheet, place: Box, names: list[str], columns: int) -> None:
    """Marks and names of the classes, row by row; ``place`` is the first row, its lower edge the words' baseline."""
    s, width = sheet.scale, place.width / columns
    size = 10 if len(names) <= MOST_IN_ROW else 9
    for kind, name in enumerate(names):
        x, y = place.x + kind % columns * width, place.y + kind // columns * place.height
        is_class = not name.startswith("+")
        if is_class:
            places = np.array([[x + 5 * s, y - 0.36 * size * s]])
            sheet.marks(places, shape_of(kind), 4.5 if size == 10 else 4, sheet.colours.of(np.array(kind)))
        left = (13 if size == 10 else 11) * s * is_class
        sheet.text(x + left, y, sheet.fitting(name, width - left - 2 * s, size), size, sheet.colours.label)


def lost_words(course: Course) -> str:
    """What is said of a run that has diverged."""
    return f"diverged at epoch {course.diverged_at}" if course.diverged_at >= 0 else "diverged"


def banner(sheet: Sheet, box: Box, share: float, words: str, size: float) -> None:
    """Bold words over the middle of a box, at a share of its height; smaller where it is narrow."""
    size = min(size, (size - 1) * box.width / sheet.text_width(words, size, "bold"))
    x, y = box.x + box.width / 2, box.y + box.height * share
    sheet.text(x, y, words, size, None, "bold", "centre", halo=sheet.colours.paper)


def title_line(sheet: Sheet, title: str, room: float, size: float) -> str:
    """A title in one line: of its parts the longest is cut until there is room for all."""
    parts = title.split("   ")
    while sheet.text_width("   ".join(parts), size, "bold") > room:
        longest = max(range(len(parts)), key=lambda place: len(parts[place]))
        if len(parts[longest]) < 6:
            break
        parts[longest] = parts[longest].rstrip("…")[:-1] + "…"
    return sheet.fitting("   ".join(parts), room, size, "bold")


def lines_of(sheet: Sheet, words: str, room: float, size: float, face: str) -> list[str]:
    """Words broken into lines that fit."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and sheet.text_width(longer, size, face) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return [sheet.fitting(line, room, size, face) for line in lines]
