"""Films written picture by picture: what GIF and animated PNG have in common, as imageio plugins.

Only what changed is written, and one picture is held back until the next differs: so memory does not grow with
the film, and equal pictures only last longer.
"""

from typing import Any

import numpy as np
from imageio.core.v3_plugin_api import PluginV3

from xortrain.nets import Array

AS_BEFORE = 255
"""The index that lets the previous picture show through; so a palette has at most 255 colours."""


class Streaming(PluginV3):
    """``iio.imopen(path, "w", plugin=StreamingGIF, palette=…, fps=…)``, then write() or append().

    The palette is (colours, 3).  Delays are whole ticks of the format; what rounding takes from one picture the
    next gets back.  The last picture stands ``hold`` seconds longer, and the film starts again for ever if ``loop``.
    """

    ticks: int
    """How many units of the format's delays make a second."""

    def __init__(self, request: Any, palette: Any = None, fps: float = 10, hold: float = 0, loop: bool = True) -> None:
        super().__init__(request)
        self.palette, self.fps, self.hold, self.loop = palette, fps, hold, loop
        self.file = request.get_file()
        self._waiting: Array | None = None
        self._changed: Array | None = None  # which pixels of the waiting picture's rows, from _top on, are new
        self._top = 0
        self._seen = 0  # pictures appended
        self._told = 0  # ticks given away
        self._closed = False

    def write(self, ndimage: Any, *, palette: Any = None, fps: float | None = None, **_: Any) -> None:
        """Append one picture (height, width) of palette indices, or several (pictures, height, width)."""
        self.palette = self.palette if palette is None else palette
        self.fps = self.fps if fps is None else fps
        pictures = np.asarray(ndimage)
        for picture in pictures if pictures.ndim == 3 else pictures[None]:
            self.append(picture)

    def append(self, picture: Array) -> None:
        """Append one picture (height, width) of palette indices, uint8; it is not copied."""
        if self._waiting is None:
            self.start(np.asarray(self.palette, np.uint8), *picture.shape)
            self._waiting = picture
        else:
            changed = picture != self._waiting
            rows = np.flatnonzero(changed.any(axis=1))
            if len(rows):
                self._emit(0)
                self._waiting, self._changed = picture, changed[rows[0] : rows[-1] + 1]
                self._top = int(rows[0])
        self._seen += 1

    def _emit(self, hold: float) -> None:
        """Write the waiting picture: the rectangle that changed, and there AS_BEFORE wherever it did not."""
        assert self._waiting is not None
        end = round((self._seen / self.fps + hold) * self.ticks)
        delay, self._told = min(end - self._told, 65535), end
        if self._changed is None:
            self.picture(self._waiting, 0, 0, delay)
            return
        marks = self._changed.view(np.uint8)  # 1 where it changed
        columns = np.flatnonzero(marks.max(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        part = self._waiting[self._top : self._top + len(marks), left:right]
        self.picture(part | (marks[:, left:right] - np.uint8(1)), self._top, left, delay)  # 255 where it did not

    def close(self) -> None:
        was_closed, self._closed = self._closed, True
        if not was_closed and self._waiting is not None:
            self._emit(self.hold)
            self.finish()
        super().close()

    def start(self, palette: Array, height: int, width: int) -> None:
        """Write what stands before the first picture."""
        raise NotImplementedError

    def picture(self, patch: Array, top: int, left: int, delay: int) -> None:
        """Write one rectangle of the film, shown for ``delay`` ticks."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what stands after the last picture."""
        raise NotImplementedError
