"""The axis of epochs below a plot: round epochs and the last one, as many as have room."""

import numpy as np

from xortrain.films.canvas import Box, Canvas
from xortrain.films.projection import even_ticks

APART = 8  # units between two labels


def draw_epochs(canvas: Canvas, box: Box, last: int, size: float = 10) -> None:
    """Ticks and epochs from 0 to ``last`` below a box, whose edges are those epochs; the last one has the word."""
    s, colours, low = canvas.unit, canvas.colours, box.y + box.height
    end = _end(canvas, last, size, box.width)
    epochs = [0, *_inner(canvas, box, last, size, canvas.text_width(end, size)), last]
    for epoch in epochs:
        x, words = box.x + epoch / max(last, 1) * box.width, end if epoch == last else f"{epoch:,}"
        canvas.line(np.array([[x, low], [x, low + 3 * s]]), colours.pale, 1)
        align = "right" if epoch == last else "centre" if epoch else "left"
        canvas.text(x, low + (size + 4) * s, words, size, colours.label, align=align)


def _end(canvas: Canvas, last: int, size: float, width: float) -> str:
    """The last epoch, with the word if it has room beside 0."""
    words = f"epoch {last:,}"
    return words if canvas.text_width(f"0{words}", size) + 2 * APART * canvas.unit < width else f"{last:,}"


def _inner(canvas: Canvas, box: Box, last: int, size: float, end: float) -> list[int]:
    """The round epochs between 0 and the last one whose labels touch no other."""
    ticks = [round(tick) for tick in even_ticks(0, last)] if last > 1 else []
    inner = sorted({tick for tick in ticks if 0 < tick < last})
    apart = APART * canvas.unit
    free = box.x + canvas.text_width("0", size) + apart, box.x + box.width - end - apart
    shown: list[int] = []
    left = free[0]
    for tick in inner:
        x, half = box.x + tick / last * box.width, canvas.text_width(f"{tick:,}", size) / 2
        if x - half >= left and x + half <= free[1]:
            shown, left = [*shown, tick], x + half + apart
    return shown
