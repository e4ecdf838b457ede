"""Animated GIF as a stream: one palette for the whole film, exact colours, no dithering.

Pillow's own GIF writer keeps every picture in memory and searches the palette anew for each; of Pillow only the
LZW encoder is used here.
"""

from struct import pack

from PIL import Image

from xortrain.films.streaming import AS_BEFORE, Streaming
from xortrain.nets import Array


class StreamingGIF(Streaming):
    """Delays in hundredths of a second; browsers slow a film down whose delay is less than two."""

    ticks = 100

    def start(self, palette: Array, height: int, width: int) -> None:
        assert len(palette) <= AS_BEFORE
        self.file.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, 0, 0))
        self.file.write(palette.tobytes().ljust(768, b"\0"))
        if self.loop:
            self.file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def picture(self, patch: Array, top: int, left: int, delay: int) -> None:
        height, width = patch.shape
        control = pack("<4sHBB", b"\x21\xf9\x04\x05", delay, AS_BEFORE, 0)
        place = pack("<BHHHHBB", 0x2C, left, top, width, height, 0, 8)
        pixels = Image.fromarray(patch).tobytes("gif", "L", 8, 0)
        self.file.write(b"".join((control, place, pixels, b"\0")))

    def finish(self) -> None:
        self.file.write(b";")
