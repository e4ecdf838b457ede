"""Writes the files of films; the extension determines the format.

GIF and animated PNG are written by imageio plugins of our own, WebP by Pillow, MP4 by imageio with PyAV. All of them
take one frame at a time, so that memory does not grow with the film.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from struct import pack
from typing import IO, Any
from zlib import compress, crc32

import numpy as np
from imageio import v3 as iio
from imageio.core.v3_plugin_api import PluginV3
from PIL import Image

from xortrain.errors import writing
from xortrain.films.film_settings import FilmSettings
from xortrain.nets import Array
from xortrain.records.files import atomic

TRANSPARENT = 255  # the index where the previous frame stays visible; so a palette has at most 255 colours

VIDEO_CODES = (6, 1, 13, 1)  # of colours, by ITU-T H.273: the matrix of BT.601, as FFmpeg converts; sRGB; 16 to 235
VIDEO_RATE = 25  # frames per second of a video whose frames last as long as each is needed

Frames = Iterator[Array]


def save(path: Path, frames: Frames, seconds: Array, palette: Array, settings: FilmSettings) -> None:
    """Write frames of palette indices (height, width), each shown for its ``seconds`` (frames,).

    The palette is (colours, 3) uint8. Raises UserError if the file cannot be created.
    """
    with ExitStack() as stack:
        file = _open(path, stack)
        FORMATS[path.suffix.lower()](file, frames, seconds, palette, settings)


def save_still(path: Path, frame: Array, palette: Array) -> None:
    """Write one frame as PNG."""
    with ExitStack() as stack:
        _image(frame, palette).save(_open(path, stack), "png", optimize=True)


def save_drawing(path: Path, write: Callable[[IO[bytes], str], None]) -> None:
    """Write a drawing in the format of the path's extension, which ``write`` gets with the file."""
    with ExitStack() as stack:
        write(_open(path, stack), path.suffix.lower())


def _open(path: Path, stack: ExitStack) -> IO[bytes]:
    with writing(path):
        return stack.enter_context(atomic(path))


def _image(frame: Array, palette: Array) -> Image.Image:
    image = Image.fromarray(frame, "P")
    image.putpalette(palette.tobytes())
    return image


class Streaming(PluginV3):
    """``iio.imopen(path, "w", plugin=StreamingGIF, palette=…, seconds=…)``, then write() or append().

    Only the rectangle that changes is written, and equal frames become one that lasts longer: so a frame is held back
    until the next one differs. ``seconds`` is how long each frame lasts, or all of them. Delays are whole ticks of the
    format; rounding errors do not add up. With ``loop`` the film repeats forever.
    """

    ticks: int
    """Units of the format's delays in a second."""

    def __init__(self, request: Any, palette: Any = None, seconds: Any = 0.1, loop: bool = True) -> None:
        super().__init__(request)
        self.palette, self.seconds, self.loop = palette, np.atleast_1d(seconds), loop
        self.file = request.get_file()
        self._waiting: Array | None = None
        self._changed: Array | None = None  # which pixels of the waiting frame differ, in its rows from _top on
        self._top = 0
        self._appended, self._until = 0, 0.0  # the frames appended, and the second at which the last one ends
        self._elapsed = 0  # ticks of the frames written

    def write(self, ndimage: Any, *, palette: Any = None, seconds: Any = None, **_: Any) -> None:
        """Append one frame (height, width) of palette indices, or several (frames, height, width)."""
        self.palette = self.palette if palette is None else palette
        self.seconds = self.seconds if seconds is None else np.atleast_1d(seconds)
        frames = np.asarray(ndimage)
        for frame in frames if frames.ndim == 3 else frames[None]:
            self.append(frame)

    def append(self, frame: Array) -> None:
        """Append one frame (height, width) of palette indices, uint8; it is not copied."""
        if self._waiting is None:
            self.start(np.asarray(self.palette, np.uint8), *frame.shape)
            self._waiting = frame
        else:
            changed = frame != self._waiting
            rows = np.flatnonzero(changed.any(axis=1))
            if len(rows):
                self._write_waiting()
                self._waiting, self._changed = frame, changed[rows[0] : rows[-1] + 1]
                self._top = int(rows[0])
        self._until += float(self.seconds[min(self._appended, len(self.seconds) - 1)])
        self._appended += 1

    def _write_waiting(self) -> None:
        """Write the rectangle of the waiting frame that changed, transparent where it did not."""
        assert self._waiting is not None
        end = round(self._until * self.ticks)
        delay, self._elapsed = min(end - self._elapsed, 65535), end
        if self._changed is None:
            self.frame(self._waiting, 0, 0, delay)
            return
        marks = self._changed.view(np.uint8)  # 1 where it changed
        columns = np.flatnonzero(marks.max(axis=0))
        left, right = int(columns[0]), int(columns[-1]) + 1
        part = self._waiting[self._top : self._top + len(marks), left:right]
        self.frame(part | (marks[:, left:right] - np.uint8(1)), self._top, left, delay)  # 255 where it did not

    def __exit__(self, kind: Any, value: Any, traceback: Any) -> None:
        if kind:
            self._waiting = None  # an interrupted film is not finished
        super().__exit__(kind, value, traceback)

    def close(self) -> None:
        if self._waiting is not None:
            self._write_waiting()
            self.finish()
            self._waiting = None
        super().close()

    def __del__(self) -> None:
        """imageio would close what Ctrl-C left half made."""

    def start(self, palette: Array, height: int, width: int) -> None:
        """Write what comes before the first frame."""
        raise NotImplementedError

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        """Write one rectangle, shown for ``delay`` ticks."""
        raise NotImplementedError

    def finish(self) -> None:
        """Write what comes after the last frame."""
        raise NotImplementedError


