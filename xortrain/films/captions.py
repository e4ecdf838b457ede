"""Legends beside a field: which colour means which value, and what the marks mean."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.colour_scale import ColourScale

MOST_IN_ROW = 10  # names of classes side by side below a field


def upright_scale(canvas: Canvas, box: Box, scale: ColourScale) -> float:
    """Draw the colours upwards in a box; return the width of the values beside it, 0 for three or more classes."""
    if scale.classes > 2:
        return 0
    bands = np.arange(box.height)[::-1] * scale.levels // box.height
    canvas.paste(box, np.repeat(bands[:, None], box.width, axis=1))
    x, words = box.x + box.width + 4 * canvas.unit, canvas.shorten_apart(scale.ends, 40 * canvas.unit, 10)
    for word, y in zip(words[::-1], (box.y + 8 * canvas.unit, box.y + box.height), strict=True):
        canvas.text(x, y, word, 10, canvas.colours.label)
    return max(canvas.text_width(word, 10) for word in words)


def marks_legend(canvas: Canvas, x: float, top: float, low: float, scale: ColourScale, outputs: Sequence[str]) -> None:
    """Write what the marks mean between two heights, aligned to the lower one; many classes take two columns."""
    s, label, room = canvas.unit, canvas.colours.label, canvas.width - x - 6 * canvas.unit
    crossed = wrap(f"cross: {scale.crossed} now".split(), room, partial(canvas.text_width, size=10))
    low -= 13 * s * (len(crossed) - 1)
    for line, words in enumerate(crossed):
        canvas.text(x, low + 13 * s * line, words, 10, label)
    if not scale.classes:
        canvas.text(x, low - 15 * s, canvas.shorten("colour: target", room, 10), 10, label)
        return
    lines = int((low - top) / (13 * s)) - 1
    names = list(scale.names) or [f"target {value}" for value in scale.ends]
    if scale.classes > 2:
        names = _cut_list(outputs, 2 * lines)
    columns = 1 if len(names) <= lines else 2
    rows = -(-len(names) // columns)
    step = min((low - top) / (rows + 1.5), 17 * s)
    first = low - (rows + 0.2 * (columns - 1)) * step
    class_names(canvas, Box(round(x), round(first), round(room), round(step)), names, columns)


def _cut_list(names: Sequence[str], most: int) -> list[str]:
    """At most ``most`` names; if some are left out, the last one is their number."""
    return list(names) if len(names) <= most else [*names[: most - 1], f"+{len(names) - most + 1} more"]


def class_names(canvas: Canvas, row: Box, names: list[str], columns: int) -> None:
    """Draw mark and name of each class, row by row; the upper edge of ``row`` is the baseline of the first."""
    s, width = canvas.unit, row.width / columns
    size = 10 if len(names) <= MOST_IN_ROW else 9
    left, classes = (13 if size == 10 else 11) * s, [name for name in names if not name.startswith("+")]
    words = canvas.shorten_apart(classes, width - left - 2 * s, size) + names[len(classes) :]
    for kind, name in enumerate(words):
        x, y = row.x + kind % columns * width, row.y + kind // columns * row.height
        if is_class := kind < len(classes):
            place = np.array([[x + 5 * s, y - 0.36 * size * s]])
            canvas.marks(place, kind, 4.5 if size == 10 else 4, canvas.colours.of_classes(np.array(kind)))
        canvas.text(x + left * is_class, y, name, size, canvas.colours.label)


def wrap(parts: Sequence[str], width: float, measure: Callable[[str], float], separator: str = " ") -> list[str]:
    """Join the parts into lines of at most that width; a part that is too long for a line is cut."""
    lines = [""]
    for part in parts:
        while len(part) > 1 and measure(part) > width:
            part = part.rstrip("…")[:-1].rstrip() + "…"
        longer = f"{lines[-1]}{separator}{part}" if lines[-1] else part
        if lines[-1] and measure(longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return lines
