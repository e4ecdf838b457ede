"""Films written picture by picture: what GIF and animated PNG have in common, as imageio plugins.

Only what changed is written, and one picture is held back until the next differs: so memory does not grow with
the film, and equal pictures only last longer.
"""

from struct import pack
from typing import Any
from zlib import compress, crc32

import numpy as np
from imageio.core.v3_plugin_api import PluginV3
from PIL import Image

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
        frames = np.asarray(ndimage)
        for frame in frames if frames.ndim == 3 else frames[None]:
            self.append(frame)

    def append(self, frame: Array) -> None:
        """Append one picture (height, width) of palette indices, uint8; it is not copied."""
        if self._waiting is None:
            self.start(np.asarray(self.palette, np.uint8), *frame.shape)
            self._waiting = frame
        else:
            changed = frame != self._waiting
            rows = np.flatnonzero(changed.any(axis=1))
            if len(rows):
                self._emit(0)
                self._waiting, self._changed = frame, changed[rows[0] : rows[-1] + 1]
                self._top = int(rows[0])
        self._seen += 1

    def _emit(self, hold: float) -> None:
        """Write the waiting picture: the rectangle that changed, and there AS_BEFORE wherever it did not."""
        assert self._waiting is not None
        end = round((self._seen / self.fps + hold) * self.ticks)
        delay, self._told = min(end - self._told, 65535), end
        if self._changed is None:
            self.frame(self._waiting, 0, 0, delay)
            return
        marks = self._changed.view(np.uint8)  # 1 where it changed
        columns = np.flatnonzero(marks.max(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        part = self._waiting[self._top : self._top + len(marks), left:right]
        self.frame(part | (marks[:, left:right] - np.uint8(1)), self._top, left, delay)  # 255 where it did not

    def close(self) -> None:
        was_closed, self._closed = self._closed, True
        if not was_closed and self._waiting is not None:
            self._emit(self.hold)
            self.finish()
        super().close()

    def start(self, palette: Array, height: int, width: int) -> None:
        """Write what stands before the first picture."""
        raise NotImplementedError

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        """Write one rectangle of the film, shown for ``delay`` ticks."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what stands after the last picture."""
        raise NotImplementedError


class StreamingGIF(Streaming):
    """Delays in hundredths of a second; browsers slow a film down whose delay is less than two."""

    ticks = 100

    def start(self, palette: Array, height: int, width: int) -> None:
        assert len(palette) <= AS_BEFORE
        self.file.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, 0, 0))
        self.file.write(palette.tobytes().ljust(768, b"\0"))
        if self.loop:
            self.file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        height, width = patch.shape
        control = pack("<4sHBB", b"\x21\xf9\x04\x05", delay, AS_BEFORE, 0)
        place = pack("<BHHHHBB", 0x2C, left, top, width, height, 0, 8)
        pixels = Image.fromarray(patch).tobytes("gif", "L", 8, 0)
        self.file.write(b"".join((control, place, pixels, b"\0")))

    def finish(self) -> None:
        self.file.write(b";")


class StreamingAPNG(Streaming):
    """Delays in thousandths of a second; chunks as the PNG specification (third edition) has them."""

    ticks = 1000

    def start(self, palette: Array, height: int, width: int) -> None:
        assert len(palette) <= AS_BEFORE
        self._pictures = self._chunks = 0
        self.file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        self._counted_at = self.file.tell()
        self._count()
        self._chunk(b"PLTE", palette.tobytes().ljust(768, b"\0"))
        self._chunk(b"tRNS", b"\xff" * AS_BEFORE + b"\0")

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        height, width = patch.shape
        place = pack(">IIIIHHBB", width, height, left, top, delay, self.ticks, 0, int(self._pictures > 0))
        self._chunk(b"fcTL", self._number() + place)
        pixels = compress(np.pad(patch, ((0, 0), (1, 0))).tobytes(), 6)  # each row begins with its filter, none
        if self._pictures:
            self._chunk(b"fdAT", self._number() + pixels)
        else:
            self._chunk(b"IDAT", pixels)
        self._pictures += 1

    def finish(self) -> None:
        self._chunk(b"IEND", b"")
        self.file.seek(self._counted_at)
        self._count()

    def _count(self) -> None:
        """How many pictures there are and how often they play, 0 for ever; known only at the end."""
        self._chunk(b"acTL", pack(">II", self._pictures, 0 if self.loop else 1))

    def _number(self) -> bytes:
        self._chunks += 1
        return pack(">I", self._chunks - 1)

    def _chunk(self, name: bytes, data: bytes) -> None:
        self.file.write(b"".join((pack(">I", len(data)), name, data, pack(">I", crc32(name + data)))))