class StreamingGIF(Streaming):
    """Delays in hundredths of a second; browsers slow down a film with delays below two hundredths."""

    ticks = 100

    def start(self, palette: Array, height: int, width: int) -> None:
        assert len(palette) <= TRANSPARENT
        self.file.write(b"GIF89a" + pack("<HHBBB", width, height, 0xF7, 0, 0))
        self.file.write(palette.tobytes().ljust(768, b"\0"))
        if self.loop:
            self.file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        height, width = patch.shape
        control = pack("<4sHBB", b"\x21\xf9\x04\x05", delay, TRANSPARENT, 0)
        place = pack("<BHHHHBB", 0x2C, left, top, width, height, 0, 8)
        pixels = Image.fromarray(patch).tobytes("gif", "L", 8, 0)
        self.file.write(b"".join((control, place, pixels, b"\0")))

    def finish(self) -> None:
        self.file.write(b";")


class StreamingAPNG(Streaming):
    """Delays in thousandths of a second; chunks as in the PNG specification, third edition."""

    ticks = 1000

    def start(self, palette: Array, height: int, width: int) -> None:
        assert len(palette) <= TRANSPARENT
        self._frames = self._chunks = 0
        self.file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0))
        self._control_at = self.file.tell()
        self._control()
        self._chunk(b"PLTE", palette.tobytes().ljust(768, b"\0"))
        self._chunk(b"tRNS", b"\xff" * TRANSPARENT + b"\0")

    def frame(self, patch: Array, top: int, left: int, delay: int) -> None:
        height, width = patch.shape
        place = pack(">IIIIHHBB", width, height, left, top, delay, self.ticks, 0, int(self._frames > 0))
        self._chunk(b"fcTL", self._number() + place)
        pixels = compress(np.pad(patch, ((0, 0), (1, 0))).tobytes(), 6)  # each row begins with its filter, none
        if self._frames:
            self._chunk(b"fdAT", self._number() + pixels)
        else:
            self._chunk(b"IDAT", pixels)
        self._frames += 1

    def finish(self) -> None:
        self._chunk(b"IEND", b"")
        self.file.seek(self._control_at)
        self._control()

    def _control(self) -> None:
        """The number of frames, known only at the end, and how often they play (0: forever)."""
        self._chunk(b"acTL", pack(">II", self._frames, 0 if self.loop else 1))

    def _number(self) -> bytes:
        self._chunks += 1
        return pack(">I", self._chunks - 1)

    def _chunk(self, name: bytes, data: bytes) -> None:
        self.file.write(b"".join((pack(">I", len(data)), name, data, pack(">I", crc32(name + data)))))


def _stream(
    plugin: type[Streaming], file: Any, frames: Frames, seconds: Array, palette: Array, settings: FilmSettings
) -> None:
    options: Any = {"palette": palette, "seconds": seconds, "loop": settings.loop}
    with iio.imopen(file, "w", plugin=plugin, **options) as film:
        for frame in frames:
            film.write(frame)


def _webp(file: IO[bytes], frames: Frames, seconds: Array, palette: Array, settings: FilmSettings) -> None:
    """Lossless: with flat colours the file is smaller than a lossy one."""
    ends = np.rint(1000 * np.cumsum(seconds)).astype(int)
    LazyImage(frames, len(seconds), palette).save(
        file, "webp", save_all=True, lossless=True, duration=np.diff(ends, prepend=0).tolist(),
        loop=0 if settings.loop else 1,
    )  # fmt: skip


class LazyImage(Image.Image):
    """An image of many frames for Pillow's writers; it takes each frame from an iterator only when it is needed.

    Pillow's own `append_images` keeps all frames in memory: 146 MB for 500 frames of 640 by 400, here 23 MB.
    """

    def __init__(self, frames: Frames, count: int, palette: Array) -> None:
        super().__init__()
        self.n_frames = count
        self._frames, self._palette, self._at = frames, palette, -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame > self._at:
            image = _image(next(self._frames), self._palette).convert("RGB")
            self._at, self.im, self._size, self._mode = frame, image.im, image.size, image.mode

    def tell(self) -> int:
        return self._at


def _mp4(file: Any, frames: Frames, seconds: Array, palette: Array, settings: FilmSettings) -> None:
    """Frames are repeated for as long as they last, because a video has one frame rate."""
    rate = float(settings.fps or VIDEO_RATE)
    ends = np.maximum.accumulate(np.rint(np.cumsum(seconds) * rate).astype(int))
    film: Any = iio.imopen(file, "w", plugin="pyav", extension=".mp4", container="mp4")
    try:
        film.init_video_stream("libx264", fps=rate)
        codec = film._video_stream.codec_context  # without codes, players guess the matrix by the height
        codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range = VIDEO_CODES
        for frame, times in zip(frames, np.diff(ends, prepend=0).tolist(), strict=True):
            picture = palette[frame]
            for _ in range(max(times, 1)):
                film.write_frame(picture)
        film.close()
    except BaseException:
        with suppress(Exception):  # of PyAV, about the error that is raised here
            film.close()
        film.close = lambda: None  # imageio would close it again, and complain
        raise


FORMATS: dict[str, Callable[[IO[bytes], Frames, Array, Array, FilmSettings], None]] = {
    ".gif": partial(_stream, StreamingGIF),
    ".png": partial(_stream, StreamingAPNG),
    ".webp": _webp,
    ".mp4": _mp4,
}
