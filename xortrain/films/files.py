"""A film's file: the format by the extension, times in seconds and pictures a second.

GIF and animated PNG are streamed by writers of our own, WebP by Pillow, MP4 by imageio with PyAV.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image

from xortrain.errors import UserError
from xortrain.films.film_settings import FilmSettings
from xortrain.films.streaming import Streaming, StreamingAPNG, StreamingGIF
from xortrain.nets import Array
from xortrain.records.files import atomic

Pictures = Iterator[Array]


def save(path: Path, frames: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    """Write so many pictures of palette indices, as the extension says."""
    with ExitStack() as stack:
        file = _opened(path, stack)
        FORMATS[path.suffix.lower()](file, frames, count, palette, settings)


def save_still(path: Path, frame: Array, palette: Array) -> None:
    """Write one picture as PNG."""
    image = Image.fromarray(frame, "P")
    image.putpalette(palette.tobytes())
    with ExitStack() as stack:
        image.save(_opened(path, stack), "png", optimize=True)


def _opened(path: Path, stack: ExitStack) -> IO[bytes]:
    """The file, or a word on why none can be made there."""
    try:
        return stack.enter_context(atomic(path))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None


def _gif(file: IO[bytes], frames: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    _stream(StreamingGIF, file, frames, palette, settings)


def _apng(file: IO[bytes], frames: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    _stream(StreamingAPNG, file, frames, palette, settings)


def _stream(plugin: type[Streaming], file: Any, frames: Pictures, palette: Array, settings: FilmSettings) -> None:
    import imageio.v3 as iio

    with iio.imopen(
        file, "w", plugin=plugin, palette=palette, fps=settings.fps, hold=settings.hold, loop=settings.loop
    ) as film:
        for frame in frames:
            film.write(frame)


def _webp(file: IO[bytes], frames: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    """Without loss: flat colours come out smaller than with."""
    ends = [round(1000 * (i + 1) / settings.fps) for i in range(count)]
    ends[-1] += round(1000 * settings.hold)
    Reel(frames, count, palette).save(
        file, "webp", save_all=True, lossless=True, duration=np.diff(ends, prepend=0).tolist(),
        loop=0 if settings.loop else 1,
    )  # fmt: skip


class Reel(Image.Image):
    """A film as Pillow's writers want it, an image of many frames; each is drawn when its turn comes."""

    def __init__(self, frames: Pictures, count: int, palette: Array) -> None:
        super().__init__()
        self.n_frames = count
        self._pictures, self._palette, self._at = frames, palette.tobytes(), -1
        self.seek(0)

    def seek(self, frame: int) -> None:
        if frame > self._at:
            image = Image.fromarray(next(self._pictures), "P")
            image.putpalette(self._palette)
            image = image.convert("RGB")
            self._at, self.im, self._size, self._mode = frame, image.im, image.size, image.mode

    def tell(self) -> int:
        return self._at


def _mp4(file: Any, frames: Pictures, count: int, palette: Array, settings: FilmSettings) -> None:
    """The last picture is repeated for as long as it is held: a video has but one rate."""
    import imageio.v3 as iio

    with iio.imopen(file, "w", plugin="pyav", extension=".mp4", container="mp4") as film:
        film.init_video_stream("libx264", fps=float(settings.fps))
        for frame in frames:
            film.write_frame(palette[frame])
        for _ in range(round(settings.hold * settings.fps)):
            film.write_frame(palette[frame])


FORMATS: dict[str, Callable[[IO[bytes], Pictures, int, Array, FilmSettings], None]] = {
    ".gif": _gif,
    ".png": _apng,
    ".webp": _webp,
    ".mp4": _mp4,
}
