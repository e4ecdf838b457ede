"""Animated PNG as a stream: the same pictures as the GIF without loss, less than half its size.

Written by hand because Pillow keeps every picture of an animated PNG in memory until the last has come.
"""

from struct import pack
from zlib import compress, crc32

import numpy as np

from xortrain.films.streaming import AS_BEFORE, Streaming
from xortrain.nets import Array


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

    def picture(self, patch: Array, top: int, left: int, delay: int) -> None:
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
