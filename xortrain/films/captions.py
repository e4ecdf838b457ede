"""What is written round the pictures: epoch and loss, which colour means which value, what the marks mean."""

import numpy as np

from xortrain.films.moments import Moment
from xortrain.films.reading import Reading
from xortrain.films.shapes import SHAPES, Box
from xortrain.films.sheet import Sheet
from xortrain.films.subject import Subject


class Heading:
    """Epoch and loss: the words stand still, the numbers change."""

    def __init__(self, sheet: Sheet, left: float, right: float, y: float, last: int, size: float) -> None:
        self.sheet, self.size, self.low = sheet, size, round(y)
        s, label, small = sheet.scale, sheet.colours.label, size - 1
        room, high = sheet.text_width("0" * len(str(last)), size, "bold"), round(1.2 * size * s)
        self.epoch = Box(round(right) - room, self.low - high + round(3 * s), room, high)
        sheet.text(right - room - 6 * s, y, "epoch", small, label, align="right")
        x = round(left) + sheet.text(left, y, "loss", small, label).width + round(6 * s)
        self._shown: dict[Box, str] = {}
        self.loss = Box(x, self.epoch.y, sheet.text_width("0.00e-00", size, "bold"), high)

    def draw(self, now: Moment) -> None:
        for box, words, align in ((self.epoch, str(now.epoch), "right"), (self.loss, told(now.loss), "left")):
            if self._shown.get(box) != words:
                self.sheet.figures(box, self.low, words, self.size, align)
                self._shown[box] = words


def told(loss: float) -> str:
    """A loss in four digits."""
    if not np.isfinite(loss):
        return "none"
    return f"{loss:.4f}" if 1e-3 <= loss < 10 else f"{loss:.4g}" if 10 <= loss < 1e5 else f"{loss:.2e}"


def scale_strip(sheet: Sheet, box: Box, read: Reading, subject: Subject) -> None:
    """Which colour means which value, lying; for classes of their own, which mark means which."""
    s, label, y = sheet.scale, sheet.colours.label, box.y + box.height
    if read.classes > 2:
        wide = Box(round(box.x - box.width / 3), box.y, round(box.width * 5 / 3), box.height)
        step = wide.width / read.classes
        for kind in range(read.classes):
            _mark(sheet, wide.x + kind * step, y, kind, sheet.fitting(subject.outputs[kind], step - 12 * s, 10))
        return
    bands = np.arange(box.width) * read.levels // box.width
    sheet.paste(box, np.tile(bands.astype(np.uint8), (box.height, 1)))
    name = f"{subject.outputs[0]} of {subject.network.outputs}  " if read.several else "output"
    sheet.text(box.x - 5 * s, y, f"{name} {read.low:.3g}", 10, label, align="right")
    sheet.text(box.x + box.width + 5 * s, y, f"{read.high:.3g}", 10, label)


def upright_scale(sheet: Sheet, box: Box, read: Reading) -> None:
    """The same strip standing, its greatest value above; nothing for classes of their own."""
    if read.classes > 2:
        return
    bands = np.arange(box.height)[::-1] * read.levels // box.height
    sheet.paste(box, np.repeat(bands[:, None], box.width, axis=1).astype(np.uint8))
    x = box.x + box.width + 4 * sheet.scale
    for value, y in ((read.high, box.y + 8 * sheet.scale), (read.low, box.y + box.height)):
        sheet.text(x, y, f"{value:.3g}", 10, sheet.colours.label)


def key(sheet: Sheet, x: float, low: float, read: Reading, subject: Subject) -> None:
    """What the marks mean, one below the other down to a height."""
    values = (f"{read.low:.3g}", f"{read.high:.3g}")
    names = [f"target {value}" for value in values] if read.classes == 2 else list(subject.outputs)[: read.classes]
    step, room = 17 * sheet.scale, sheet.width - x - 20 * sheet.scale
    sheet.text(x, low, sheet.fitting("hollow: wrong now", room + 16 * sheet.scale, 10), 10, sheet.colours.label)
    for line, kind in enumerate(reversed(range(min(len(names), 8)))):
        _mark(sheet, x, low - (line + 1) * step, kind, sheet.fitting(names[kind], room, 10))


def _mark(sheet: Sheet, x: float, y: float, kind: int, name: str) -> None:
    s, colour = sheet.scale, sheet.colours.classes[kind % len(sheet.colours.classes)]
    sheet.marks(np.array([[x + 5 * s, y - 4 * s]]), SHAPES[kind % len(SHAPES)], 4.5, colour)
    sheet.text(x + 14 * s, y, name, 10, sheet.colours.label)


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
